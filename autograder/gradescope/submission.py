"""Reads the submission folder and Gradescope's data about the submitters. Nothing in them is run or trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from autograder.core.student_key import student_key
from autograder.core.text import printable
from autograder.course.problem import Problem
from autograder.submissions.archives import files_in, in_folder
from autograder.submissions.reader import LOG_NAME
from autograder.submissions.student_import import import_student


@dataclass(frozen=True)
class Delivered:
    """The submitted files, copied into the layout that `autograder grade` reads."""

    notebook: Path
    """The notebook's path; it may not exist."""
    log: Path
    """The log's path; it may not exist."""
    notes: tuple[str, ...]
    """Remarks that the student may read."""
    names: tuple[str, ...]
    """Names of the submitted files."""


@dataclass(frozen=True)
class Users:
    """The submitters as Gradescope knows them; several in a group."""

    shown: tuple[str, ...]
    """One name for each: the e-mail address, else another name."""
    known: frozenset[str]
    """Keys of all accepted student ids: e-mail addresses, the part before the @, numbers."""

    def may_be(self, student: str) -> bool:
        """Whether this student id can be a submitter's."""
        return student_key(student) in self.known


def look_through(submission: Path, problem: Problem, to: Path) -> Delivered:
    """Finds notebook and log among the submitted files, in folders and archives, and copies them to `to`."""
    files = files_in(submission) if submission.is_dir() else []
    taken = import_student("student", files, problem, to)
    folder = to / "student" / problem.id
    notes = tuple(printable(note, 300) for note in taken.notes)
    submitted = islice(in_folder(submission, ""), 1000) if submission.is_dir() else ()
    names = tuple(printable(file.path.removeprefix("/")) for file in submitted)
    return Delivered(folder / f"{problem.id}.ipynb", folder / LOG_NAME, notes, names)


def read_users(path: Path) -> Users:
    """Reads the submitters from the platform's metadata; empty if it is missing or cannot be read."""
    try:
        with path.open("rb") as file:
            users = json.loads(file.read(64 * 2**20))["users"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Users((), frozenset())
    records = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    shown = tuple(printable(str(next(iter(_ids(user)), "?"))) for user in records)
    return Users(shown, frozenset(student_key(name) for user in records for name in _ids(user)))


def _ids(user: dict[str, Any]) -> Iterator[str]:
    email = user.get("email")
    address = email if isinstance(email, str) else ""
    numbers = [str(user[key]) for key in ("sid", "id") if isinstance(user.get(key), str | int)]
    yield from filter(str.strip, (address, address.partition("@")[0], *numbers))
