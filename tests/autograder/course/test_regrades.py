"""Requests and decisions are only ever added; a damaged file is named, never overwritten."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from autograder.core.errors import CourseError
from autograder.course.regrades import (
    Decision,
    decide_regrade,
    of_student,
    read_regrades,
    regrades_file,
    regrades_or_warning,
    request_regrade,
)


def test_a_decision_closes_the_open_requests_of_one_item(tmp_path: Path) -> None:
    assert read_regrades(tmp_path) == []
    request_regrade(tmp_path, "ada", "toy", "Line", "It is right.\nReally.")
    request_regrade(tmp_path, "ada", "toy", "standardize", "This, too")
    request_regrade(tmp_path, "bob", "toy", "Line", "Mine as well")
    before = regrades_file(tmp_path).read_bytes()
    (decided,) = decide_regrade(tmp_path, "ADA", "toy", "Line", Decision.ACCEPTED, "the test was too strict")
    assert (decided.decision, decided.reason) == (Decision.ACCEPTED, "the test was too strict")
    assert regrades_file(tmp_path).read_bytes().startswith(before)
    found = read_regrades(tmp_path)
    assert [one.decision for one in found] == [Decision.ACCEPTED, None, None]
    assert found[0] == decided and found[0].note == "It is right.\nReally."
    assert [one.item for one in of_student(found, "Ada", "toy")] == ["Line", "standardize"]

    request_regrade(tmp_path, "ada", "toy", "Line", "again")
    assert [one.decision for one in read_regrades(tmp_path)] == [Decision.ACCEPTED, None, None, None]


@pytest.mark.parametrize(("note", "said"), [("  ", "empty"), ("x" * 2001, "2,001 characters")])
def test_a_note_without_a_text_is_refused(tmp_path: Path, note: str, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        request_regrade(tmp_path, "ada", "toy", "Line", note)
    assert not regrades_file(tmp_path).exists()


def test_there_must_be_an_open_request(tmp_path: Path) -> None:
    request_regrade(tmp_path, "ada", "toy", "Line", "x")
    decide_regrade(tmp_path, "ada", "toy", "Line", Decision.DECLINED, "no")
    with pytest.raises(CourseError, match="no open regrade request"):
        decide_regrade(tmp_path, "ada", "toy", "Line", Decision.ACCEPTED, "yes")


@pytest.mark.parametrize("line", ['{"kind": "reque', '{"kind": "other"}', "[]", '{"kind": "request", "student": 1}'])
def test_a_damaged_line_is_named_and_stays(tmp_path: Path, line: str, caplog: pytest.LogCaptureFixture) -> None:
    request_regrade(tmp_path, "ada", "toy", "Line", "x")
    path = regrades_file(tmp_path)
    path.write_text(path.read_text("utf-8") + line, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(CourseError, match="line 2 is damaged"):
        read_regrades(tmp_path)
    with pytest.raises(CourseError, match="line 2 is damaged"):
        request_regrade(tmp_path, "ada", "toy", "Line", "y")
    assert path.read_bytes() == before
    with caplog.at_level(logging.WARNING):
        assert regrades_or_warning(tmp_path) == []
    assert "do not show regrade requests" in caplog.text


def test_a_missing_newline_at_the_end_joins_no_lines(tmp_path: Path) -> None:
    request_regrade(tmp_path, "ada", "toy", "Line", "x")
    path = regrades_file(tmp_path)
    path.write_text(path.read_text("utf-8").rstrip("\n"), encoding="utf-8")
    request_regrade(tmp_path, "bob", "toy", "Line", "y")
    assert [one.student for one in read_regrades(tmp_path)] == ["ada", "bob"]
