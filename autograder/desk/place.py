"""What is graded: a question of a problem."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A question."""

    problem: str
    item: str
