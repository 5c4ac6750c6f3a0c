"""ROUGE needs no hub, and its scores are those of rouge_score."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import evaluate
import pytest
from rouge_score.rouge_scorer import RougeScorer

from homework.models.rouge_metric import KINDS, Rouge

PAIRS = {
    "The cats were sitting on the mat.": "A cat sat on the mat",
    "Profits rise by six percent": "Profits at Alpine Bank rose by six percent.",
    "": "A flood.",
    "mat the on sat cat the": "The cat sat on the mat.",
    "Same.": "same",
}
PREDICTIONS, REFERENCES = list(PAIRS), list(PAIRS.values())


def test_it_is_a_metric_of_evaluate() -> None:
    assert isinstance(Rouge(), evaluate.Metric)


def test_the_scores_are_those_of_rouge_score() -> None:
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    each = [scorer.score(reference, text) for text, reference in zip(PREDICTIONS, REFERENCES, strict=True)]
    got = Rouge().compute(predictions=PREDICTIONS, references=REFERENCES)
    assert list(got) == list(KINDS)
    for kind in KINDS:
        assert got[kind] == pytest.approx(mean(score[kind].fmeasure for score in each), abs=1e-12)


def test_the_scores_are_those_computed_by_hand() -> None:
    got = Rouge().compute(predictions=["the cat sat"], references=["the cat sat down"])
    assert got == pytest.approx({"rouge1": 6 / 7, "rouge2": 4 / 5, "rougeL": 6 / 7})
    turned = Rouge().compute(predictions=["c b a"], references=["a b c"])
    assert turned == pytest.approx({"rouge1": 1.0, "rouge2": 0.0, "rougeL": 1 / 3})


def test_words_are_stemmed_and_an_f_measure_is_symmetric() -> None:
    got = Rouge().compute(predictions=["Workers striking"], references=["worker strikes"])
    assert got["rouge2"] == pytest.approx(1.0)
    there = Rouge().compute(predictions=PREDICTIONS, references=REFERENCES)
    back = Rouge().compute(predictions=REFERENCES, references=PREDICTIONS)
    assert there == pytest.approx(back)


def test_it_accepts_batches_and_can_be_used_again() -> None:
    metric = Rouge()
    whole = metric.compute(predictions=PREDICTIONS, references=REFERENCES)
    metric.add_batch(predictions=PREDICTIONS[:2], references=REFERENCES[:2])
    for prediction, reference in zip(PREDICTIONS[2:], REFERENCES[2:], strict=True):
        metric.add(prediction=prediction, reference=reference)
    assert metric.compute() == pytest.approx(whole)
    assert metric.compute(predictions=["a b"], references=["a b"]) == {kind: 1.0 for kind in KINDS}


def test_unequal_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="(?i)mismatch|number of"):
        Rouge().compute(predictions=["a", "b"], references=["a"])


def test_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Rouge().compute(predictions=PREDICTIONS, references=REFERENCES)
    assert list(tmp_path.rglob("*")) == []
