"""Reads the notebook of an nbgrader assignment (`source/<assignment>/<notebook>.ipynb`) into cells with roles."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from autograder.core.errors import SourceError
from autograder.course.markers import KINDS, read_marker

Role = Literal["given", "solution", "test", "manual", "task"]
"""What a cell is for nbgrader: text or code that students only read, an answer with tests, a test, an answer that a
person grades, or a task for a person to grade whose answer may be in any cells."""

NEWEST_SCHEMA = 3
_STUBS = ("YOUR CODE HERE", "YOUR ANSWER HERE")


@dataclass(frozen=True)
class Original:
    """One cell of the imported notebook."""

    number: int
    """Its position, from 1."""
    cell_type: Literal["code", "markdown", "raw"]
    source: str
    role: Role
    grade_id: str
    """nbgrader's id; empty for a cell without one."""
    points: float
    has_attachments: bool = False
    """Whether pictures are stored inside the cell."""

    @property
    def place(self) -> str:
        """The cell in words, for messages."""
        return f"cell {self.number}" + (f" ({self.grade_id})" if self.grade_id else "")


def read_original(path: Path) -> list[Original]:
    """The cells of an nbgrader notebook, of metadata schema 1, 2 or 3.

    Raises:
        SourceError: the file is no Python notebook with graded cells, or its metadata or markers cannot be used; the
            message says which cell and what to do.
    """
    cells = [_cell(path, n, node) for n, node in enumerate(_notebook(path).cells, start=1)]
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


def _notebook(path: Path) -> NotebookNode:
    try:
        text = path.read_bytes().decode("utf-8")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (UnicodeDecodeError, json.JSONDecodeError, nbformat.reader.NotJSONError) as error:
        raise SourceError(f"{path} is no notebook ({type(error).__name__}); give a .ipynb file.") from None
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        first = str(error).split("\n", 1)[0][:200]
        raise SourceError(f"{path} is no valid notebook ({first}); open and save it in Jupyter.") from None
    language = str(notebook.metadata.get("kernelspec", {}).get("language", "python")).lower()
    if language != "python":
        raise SourceError(f"{path} is a notebook in {language}; only Python notebooks can be imported.")
    assert isinstance(notebook, NotebookNode)
    return notebook


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
    _check_markers(where, source.split("\n"))
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


def _check_markers(where: str, lines: Sequence[str]) -> None:
    """Raises where the regions of a cell do not close: one cannot tell what students may see."""
    opened = ""
    for line in lines:
        marker = read_marker(line)
        if marker is None or not marker.exact:
            continue  # the linter reports what only looks like a marker
        if (marker.verb == "BEGIN") == bool(opened) or (opened and marker.kind != opened):
            raise SourceError(
                f"{where}: {line.strip()!r} does not fit the markers above it; each of "
                f"{', '.join(KINDS)} needs its BEGIN and its END."
            )
        opened = marker.kind if marker.verb == "BEGIN" else ""
    if opened:
        raise SourceError(f"{where}: BEGIN {opened} is never closed; add '### END {opened}'.")
