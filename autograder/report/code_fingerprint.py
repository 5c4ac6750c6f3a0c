"""Reduces an answer to what remains when everything is removed that is easily changed in a copy.

From code it removes layout, comments, docstrings, annotations, prints, imports, names of variables and helpers, texts
of strings, and the order of statements and of the terms of a sum. From written text it removes case and punctuation.
The rest is split into *passages*, a few words or symbols in a row, which can be counted over a class. No code is run.
"""

from __future__ import annotations

import ast
import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from autograder.course.python_cells import MAX_SOURCE, syntax_tree

MOST_CHARACTERS = 30_000
"""A longer answer, not counting comments and blanks, is not compared."""
MOST_READ = 20 * MOST_CHARACTERS
"""An answer that is longer with comments and blanks is not parsed."""
CODE_PASSAGE = 6
"""Number of code symbols in a passage."""
TEXT_PASSAGE = 5
"""Number of words in a passage."""


@dataclass(frozen=True)
class Shape:
    """One answer, reduced."""

    form: int
    """Hash of the whole reduced answer."""
    passages: frozenset[int]
    """Hashes of its passages."""


def shape_of_text(text: str) -> Shape | None:
    """Reduces a written answer to hashes for comparison; None if it has too few words or is too long."""
    words = re.findall(r"[^\W_]+", _plain(text).casefold()) if len(text) <= MOST_READ else []
    if len(words) < TEXT_PASSAGE or sum(map(len, words)) > MOST_CHARACTERS:
        return None
    return Shape(_number(words), frozenset(_passages(words, TEXT_PASSAGE)))


@functools.lru_cache(maxsize=4096)
def shape_of_code(source: str, keep: frozenset[str] = frozenset()) -> Shape | None:
    """The shape of a cell; None if it is not valid Python, or too long.

    Args:
        source: the cell.
        keep: top-level names that every student must use: the item's name.
    """
    written = [line.strip() for line in source.splitlines()] if len(source) <= MOST_READ else []
    if not 0 < sum(len(line) for line in written if not line.startswith("#")) <= MOST_CHARACTERS:
        return None
    if len(source) > MAX_SOURCE:  # padded, e.g. with comments
        source = "\n".join(line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    tree = syntax_tree(source)
    lines = [] if tree is None else _Reader(tree, keep).lines()
    if not lines:
        return None
    form = _number([part for depth, line in sorted(lines) for part in (str(depth), *line, "\n")])
    return Shape(form, frozenset(passage for _, line in lines for passage in _passages(line, CODE_PASSAGE)))


def _plain(text: str) -> str:
    """Removes HTML comments and invisible characters from a text and normalises its characters."""
    seen = unicodedata.normalize("NFKC", re.sub(r"<!--.*?(?:-->|$)", " ", text, flags=re.DOTALL))
    return "".join(letter for letter in seen if unicodedata.category(letter) != "Cf")


def _passages(words: Sequence[str], length: int) -> Iterator[int]:
    for start in range(max(1, len(words) - length + 1)):
        yield _number(words[start : start + length])


def _number(words: Iterable[str]) -> int:
    return int.from_bytes(blake2b("\0".join(words).encode("utf-8", "backslashreplace"), digest_size=8).digest())


class _Reader:
    """Converts one syntax tree to lines of symbols."""

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
        """Argument name → position, for the function being read."""

    def lines(self) -> list[tuple[int, tuple[str, ...]]]:
        """Each statement as depth and symbols, in the order of the source; a compound statement without its body."""
        return list(self._block(self._tree.body, 0))

    def _block(self, body: Sequence[ast.stmt], depth: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        for statement in body:
            if _has_no_effect(statement):
                continue
            outermost = self._places is None
            if outermost and isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._places = _places(statement.args)
            yield depth, tuple(self._head(statement))
            yield from self._inside(statement, depth + 1)
            if outermost:
                self._places = None

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
        """The symbols of a statement, without those of the statements inside it."""
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
        """The symbols of a sum or product with its terms in a fixed order; other operations unchanged."""
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


def _has_no_effect(node: ast.stmt) -> bool:
    """Whether a statement has no effect on results: a docstring, an import, a print, `pass`."""
    match node:
        case ast.Pass() | ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal():
            return True
        case ast.AnnAssign(value=None) | ast.Expr(value=ast.Constant() | ast.Call(func=ast.Name(id="print"))):
            return True
    return False


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yields (name, imported name) for everything that the cell imports."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yields the names that the cell binds."""
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
