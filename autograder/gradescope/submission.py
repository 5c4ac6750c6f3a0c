"""What lies in the submission folder, and who Gradescope says handed it in. Nothing of it is run or believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from autograder.core.text import printable
from autograder.submissions.archives import files_in, in_folder
from autograder.submissions.intake import take
from autograder.submissions.reader import LOG_NAME

STUDENT = "student"
"""Name of the folder in which the one student's files are laid out."""
_MOST_METADATA = 64 * 2**20
_MOST_NAMED = 8
_MOST_COUNTED = 1000


@dataclass(frozen=True)
class Delivered:
    """What was found in the submission folder, laid out as `autograder grade` reads it."""

    notebook: Path
    """Where the notebook lies now; it may not exist."""
    log: Path
    """Where the log lies now; it may not exist."""
    notes: tuple[str, ...]
    """What was odd, in words that the student may read."""
    names: tuple[str, ...]
    """What was handed in."""


@dataclass(frozen=True)
class Users:
    """Who handed in, as Gradescope knows them: several in a group."""

    shown: tuple[str, ...]
    """One name for each: the e-mail address, or what else there is."""
    known: frozenset[str]
    """All that may be meant by a student id: e-mail addresses, what stands before the @, numbers, small letters."""

    def may_be(self, student: str) -> bool:
        """May this student id be one of theirs?"""
        return _plain(student) in self.known


def look_through(submission: Path, problem: str, to: Path) -> Delivered:
    """Finds the notebook and the log in what was handed in: in folders and zips, under any name.

    Args:
        submission: the folder.
        problem: problem id.
        to: an empty folder of our own.
    """
    files = files_in(submission) if submission.is_dir() else []
    taken = take(STUDENT, files, problem, to)
    folder = to / STUDENT / problem
    notes = [printable(note, 300) for note in taken.notes]
    every = islice(in_folder(submission, ""), _MOST_COUNTED) if submission.is_dir() else ()
    names = tuple(printable(file.path.removeprefix("/")) for file in every)
    return Delivered(folder / f"{problem}.ipynb", folder / LOG_NAME, tuple(notes), names)


def listed(names: tuple[str, ...]) -> str:
    """Some files in words."""
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "nothing"


def read_users(path: Path) -> Users:
    """Who handed in, by the platform's metadata; nobody if there are none or they cannot be read."""
    try:
        with path.open("rb") as file:
            users = json.loads(file.read(_MOST_METADATA))["users"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Users((), frozenset())
    records = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    shown = tuple(printable(str(next(iter(_ids(user)), "?"))) for user in records)
    return Users(shown, frozenset(_plain(name) for user in records for name in _ids(user)))


def _ids(user: dict[str, Any]) -> Iterator[str]:
    email = user.get("email")
    if isinstance(email, str) and email.strip():
        yield email
        if email.partition("@")[0].strip():
            yield email.partition("@")[0]
    for key in ("sid", "id"):
        if isinstance(user.get(key), str | int) and str(user[key]).strip():
            yield str(user[key])


def _plain(name: str) -> str:
    return name.strip().casefold()
