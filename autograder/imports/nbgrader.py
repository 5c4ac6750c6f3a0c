"""Reads the notebook of an nbgrader assignment (`source/<assignment>/<notebook>.ipynb`) into cells with roles."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.core.errors import SourceError
from autograder.course.markers import read_marker
from autograder.imports.original import Original, Role, check_markers, read_notebook

NEWEST_SCHEMA = 3
_STUBS = ("YOUR CODE HERE", "YOUR ANSWER HERE")


def read_nbgrader(path: Path) -> list[Original]:
    """The cells of an nbgrader notebook, of metadata schema 1, 2 or 3.

    Raises:
        SourceError: the file is no Python notebook with graded cells, or its metadata or markers cannot be used; the
            message says which cell and what to do.
    """
    cells = [_cell(path, n, node) for n, node in enumerate(read_notebook(path).cells, start=1)]
    graded = [cell for cell in cells if cell.role in ("test", "manual", "task")]
    if not graded:
        raise SourceError(
            f"{path} has no cell that nbgrader grades; give the instructor's version of the assignment (source/...)."
        )
    ids = Counter(cell.grade_id for cell in cells if cell.role != "given" and cell.grade_id)
    for name in (name for name, count in ids.items() if count > 1):
        where = ", ".join(str(cell.number) for cell in cells if cell.grade_id == name)
        raise SourceError(f"{path}: cells {where} have the same grade_id {name!r}; give each an id of its own.")
    answers = [cell.source for cell in cells if cell.role in ("solution", "manual")]
    if answers and all(any(stub in answer for stub in _STUBS) for answer in answers):
        raise SourceError(f"{path} is a released notebook, without solutions; give the instructor's one (source/...).")
    return cells


def _cell(path: Path, number: int, node: NotebookNode) -> Original:
    data = node.metadata.get("nbgrader", {})
    where = f"{path}, cell {number}"
    if not isinstance(data, dict):
        raise SourceError(f"{where}: nbgrader's metadata is {data!r}; remove it or set the cell's type again.")
    version = data.get("schema_version", 1)
    if not isinstance(version, int) or version > NEWEST_SCHEMA:
        raise SourceError(f"{where}: nbgrader's schema version {version!r} is unknown; known are 1 to {NEWEST_SCHEMA}.")
    role = _role(where, node.cell_type, data)
    grade_id = data.get("grade_id", "")
    if role != "given" and not (isinstance(grade_id, str) and grade_id.strip()):
        raise SourceError(f"{where} is graded or a solution, and has no grade_id; give it one.")
    points = _points(where, data.get("points", 0)) if role in ("test", "manual", "task") else 0.0
    source = "\n".join(map(_exact, node.source.split("\n")))
    check_markers(where, source.split("\n"))
    return Original(number, node.cell_type, source, role, str(grade_id), points, bool(node.get("attachments")))


def _exact(line: str) -> str:
    """The line with a marker that nbgrader understands as our tools need it; any other line as it is."""
    marker = read_marker(line)
    phrase = f"{marker.verb} {marker.kind}" if marker else ""
    return line[: len(line) - len(line.lstrip())] + f"### {phrase}" if phrase and phrase in line else line


def _role(where: str, cell_type: str, data: dict[str, Any]) -> Role:
    grade, solution, task = (data.get(key) is True for key in ("grade", "solution", "task"))
    if task:
        return "task"
    if cell_type != "code" and grade != solution:
        raise SourceError(f"{where}: a text cell is graded or a solution, not both; make it a manually graded answer.")
    if grade:
        return "manual" if solution else "test"
    return "solution" if solution else "given"


def _points(where: str, points: Any) -> float:
    try:  # schema 1 has texts here
        value = float(points or 0)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise SourceError(f"{where}: its points are {points!r}; give a number, 0 or more.")
    return value
