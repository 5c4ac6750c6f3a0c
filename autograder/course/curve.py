"""A curve raises the scores of a problem, and the sentence about it for the student.

It acts on the whole score of a submission, in exports and in nbgrader's gradebook; scores of items and logs stay as
graded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.core.results import GradedLog

if TYPE_CHECKING:
    from autograder.course.config import Course


@dataclass(frozen=True)
class Curve:
    """How the scores of a problem are raised. It lowers no score, and a score of 0 stays 0."""

    factor: float = 1.0
    """The score is multiplied by it; at least 1."""
    add: float = 0.0
    """Then so many points are added."""
    most: float | None = None
    """No score is raised above it; None: the problem's maximum."""

    def gain(self, score: float, max_score: float) -> float:
        """Points that a score gains.

        Args:
            score: the score, before a late penalty.
            max_score: the problem's maximum.
        """
        if score <= 0:
            return 0.0
        return max(0.0, min(self.factor * score + self.add, max_score if self.most is None else self.most) - score)

    def __str__(self) -> str:
        steps = [f"multiplied by {self.factor:g}"] if self.factor != 1 else []
        steps += [f"plus {self.add:g}"] if self.add else []
        return f"{', '.join(steps)}, at most {'the maximum' if self.most is None else format(self.most, 'g')}"


def curve_note(course: Course | None, log: GradedLog) -> str:
    """A sentence for the student on what a curve does to the score; empty if nothing.

    Args:
        course: the course; if None, there is no curve.
        log: the student's graded log, whose score stays unchanged.
    """
    curve = None if course is None else course.curves.get(log.problem)
    gain = 0.0 if curve is None else curve.gain(log.score, log.max_score)
    if not gain:
        return ""
    return (
        f"The course raises the scores of this problem ({curve}): {log.score:g} points become "
        f"{round(log.score + gain, 2):g}. The score above does not include this."
    )
