"""Errors of student code: where they are is told by the submitted cell, and nothing else of the places is believed."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox.student_error import MODULE, StudentError

CELLS = {
    "f": "import math\n\ndef f(x):\n    def inner(y):\n        return y / 0\n    return inner(x)\n\nf(1)\n"
    "class A:\n    z = 1 / 0\n    def g(self): return 1 / 0\n",
    "broken": "def f(:\n    1 / 0",
    "magic": "%%time\ndef h():\n    !ls\n    1 / 0",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["f", "ValueError", "lines"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("lines"), inner, max_size=4),
)


def told(lines: Any, **fields: Any) -> StudentError:
    """The error that the student's process tells with these places."""
    return StudentError.of({"type": "ValueError", "message": "no", "lines": lines, "memory": False, **fields}, CELLS)


@pytest.mark.parametrize(
    ("place", "function", "text"),
    [
        (["f", 1], MODULE, "import math"),
        (["f", 5], "inner", "return y / 0"),
        (["f", 6], "f", "return inner(x)"),
        (["f", 8], MODULE, "f(1)"),
        (["f", 10], "A", "z = 1 / 0"),
        (["f", 11], "g", "def g(self): return 1 / 0"),
        (["broken", 1], MODULE, "def f(:"),
        (["magic", 4], "h", "1 / 0"),
    ],
)
def test_function_and_text_of_a_line_are_those_of_the_submitted_cell(place: Any, function: str, text: str) -> None:
    assert told([place]).lines == ((*place, function, text),)


@pytest.mark.parametrize(
    "line", [["f", 0], ["f", -1], ["f", 12], ["f", 10**30], ["other", 1], ["f", True], ["f", 1, "x_3p14", "3.14"], "f"]
)
def test_a_place_outside_the_cells_is_left_out(line: Any) -> None:
    assert told([line]).lines == ()


def test_words_are_cut_and_unknown_kinds_are_exceptions() -> None:
    for kind in ("__import__", "print", "planet", 3, None, "KeyErrorx"):
        assert told([], type=kind).kind == "Exception"
    assert told([], type="KeyboardInterrupt").kind == "KeyboardInterrupt"
    assert told([], message="\ud800" + "x" * 5000).detail == "?" + "x" * 1999
    assert len(told([["f", 1]] * 500).lines) == 20


@given(ANYTHING)
def test_whatever_is_told_becomes_an_error_that_can_be_written_and_read(raised: Any) -> None:
    error = StudentError.of(raised, CELLS)
    written = json.dumps(dataclasses.asdict(error), allow_nan=False).encode("utf-8", "strict")
    assert StudentError.from_json(json.loads(written)) == error
