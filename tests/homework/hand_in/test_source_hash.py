"""The same code has the same hash, other code another one, and the sources of notebook cells are found."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import pytest

from homework.hand_in.source_hash import behaviour_hash, cell_source_of, normalised, source_hash
from tests.homework.conftest import run_cell

CELL = (
    "# a comment\n\n@decorate\ndef f(x):  \n    # inner\n    return x + 1  # kept\n\n"
    "class A:\n    size = 3\n\n    def g(self):\n        return 2\n"
)


def test_comments_blank_lines_and_line_ends_do_not_count() -> None:
    assert (
        normalised(CELL)
        == "@decorate\ndef f(x):\n    return x + 1  # kept\nclass A:\n    size = 3\n    def g(self):\n        return 2"
    )
    same = CELL.replace("\n", "\r\n").replace("# inner", "# something else")
    assert source_hash(same) == source_hash(CELL)
    assert source_hash(CELL.replace("x + 1", "x + 2")) != source_hash(CELL)
    assert source_hash(CELL.replace("    return x", "        return x")) != source_hash(CELL)
    assert source_hash("") == hashlib.sha256(b"").hexdigest()
    assert len(source_hash("\ud800")) == 64


def test_the_cell_of_functions_and_classes_is_found() -> None:
    def decorate(f: Any) -> Any:
        @functools.wraps(f)
        def wrapper(*args: Any) -> Any:
            return f(*args)

        return wrapper

    names = run_cell("<cell of a test 1>", CELL, decorate=decorate)
    for thing in (names["f"], names["A"], names["A"]().g):
        assert cell_source_of(thing) == CELL


@pytest.mark.parametrize("thing", [len, int, functools.partial(len), type("Empty", (), {})])
def test_unknown_sources_are_none(thing: Any) -> None:
    assert cell_source_of(thing) is None


def test_inherited_methods_do_not_lead_to_the_base_class() -> None:
    base = run_cell("<cell of a test 2>", "class Base:\n    def g(self): return 1\n")["Base"]
    source = "class Derived(Base):\n    @property\n    def h(self): return 2\n"
    derived = run_cell("<cell of a test 3>", source, Base=base)["Derived"]
    empty = run_cell("<cell of a test 4>", "class Empty(Base):\n    pass\n", Base=base)["Empty"]
    assert "Derived" in (cell_source_of(derived) or "")
    assert cell_source_of(empty) is None


def test_code_without_source_is_compared_by_its_bytecode() -> None:
    def hash_of(body: str) -> str:
        names: dict[str, Any] = {}
        exec(f"def f(x):\n    {body}", names)
        return behaviour_hash(names["f"])

    one = hash_of("return [x + 1 for _ in range(3)]")
    assert one == hash_of("# comment\n    return [x + 1 for _ in range(3)]")
    assert one != hash_of("return [x + 2 for _ in range(3)]")
