"""Reads the `submission_log.json` that a student handed in: schema-valid values, or a flag that says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from autograder.misconceptions import same
from autograder.rebuild import Rebuilt
from autograder.results import Flag
from homework.log import MOST_BYTES, schema
from homework.source_hash import source_hash


def read_log(data: bytes | None, problem_id: str) -> tuple[dict[str, Any], list[Flag]]:
    """The student's log without anything in it that only the autograder may write, and what staff should know.

    Args:
        data: the file's bytes; None if none was handed in.
        problem_id: the problem it should belong to.

    Returns:
        the log (empty if there is no usable one) and flags.
    """
    if data is None:
        return {}, [Flag("no_log", "No submission_log.json was handed in.")]
    if len(data) > MOST_BYTES:
        return {}, [
            Flag("log_unusable", f"submission_log.json has {len(data):,} bytes; at most {MOST_BYTES:,} are read.")
        ]
    try:
        log = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
        jsonschema.validate(log, schema(), format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError as error:
        where = "/".join(str(part) for part in error.absolute_path) or "top level"
        return {}, [
            Flag("log_unusable", f"submission_log.json does not follow the schema at {where}: {error.message[:200]}")
        ]
    except (ValueError, RecursionError) as error:
        return {}, [Flag("log_unusable", f"submission_log.json is not JSON: {str(error)[:200]}")]
    flags = []
    if log["problem"] != problem_id:
        return {}, [Flag("log_unusable", f"submission_log.json is of problem {log['problem'][:80]!r}.")]
    if log.pop("grades", None) is not None:
        flags.append(Flag("log_tampered", "The handed-in log carried grades; they were ignored."))
    return log, flags


def disagreements(log: dict[str, Any], rebuilt: Rebuilt, answers: dict[str, Any], student: str) -> list[Flag]:
    """Where the student's log and the notebook that was graded do not tell the same story."""
    flags = []
    if log["student"] != student:
        flags.append(Flag("log_disagrees", f"The log is of student {log['student'][:80]!r}, handed in by {student!r}."))
        return flags
    for item, fingerprint in log.get("code", {}).items():
        if item in rebuilt.found and fingerprint != source_hash(rebuilt.source(item)):
            flags.append(Flag("log_disagrees", f"{item}: the log was written with other code than was handed in."))
    for item, answer in answers.items():
        if item in log["answers"] and not same(answer, log["answers"][item]):
            flags.append(Flag("log_disagrees", f"{item}: the log's answer is not what the handed-in code answers."))
    return flags


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed in a log")
