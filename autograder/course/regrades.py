"""Regrade requests and their decisions, in `course/regrades.jsonl`: one line for each, never changed, never removed.

A decision changes no points: a grader gives them, or a corrected test does. It says what was decided and why; the
student reads request, decision and reason.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.core.errors import CourseError
from autograder.core.locks import locked
from autograder.core.student_key import same_student
from autograder.course.config import course_folder

MOST_CHARACTERS = 2_000
"""Maximum length of a note or a reason."""
_WAIT_SECONDS = 20.0


class Decision(StrEnum):
    """What was decided about a request."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True)
class Regrade:
    """A request and, if there is one, its decision."""

    student: str
    problem: str
    item: str
    note: str
    """What is requested, for the student to read."""
    at: str
    """UTC, RFC 3339."""
    by: str
    """Who noted it."""
    decision: Decision | None = None
    """None: it is open."""
    reason: str = ""
    """Why, for the student to read."""
    decided_at: str = ""
    decided_by: str = ""

    def is_about(self, student: str, problem: str, item: str) -> bool:
        """Whether it is about this item of this student, in any spelling of the id."""
        return (self.problem, self.item) == (problem, item) and same_student(self.student, student)


def regrades_file(root: Path) -> Path:
    """The file with all requests and decisions of a course."""
    return course_folder(root) / "regrades.jsonl"


def read_regrades(root: Path) -> list[Regrade]:
    """All requests, in order, with their decisions.

    Raises:
        CourseError: the file cannot be read, or a line of it is damaged.
    """
    path = regrades_file(root)
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    found: list[Regrade] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found = _with(found, json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise CourseError(
                    f"{path}, line {number} is damaged ({error}): restore the line, or remove it if it was cut off."
                ) from None
    return found


def regrades_or_warning(root: Path) -> list[Regrade]:
    """All requests; none, after a warning (logger `autograder`), if they cannot be read."""
    try:
        return read_regrades(root)
    except CourseError as error:
        logging.getLogger("autograder").warning("feedback pages do not show regrade requests: %s", error)
        return []


def of_student(regrades: Sequence[Regrade], student: str, problem: str) -> list[Regrade]:
    """The requests of one student about one problem, in order."""
    return [one for one in regrades if one.problem == problem and same_student(one.student, student)]


def request_regrade(root: Path, student: str, problem: str, item: str, note: str) -> Regrade:
    """Adds a request and returns it.

    Raises:
        CourseError: the note is empty or too long, or the file cannot be read or written.
    """
    new = Regrade(student, problem, item, _text(note, "note"), _now(), getpass.getuser())
    with _writing(root) as file:
        read_regrades(root)
        _append(file, _request(new))
    return new


def decide_regrade(root: Path, student: str, problem: str, item: str, decision: Decision, reason: str) -> list[Regrade]:
    """Decides all open requests about an item of a student, and returns them.

    Raises:
        CourseError: there is no open request, the reason is empty or too long, or the file cannot be read or written.
    """
    reason = _text(reason, "reason")
    with _writing(root) as file:
        open_ones = [one for one in read_regrades(root) if not one.decision and one.is_about(student, problem, item)]
        if not open_ones:
            raise CourseError(
                f"there is no open regrade request of {student} about {problem}/{item}; add one with --note."
            )
        at, by = _now(), getpass.getuser()
        what = {"student": student, "problem": problem, "item": item, "decision": str(decision), "reason": reason}
        _append(file, {"kind": "decision", **what, "at": at, "by": by})
    return [replace(one, decision=decision, reason=reason, decided_at=at, decided_by=by) for one in open_ones]


def _with(regrades: list[Regrade], record: Any) -> list[Regrade]:
    """The requests after one more line."""
    texts = {name: record[name] for name in ("student", "problem", "item", "at", "by")}
    if record["kind"] == "request":
        told = _texts({**texts, "note": record["note"]})
        new = Regrade(told["student"], told["problem"], told["item"], told["note"], told["at"], told["by"])
        return [*regrades, new]
    if record["kind"] != "decision":
        raise ValueError(f"unknown kind {record['kind']!r}")
    decision, said = Decision(record["decision"]), _texts({**texts, "reason": record["reason"]})
    return [
        replace(one, decision=decision, reason=said["reason"], decided_at=said["at"], decided_by=said["by"])
        if not one.decision and one.is_about(said["student"], said["problem"], said["item"])
        else one
        for one in regrades
    ]


def _texts(record: dict[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in record.values()):
        raise TypeError("a field that is not text")
    return record


def _request(one: Regrade) -> dict[str, str]:
    fields = {"student": one.student, "problem": one.problem, "item": one.item, "note": one.note}
    return {"kind": "request", **fields, "at": one.at, "by": one.by}


def _text(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise CourseError(f"the {what} is empty; the student reads it: write one or two sentences.")
    if len(text) > MOST_CHARACTERS:
        raise CourseError(f"the {what} has {len(text):,} characters; at most {MOST_CHARACTERS:,} are kept. Shorten it.")
    return text


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextlib.contextmanager
def _writing(root: Path) -> Iterator[Path]:
    """The file, which only this process may change in the block."""
    path = regrades_file(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"{path.parent} cannot be made: {error.strerror}") from None
    busy = f"another program keeps {path} locked; run the same command again."
    with locked(path.with_suffix(".lock"), busy, _WAIT_SECONDS):
        yield path


def _append(path: Path, record: dict[str, str]) -> None:
    """Appends a line and waits until the disk has it."""
    line = json.dumps(record, ensure_ascii=False) + "\n"
    try:
        with path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            gap = b"" if file.read(1) in (b"", b"\n") else b"\n"  # an editor left no newline at the end
            file.write(gap + line.encode())
            file.flush()
            os.fsync(file.fileno())
    except (OSError, UnicodeEncodeError) as error:
        raise CourseError(f"{path} cannot be written ({error}); nothing was noted.") from None
