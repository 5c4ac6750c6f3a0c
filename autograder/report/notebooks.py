"""Reads the students' answers and pictures from the executed notebooks, one notebook at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.core.text import well_formed
from autograder.course.problem import Item, Problem
from autograder.release.notebook import release_to_read
from autograder.submissions.pictures import KEPT, MAX_PICTURES
from autograder.submissions.reader import MAX_CELL_CHARACTERS, UnusableError, read_bytes

MOST_NOTEBOOK_BYTES = 100 * 2**20
"""A larger notebook is not read."""


@dataclass(frozen=True)
class Answers:
    """One student's answers to one problem."""

    sources: Mapping[str, str]
    """Item id → text of its cell, unless the cell is the untouched stub."""
    pictures: Mapping[str, tuple[str, ...]]
    """Item id → pictures in base64 from the student's own run, for figure items with pictures."""


def notebook_path(out: Path, student: str, problem: Problem) -> Path:
    """The path of the executed notebook."""
    return out / student / problem.id / f"{problem.id}.ipynb"


def read_answers(out: Path, student: str, problem: Problem) -> Answers | None:
    """The answers of one student; None if the notebook cannot be read."""
    path = notebook_path(out, student, problem)
    try:
        document = json.loads(read_bytes(path, out, MOST_NOTEBOOK_BYTES).decode("utf-8"))
        cells = {cell["id"]: cell for cell in document["cells"]}
        released = {cell.id: str(cell.source) for cell in release_to_read(problem).cells}
        sources, pictures = {}, {}
        for item in problem.items:
            cell = cells.get(item.cell.id)
            if cell is None:
                continue
            source = _text(cell["source"])
            if source.strip() != released[item.cell.id].strip():
                sources[item.id] = source
            drawn = _pictures(cell, item)
            if drawn:
                pictures[item.id] = drawn
    except (UnusableError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Answers(sources, pictures)


def _pictures(cell: Mapping[str, object], item: Item) -> tuple[str, ...]:
    """The pictures of a figure item; grading keeps those in cells that are graded by hand."""
    outputs = cell.get("outputs", []) if item.kind == "figure" else []
    if not isinstance(outputs, list):
        raise TypeError("outputs")
    found = [output["data"][mime] for output in outputs for mime in KEPT if mime in output.get("data", {})]
    return tuple(_text(picture) for picture in found[:MAX_PICTURES])


def _text(value: object) -> str:
    text = "".join(value) if isinstance(value, list) else value
    if not isinstance(text, str):
        raise TypeError("text")
    return well_formed(text[: 8 * MAX_CELL_CHARACTERS])
