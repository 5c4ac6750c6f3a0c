"""The exceptions that staff see: each message says what, where and what to do."""

from __future__ import annotations


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
