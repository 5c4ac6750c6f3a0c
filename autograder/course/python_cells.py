"""Reads the text of a cell as Python, without running it: in linear time, with a syntax tree of bounded depth."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import symtable
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

from IPython.core.inputtransformer2 import TransformerManager

MAX_SOURCE = 50_000
"""Maximum length of a cell, in characters, that is parsed."""
MAX_DEPTH = 200
"""Maximum nesting of a syntax tree; Python's own recursive tools end with an error at about 300."""
_MAX_DIGITS = 4300
"""Decimal digits of the largest integer that Python writes."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
"""The statements that define a function or a class."""
_CANNOT_BE_PARSED = (SyntaxError, ValueError, RecursionError, MemoryError)
_RUNS_CODE = ("time", "timeit", "prun", "capture")
"""Magics that run Python code, which is then read."""
_CODE_LINE = re.compile(rf"(?P<indent>\s*+)%(?:{'|'.join(_RUNS_CODE)})\s++(?P<code>[^-].*)")
_MAGIC = re.compile(r"(?P<start>\s*+(?:[\w.,\s\[\]'\"*]++=\s*+)?)[%!]")
_HELP = re.compile(r"(?P<start>\s*+)(?:\?{1,2}[\w.%*]++|[\w.%*\[\]]++\?{1,2})\s*+$")
_CALL = "get_ipython()"
_MOST_TRANSFORMED = 100_000
"""Maximum number of lines with marks of magics times the characters of a cell that IPython's own, slow reader gets."""


def syntax_tree(source: str) -> ast.Module | None:
    """The syntax tree of a cell; None if it is too long, cannot be parsed, or is nested too deeply."""
    tree = _read(source, ast.parse)
    return tree if tree is not None and _is_plain(tree) else None


def symbols(source: str) -> symtable.SymbolTable | None:
    """The symbol table of a cell; None if it is too long or cannot be compiled."""
    return _read(source, lambda plain: symtable.symtable(plain, "<cell>", "exec"))


_T = TypeVar("_T")


def _read(source: str, read: Callable[[str], _T]) -> _T | None:
    return None if len(source) > MAX_SOURCE else _attempt(plain_python(source), read)


def _attempt(python: str, read: Callable[[str], _T]) -> _T | None:
    """What `read` makes of a text; None if it cannot be parsed."""
    with contextlib.suppress(*_CANNOT_BE_PARSED), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about the student's code, e.g. about "\d"
        return read(python)
    return None


@functools.lru_cache(maxsize=16)
def plain_python(source: str) -> str:
    """A cell as Python text with the same lines: the code that magics run; other magics and shell lines are calls."""
    if not any(mark in source for mark in "%!?") or _parses(source):
        return source
    lines = source.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith("%%"):
        magic = lines[first].split()[0]
        below = "\n".join(lines[first + 1 :]) if magic[2:] in _RUNS_CODE else ""
        return "\n" * (first + 1) + (below if _parses(below) else _without_magics(below))
    return _without_magics(source)


def _without_magics(source: str) -> str:
    """The text, which Python cannot parse, with calls in the place of magics; unchanged if that does not help."""
    lines = source.split("\n")
    without = "\n".join(_with_calls(lines))
    if _parses(without):
        return without
    marks = sum(any(mark in line for mark in "%!?") for line in lines)
    if marks * len(source) <= _MOST_TRANSFORMED:  # IPython reads the whole cell again for each of them
        with contextlib.suppress(Exception):  # incomplete cells raise various errors
            transformed = _attempt(source, lambda text: str(TransformerManager().transform_cell(text)))
            return transformed if transformed is not None and _parses(transformed) else source
    return source


def _parses(python: str) -> bool:
    return _attempt(python, ast.parse) is not None


def _with_calls(lines: list[str]) -> Iterator[str]:
    """The lines, with calls in the place of magics, shell lines and questions; a continued one has empty lines."""
    is_continued = False
    for line in lines:
        if is_continued:
            is_continued = line.endswith("\\")
            yield ""
        elif code := _CODE_LINE.match(line):
            yield code["indent"] + code["code"]
        elif magic := _MAGIC.match(line) or _HELP.match(line):
            is_continued = line.endswith("\\")
            yield magic["start"] + _CALL
        else:
            yield line


def _is_plain(tree: ast.Module) -> bool:
    """Whether the tree is not nested too deeply, and has no integer that Python refuses to write."""
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if any(isinstance(node, ast.Constant) and _is_huge(node.value) for node in level):
            return False
        if not level:
            return True
    return False


def _is_huge(value: object) -> bool:
    return isinstance(value, int) and value.bit_length() > 3 * _MAX_DIGITS
