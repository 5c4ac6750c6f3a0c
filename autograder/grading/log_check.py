"""Compares a submitted log with the notebook that was graded."""

from __future__ import annotations

from typing import Any

from autograder.core.flags import Flag, FlagKind
from autograder.core.student_key import same_student
from autograder.grading.tolerance import FLOAT32, for_device, same
from autograder.submissions.rebuild import Rebuilt
from homework.hand_in.source_hash import source_hash


def disagreements(log: dict[str, Any], rebuilt: Rebuilt, answers: dict[str, Any], student: str) -> list[Flag]:
    """Returns a flag for each way in which the student's log contradicts the notebook that was graded."""
    flags = []
    if not same_student(log["student"], student):
        flags.append(
            Flag(
                FlagKind.LOG_DISAGREES,
                f"The log belongs to student {log['student'][:80]!r}, but {student!r} submitted it.",
            )
        )
        return flags
    for item, fingerprint in log.get("code", {}).items():
        if item in rebuilt.found and fingerprint != source_hash(rebuilt.source(item)):
            flags.append(
                Flag(FlagKind.LOG_DISAGREES, f"{item}: the log was written with other code than the submitted code.")
            )
    precision = for_device(FLOAT32, log["environment"]["device"])
    for item, answer in answers.items():
        if item in log["answers"] and not same(answer, log["answers"][item], precision):
            flags.append(
                Flag(FlagKind.LOG_DISAGREES, f"{item}: the log's answer is not the answer of the submitted code.")
            )
    return flags
