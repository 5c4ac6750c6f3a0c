"""The journal of a batch: wherever it was cut off, each submission is graded again once at most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder.batch.resume import Journal
from tests.autograder.graded_folder import log_of
from tests.autograder.toy import toy

NAME = ".grading-toy.jsonl"
OTHERS = ("toy.ipynb", "feedback.html")
"""The files beside the log of a finished submission."""


def written(out: Path, students: Sequence[str]) -> Journal:
    """The journal of a batch that finished these submissions, whose logs are in place."""
    journal = Journal(out, toy(), "seed")
    journal.begin()
    for student in students:
        log = out / student / "toy" / "submission_log.json"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(log_of(student).as_json()), encoding="utf-8")
        for other in OTHERS:
            log.with_name(other).write_text("here", encoding="utf-8")
        journal.note(student, "digest", 1.0)
    return journal


def known(out: Path, students: Sequence[str]) -> list[str]:
    """The students whom a new batch does not grade again."""
    journal = Journal(out, toy(), "seed")
    return [student for student in students if journal.done(student, "digest") is not None]


def test_a_journal_cut_at_any_byte_of_its_last_line_loses_only_that_line(tmp_path: Path) -> None:
    class_ = ["ada", "bela", "chen é"]
    written(tmp_path, class_)
    whole = (tmp_path / NAME).read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        (tmp_path / NAME).write_bytes(whole[:cut])
        assert known(tmp_path, class_) == ["ada", "bela"], cut
        written(tmp_path, ["chen é"])
        written(tmp_path, ["dora"])
        assert known(tmp_path, [*class_, "dora"]) == [*class_, "dora"], f"cut at byte {cut}"
        assert (tmp_path / NAME).read_bytes()[: len(whole)] == whole


def test_a_journal_cut_at_any_byte_of_its_first_line_begins_anew(tmp_path: Path) -> None:
    written(tmp_path, [])
    whole = (tmp_path / NAME).read_bytes()
    for cut in range(len(whole)):
        (tmp_path / NAME).write_bytes(whole[:cut])
        written(tmp_path, ["ada"])
        assert known(tmp_path, ["ada"]) == ["ada"], cut


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"[]",
        b'["bela"]',
        b'["bela", "digest", "soon"]',
        b"\0\0\0",
        b"\xff",
        pytest.param(b"[" * 9999, id="deep"),
    ],
)
def test_a_broken_line_is_skipped(tmp_path: Path, line: bytes) -> None:
    written(tmp_path, ["ada"])
    with (tmp_path / NAME).open("ab") as file:
        file.write(line + b"\n")
    written(tmp_path, ["chen"])
    assert known(tmp_path, ["ada", "bela", "chen"]) == ["ada", "chen"]


def test_a_journal_of_another_seed_is_not_used(tmp_path: Path) -> None:
    written(tmp_path, ["ada"])
    assert Journal(tmp_path, toy(), "another").done("ada", "digest") is None


@pytest.mark.parametrize("name", OTHERS)
def test_a_result_with_a_missing_or_empty_file_is_made_anew(tmp_path: Path, name: str) -> None:
    written(tmp_path, ["ada", "bela", "chen"])
    (tmp_path / "ada" / "toy" / name).unlink()
    (tmp_path / "bela" / "toy" / name).write_bytes(b"")
    assert known(tmp_path, ["ada", "bela", "chen"]) == ["chen"]


@pytest.mark.parametrize("seconds", ["9" * 400, "-1", "1e300", "NaN"])
def test_a_line_with_an_invalid_time_is_skipped(tmp_path: Path, seconds: str) -> None:
    written(tmp_path, ["ada"])
    path = tmp_path / NAME
    path.write_text(path.read_text().replace("1.0]", f"{seconds}]"))
    assert known(tmp_path, ["ada"]) == []
