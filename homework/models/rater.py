"""Rankings of summaries, and a simulated rater who gives them in place of a person.

    ranked = simulated_rankings(documents, samples, references, seed=0)
    ranked[0].summaries   # the four summaries of the first document, best first

Only the simulated rater reads the reference summary: its score is a weighted mean of ROUGE scores, mostly ROUGE-2, plus
noise, because people are not fully consistent.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from homework.models.rouge_scores import rouge_scores

WEIGHTS: Final[Mapping[str, float]] = {"rouge1": 0.2, "rouge2": 0.6, "rougeL": 0.2}
"""Weight of each score; they add up to 1."""
NOISE: Final = 0.05
"""Standard deviation of the noise that the rater adds to each score."""


@dataclass(frozen=True)
class Ranked:
    """One document and its summaries, ranked."""

    document: str
    """The story."""
    summaries: tuple[str, ...]
    """K summaries, best first."""


def liking(summary: str, reference: str) -> float:
    """The simulated rater's score of a summary without noise: in 0 … 1, 1 for the reference itself.

    Args:
        summary: the summary to score.
        reference: a person's summary of the same story.
    """
    scores = rouge_scores(summary, reference)
    return sum(weight * scores[kind] for kind, weight in WEIGHTS.items())


def simulated_rankings(
    documents: Sequence[str],
    samples: Sequence[Sequence[str]],
    references: Sequence[str],
    *,
    seed: int,
    noise: float = NOISE,
) -> list[Ranked]:
    """Ranks the samples of each document, by `liking` plus normal noise.

    Args:
        documents: N stories.
        samples: K summaries for each of them.
        references: N summaries by people.
        seed: of the noise; the same seed ranks the same samples in the same order.
        noise: standard deviation of the noise; 0 ranks by score alone (equal ones keep their order).

    Raises:
        ValueError: documents, samples and references differ in number.
    """
    if not len(documents) == len(samples) == len(references):
        raise ValueError(
            f"{len(documents)} documents, {len(samples)} groups of samples and {len(references)} references: "
            "give equally many."
        )
    source = random.Random(seed)
    ranked = []
    for document, group, reference in zip(documents, samples, references, strict=True):
        likings = [liking(summary, reference) + noise * source.gauss(0.0, 1.0) for summary in group]
        order = sorted(range(len(group)), key=lambda place: -likings[place])
        ranked.append(Ranked(document, tuple(group[place] for place in order)))
    return ranked
