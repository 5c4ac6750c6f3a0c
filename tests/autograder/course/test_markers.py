"""The scanner for regions that students must not get."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import markers
from autograder.course.markers import HIDDEN, KINDS, RUBRIC, SOLUTION, begin, end, read_marker, region, region_lines

TWO = "a = 1\n### BEGIN HIDDEN TESTS\nb = 2\nc = 3\n### END HIDDEN TESTS\nd = 4"


def test_regions_are_found_and_replaced() -> None:
    assert region(TWO, HIDDEN) == "b = 2\nc = 3"
    assert region_lines(TWO, HIDDEN) == {3, 4}
    assert region(TWO, SOLUTION) == "" and region_lines(TWO, RUBRIC) == frozenset()
    assert markers.replaced(TWO, HIDDEN, None) == "a = 1\nd = 4"
    function = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    assert markers.replaced(function, SOLUTION, "pass") == "def f():\n    pass\n"


def test_an_answer_without_markers_has_no_rubric() -> None:
    rubric = "### BEGIN MARK SCHEME\n- 1 point: mean\n### END MARK SCHEME"
    source = f"### BEGIN SOLUTION\nthe mean\n### END SOLUTION\n{rubric}"
    assert markers.without_markers(source) == "the mean"


def test_a_region_that_is_never_closed_is_secret_to_its_end() -> None:
    assert markers.replaced("a\n### BEGIN HIDDEN TESTS\nb\nc", HIDDEN, None) == "a"


_LINES = st.lists(st.sampled_from([*map(begin, KINDS), *map(end, KINDS), "x = 1", "    y = 2", "# a comment", ""]))


@given(_LINES, st.sampled_from(KINDS))
def test_a_line_is_either_shown_or_in_the_region_or_a_marker(lines: list[str], kind: str) -> None:
    source = "\n".join(lines)
    own = {number for number, line in enumerate(lines, start=1) if line in (begin(kind), end(kind))}
    shown = [line for number, line in enumerate(lines, start=1) if number not in own | region_lines(source, kind)]
    assert markers.replaced(source, kind, None) == "\n".join(shown)


PROSE = ("### KL", "### The solution", "# the solution", "## Hidden tests", "# begin with the larger step", "")


@pytest.mark.parametrize("line", [*PROSE, "### TRAINING"])
def test_other_comments_are_no_markers(line: str) -> None:
    assert read_marker(line) is None


@pytest.mark.parametrize(
    "line", ["### END", "### STOP SOLUTION", "# begin solution", "### BEGN SOLUTION", "### SOLUTION"]
)
def test_misspelt_markers_are_found(line: str) -> None:
    marker = read_marker(line)
    assert marker is not None and not marker.exact
