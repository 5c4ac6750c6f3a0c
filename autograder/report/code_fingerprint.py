"""What is left of an answer when everything is taken away that a copier changes first.

Of code: layout, comments, docstrings, annotations, prints and imports, the names of variables and helpers, the texts
of strings, the order of statements and of the terms of a sum. Of written text: case and punctuation. What is left is
read as *passages*, a few words or symbols in a row, which can be counted over a class. No code is run for it.
"""

from __future__ import annotations

import ast
import functools
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from autograder.course.name_analysis import plain_python

MOST_CHARACTERS = 30_000
"""A longer answer, comments and blanks not counted, is not compared."""
MOST_READ = 20 * MOST_CHARACTERS
"""One that is longer with comments and blanks is not even looked at."""
CODE_PASSAGE = 6
"""Symbols of code in a row that make a passage."""
TEXT_PASSAGE = 5
"""Words in a row that make a passage."""

_NOTHING = frozenset[str]()


@dataclass(frozen=True)
class Shape:
    """One answer, reduced."""

    form: int
    """The same number for the same reduced answer."""
    passages: frozenset[int]
    """Its passages, each as a number."""


def shape_of_text(text: str) -> Shape | None:
    """The shape of a written answer; None if there are too few words for one, or too many."""
    words = re.findall(r"[^\W_]+", _plain(text).casefold()) if len(text) <= MOST_READ else []
    if len(words) < TEXT_PASSAGE or sum(map(len, words)) > MOST_CHARACTERS:
        return None
    return Shape(_number(words), frozenset(_passages(words, TEXT_PASSAGE)))


@functools.lru_cache(maxsize=4096)
def shape_of_code(source: str, keep: frozenset[str] = _NOTHING) -> Shape | None:
    """The shape of a cell; None if it is no Python, or too long.

    Args:
        source: the cell.
        keep: names at its top level that everybody must use: what the item is called.
    """
    written = [line.strip() for line in source.splitlines()] if len(source) <= MOST_READ else []
    if not 0 < sum(len(line) for line in written if not line.startswith("#")) <= MOST_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a student's own, e.g. about "\d"
            reader = _Reader(ast.parse(plain_python(source)), keep)
            lines = reader.lines()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not lines:
        return None
    form = _number([part for depth, line in sorted(lines) for part in (str(depth), *line, "\n")])
    return Shape(form, frozenset(passage for _, line in lines for passage in _passages(line, CODE_PASSAGE)))


def _plain(text: str) -> str:
    """A text without what nobody sees: comments of HTML, invisible letters, other forms of the same letter."""
    seen = unicodedata.normalize("NFKC", re.sub(r"<!--.*?(?:-->|$)", " ", text, flags=re.DOTALL))
    return "".join(letter for letter in seen if unicodedata.category(letter) != "Cf")


def _passages(words: Sequence[str], length: int) -> Iterator[int]:
    for start in range(max(1, len(words) - length + 1)):
        yield _number(words[start : start + length])


def _number(words: Iterable[str]) -> int:
    digest = blake2b("\0".join(words).encode("utf-8", "backslashreplace"), digest_size=8)
    return int.from_bytes(digest.digest())


