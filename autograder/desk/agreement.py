"""How far graders agree on the answers that two of them graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.desk.decisions import Saved


@dataclass(frozen=True)
class Agreement:
    """The agreement of first and second gradings."""

    answers: int
    exact: float
    """Share with the same score."""
    kappa: float | None
    """Cohen's kappa with quadratic weights; None if it is not defined, e.g. where all scores are equal."""
    apart: list[tuple[Saved, Saved]]
    """Gradings with different scores, the largest difference first."""


def agreement(pairs: Sequence[tuple[Saved, Saved]]) -> Agreement:
    """The agreement over answers that were graded twice.

    Kappa is 1 − Σ w·o / Σ w·e with w the squared difference of two scores, o how often they were given together and e
    how often they would be if both graders gave their scores independently (Cohen, "Weighted kappa", 1968).
    """
    scores = [(first.marks.score or 0.0, second.marks.score or 0.0) for first, second in pairs]
    if not scores:
        return Agreement(0, 0.0, None, [])
    seen = sum((a - b) ** 2 for a, b in scores) / len(scores)
    chance = sum((a - b) ** 2 for a, _ in scores for _, b in scores) / len(scores) ** 2
    apart = [pair for pair, (a, b) in zip(pairs, scores, strict=True) if a != b]
    apart.sort(key=lambda pair: -abs((pair[0].marks.score or 0.0) - (pair[1].marks.score or 0.0)))
    exact = sum(a == b for a, b in scores) / len(scores)
    return Agreement(len(scores), exact, 1 - seen / chance if chance else None, apart)
