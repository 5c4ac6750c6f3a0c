"""The statements below one that failed, and the names that a statement changes."""

from __future__ import annotations

import ast

import pytest

from autograder.sandbox.guest.remaining_statements import names_changed, remaining_statements


@pytest.mark.parametrize(
    ("source", "line", "failed", "below"),
    [
        ("a = 1\nb = 2\nc = 3", 2, ["b = 2"], ["c = 3"]),
        ("a = 1\nif a:\n    b = 2\n    c = 3\nd = 4", 3, ["b = 2"], ["c = 3", "d = 4"]),
        ("with open(x) as f:\n    b = 2\nd = 4", 2, ["b = 2"], ["d = 4"]),
        ("with open(x) as f:\n    b = 2\nd = 4", 1, ["with open(x) as f:\n    b = 2"], ["d = 4"]),
        ("if a:\n    b = 1\nelse:\n    c = 2\n    d = 3", 4, ["c = 2"], ["d = 3"]),
        ("for a in b:\n    c = 2\nd = 4", 2, ["for a in b:\n    c = 2"], ["d = 4"]),
        ("a = 1", 7, [], []),
    ],
)
def test_statements_below_the_failed_one(source: str, line: int, failed: list[str], below: list[str]) -> None:
    found = remaining_statements(ast.parse(source).body, line)
    assert tuple(list(map(ast.unparse, part)) for part in found) == (failed, below)


@pytest.mark.parametrize(
    ("source", "binds", "changes"),
    [
        ("def f(a):\n    b = a", {"f"}, set()),
        ("class A(B):\n    c = 1", {"A"}, set()),
        ("import a.b, c as d", {"a", "d"}, set()),
        ("from a import *", {"*"}, set()),
        ("x, (y, *z) = v", {"x", "y", "z"}, set()),
        ("for i in [j for j in k]:\n    total = i", {"i", "total"}, set()),
        ("try:\n    pass\nexcept E as e:\n    f = 1", {"e", "f"}, set()),
        ("config['a'].b = 1", set(), {"config"}),
        ("names.inner.append(1)", set(), {"names"}),
        ("get_ipython().run_line_magic('time', 'x = 1')", set(), {"*"}),
        ("print(x)", set(), set()),
        ("f = lambda: (y := 1)", {"f"}, set()),
    ],
)
def test_names_that_a_statement_binds_or_changes(source: str, binds: set[str], changes: set[str]) -> None:
    assert names_changed(ast.parse(source).body[0]) == (binds, changes)
