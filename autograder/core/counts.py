"""How an item counts towards the score: as usual, for no student, or as a bonus."""

from __future__ import annotations

from enum import StrEnum


class Counts(StrEnum):
    """How an item counts; the values are those in `submission_log.json`."""

    NORMALLY = ""
    """Its points and its maximum count."""
    DROPPED = "dropped"
    """For no student: neither its points nor its maximum count."""
    BONUS = "bonus"
    """Its points count, its maximum does not."""

    def worth(self, points: float) -> float:
        """What an item of so many points adds to the maximum of its problem."""
        return points if self is Counts.NORMALLY else 0.0

    def label(self, points: float) -> str:
        """What an item of so many points is worth, in words: `4`, `4 bonus` or `dropped`."""
        return {Counts.NORMALLY: f"{points:g}", Counts.BONUS: f"{points:g} bonus", Counts.DROPPED: "dropped"}[self]
