"""Replaces what tests import from `nose.tools`, which no recent Python runs, by the methods of `unittest` behind it."""

from __future__ import annotations

import ast
import re
import unittest
from collections.abc import Sequence
from dataclasses import replace

from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.course.python_cells import syntax_tree
from autograder.imports.code_edits import edited
from autograder.imports.original import Original

_OTHER_NAMES = {"ok_": "assertTrue", "eq_": "assertEqual"}
_NOTE = "`nose.tools` is replaced by `unittest`: nose does not run in Python 3.10 or later"


def without_nose(cells: Sequence[Original]) -> list[Original]:
    """The cells with `assert_equal = TestCase().assertEqual` in place of `from nose.tools import assert_equal`."""
    used = frozenset[str]().union(*((names_of(cell.source) or NO_NAMES).uses for cell in cells if _is_code(cell)))
    return [_replaced(cell, used) if _is_code(cell) else cell for cell in cells]


def _is_code(cell: Original) -> bool:
    return cell.cell_type == "code"


def _replaced(cell: Original, used: frozenset[str]) -> Original:
    tree = syntax_tree(cell.source)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)] if tree else []
    edits = [(node, text) for node in found if node.module == "nose.tools" and (text := _of_unittest(node, used))]
    if not edits:
        return cell
    look = "; ".join(filter(None, (cell.look, _NOTE)))
    return replace(cell, source=edited(cell.source, edits), look=look)


def _of_unittest(node: ast.ImportFrom, used: frozenset[str]) -> str:
    """The statements in place of an import; empty if one of its names has no counterpart."""
    names = [(alias.name, alias.asname or alias.name) for alias in node.names]
    if names[0][0] == "*":
        names = [(name, name) for name in sorted(used) if hasattr(unittest.TestCase, _method(name))]
    if not all(hasattr(unittest.TestCase, _method(name)) for name, _ in names):
        return ""
    lines = ["from unittest import TestCase", *(f"{own} = TestCase().{_method(name)}" for name, own in names)]
    return f"\n{' ' * node.col_offset}".join(lines)


def _method(name: str) -> str:
    """`assertItems` for `assert_items`; no name of a method for any other name."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    first, *words = name.replace("regexp", "regex").split("_")
    return first + "".join(map(str.capitalize, words)) if re.fullmatch(r"assert(_[a-z]+)+", name) else "-"
