"""Reward models read texts and give one differentiable number for each summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from homework.data.stories import embedded_stories
from homework.models.reward_model import RobertaReward, TinyReward, reward_model
from homework.models.summarizer import tiny_summarizer_folder
from homework.profiles import Run

MINI = Run("rlhf", "mini", torch.device("cpu"), 0)
TRAIN = embedded_stories().train
DOCUMENTS = list(TRAIN.documents[:3])
SUMMARIES = [summary for first in range(3) for summary in (TRAIN.summaries[first], TRAIN.summaries[first + 1], "Gone.")]


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa of the real architecture with random weights and a tokenizer of its own."""
    folder = tmp_path_factory.mktemp("roberta")
    make_tiny_roberta(folder)
    return folder


def make_tiny_roberta(folder: Path) -> None:
    """Saves a tiny RoBERTa with byte-level tokenizer into the folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special, *letters])}
    tokenizer: Any = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {
        "bos_token": "<s>",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", model_max_length=512, **names
    ).save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=514,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        type_vocab_size=1,
    )
    RobertaForMaskedLM(config).save_pretrained(folder)


def check(model: Any) -> None:
    """What holds for each reward model."""
    rewards = model(DOCUMENTS, SUMMARIES)
    assert tuple(rewards.shape) == (9,) and rewards.dtype == torch.float32
    alone = model(DOCUMENTS[1:2], SUMMARIES[3:6])
    assert torch.allclose(alone, rewards[3:6], atol=1e-4), "who else is in the batch does not matter"
    turned = model(DOCUMENTS[1:2], SUMMARIES[3:6][::-1])
    assert torch.allclose(turned, alone.flip(0), atol=1e-4)
    rewards.square().sum().backward()
    assert any(p.grad is not None and bool(p.grad.any()) for p in model.parameters())
    for documents, summaries in ((DOCUMENTS, SUMMARIES[:4]), ([], []), (DOCUMENTS, [])):
        with pytest.raises(ValueError, match="give each document the same number"):
            model(documents, summaries)


def test_the_tiny_one() -> None:
    model = reward_model(MINI)
    assert isinstance(model, TinyReward) and not model.training
    assert not bool(model(DOCUMENTS, SUMMARIES).any()), "a new one has no opinion"
    torch.nn.init.normal_(model.plain)
    torch.nn.init.normal_(model.expected)
    check(model)


def test_the_tiny_one_reads_the_story_and_the_end() -> None:
    model = TinyReward(str(tiny_summarizer_folder()))
    torch.nn.init.normal_(model.plain)
    torch.nn.init.normal_(model.expected)
    with torch.no_grad():
        one, other = model(DOCUMENTS[:1], [SUMMARIES[0]]), model(DOCUMENTS[1:2], [SUMMARIES[0]])
        assert abs(float(one - other)) > 1e-3
        assert abs(float(one - model(DOCUMENTS[:1], [SUMMARIES[0] + " Again."]))) > 1e-3
        assert bool(model(DOCUMENTS[:1], [""]).isfinite().all())


def test_robertas_architecture(tiny_roberta: Path) -> None:
    model = RobertaReward(str(tiny_roberta)).eval()
    check(model)
    with torch.no_grad():
        long = model(["word " * 400], ["much too long " * 60])
    assert bool(long.isfinite().all())


def test_full_takes_roberta_from_the_data_folder(
    tiny_roberta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "models" / "distilbert"
    place.mkdir(parents=True)
    (place / "distilroberta-base").symlink_to(tiny_roberta)
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path))
    assert isinstance(reward_model(Run("rlhf", "full", torch.device("cpu"), 0)), RobertaReward)
