"""Errors that a student may see: each message says what, where and what to do."""

from __future__ import annotations


class HomeworkError(RuntimeError):
    """Base of the errors that this package raises about files, network and data."""


class DataError(HomeworkError):
    """A data set or model is not available, or is damaged."""


class LogError(HomeworkError):
    """`submission_log.json` cannot be written."""
