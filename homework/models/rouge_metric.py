"""ROUGE as a metric of `evaluate`, without the hub and without a network.

    Rouge().compute(predictions=["the cat sat"], references=["the cat sat down"])
    {'rouge1': 0.857..., 'rouge2': 0.8, 'rougeL': 0.857...}

`evaluate.load("rouge")` gives the same numbers, but downloads a script from the hub first.

Source: Lin (2004), ROUGE: a package for automatic evaluation of summaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from homework.models.rouge_scores import KINDS, rouge_scores

__all__ = ["KINDS", "Rouge"]


class Rouge(evaluate.Metric):  # type: ignore[misc,unused-ignore]
    """Mean ROUGE-1, ROUGE-2 and ROUGE-L over pairs of texts: F1 in 0 … 1, of stemmed words.

    `compute(predictions=…, references=…)` takes two equally long lists of texts, one reference for each prediction;
    `add(prediction=…, reference=…)` and `add_batch` collect them first.
    """

    def __init__(self) -> None:
        super().__init__(keep_in_memory=True)  # nothing is written to a cache

    def score(self, prediction: str, reference: str) -> dict[str, float]:
        """The three scores of one prediction.

        Args:
            prediction: the model's text.
            reference: the expected text.
        """
        return rouge_scores(prediction, reference)

    def _info(self) -> Any:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="ROUGE-1, ROUGE-2 and ROUGE-L: F1 in 0 … 1, stemmed, mean over pairs.",
            citation="Lin (2004), ROUGE: a package for automatic evaluation of summaries.",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        scores = [self.score(*pair) for pair in zip(predictions, references, strict=True)]
        return {kind: sum(score[kind] for score in scores) / len(scores) for kind in KINDS}
