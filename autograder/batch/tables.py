"""Writes the tables of a run, `grades.csv` and `timings.csv`: one line per submission.

Lines of other problems in the same folder are kept, even if two runs end at the same moment.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from autograder.core.files import write_atomically
from autograder.core.flags import FlagKind
from autograder.core.locks import locked
from autograder.core.results import PHASES, Graded, GradedLog

GRADES, TIMINGS = "grades.csv", "timings.csv"
_LOCK = ".tables.lock"
WAIT_SECONDS = 60.0
"""Seconds to wait for another run that is writing the tables, which takes milliseconds."""
_COLUMNS = {
    GRADES: ["student", "problem", "score", "max_score", "status"],
    TIMINGS: ["student", "problem", "seconds", *PHASES, "cached", "items"],
}


def write_tables(out: Path, problem: str, graded: Sequence[Graded]) -> None:
    """Writes the lines of one problem into both tables.

    Args:
        out: the folder of the run.
        problem: problem id.
        graded: every submission of the problem.

    Raises:
        SetupError: a table cannot be written, or another process keeps it locked.
    """
    with _locked(out):
        before = {row["student"]: row["items"] for row in timing_rows(out, problem)}
        _write(out / GRADES, problem, [_grade_row(one.log) for one in graded])
        _write(out / TIMINGS, problem, [_timing_row(one, before.get(one.log.student, "")) for one in graded])


def write_grades(out: Path, logs: Sequence[GradedLog], timings: Sequence[Mapping[str, str]] | None = None) -> None:
    """Writes the lines of one problem into `grades.csv`, for all its submissions.

    Args:
        out: the folder of the run.
        logs: every submission of the problem.
        timings: also its lines in `timings.csv`, as `timing_rows` gave them; None: they stay.

    Raises:
        SetupError: as `write_tables`.
    """
    with _locked(out):
        _write(out / GRADES, logs[0].problem, [_grade_row(log) for log in logs])
        if timings is not None:
            _write(out / TIMINGS, logs[0].problem, timings)


def timing_rows(out: Path, problem: str) -> list[dict[str, str]]:
    """The lines of one problem in `timings.csv`."""
    return [row for row in _read(out / TIMINGS) if row["problem"] == problem]


def graded_students(out: Path, problem: str) -> list[str]:
    """The students with a line for this problem in `grades.csv`, in its order."""
    return [row["student"] for row in _read(out / GRADES) if row["problem"] == problem]


def _locked(out: Path) -> AbstractContextManager[None]:
    """Keeps other runs from writing the tables: two could overwrite each other's lines."""
    busy = (
        f"another program has kept the tables in {out} locked for {WAIT_SECONDS:.0f} s: end it, then run the same "
        "command again; finished submissions are not graded again."
    )
    return locked(out / _LOCK, busy, WAIT_SECONDS)


def item_times(text: str) -> dict[str, float]:
    """Parses `timings.csv`'s column `items` (`encode=0.31 decode=1.2`) to item id → seconds; skips invalid entries."""
    pairs = (pair.partition("=") for pair in text.split())
    return {item: seconds for item, _, written in pairs if (seconds := number(written)) is not None}


def number(text: str | None) -> float | None:
    """Parses a number in a table; None if it is invalid or not finite."""
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _grade_row(log: GradedLog) -> dict[str, str]:
    return {
        "student": log.student,
        "problem": log.problem,
        "score": f"{log.score:.6g}",
        "max_score": f"{log.max_score:.6g}",
        "status": str(log.outcome),
    }


def _timing_row(graded: Graded, before: str) -> dict[str, str]:
    """One line of `timings.csv`; items that were not measured now keep their time from `before`."""
    row = {"student": graded.log.student, "problem": graded.log.problem, "seconds": f"{graded.seconds:.6g}"}
    phases = {phase: f"{graded.phases[phase]:.6g}" if phase in graded.phases else "" for phase in PHASES}
    cached = "yes" if graded.log.has(FlagKind.CACHED) else ""
    return {**row, **phases, "cached": cached, "items": _written(graded.log, item_times(before))}


def _written(log: GradedLog, before: Mapping[str, float]) -> str:
    """Formats the items' times for `item_times`."""
    seconds = {**before, **{item.id: item.seconds for item in log.items if item.seconds}}
    return " ".join(f"{item.id}={seconds[item.id]:.3g}" for item in log.items if item.id in seconds)


def _write(path: Path, problem: str, rows: Sequence[Mapping[str, str]]) -> None:
    columns = _COLUMNS[path.name]
    kept = [row for row in _read(path) if row["problem"] != problem]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted([*kept, *rows], key=lambda row: (row["problem"], row["student"])))
    write_atomically(path, text.getvalue())


def _read(path: Path) -> list[dict[str, str]]:
    """The complete lines of an existing table, with the columns of today; empty if there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        whole = [row for row in csv.DictReader(file) if None not in row and None not in row.values()]
    columns = _COLUMNS[path.name]
    return [{name: row.get(name, "") for name in columns} for row in whole if {"student", "problem"} <= row.keys()]
