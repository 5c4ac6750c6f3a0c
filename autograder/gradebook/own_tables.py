"""Tables of ours in nbgrader's database, and what they note of each submission as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SET_ASIDE, GRADED_WITH, TESTED_WITH = "autograder_set_aside", "autograder_graded_with", "autograder_tested_with"
_COLUMNS = {
    SET_ASIDE: "problem TEXT, student TEXT, cell TEXT, manual_score REAL, extra_credit REAL, needs_grading INTEGER, "
    "PRIMARY KEY (problem, student, cell)",
    GRADED_WITH: "problem TEXT, student TEXT, worth TEXT, PRIMARY KEY (problem, student)",
    TESTED_WITH: "problem TEXT, student TEXT, tests TEXT, PRIMARY KEY (problem, student)",
}


def noted(gradebook: Any, table: str, problem_id: str) -> dict[str, dict[str, str]]:
    """Student → what is noted of the submission: item id → words; of submissions that earlier versions recorded, none.

    Args:
        gradebook: nbgrader's open `Gradebook`.
        table: `GRADED_WITH` or `TESTED_WITH`.
        problem_id: the problem.
    """
    if not has(gradebook, table):
        return {}
    rows = execute(gradebook, f"SELECT * FROM {table} WHERE problem = :problem", problem=problem_id)
    return {student: json.loads(record) for _, student, record in rows}


def note(gradebook: Any, table: str, problem_id: str, words: Mapping[str, Mapping[str, str] | None]) -> None:
    """Notes item id → words for students; forgets what is noted for None. The caller commits."""
    make(gradebook)
    for student, found in words.items():
        execute(
            gradebook,
            f"DELETE FROM {table} WHERE problem = :problem AND student = :student"
            if found is None
            else f"INSERT OR REPLACE INTO {table} VALUES (:problem, :student, :record)",
            problem=problem_id,
            student=student,
            **({} if found is None else {"record": json.dumps(dict(found))}),
        )


def forget(gradebook: Any, problem_id: str, student: str) -> None:
    """Forgets all that is noted of a submission that is removed; the caller commits."""
    for table in filter(lambda table: has(gradebook, table), _COLUMNS):
        execute(
            gradebook,
            f"DELETE FROM {table} WHERE problem = :problem AND student = :student",
            problem=problem_id,
            student=student,
        )


def has(gradebook: Any, table: str) -> bool:
    """Whether a version that has this table has written to the gradebook."""
    found = execute(gradebook, "SELECT count(*) FROM sqlite_master WHERE name = :table", table=table)
    return bool(found.scalar())


def make(gradebook: Any) -> None:
    """Makes the tables that are missing."""
    for table, columns in _COLUMNS.items():
        if not has(gradebook, table):
            execute(gradebook, f"CREATE TABLE IF NOT EXISTS {table} ({columns})")


def execute(gradebook: Any, statement: str, **values: Any) -> Any:
    """Executes a statement in nbgrader's database."""
    from sqlalchemy import text

    return gradebook.db.execute(text(statement), values)
