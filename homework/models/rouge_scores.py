"""ROUGE-1, ROUGE-2 and ROUGE-L of one text against another, without a heavy import.

    rouge_scores("the cat sat", "the cat sat down")
    {'rouge1': 0.857..., 'rouge2': 0.8, 'rougeL': 0.857...}

`homework.models.rouge_metric` wraps the same numbers as a metric of `evaluate`, whose import takes several seconds.

Source: Lin (2004), ROUGE: a package for automatic evaluation of summaries.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from rouge_score.rouge_scorer import RougeScorer

KINDS: Final = ("rouge1", "rouge2", "rougeL")


def rouge_scores(prediction: str, reference: str) -> dict[str, float]:
    """The three scores of one prediction: F1 in 0 … 1, of stemmed words.

    Args:
        prediction: the model's text.
        reference: the expected text.
    """
    scores = _scorer().score(reference, prediction)
    return {kind: float(scores[kind].fmeasure) for kind in KINDS}


@cache
def _scorer() -> RougeScorer:
    return RougeScorer(list(KINDS), use_stemmer=True)
