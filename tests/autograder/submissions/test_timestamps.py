"""Submission times come from the course platform's list and from no file that a student can write."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.core.errors import SetupError
from autograder.submissions.intake import import_class
from autograder.submissions.timestamps import TIME_FILE, read_times, submission_time, time_text
from tests.autograder.toy import toy

MOMENT = datetime(2027, 1, 17, 23, 12, 5, 250_000, tzinfo=timezone(timedelta(hours=1)))


def test_a_written_time_is_read(tmp_path: Path) -> None:
    assert submission_time(tmp_path) is None
    (tmp_path / TIME_FILE).write_bytes(time_text(MOMENT))
    assert submission_time(tmp_path) == MOMENT
    assert submission_time(tmp_path) == datetime(2027, 1, 17, 22, 12, 5, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"", b"soon", b"\xff", b"2027-13-01 00:00:00 UTC", b"1" * 300, b"[" * 150])
def test_an_invalid_time_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / TIME_FILE).write_bytes(data)
    assert submission_time(tmp_path) is None


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(time_text(MOMENT))
    for name, make in (("link", lambda path: path.symlink_to(tmp_path / "real")), ("pipe", os.mkfifo)):
        (tmp_path / name).mkdir()
        make(tmp_path / name / TIME_FILE)
        assert submission_time(tmp_path / name) is None


def test_a_list_of_times_is_read(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    path.write_text("name,student,time\nAda L,ada,2027-01-17T23:12:05.25+01:00\nB,bob,2027-01-17T22:00:00Z\n")
    assert read_times(path) == {"ada": MOMENT, "bob": datetime(2027, 1, 17, 22, tzinfo=UTC)}
    path.write_text("student,time\nada,2027-01-17 14:00:00 -0800\nbob,2027-01-17 23:00:00 +01:00\n")
    assert read_times(path) == dict.fromkeys(("ada", "bob"), datetime(2027, 1, 17, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student;time\n", "columns `student` and `time`"),
        ("student,time\nada,2027-01-17T23:12:05\n", "line 2: .* not a time with an offset"),
        ("student,time\nada\n", "line 2"),
        ("student,time\n,2027-01-17T22:00:00Z\n", "line 2"),
        ("student,time\nada,2027-01-17T22:00:00Z\nada,2027-01-18T22:00:00Z\n", "line 3: 'ada' is listed twice"),
        ("student,time\n\udcff,x\n", "cannot be read"),
        ("student,time\nada,2027-01-17T23:00Z\nADA,2027-01-17T23:00Z\n", "'ADA' is listed twice"),
    ],
)
def test_an_invalid_list_is_refused_with_the_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "times.csv"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(SetupError, match=said):
        read_times(path)


def test_intake_writes_the_platforms_time_and_drops_the_students(tmp_path: Path) -> None:
    source, to = tmp_path / "source", tmp_path / "submitted"
    for student in ("ada", "bob"):
        (source / student).mkdir(parents=True)
        (source / student / "toy.ipynb").write_text("{}")
        (source / student / TIME_FILE).write_bytes(time_text(MOMENT - timedelta(days=9)))
    ada, bob = import_class(source, toy(), to, {"ada": MOMENT})
    assert submission_time(to / "ada" / "toy") == MOMENT and ada.notes == []
    assert submission_time(to / "bob" / "toy") is None and "no submission time in the list" in bob.notes[0]
    import_class(source, toy(), tmp_path / "again")
    assert not list((tmp_path / "again").rglob(TIME_FILE))
