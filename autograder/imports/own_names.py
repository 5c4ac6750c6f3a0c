"""Renames the variables of test cells that a cell below uses for something of its own.

In a notebook the later cell wins. Here all cells run before the tests, so that both would be one variable.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Sequence

from autograder.course.name_analysis import NO_NAMES, Names, names_of
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.code_edits import edited
from autograder.imports.original import Original


def with_own_names(cells: Sequence[Original]) -> list[Original]:
    """The cells; a variable that test cells make first, and a later cell makes again, has a name of its own in them.

    A name that cannot be replaced everywhere (a function, an argument, in an f-string, beside a magic) stays as it is.
    """
    changed = list(cells)
    names = [names_of(cell.source) or NO_NAMES if cell.cell_type == "code" else NO_NAMES for cell in cells]
    known = {name for one in names for name in one.binds | one.uses}
    for first, last, name in _made_again(cells, names):
        own = f"{name}_in_test"
        tests = [n for n in range(first, last) if cells[n].role == "test" and name in names[n].binds | names[n].uses]
        if own not in known and all(_is_replaceable(changed[n].source, name) for n in tests):
            for n in tests:
                why = f"its `{name}` is `{own}` here, since {cells[last].place} makes another `{name}`"
                look = "; ".join(filter(None, (changed[n].look, why)))
                source = _replaced(changed[n].source, name, own)
                changed[n] = dataclasses.replace(changed[n], source=source, look=look)
    return changed


def _made_again(cells: Sequence[Original], names: Sequence[Names]) -> Iterator[tuple[int, int, str]]:
    """Position of the test cell that makes a name first, of the first other cell that makes it, and the name."""
    for name in sorted(frozenset().union(*(one.binds for one in names))):
        makers = [n for n, one in enumerate(names) if name in one.binds]
        others = [n for n in makers if cells[n].role != "test"]
        if others and makers[0] < others[0]:
            yield makers[0], others[0], name


def _is_replaceable(source: str, name: str) -> bool:
    tree = syntax_tree(source)
    if tree is None or plain_python(source) != source:
        return False
    for node in ast.walk(tree):
        said = [getattr(node, "arg", None), getattr(node, "asname", None), getattr(node, "name", None)]
        if isinstance(node, ast.Global | ast.Nonlocal):
            said += node.names
        if isinstance(node, ast.JoinedStr):  # Python 3.11 does not tell the places inside
            said += [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        if isinstance(node, ast.alias) and not node.asname:
            said.append(node.name.partition(".")[0])
        if name in said and not isinstance(node, ast.keyword):
            return False
    return True


def _replaced(source: str, name: str, own: str) -> str:
    tree = ast.parse(source)
    return edited(source, ((node, own) for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name))
