"""Reads when students submitted: from the platform's list of times (`--times`), and from `timestamp.txt`.

nbgrader's exchange writes `timestamp.txt` when it collects submissions; `autograder intake` writes it from the list of
times. Both ignore a file of that name in a submission.
"""

from __future__ import annotations

import csv
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from autograder.core.errors import SetupError
from autograder.core.fast_imports import without_server
from autograder.core.regular_file import opened
from autograder.core.student_key import student_key

TIME_FILE = "timestamp.txt"
_BEFORE_OFFSET = re.compile(r"(?<=\d)\s+(?=[+-]\d\d:?\d\d$)")
"""The blank before the offset in `2027-01-17 23:12:05 -0800`, as Gradescope writes times."""
_LONGEST = 200
"""Maximum bytes of the file; a larger file is invalid."""


def submission_time(folder: Path) -> datetime | None:
    """The submission time of the submission in a folder, in UTC; None if the file is missing or invalid."""
    try:
        with opened(folder / TIME_FILE) as file:
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST or not text.strip():
            return None
        with without_server():
            from nbgrader.utils import parse_utc  # takes some tenths of a second

        moment: datetime = parse_utc(text.decode().strip())
        return moment.replace(tzinfo=UTC)
    except (OSError, ValueError, OverflowError, ArithmeticError):
        return None


def submission_time_or_warning(folder: Path, log: logging.Logger) -> datetime | None:
    """Like `submission_time`, with a warning if the file is invalid; the submission then counts as on time."""
    moment = submission_time(folder)
    if moment is None and os.path.lexists(folder / TIME_FILE):
        log.warning("%s contains no valid time; the submission counts as on time", folder / TIME_FILE)
    return moment


def time_text(moment: datetime) -> bytes:
    """The content of `timestamp.txt` for a time, in nbgrader's format."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC").encode()


def read_times(path: Path) -> dict[str, datetime]:
    """Reads the platform's list of submission times: a CSV file with the columns `student` and `time`.

    Args:
        path: the file; `time` is in ISO 8601 or Gradescope's format, with the offset from UTC
            (`2027-01-17T23:12:05+01:00`, `2027-01-17 14:12:05 -0800`).

    Returns:
        Student → submission time, with its time zone.

    Raises:
        SetupError: the file cannot be read or lacks a column, a student is listed twice, or a time is invalid or has
            no offset.
    """
    found: dict[str, datetime] = {}
    keys = set()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"student", "time"} <= set(reader.fieldnames or ()):
                raise SetupError(f"{path} has no columns `student` and `time`; name them in the first line.")
            for row in reader:
                student, text = (row["student"] or "").strip(), (row["time"] or "").strip()
                moment = _moment(text)
                if moment is None or not student:
                    raise SetupError(
                        f"{path}, line {reader.line_num}: {text!r} is not a time with an offset from UTC, "
                        "or the student is missing; write, for example, ada,2027-01-17T23:12:05+01:00."
                    )
                if student_key(student) in keys:
                    raise SetupError(f"{path}, line {reader.line_num}: {student!r} is listed twice; remove one.")
                keys.add(student_key(student))
                found[student] = moment
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SetupError(f"{path} cannot be read: {error}") from None
    return found


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_BEFORE_OFFSET.sub("", text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
