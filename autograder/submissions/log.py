"""Reads a submitted `submission_log.json`: returns schema-valid values, or a flag with the error."""

from __future__ import annotations

import functools
from typing import Any

import jsonschema

from autograder.core.flags import Flag, FlagKind
from autograder.core.strict_json import ContentError, read_json
from homework.hand_in.log import MOST_BYTES, schema

MOST_ENTRIES = 1_000
"""Maximum number of answers, metrics or hashes in a log, because checking each takes time."""


def read_log(data: bytes | None, problem_id: str) -> tuple[dict[str, Any], list[Flag]]:
    """Reads and validates a student's log and removes grades from it.

    Args:
        data: the file's bytes; None if no log was submitted.
        problem_id: the problem it should belong to.

    Returns:
        The log (empty if there is no usable one) and flags for staff.
    """
    log, flags = read_any_log(data)
    if log and log["problem"] != problem_id:
        return {}, [Flag(FlagKind.LOG_UNUSABLE, f"submission_log.json belongs to problem {log['problem'][:80]!r}.")]
    return log, flags


def read_any_log(data: bytes | None) -> tuple[dict[str, Any], list[Flag]]:
    """Like `read_log`, for a log of any problem."""
    if data is None:
        return {}, [Flag(FlagKind.NO_LOG, "No submission_log.json was submitted.")]
    log: dict[str, Any] = {}
    if len(data) > MOST_BYTES:
        error = f"has {len(data):,} bytes; at most {MOST_BYTES:,} are read."
    else:
        log, error = _parsed(data)
    if error:
        return {}, [Flag(FlagKind.LOG_UNUSABLE, f"submission_log.json {error}")]
    if log.pop("grades", None) is not None:
        return log, [Flag(FlagKind.LOG_TAMPERED, "The submitted log contained grades; they were ignored.")]
    return log, []


def _parsed(data: bytes) -> tuple[Any, str]:
    """The log, and why it cannot be used, empty if it can."""
    try:
        log = read_json(data)
    except ContentError as error:
        return None, f"{error}."
    except ValueError as error:
        return None, f"is not JSON: {str(error)[:200]}"
    for part in ("answers", "metrics", "code"):
        entries = log.get(part) if isinstance(log, dict) else None
        if isinstance(entries, dict) and len(entries) > MOST_ENTRIES:
            return None, f"has {len(entries):,} {part}; at most {MOST_ENTRIES:,} are read."
    for violation in _validator().iter_errors(log):
        where = "/".join(str(part) for part in violation.absolute_path) or "top level"
        return None, f"does not follow the schema at {where}: {violation.message[:200]}"
    return log, ""


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
