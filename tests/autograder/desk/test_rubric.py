"""Rubrics: scores, changes, files, and the way back into a source."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.mark_scheme import criteria
from autograder.course.problem import load_problem
from autograder.desk.rubric import Rubric, RubricError, RubricItem, from_yaml, merged, rubric_of
from autograder.desk.rubric_in_source import with_rubric
from tests.autograder.toy import ROOT as COURSE
from tests.autograder.toy import course_copy, toy

TWO = Rubric((RubricItem("r1", 2, "the unit"), RubricItem("r2", 1, "the variance")), 3)


def test_it_begins_as_the_bullets_of_the_source() -> None:
    rubric = rubric_of(toy().item("written_units"))
    assert [(item.key, item.points) for item in rubric.items] == [("r1", 2), ("r2", 1)]
    assert rubric.items[1].text == "says that the quotient has variance one only with the deviation"
    assert (rubric.most, rubric.version, rubric.doubts) == (3, 1, "")
    assert len(rubric_of(toy().item("figure_loss")).items) == 2, "bullets in a code cell"


def test_a_line_without_a_bullet_belongs_to_the_one_above() -> None:
    assert criteria("# * 1.5 points: names\n#   both\n- (2 pts) x") == ((1.5, "names both"), (2.0, "x"))


def test_scores_add_up_or_are_taken_off_and_stay_between_nothing_and_the_maximum() -> None:
    assert TWO.score(()) == 0 and TWO.score({"r1", "r2"}) == 3 and TWO.score({"r2"}, 0.5) == 1.5
    assert TWO.score({"r1", "r2"}, 1) == 3 and TWO.score((), -1) == 0
    off = Rubric((RubricItem("r1", -2, "no unit"), RubricItem("r2", -2, "wrong")), 3)
    assert off.takes_off and off.score(()) == 3 and off.score({"r1"}) == 1 and off.score({"r1", "r2"}) == 0


@given(st.lists(st.floats(-5, 5).filter(bool), max_size=6), st.floats(allow_nan=True), st.sets(st.integers(0, 5)))
def test_a_score_is_always_between_nothing_and_the_maximum(
    points: list[float], adjusted: float, ticks: set[int]
) -> None:
    rubric = Rubric(tuple(RubricItem(f"r{number}", one, "x") for number, one in enumerate(points)), 4)
    score = rubric.score({f"r{number}" for number in ticks}, adjusted)
    assert 0 <= score <= 4 and math.isfinite(score)


def test_a_rubric_that_does_not_add_up_says_so() -> None:
    assert "add up to 4" in Rubric((*TWO.items, RubricItem("r3", 1, "x")), 3).doubts
    assert "no items" in Rubric((), 3).doubts
    assert "take them off" in Rubric((*TWO.items, RubricItem("r3", -1, "x")), 3).doubts
    assert "end at 3 of 4" in Rubric((*TWO.items, RubricItem("r3", -1, "x")), 4).doubts


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([RubricItem("r1", 1, " ")], "no text"),
        ([RubricItem("r1", 0, "x")], "not 0"),
        ([RubricItem("r1", math.nan, "x")], "nan points"),
        ([RubricItem("r1", 1, "x"), RubricItem("r1", 1, "y")], "same key"),
        ([RubricItem(f"r{number}", 1, "x") for number in range(21)], "at most 20"),
        ([RubricItem("r1", 1, "x" * 501)], "501 characters"),
    ],
)
def test_what_is_no_rubric_is_refused(items: list[RubricItem], says: str) -> None:
    with pytest.raises(RubricError, match=says):
        TWO.with_items(items)


def test_a_file_brings_it_back() -> None:
    again = from_yaml(TWO.as_yaml(), TWO)
    assert again.items == TWO.items and again.version == 2
    new = from_yaml("items: [{points: 3, text: all}, {points: -1, text: but}]", TWO)
    assert [item.key for item in new.items] == ["r3", "r4"], "new items take no key of an old one"


@pytest.mark.parametrize(
    "text",
    ["", "items: 3", "- a", "items: [{points: x, text: y}]", "items: [{text: y}]", "{", "!!python/object:os.system {}"],
)
def test_what_is_no_file_of_a_rubric_is_refused(text: str) -> None:
    with pytest.raises(RubricError, match="not a rubric"):
        from_yaml(text, TWO)


def test_merged_items_keep_the_ticks_of_all() -> None:
    one, renamed = merged(TWO, {"r1", "r2"}, "both")
    assert [(item.key, item.points, item.text) for item in one.items] == [("r1", 3, "both")]
    assert renamed == {"r1": "r1", "r2": "r1"}
    with pytest.raises(RubricError, match="two items"):
        merged(TWO, {"r1"}, "x")


@pytest.mark.parametrize("item", ["written_units", "figure_loss"])
def test_it_can_be_written_back_into_the_source(item: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    root = course_copy(tmp_path / "root")
    path = root / "solutions" / "toy.py"
    was = toy().item(item)
    half = was.points / 2
    new = rubric_of(was).with_items([RubricItem("r1", half, "first half"), RubricItem("r9", half, "second half")])
    path.write_text(with_rubric(path.read_text(), was, new))
    now = rubric_of(load_problem("toy", root).item(item))
    assert [(one.points, one.text) for one in now.items] == [(half, "first half"), (half, "second half")]
    before, after = (COURSE / "solutions" / "toy.py").read_text().splitlines(), path.read_text().splitlines()
    assert len(set(after) - set(before)) == 2, "nothing else changes"
    with pytest.raises(RubricError, match="add"):
        with_rubric(path.read_text(), was, new.with_items(new.items[:1]))
