"""Writes a rubric back into a problem's source, in place of the mark scheme of its cell."""

from __future__ import annotations

from autograder.course.markers import RUBRIC
from autograder.course.percent import numbers_inside, split_cells
from autograder.course.problem import Item
from autograder.desk.rubric import Rubric, RubricError


def with_rubric(source: str, item: Item, rubric: Rubric) -> str:
    """The source with this rubric.

    Args:
        source: the text of the source.
        item: the question.
        rubric: its rubric.

    Raises:
        RubricError: a source cannot have such a rubric, or this source has no such question.
    """
    cell = next((cell for cell in split_cells(source) if cell.grade_id == item.cell.grade_id), None)
    inside = sorted(numbers_inside(cell, RUBRIC)) if cell is not None else []
    if not inside:
        raise RubricError(f"the source has no mark scheme for {item.id!r}.")
    lines = source.split("\n")
    bullets = [
        f"# {line}" for line in rubric.as_mark_scheme().replace("\n- ", "\n* ").replace("- ", "* ", 1).split("\n")
    ]
    return "\n".join([*lines[: inside[0] - 1], *bullets, *lines[inside[-1] :]])
