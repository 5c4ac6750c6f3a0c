"""Reads the results that an earlier grading left in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from autograder.batch.tables import graded_students
from autograder.core.results import GradedLog
from autograder.submissions.reader import LOG_NAME


def earlier_log(out: Path, student: str, problem_id: str) -> GradedLog | None:
    """A student's graded log; None if there is none, or if it is damaged: then the next grading writes it again."""
    path = out / student / problem_id / LOG_NAME
    try:
        if path.is_symlink() or not path.is_file():
            return None
        return GradedLog.from_json(json.loads(path.read_text(encoding="utf-8")))
    except Exception:
        return None


def earlier_logs(out: Path, students: Iterable[str], problem_id: str) -> dict[str, GradedLog]:
    """Student → log of an earlier grading, for those of the students who have one."""
    found = ((student, earlier_log(out, student, problem_id)) for student in students)
    return {student: log for student, log in found if log is not None}


def class_logs(out: Path, problem_id: str) -> dict[str, GradedLog]:
    """Student → log, for the students in `grades.csv`."""
    return earlier_logs(out, graded_students(out, problem_id), problem_id)
