"""Folders as `autograder grade` leaves them, for the toy problem of the fixture course, made without grading."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat.v4 import new_output
from PIL import Image

from autograder.core.flags import Flag
from autograder.core.notebook_io import graded_text
from autograder.core.results import NEEDS_GRADING, GradedLog, ItemResult, Outcome, Status
from tests.autograder.toy import solved, toy


def log_of(student: str, **changes: Any) -> GradedLog:
    """The log of a student who passed all tests and needs manual grading, some fields replaced."""
    items = [
        ItemResult(item.id, 0.0, item.points, Status.MANUAL, NEEDS_GRADING, manual=True)
        if item.test is None
        else ItemResult(item.id, item.points, item.points, Status.PASSED, "All checks passed.")
        for item in toy().items
    ]
    log = GradedLog(
        problem="toy",
        student=student,
        created_at="2026-11-21T10:00:00Z",
        profile="mini",
        environment={"python": "3.11", "torch": "2", "device": "cpu"},
        answers={"standardize": [1.0]},
        metrics={},
        code={},
        notebook_sha256=None,
        outcome=Outcome.GRADED,
        items=tuple(items),
        flags=(Flag("isolation", "Student code ran at isolation level 'full'."),),
    )
    return replace(log, **changes)


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def with_item(log: GradedLog, item_id: str, **changes: Any) -> GradedLog:
    """The log with one item changed."""
    items = tuple(replace(item, **changes) if item.id == item_id else item for item in log.items)
    return replace(log, items=items)


def png(size: tuple[int, int] = (40, 30), colour: str = "navy") -> str:
    """A picture as a notebook stores it."""
    packed = io.BytesIO()
    Image.new("RGB", size, colour).save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


def write_student(
    out: Path, log: GradedLog, answers: Mapping[str, str] | None = None, pictures: Sequence[str] = ()
) -> Path:
    """Writes one student's folder and returns it.

    Args:
        out: the results' folder.
        log: the content of the log.
        answers: item id → source, of the answers that are not the solution.
        pictures: what the figure's cell drew.
    """
    folder = out / log.student / log.problem
    folder.mkdir(parents=True)
    (folder / "submission_log.json").write_text(json.dumps(log.as_json()), encoding="utf-8")
    notebook = solved(**(answers or {}))
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "figure_loss":
            cell.outputs = [new_output("display_data", {"image/png": picture}) for picture in pictures]
    (folder / f"{log.problem}.ipynb").write_text(graded_text(notebook), encoding="utf-8")
    return folder


def write_tables(out: Path, logs: Sequence[GradedLog], seconds: float = 1.0) -> None:
    """Writes `grades.csv` and `timings.csv`; the n-th student took n times as long as the first."""
    with (out / "grades.csv").open("w", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", "problem", "score", "max_score", "status"])
        table.writerows([log.student, log.problem, f"{log.score:.6g}", log.max_score, str(log.outcome)] for log in logs)
    with (out / "timings.csv").open("w", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ["student", "problem", "seconds", "read", "start", "cells", "tests", "answers", "write", "cached", "items"]
        )
        for number, log in enumerate(logs, start=1):
            took = number * seconds
            phases = [0, 0, 0.25 * took, 0.75 * took, 0, 0]
            table.writerow([log.student, log.problem, took, *phases, "", f"Line={took / 2}"])


def write_class(out: Path, logs: Sequence[GradedLog]) -> Path:
    """Writes a folder in which each student submitted the solution, and returns it."""
    for log in logs:
        write_student(out, log)
    write_tables(out, logs)
    return out
