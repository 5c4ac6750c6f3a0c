"""Rankings of summaries: what a person gives, and a simulated rater who gives the same, without a person.

    ranked = simulated_rankings(documents, samples, references, seed=0)
    ranked[0].summaries   # the four summaries of the first document, best first

The simulated rater reads the reference summary, which nobody else may: its liking is a mix of ROUGE scores, most of it
ROUGE-2, and it is not quite reliable, as people are not.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from homework.models.rouge_scores import rouge_scores

WEIGHTS: Final[Mapping[str, float]] = {"rouge1": 0.2, "rouge2": 0.6, "rougeL": 0.2}
"""How much each score counts; they add up to 1."""
NOISE: Final = 0.05
"""Standard deviation of what the rater's mood adds to each liking."""


@dataclass(frozen=True)
class Ranked:
    """One document and its summaries, ranked."""

    document: str
    """The story."""
    summaries: tuple[str, ...]
    """K summaries, best first."""


def liking(summary: str, reference: str) -> float:
    """How good the simulated rater finds a summary on a calm day: in 0 … 1, 1 for the reference itself.

    Args:
        summary: what is judged.
        reference: what a person wrote about the same story.
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
        references: the N summaries that people wrote.
        seed: of the noise; the same seed ranks the same samples the same way.
        noise: standard deviation of the noise; 0 ranks by liking alone (equal ones stay in the order given).

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
