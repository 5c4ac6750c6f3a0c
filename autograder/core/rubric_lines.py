"""A grader's comment with the rubric in it, as one text for nbgrader's gradebook and for people.

Each rubric item is a line of a task list, `- [x] 1 of 1: names the units`; what follows them is the comment. A text
that a grader typed in another form is a comment without rubric.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_LINE = re.compile(r"^- \[(?P<met>[x ])\] (?P<points>-?\d+(?:\.\d+)?): (?P<text>.+)$")


class RubricLine(NamedTuple):
    """One rubric item of a graded answer."""

    met: bool
    """Whether it is ticked: its points count."""
    points: float
    """What it adds; negative: takes off."""
    text: str


def written(lines: Sequence[RubricLine], comment: str) -> str:
    """The rubric and the comment as one text."""
    items = [f"- [{'x' if line.met else ' '}] {line.points:g}: {' '.join(line.text.split())}" for line in lines]
    comment = comment.strip()
    if comment and (items or _LINE.match(comment)):
        comment = f"\n{comment}" if items else f"Comment: {comment}"  # else its lines could be read as items
    return "\n".join([*items, comment]).strip()


def read(text: str) -> tuple[tuple[RubricLine, ...], str]:
    """The rubric and the comment of a text that `written` made; of another text, no rubric and the text."""
    lines = text.split("\n")
    found = []
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            break
        found.append(RubricLine(match["met"] == "x", float(match["points"]), match["text"]))
    return tuple(found), "\n".join(lines[len(found) :]).strip()
