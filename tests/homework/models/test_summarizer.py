"""The shipped summarizer summarises well and samples with variety; `full` finds its own summarizer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

from homework.data.stories import embedded_stories
from homework.errors import DataError
from homework.models import summarizer
from homework.models.pretrained import from_pretrained, local_or_hub
from homework.models.rouge_scores import KINDS, rouge_scores
from homework.models.summarizer import saved_summarizer_folder, summarizer_name, tiny_summarizer_folder
from homework.models.tiny_t5 import t5_name, tiny_t5_folder
from homework.seeds import seed_everything
from tests.homework.conftest import Patch, a_run, builder, check_shipped

FULL = a_run("rlhf", "full")


def test_mini_and_grade_take_the_shipped_summarizer(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path))
    for run in (a_run("rlhf", "mini"), a_run("rlhf", "grade")):
        assert summarizer_name(run) == str(tiny_summarizer_folder())
    shutil.copytree(tiny_summarizer_folder(), tmp_path / "tiny")
    (tmp_path / "tiny" / "tokenizer.json").unlink()
    monkeypatch.setattr(summarizer, "FOLDER", tmp_path / "tiny")
    with pytest.raises(DataError, match=r"tokenizer\.json is missing"):
        summarizer_name(a_run("rlhf"))


def test_full_takes_the_saved_summarizer_if_there_is_one(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / "kept"))
    assert summarizer_name(FULL) is None
    folder = saved_summarizer_folder(FULL)
    assert folder == tmp_path / "kept" / "summarization" / "full" / "summarizer"
    assert folder == saved_summarizer_folder(a_run("summarization", "full", 3))
    shutil.copytree(tiny_summarizer_folder(), folder)
    assert summarizer_name(FULL) == str(folder)
    monkeypatch.delenv("HOMEWORK_CHECKPOINTS")
    monkeypatch.chdir(tmp_path)
    assert saved_summarizer_folder(FULL) == tmp_path / "checkpoints" / "summarization" / "full" / "summarizer"


def test_a_model_in_the_data_folder_is_preferred_to_the_hub(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOMEWORK_DATA", raising=False)
    assert local_or_hub("google-t5/t5-small") == t5_name(FULL) == "google-t5/t5-small"
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path))
    assert t5_name(FULL) == "google-t5/t5-small"
    shutil.copytree(tiny_summarizer_folder(), tmp_path / "models" / "google-t5" / "t5-small")
    assert t5_name(FULL) == str(tmp_path / "models" / "google-t5" / "t5-small")


def test_the_error_of_a_model_that_is_not_available_says_what_to_do() -> None:
    class Absent:
        @staticmethod
        def from_pretrained(name: str) -> None:
            raise OSError(f"{name} is not here\nand more")

    with pytest.raises(DataError, match=r"nor downloaded \(x/y is not here\)(.|\n)*HOMEWORK_DATA"):
        from_pretrained(Absent, "x/y")


def test_the_files_are_small_and_name_no_machine() -> None:
    check_shipped(tiny_summarizer_folder(), 2_500_000)


def test_it_writes_summaries_as_well_as_its_record_says_and_can_be_improved() -> None:
    name = str(tiny_summarizer_folder())
    tokenizer: Any = AutoTokenizer.from_pretrained(name)
    model: Any = T5ForConditionalGeneration.from_pretrained(name)
    record = json.loads((tiny_summarizer_folder() / "training.json").read_text())
    assert record["parameters"] == sum(tensor.numel() for tensor in model.parameters())
    assert record["rouge_greedy"]["rouge2"] > record["rouge_sampled"]["rouge2"] + 0.03
    test = embedded_stories().validation
    inputs = tokenizer(list(test.documents[:100]), padding=True, return_tensors="pt")
    written = model.generate(**inputs, max_length=24, do_sample=False, num_beams=1)
    texts = tokenizer.batch_decode(written, skip_special_tokens=True)
    scores = [rouge_scores(*pair)["rouge2"] for pair in zip(texts, test.summaries[:100], strict=True)]
    assert sum(scores) / 100 == pytest.approx(record["rouge_greedy"]["rouge2"], abs=0.1)
    assert set(record["rouge_greedy"]) == set(KINDS)


@pytest.fixture(scope="module")
def build() -> Any:
    """`data/build_tiny_summarizer.py`."""
    return builder("build_tiny_summarizer")


@pytest.mark.long
def test_the_builder_learns_the_same_from_the_same_seed(build: Any, monkeypatch: Patch) -> None:
    monkeypatch.setattr(build, "JUDGED", 4)
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_t5_folder())
    data, made = embedded_stories(), []
    for _ in range(2):
        model: Any = T5ForConditionalGeneration.from_pretrained(tiny_t5_folder())
        made.append(build.fine_tune(model, tokenizer, data.train, steps=4, seed=1))
    assert len(made[0]) == 4 and made[0] == made[1]
    for sampled in (False, True):
        scores = build.rouge_of(model, tokenizer, data.validation, sampled=sampled)
        assert list(scores) == list(KINDS) and all(0 <= score <= 1 for score in scores.values())


@pytest.mark.slow
def test_fine_tuning_beats_training_from_scratch_and_the_first_sentence(build: Any) -> None:
    folder, data = tiny_t5_folder(), embedded_stories()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    tuned: list[float] = []
    scratch: list[float] = []
    for seed in range(3):
        seed_everything(seed)
        pretrained = T5ForConditionalGeneration.from_pretrained(folder)
        new = T5ForConditionalGeneration(T5Config.from_pretrained(folder))
        for model, reached in ((pretrained, tuned), (new, scratch)):
            build.fine_tune(model, tokenizer, data.train, steps=300, seed=seed)
            reached.append(build.rouge_of(model, tokenizer, data.test, sampled=False)["rougeL"])
    leads = [document.split(". ")[0] + "." for document in data.test.documents]
    lead = fmean(rouge_scores(*pair)["rougeL"] for pair in zip(leads, data.test.summaries, strict=True))
    assert min(tuned) > max(*scratch, lead) + 0.05
