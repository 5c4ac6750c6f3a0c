"""The tiny T5 loads as any T5 does and knows the language of the stories."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, T5ForConditionalGeneration

import homework
from homework.data.span_corruption import corrupt_spans
from homework.data.stories import embedded_stories
from homework.errors import DataError
from homework.models import tiny_t5
from homework.models.tiny_t5 import t5_name, tiny_t5_folder
from homework.profiles import PROFILES
from homework.train import training
from tests.homework.conftest import Patch, Printed, a_run, builder, check_shipped, same_weights

SENTINELS = 32


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any]:
    """Its tokenizer and the model."""
    name = t5_name(a_run("summarization"))
    return AutoTokenizer.from_pretrained(name), T5ForConditionalGeneration.from_pretrained(name).eval()


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """What its builder wrote about the training."""
    read: dict[str, Any] = json.loads((tiny_t5_folder() / "training.json").read_text())
    return read


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """`data/build_tiny_t5.py`."""
    return builder("build_tiny_t5")


def test_each_profile_has_its_model(monkeypatch: Patch, tmp_path: Path) -> None:
    tiny = str(tiny_t5_folder())
    assert [t5_name(a_run("rlhf", profile)) for profile in PROFILES] == ["google-t5/t5-small", tiny, tiny]
    shutil.copytree(tiny, tmp_path / "tiny_t5")
    (tmp_path / "tiny_t5" / "model.safetensors").unlink()
    monkeypatch.setattr(tiny_t5, "FOLDER", tmp_path / "tiny_t5")
    with pytest.raises(DataError, match=r"model\.safetensors is missing"):
        t5_name(a_run("rlhf"))


def test_the_files_are_small_and_name_no_machine() -> None:
    check_shipped(tiny_t5_folder(), 5_000_000)


def test_it_has_the_architecture_and_the_special_tokens_of_t5(loaded: tuple[Any, Any]) -> None:
    tokenizer, model = loaded
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)
    assert model.config.decoder_start_token_id == model.config.pad_token_id == 0
    assert model.config.eos_token_id == 1
    assert model.config.vocab_size == len(tokenizer)
    assert 400_000 < sum(tensor.numel() for tensor in model.parameters()) < 1_000_000
    assert tokenizer.convert_tokens_to_ids("<extra_id_0>") == len(tokenizer) - 1
    assert tokenizer.convert_tokens_to_ids("<extra_id_31>") == len(tokenizer) - SENTINELS
    assert "<extra_id_0>" in tokenizer.all_special_tokens


def test_a_text_is_decoded_as_it_was_and_each_word_is_one_token(loaded: tuple[Any, Any]) -> None:
    tokenizer, test = loaded[0], embedded_stories().test
    for texts, longest in ((test.documents, 96), (test.summaries, 24)):
        ids = tokenizer(list(texts))["input_ids"]
        assert all(row[-1] == 1 and 2 not in row for row in ids)
        assert max(map(len, ids)) <= longest
        assert tokenizer.batch_decode(ids, skip_special_tokens=True) == list(texts)
    words = tokenizer.tokenize("Belmont Rovers beat Arden United 3-1.")
    assert words == ["▁Belmont", "▁Rovers", "▁beat", "▁Arden", "▁United", "▁3", "-", "1", "."]


def test_it_reads_words_that_it_was_not_trained_on(loaded: tuple[Any, Any]) -> None:
    tokenizer, _ = loaded
    ids = tokenizer("My cat wrote Zürich: 47% (really)!")["input_ids"]
    assert ids.count(2) == 1  # ü
    assert tokenizer.decode(ids, skip_special_tokens=True).startswith("My cat wrote Z")


def test_the_record_of_its_training_is_complete(loaded: tuple[Any, Any], record: dict[str, Any]) -> None:
    assert record["parameters"] == sum(tensor.numel() for tensor in loaded[1].parameters())
    assert {"torch", "transformers", "tokenizers"} <= set(record["versions"])
    assert isinstance(record["seed"], int)
    steps, losses = record["curve"]["step"], record["curve"]["loss"]
    assert len(steps) == len(losses) == record["steps"] // 100
    assert steps[-1] == record["steps"] and losses[0] > 3 * losses[-1]


def test_it_fills_gaps_as_well_as_its_record_says(
    build: ModuleType, loaded: tuple[Any, Any], record: dict[str, Any]
) -> None:
    tokenizer, model = loaded
    sentinels = tokenizer.convert_tokens_to_ids([f"<extra_id_{number}>" for number in range(SENTINELS)])
    source = random.Random(1)
    texts = tokenizer(list(embedded_stories().test.documents[:128]), add_special_tokens=False)["input_ids"]
    pairs = [corrupt_spans(text, sentinels=sentinels, end=1, source=source) for text in texts]
    inputs, labels = build.padded([pair[0] for pair in pairs], 0), build.padded([pair[1] for pair in pairs], -100)
    with torch.no_grad():
        loss = float(model(input_ids=inputs, attention_mask=(inputs != 0).long(), labels=labels).loss)
    assert loss == pytest.approx(record["curve"]["loss"][-1], rel=0.15)


@pytest.mark.long
def test_the_builder_resumes_and_what_it_saves_can_be_loaded(
    build: ModuleType, tmp_path: Path, monkeypatch: Patch, capsys: Printed
) -> None:
    monkeypatch.setattr(training, "SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(training, "REST_AFTER_SAVING", 0.0)
    monkeypatch.setattr(build, "BATCH", 4)
    texts = list(embedded_stories().train.documents[:200])
    tokenizer = build.train_tokenizer(texts)
    real = build.batch_of

    def trained(where: str, stop: int = -1) -> Any:
        def batch_of(ids: Any, step: int, *others: Any) -> Any:
            if step == stop:
                raise KeyboardInterrupt
            return real(ids, step, *others)

        monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / where))
        monkeypatch.setattr(build, "batch_of", batch_of)
        homework.seed_everything(0)
        model = build.new_model(tokenizer)
        return build.pretrain(model, tokenizer, texts, steps=6, seed=0), model

    whole, model = trained("whole")
    with pytest.raises(KeyboardInterrupt):
        trained("broken off", stop=3)
    capsys.readouterr()
    resumed, other = trained("broken off")
    assert "resumes at step" in capsys.readouterr().out
    assert len(resumed.history["loss"]) == 6 and resumed.history == whole.history
    assert same_weights(model, other)

    for steps in (1, 6):  # the second takes the place of the first
        build.save(tmp_path / "tiny", model, tokenizer, {"steps": steps})
    assert json.loads((tmp_path / "tiny" / "training.json").read_text()) == {"steps": 6}
    assert not list(tmp_path.glob("*.part"))
    assert same_weights(model, T5ForConditionalGeneration.from_pretrained(tmp_path / "tiny"))
    assert AutoTokenizer.from_pretrained(tmp_path / "tiny")(texts)["input_ids"] == tokenizer(texts)["input_ids"]


def test_batches_depend_on_step_and_seed_alone(build: ModuleType) -> None:
    texts, sentinels = [[*range(10, 10 + length)] for length in range(20, 60)], [*range(900, 940)]
    inputs, labels = build.batch_of(texts, 3, 0, sentinels)
    again = build.batch_of(texts, 3, 0, sentinels)
    assert torch.equal(inputs, again[0]) and torch.equal(labels, again[1])
    assert inputs.shape[0] == labels.shape[0] == build.BATCH
    assert bool((labels == -100).any()) and not bool((labels == 0).any())
    assert bool((inputs == 0).any()) and not bool((inputs == -100).any())
    for other in (build.batch_of(texts, 4, 0, sentinels), build.batch_of(texts, 3, 1, sentinels)):
        assert other[0].shape != inputs.shape or not torch.equal(other[0], inputs)


def test_the_learning_rate_warms_up_and_falls(build: ModuleType) -> None:
    rates = [build.rate_at(step, 2_000) for step in range(2_000)]
    assert max(rates) == pytest.approx(build.PEAK_RATE)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.02 * build.PEAK_RATE