class _Reader:
    """Reads one syntax tree as lines of symbols."""

    def __init__(self, tree: ast.Module, keep: frozenset[str]) -> None:
        self._tree = tree
        self._keep = keep
        nodes = list(ast.walk(tree))
        self._imported = dict(_imported(nodes))
        self._own = frozenset(_bound(nodes)) - self._imported.keys() - keep
        self._own_attributes = frozenset(
            node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
        )
        self._places: Mapping[str, int] | None = None
        """Arguments of the function that is being read, by place."""

    def lines(self) -> list[tuple[int, tuple[str, ...]]]:
        """Each statement, or its head if others stand in it, as depth and symbols; in the order of the source."""
        return list(self._block(self._tree.body, 0))

    def _block(self, body: Sequence[ast.stmt], depth: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        for statement in body:
            if _says_nothing(statement):
                continue
            if self._places is None and isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._places = _places(statement.args)
                yield from self._statement(statement, depth)
                self._places = None
            else:
                yield from self._statement(statement, depth)

    def _statement(self, statement: ast.stmt, depth: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        yield depth, tuple(self._head(statement))
        yield from self._inside(statement, depth + 1)

    def _inside(self, node: ast.AST, depth: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        for name, value in ast.iter_fields(node):
            if not isinstance(value, list) or not value:
                continue
            if isinstance(value[0], ast.stmt):
                if name != "body":
                    yield depth, (name,)
                yield from self._block(value, depth)
            elif isinstance(value[0], ast.ExceptHandler | ast.match_case):
                for case in value:
                    yield depth, (type(case).__name__, *self._children(case))
                    yield from self._inside(case, depth)

    def _head(self, node: ast.stmt) -> Iterator[str]:
        """The symbols of a statement, without those of the statements in it."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield "def"
                yield self._name(node.name)
                yield from self._children(node.args)
                for decorator in node.decorator_list:
                    yield from self._symbols(decorator)
            case ast.AnnAssign():
                yield "="
                yield from self._symbols(node.target)
                yield from self._symbols(node.value) if node.value else ()
            case ast.Assign():
                yield "="
                for target in [*node.targets, node.value]:
                    yield from self._symbols(target)
            case ast.AugAssign():
                yield "="
                yield from self._symbols(node.target)
                yield from self._operation(ast.BinOp(node.target, node.op, node.value))
            case ast.ClassDef():
                yield "class"
                yield self._name(node.name)
                for base in node.bases:
                    yield from self._symbols(base)
            case _:
                yield type(node).__name__
                yield from self._children(node)

    def _children(self, node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from self._symbols(child)

    def _symbols(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Name():
                yield self._name(node.id)
            case ast.arg():
                yield self._name(node.arg)
            case ast.Attribute():
                yield from self._symbols(node.value)
                yield ".own" if node.attr in self._own_attributes else f".{node.attr}"
            case ast.Constant():
                yield _constant(node.value)
            case ast.JoinedStr():
                yield "text"
            case ast.Call():
                yield "call"
                for part in [node.func, *node.args]:
                    yield from self._symbols(part)
                for keyword in sorted(node.keywords, key=lambda keyword: keyword.arg or ""):
                    yield f"{keyword.arg or '**'}="
                    yield from self._symbols(keyword.value)
            case ast.BinOp():
                yield from self._operation(node)
            case ast.Compare(ops=[ast.Gt() | ast.GtE()]):
                yield "Lt" if isinstance(node.ops[0], ast.Gt) else "LtE"
                yield from self._symbols(node.comparators[0])
                yield from self._symbols(node.left)
            case ast.expr_context():
                return
            case _:
                yield type(node).__name__
                yield from self._children(node)

    def _operation(self, node: ast.BinOp) -> Iterator[str]:
        """A sum or product as its terms in one fixed order; other operations as they are."""
        yield type(node.op).__name__
        if not isinstance(node.op, ast.Add | ast.Mult):
            yield from self._symbols(node.left)
            yield from self._symbols(node.right)
            return
        terms, left = [node.right], node.left
        while isinstance(left, ast.BinOp) and type(left.op) is type(node.op):
            terms.append(left.right)
            left = left.left
        for symbols in sorted(tuple(self._symbols(term)) for term in [*terms, left]):
            yield from symbols

    def _name(self, name: str) -> str:
        if self._places and name in self._places:
            return f"argument {self._places[name]}"
        if name in self._own:
            return "own"
        return self._imported.get(name, name)


def _says_nothing(node: ast.stmt) -> bool:
    """Does a statement not change what comes out: a docstring, an import, a print, `pass`?"""
    match node:
        case ast.Pass() | ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal():
            return True
        case ast.AnnAssign(value=None) | ast.Expr(value=ast.Constant() | ast.Call(func=ast.Name(id="print"))):
            return True
    return False


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Name → what it stands for, of everything that the cell imports."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that the cell gives to something."""
    for node in nodes:
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                yield node.id
            case ast.arg():
                yield node.arg
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if not (node.name.startswith("__") and node.name.endswith("__")):
                    yield node.name
            case ast.ExceptHandler() if node.name:
                yield node.name


def _places(arguments: ast.arguments) -> dict[str, int]:
    every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    return {argument.arg: place for place, argument in enumerate(each for each in every if each is not None)}


def _constant(value: object) -> str:
    if isinstance(value, str | bytes):
        return "text"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return repr(value)
    return f"{value:g}" if abs(value) < 1e300 else "number"
