"""The exceptions that staff see. Each message says what happened, where, and what to do."""

from __future__ import annotations

import traceback

from autograder.core.text import well_formed

_LONGEST_TRACEBACK = 200_000
"""Characters of a traceback to keep."""


class AutograderError(Exception):
    """Base of every error this package raises on purpose; the command line prints it without a traceback."""


class SourceError(AutograderError):
    """A problem's source (`solutions/<problem>.py`) is invalid."""


class ReleaseError(AutograderError):
    """A release was refused: the linter or the leak test found something."""


class CourseError(AutograderError):
    """`course.toml` or the course folder cannot be used."""


class ExportError(AutograderError):
    """Grades were not exported: a roster cannot be read, or does not say which row a grade belongs to."""


class SetupError(AutograderError):
    """The machine lacks something the run needs (a folder that cannot be written, a full disk)."""


def traceback_of(error: BaseException) -> str:
    """The error with its traceback as well-formed text, without the middle of a very long one."""
    text = well_formed("".join(traceback.format_exception(error)))
    half = _LONGEST_TRACEBACK // 2
    return text if len(text) <= _LONGEST_TRACEBACK else f"{text[:half]}\n[...]\n{text[-half:]}"
