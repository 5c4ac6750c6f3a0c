"""Reward models read texts and give one differentiable number for each summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from homework.data.stories import embedded_stories
from homework.models.reward_model import RobertaReward, TinyReward, reward_model
from tests.homework.conftest import Patch, a_run

TRAIN = embedded_stories().train
DOCUMENTS = list(TRAIN.documents[:3])
SUMMARIES = [summary for first in range(3) for summary in (TRAIN.summaries[first], TRAIN.summaries[first + 1], "Gone.")]


def make_tiny_roberta(folder: Path) -> None:
    """Saves a RoBERTa of the real architecture, with random weights and a byte-level tokenizer, into the folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

    special = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    tokens = [*special.values(), *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer: Any = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {f"{role}_token": token for role, token in {**special, "cls": "<s>", "sep": "</s>"}.items()}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names).save_pretrained(folder)
    sizes: dict[str, Any] = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "vocab_size": len(tokens)}
    sizes |= {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    sizes |= {"max_position_embeddings": 514, "type_vocab_size": 1}
    RobertaForMaskedLM(RobertaConfig(**sizes)).save_pretrained(folder)


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The reward model of `full`, which finds a tiny RoBERTa in the data folder."""
    data = tmp_path_factory.mktemp("data")
    make_tiny_roberta(data / "models" / "distilbert" / "distilroberta-base")
    with Patch.context() as patch:
        patch.setenv("HOMEWORK_DATA", str(data))
        return reward_model(a_run("rlhf", "full"))


@pytest.fixture
def tiny() -> Any:
    """The reward model of `mini` with random weights."""
    model = reward_model(a_run("rlhf"))
    assert isinstance(model, TinyReward) and not model.training
    assert not bool(model(DOCUMENTS, SUMMARIES).any()), "a new reward model gives 0 to all"
    torch.nn.init.normal_(model.plain)
    torch.nn.init.normal_(model.expected)
    return model


@pytest.mark.parametrize("kind", ["tiny", "roberta"])
def test_a_reward_model_gives_one_differentiable_number_for_each_summary(
    kind: str, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(kind).eval()
    rewards = model(DOCUMENTS, SUMMARIES)
    assert tuple(rewards.shape) == (9,) and rewards.dtype == torch.float32
    alone = model(DOCUMENTS[1:2], SUMMARIES[3:6])
    assert torch.allclose(alone, rewards[3:6], atol=1e-4), "the rest of the batch does not matter"
    turned = model(DOCUMENTS[1:2], SUMMARIES[3:6][::-1])
    assert torch.allclose(turned, alone.flip(0), atol=1e-4)
    rewards.square().sum().backward()
    assert any(p.grad is not None and bool(p.grad.any()) for p in model.parameters())
    for documents, summaries in ((DOCUMENTS, SUMMARIES[:4]), ([], []), (DOCUMENTS, [])):
        with pytest.raises(ValueError, match="give each document the same number"):
            model(documents, summaries)


def test_the_tiny_reward_model_reads_the_story_and_the_end_of_the_summary(tiny: Any) -> None:
    with torch.no_grad():
        one, other = tiny(DOCUMENTS[:1], [SUMMARIES[0]]), tiny(DOCUMENTS[1:2], [SUMMARIES[0]])
        assert abs(float(one - other)) > 1e-3
        assert abs(float(one - tiny(DOCUMENTS[:1], [SUMMARIES[0] + " Again."]))) > 1e-3
        assert bool(tiny(DOCUMENTS[:1], [""]).isfinite().all())


def test_full_takes_roberta_from_the_data_folder_which_cuts_long_texts(roberta: Any) -> None:
    assert isinstance(roberta, RobertaReward)
    with torch.no_grad():
        assert bool(roberta(["word " * 400], ["much too long " * 60]).isfinite().all())
