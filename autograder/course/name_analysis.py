"""Finds the cells that graded items need, so that grading skips the others (training, plots, downloads, scratch cells).

Each cell binds and uses names. Starting from the names that tests use, the search adds each cell that binds a used
name, until no new cell is found. The analysis reads the syntax tree and runs no cell.
"""

from __future__ import annotations

import ast
import functools
import re
import symtable
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.course.python_cells import DEFINITIONS, plain_python, symbols, syntax_tree


@dataclass(frozen=True)
class Names:
    """The notebook's names that one cell binds and uses."""

    binds: frozenset[str]
    """Names it assigns, defines, imports or changes in place at its top level."""
    uses: frozenset[str]
    """Global names it reads anywhere."""
    star: bool = False
    """Whether it has a star import (`from x import *`)."""
    attributes: frozenset[str] = frozenset()
    """`X` of every `student.X` in it."""


NO_NAMES = Names(frozenset(), frozenset())


@functools.lru_cache(maxsize=8192)  # more than a notebook has cells
def names_of(source: str) -> Names | None:
    """The names of one cell; None if it is too long or cannot be parsed."""
    tree, scopes = syntax_tree(source), symbols(source)
    if tree is None or scopes is None:
        return None
    binds: set[str] = set()
    uses: set[str] = set()
    _read_scopes(scopes, binds, uses)
    top_level = ast.Module([node for node in tree.body if not isinstance(node, DEFINITIONS)], [])
    binds.update(_changed(top_level))
    star, asked = False, set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            star |= node.names[0].name == "*"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "student":
            asked.add(node.attr)
    return Names(frozenset(binds), frozenset(uses), star, frozenset(asked))


def imported_modules(sources: Iterable[str], *, called: bool = True) -> list[str]:
    """The modules that these cells may import: both `x` and `x.y` for `from x import y`.

    Args:
        sources: the cells.
        called: whether the functions that they define are called.
    """
    found: dict[str, None] = {}
    waiting: list[ast.AST] = [ast.parse(plain_python(source)) for source in sources]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Import):
            found.update((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found[node.module] = None
            found.update((f"{node.module}.{alias.name}", None) for alias in node.names)
        if called or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)
    return list(found)


def defines(source: str, name: str) -> bool:
    """Returns whether a cell, even an unparsable one, binds this name at its top level."""
    names = names_of(source)
    if names is None:
        return re.search(rf"^(?:async\s+def|def|class)\s+{re.escape(name)}\b", source, re.MULTILINE) is not None
    return name in names.binds


def definitions(source: str) -> frozenset[str]:
    """The functions and classes that a cell defines at its top level; none if it cannot be parsed."""
    tree = syntax_tree(source)
    return frozenset(node.name for node in (tree.body if tree else ()) if isinstance(node, DEFINITIONS))


def replaces(source: str, name: str) -> bool:
    """Returns whether a cell rebinds a name without using its old value (`f = cache(f)` uses it)."""
    names = names_of(source)
    if names is None or name not in names.binds:
        return False
    if name not in names.uses:
        return True
    tree = syntax_tree(source)
    return tree is not None and any(isinstance(node, DEFINITIONS) and node.name == name for node in tree.body)


def needed(sources: Sequence[str | None], wanted: Iterable[str]) -> set[int]:
    """The positions of the cells that must run so that the wanted names are defined and usable.

    Args:
        sources: the cells in order; None for a cell that must not run (a training cell, a test).
        wanted: the names to start from.
    """
    cells = [NO_NAMES if source is None else (names_of(source) or NO_NAMES) for source in sources]
    binders = defaultdict(list)
    for position, cell in enumerate(cells):
        for name in cell.binds:
            binders[name].append(position)
    chosen = {position for position, cell in enumerate(cells) if cell.star}
    open_names = [*wanted, *(name for position in chosen for name in cells[position].uses)]
    seen: set[str] = set()
    while open_names:
        name = open_names.pop()
        if name in seen:
            continue
        seen.add(name)
        for position in binders.get(name, ()):
            if position not in chosen:
                chosen.add(position)
                open_names.extend(cells[position].uses)
    return chosen


def _read_scopes(table: symtable.SymbolTable, binds: set[str], uses: set[str]) -> None:
    """Adds the global names that a scope and its nested scopes bind and read to `binds` and `uses`."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        is_global = top or symbol.is_global()
        if is_global and (symbol.is_assigned() or symbol.is_imported() or (top and symbol.is_namespace())):
            binds.add(symbol.get_name())
        if is_global and symbol.is_referenced():
            uses.add(symbol.get_name())
    for child in table.get_children():
        _read_scopes(child, binds, uses)


def _changed(tree: ast.Module) -> Iterator[str]:
    """Names whose objects are changed in place: `config["x"] = 1`, `Model.f = g`, `setattr(Model, "f", g)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr" and node.args:
            node = ast.Subscript(node.args[0], node.args[0], ast.Store())
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            base: ast.expr = node
            while isinstance(base, (ast.Attribute, ast.Subscript)):
                base = base.value
            if isinstance(base, ast.Name):
                yield base.id
