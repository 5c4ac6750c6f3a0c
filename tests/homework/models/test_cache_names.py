"""The cache of a decoder under both of its names, on old and new versions of transformers."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import T5ForConditionalGeneration

from homework.models.cache_names import NAMES, accept_both_cache_names
from homework.models.tiny_t5 import tiny_t5_folder
from tests.problems.other_transformers import VERSIONS, NewT5, OldT5, tiny_t5

IDS = torch.randint(3, 1000, (2, 9), generator=torch.Generator().manual_seed(0))
START = torch.zeros(2, 1, dtype=torch.long)


@pytest.fixture(autouse=True)
def _no_warning_of_old_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails where transformers' own logger warns of an old name; a warning of Python is an error anyway."""
    said: list[str] = []
    monkeypatch.setattr(logging.Logger, "warning_once", lambda _self, message, *_: said.append(str(message)))
    yield
    assert not said


def two_steps(model: Any, name: str) -> torch.Tensor:
    """Logits after two tokens, the first of them from the cache, called and read by this name."""
    with torch.no_grad():
        read = model.get_encoder()(input_ids=IDS)
        first = model(encoder_outputs=read, decoder_input_ids=START, use_cache=True, **{name: None})
        past = getattr(first, name)
        assert past is not None and first[name] is past
        later = model(encoder_outputs=read, decoder_input_ids=START + 5, use_cache=True, **{name: past})
    logits: torch.Tensor = later.logits
    return logits[:, -1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", VERSIONS, ids=lambda kind: kind.__name__)
def test_both_names_work_on_every_version_without_a_warning(kind: Any, name: str) -> None:
    model = tiny_t5(kind)
    with torch.no_grad():
        uncached = {"input_ids": IDS, "decoder_input_ids": torch.cat([START, START + 5], dim=1)}
        want = model(**uncached).logits[:, -1]
    torch.testing.assert_close(two_steps(model, name), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kind", "name"), [(OldT5, "cache"), (NewT5, "past_key_values")])
def test_an_unpatched_version_refuses_the_other_name(kind: Any, name: str) -> None:
    """The stand-ins for other versions behave as those versions do."""
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        two_steps(kind.from_pretrained(tiny_t5_folder()).eval(), name)


def test_the_model_is_otherwise_unchanged(tmp_path: Path) -> None:
    plain = T5ForConditionalGeneration.from_pretrained(tiny_t5_folder()).eval()
    model = accept_both_cache_names(T5ForConditionalGeneration.from_pretrained(tiny_t5_folder())).eval()
    assert type(model) is T5ForConditionalGeneration
    assert list(model.state_dict()) == list(plain.state_dict())
    for beams in (1, 3):
        asked: dict[str, Any] = {"input_ids": IDS, "max_length": 12, "num_beams": beams, "do_sample": False}
        assert torch.equal(model.generate(**asked), plain.generate(**asked))
    labels = torch.full((2, 4), 7)
    assert torch.equal(model(input_ids=IDS, labels=labels).loss, plain(input_ids=IDS, labels=labels).loss)
    assert [*model(input_ids=IDS, labels=labels)] == [*plain(input_ids=IDS, labels=labels)]
    model.save_pretrained(tmp_path / "saved")
    plain.save_pretrained(tmp_path / "plain")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "saved" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    for other in (copy.deepcopy(model), accept_both_cache_names(model)):
        assert torch.equal(two_steps(other, "past_key_values"), two_steps(other, "cache"))


def test_both_names_at_once_are_an_error() -> None:
    with pytest.raises(TypeError, match="two names of one argument; pass only one"):
        tiny_t5(NewT5)(input_ids=IDS, decoder_input_ids=START, cache=None, past_key_values=None)


def test_a_model_without_a_cache_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"Linear\.forward takes neither past_key_values nor cache: give a model"):
        accept_both_cache_names(nn.Linear(2, 2))
