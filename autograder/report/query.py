"""Answers questions about a graded class: its logs as tables, asked in SQL.

The tables are made anew for each question, in memory, from the folder that `autograder grade` wrote. `TABLES` says what
the columns mean.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.core.errors import AutograderError
from autograder.core.results import Outcome
from autograder.core.text import printable
from autograder.course.config import Course, load_course, root_folder
from autograder.course.item_parts import failed_parts, parts_of
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import Problem
from autograder.report.load import Entry, Run, read_runs
from autograder.submissions.metrics import finite
from homework.hand_in.expected_ranges import entry_for

TABLES: Mapping[str, Mapping[str, str]] = {
    "submissions": {
        "student": "the student's id",
        "problem": "the problem's id",
        "homework": "the homework that the problem belongs to",
        "score": "points so far, without curve and late penalty",
        "max_score": "points of the problem",
        "status": "graded, missing, unreadable, wrong_notebook or grader_error",
        "needs_grading": "number of items that need manual grading",
        "profile": "full, mini or grade: how the student ran the notebook",
        "device": "what the student's notebook computed on",
        "submitted_at": "time of the submission in UTC, from the gradebook; null if it has none",
        "days_late": "started days after the student's deadline, as the late policy counts them; null without a time",
        "seconds": "wall-clock seconds of grading; null if they are not known",
        "cached": "1 if a part of the result came from an earlier grading",
    },
    "items": {
        "student": "the student's id",
        "problem": "the problem's id",
        "item": "the item's id",
        "kind": "code, written or figure",
        "score": "points so far",
        "max_score": "points of the item",
        "status": "passed, partial, failed, error, timeout, out_of_memory, crashed, missing, manual or grader_error",
        "misconception": "known wrong solutions that give the same answers, or different parts of them; empty if none",
        "by_hand": "1 if a grader gave the points",
        "comment": "the grader's comment",
        "seconds": "wall-clock seconds of the item's test; null if they are not known",
    },
    "messages": {
        "student": "the student's id",
        "problem": "the problem's id",
        "item": "the item's id",
        "part": "the part of the test that failed; empty if the message is about the whole item",
        "is_hidden": "1 if the part is in the hidden tests",
        "message": "what the student reads",
    },
    "metrics": {
        "student": "the student's id",
        "problem": "the problem's id",
        "metric": "the metric's name",
        "value": "the number in the student's log",
        "lowest": "lower end of the expected range for the profile; null if there is none",
        "highest": "upper end of the expected range",
    },
    "flags": {
        "student": "the student's id",
        "problem": "the problem's id",
        "kind": "the flag's kind, e.g. log_disagrees",
        "message": "the flag",
    },
}
"""Table → column → what it holds."""

_READ_ONLY = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


class QueryError(AutograderError):
    """The question cannot be answered; the message says why."""


@dataclass(frozen=True)
class Answer:
    """The answer to a question."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    notes: tuple[str, ...]
    """Remarks about files of the folder that could not be read."""


Times = Callable[[str], Mapping[str, datetime]]
"""Problem → student → time of the submission."""


def query(sql: str, out: Path, root: Path | None = None, times: Times = lambda problem: {}) -> Answer:
    """Answers one question in SQL (SQLite's, only `SELECT`).

    Args:
        sql: the question.
        out: the folder that `autograder grade` wrote.
        root: the course's root folder; found if not given.
        times: looks times of submission up (`gradebook.database.submission_times`); without it, none is known.

    Raises:
        QueryError: the question is not valid SQL, or wants to change something.
        SetupError: the folder cannot be used.
    """
    root = root or root_folder()
    runs, notes = read_runs(out, root)
    course = load_course(root)
    known = {run.problem.id: times(run.problem.id) for run in runs}
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            rows = (row for run in runs for row in _rows(table, run, course, known[run.problem.id]))
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        database.commit()
        database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READ_ONLY else sqlite3.SQLITE_DENY)
        try:
            found = database.execute(sql)
            answers = found.fetchall()
        except sqlite3.Error as error:
            why = "only SELECT is allowed" if "not authorized" in str(error) else printable(str(error), 200)
            raise QueryError(
                f"the question cannot be answered: {why}. `autograder query --columns` lists the tables and columns."
            ) from None
        headings = tuple(column[0] for column in found.description or ())
    return Answer(headings, answers, (*notes, *(f"{run.problem.id}: {note}" for run in runs for note in run.notes)))


def _rows(table: str, run: Run, course: Course, times: Mapping[str, datetime]) -> Iterator[Sequence[Any]]:
    for entry in run.entries:
        if table == "submissions":
            yield _submission(run.problem, entry, course, times.get(entry.student))
        elif table == "items":
            yield from _items(run.problem, entry)
        elif table == "messages":
            yield from _messages(run.problem, entry)
        elif table == "metrics":
            yield from _metrics(run.problem, entry)
        else:
            yield from ((entry.student, run.problem.id, str(flag.kind), flag.message) for flag in entry.log.flags)


def _submission(problem: Problem, entry: Entry, course: Course, submitted: datetime | None) -> Sequence[Any]:
    log = entry.log
    known = problem.id in course.problems
    late = None
    if submitted is not None and known and log.outcome is not Outcome.MISSING:
        late = course.late_policy.days_late((submitted - course.due(problem.id, entry.student)).total_seconds())
    return (
        entry.student,
        problem.id,
        course.homework_of(problem.id).id if known else None,
        log.score,
        log.max_score,
        str(log.outcome),
        sum(item.status == "manual" for item in log.items),
        log.profile,
        log.environment.get("device"),
        None if submitted is None else f"{submitted:%Y-%m-%d %H:%M:%S}",
        late,
        entry.seconds,
        int(entry.cached),
    )


def _items(problem: Problem, entry: Entry) -> Iterator[Sequence[Any]]:
    kinds = {item.id: item.kind for item in problem.items}
    for item in entry.log.items:
        yield (
            entry.student,
            problem.id,
            item.id,
            kinds.get(item.id),
            item.score,
            item.max_score,
            str(item.status),
            ", ".join(item.misconceptions),
            int(item.graded_by_hand),
            item.comment,
            entry.items.get(item.id),
        )


def _messages(problem: Problem, entry: Entry) -> Iterator[Sequence[Any]]:
    items = {item.id: item for item in problem.items}
    for result in entry.log.items:
        if result.status != "passed" and result.id in items:
            known = parts_of(items[result.id])
            for part, message in failed_parts(items[result.id], result.verdict).items():
                yield entry.student, problem.id, result.id, part, int(known.get(part, False)), message


def _metrics(problem: Problem, entry: Entry) -> Iterator[Sequence[Any]]:
    bands = declared_ranges(problem)
    for name, record in entry.log.metrics.items():
        value = finite(record.get("value"))
        row = entry_for(name, bands)
        lowest, highest = bands[row].get(entry.log.profile, (None, None)) if row else (None, None)
        yield entry.student, problem.id, name, value, lowest, highest
