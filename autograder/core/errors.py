"""The exceptions that staff see: each message says what, where and what to do."""

from __future__ import annotations

import traceback

from autograder.core.text import well_formed

_LONGEST_TRACEBACK = 200_000
"""Characters of a traceback that are kept."""


class AutograderError(Exception):
    """Base of every error this package raises on purpose; the command line prints it without a traceback."""


class SourceError(AutograderError):
    """A problem's source (`solutions/<problem>.py`) is not what the tools need."""


class ReleaseError(AutograderError):
    """A release was refused: the linter or the leak test found something."""


class CourseError(AutograderError):
    """`course.toml` or the course folder cannot be used."""


class ExportError(AutograderError):
    """Grades were not exported: a roster cannot be read, or it does not say where they belong."""


class SetupError(AutograderError):
    """The machine lacks something the run needs (a folder that cannot be written, a full disk)."""


def traceback_of(error: BaseException) -> str:
    """The error with its traceback as text that can be written; of a very long one the middle is left out."""
    text = well_formed("".join(traceback.format_exception(error)))
    half = _LONGEST_TRACEBACK // 2
    return text if len(text) <= _LONGEST_TRACEBACK else f"{text[:half]}\n[...]\n{text[-half:]}"
