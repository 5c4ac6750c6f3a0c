"""Records beside a student's submissions whose they are, so that a later import gives no student's id to another."""

from __future__ import annotations

import json
import os
from pathlib import Path

from autograder.core.files import write_bytes
from autograder.core.regular_file import opened
from autograder.submissions.student_ids import Submitter

RECORD = ".submitted_as.json"
"""File in a student's folder: name, platform's number and twin of the submitter; none if the id says it all."""
_LONGEST = 4096


def known_students(folder: Path) -> dict[str, Submitter | None]:
    """The students of earlier imports; None for one of whom only the id is known."""
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    return {name: _recorded(folder / name) for name in names if not name.startswith(".")}


def record(folder: Path, submitter: Submitter) -> None:
    """Writes into a student's folder whose it is, unless its name says it."""
    if submitter.recorded != (folder.name, "", 0):
        write_bytes(folder / RECORD, json.dumps(submitter.recorded).encode())


def _recorded(folder: Path) -> Submitter | None:
    try:
        with opened(folder / RECORD) as file:
            written, number, twin = json.loads(file.read(_LONGEST))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return Submitter(str(written), "", str(number), twin if type(twin) is int else 0)
