"""The rubric of an item that is graded by hand, as its source has it: a bullet for each criterion."""

from __future__ import annotations

import re
from typing import NamedTuple

_BULLET = re.compile(r"^\s*(?:#\s*)?[-*+]\s*\(?\s*(\d+(?:\.\d+)?)\s*(?:points?|pts?|p)\b\)?\s*:?\s*", re.IGNORECASE)


class Criterion(NamedTuple):
    """One bullet of a rubric: `- 2 points: names the units`."""

    points: float
    text: str


def criteria(rubric: str) -> tuple[Criterion, ...]:
    """The criteria of a rubric in their order; a line without a bullet belongs to the bullet above it."""
    found: list[Criterion] = []
    for line in rubric.splitlines():
        match = _BULLET.match(line)
        rest = line[match.end() :] if match else line.strip().removeprefix("#")
        if match:
            found.append(Criterion(float(match[1]), rest.strip()))
        elif found and rest.strip():
            found[-1] = found[-1]._replace(text=f"{found[-1].text} {rest.strip()}")
    return tuple(found)
