"""The same code has the same hash, other code another one, and a notebook's cells are found."""

from __future__ import annotations

import functools
import hashlib
import linecache
from types import ModuleType
from typing import Any

import pytest

from homework.hand_in.source_hash import behaviour_hash, cell_source_of, normalised, source_hash

CELL = (
    "# a comment\n\n@decorate\ndef f(x):  \n    # inner\n    return x + 1  # kept\n\n"
    "class A:\n    size = 3\n\n    def g(self):\n        return 2\n"
)


def _run_cell(name: str, source: str, **names: Any) -> dict[str, Any]:
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    module = ModuleType("cell")
    module.__dict__.update(names)
    exec(compile(source, name, "exec"), module.__dict__)
    return module.__dict__


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

    names = _run_cell("<cell of a test 1>", CELL, decorate=decorate)
    assert cell_source_of(names["f"]) == CELL
    assert cell_source_of(names["A"]) == CELL
    assert cell_source_of(names["A"]().g) == CELL


@pytest.mark.parametrize("thing", [len, int, functools.partial(len), type("Empty", (), {})])
def test_unknown_sources_are_none(thing: Any) -> None:
    assert cell_source_of(thing) is None


def test_inherited_methods_do_not_lead_to_the_base_class() -> None:
    base = _run_cell("<cell of a test 2>", "class Base:\n    def g(self): return 1\n")["Base"]
    derived = _run_cell(
        "<cell of a test 3>", "class Derived(Base):\n    @property\n    def h(self): return 2\n", Base=base
    )["Derived"]
    empty = _run_cell("<cell of a test 4>", "class Empty(Base):\n    pass\n", Base=base)["Empty"]
    assert "Derived" in (cell_source_of(derived) or "")
    assert cell_source_of(empty) is None


def test_code_without_source_is_told_apart_by_what_it_does() -> None:
    def made(text: str) -> Any:
        names: dict[str, Any] = {}
        exec(text, names)
        return names["f"]

    one = behaviour_hash(made("def f(x):\n    return [x + 1 for _ in range(3)]"))
    assert one == behaviour_hash(made("def f(x):\n    # comment\n    return [x + 1 for _ in range(3)]"))
    assert one != behaviour_hash(made("def f(x):\n    return [x + 2 for _ in range(3)]"))
