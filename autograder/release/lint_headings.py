"""The linter's rule about headings: the points in a task's heading must equal the points of its cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autograder.course.percent import TextCell

_HEADING = re.compile(r"#?\s*#{1,6}\s.*")
_ANNOUNCED = re.compile(r".*\((\d+(?:\.\d+)?) points?\)\s*")


def announced_points(cells: Sequence[TextCell]) -> Iterator[tuple[int, str, str]]:
    """Findings about headings whose points differ from those of the next task's cell, as (line, rule, message).

    Args:
        cells: the source's cells.
    """
    points = {cell.grade_id.removeprefix("test_"): cell.nbgrader.get("points") for cell in cells if cell.is_graded}
    announced: tuple[int, float] | None = None
    for cell in cells:
        if cell.is_answer and announced is not None:
            line, said = announced
            has = points.get(cell.grade_id)
            if isinstance(has, int | float) and has != said:
                message = f"the heading says {said:g} points, but {cell.grade_id!r} has {has:g}; correct one of them"
                yield line, "points", message
            announced = None
        elif cell.cell_type == "markdown":
            for text in cell.lines:
                if _HEADING.fullmatch(text.text):
                    found = _ANNOUNCED.fullmatch(text.text)
                    announced = (text.number, float(found[1])) if found else None
