"""Profile, device, sizes, seeds and the one line that `start` prints."""

from __future__ import annotations

import random
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

import homework
from homework.profiles import ProfileError, chosen_device, chosen_profile
from homework.seeds import generator_states, seed_everything, set_generator_states


def test_start_prints_one_line_and_knows_what_it_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "mini")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = homework.start("vae", seed=3)
    version = torch.__version__.split("+")[0]
    assert capsys.readouterr().out == f"vae · profile mini · cpu · seed 3 · torch {version}\n"
    assert (run.problem, run.profile, run.device, run.seed) == ("vae", "mini", torch.device("cpu"), 3)
    with pytest.raises(FrozenInstanceError):
        run.seed = 4  # type: ignore[misc]


@pytest.mark.parametrize(("profile", "size"), [("full", 10_000), ("mini", 800), ("grade", 3)])
def test_size_is_the_profiles_own(monkeypatch: pytest.MonkeyPatch, profile: str, size: int) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", f" {profile.upper()} ")
    assert homework.start("vae").size(full=10_000, mini=800, grade=3) == size


def test_unknown_profile_names_the_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "tiny")
    with pytest.raises(ProfileError, match=r"'tiny'.*full.*mini.*grade"):
        homework.start("vae")


@pytest.mark.parametrize(("cuda", "profile"), [(True, "full"), (False, "mini")])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_unset_profile_follows_cuda(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, profile: str, value: str | None
) -> None:
    monkeypatch.delenv("HOMEWORK_PROFILE", raising=False)
    if value is not None:
        monkeypatch.setenv("HOMEWORK_PROFILE", value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert chosen_profile() == profile


def test_grading_stays_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen_device("grade") == torch.device("cpu")
    assert chosen_device("mini") == torch.device("cuda")


@pytest.mark.parametrize("problem", ["", "VAE", "../vae", "1vae", "va e"])
def test_problem_ids_are_checked(problem: str) -> None:
    with pytest.raises(ValueError, match="problem id"):
        homework.start(problem)


def _draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_same_seed_same_numbers_in_all_three_generators() -> None:
    seed_everything(7)
    first = _draw()
    seed_everything(7)
    assert _draw() == first
    seed_everything(8)
    assert all(a != b for a, b in zip(_draw(), first, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, True, 1.0, "1", None])
def test_seeds_are_checked(seed: object) -> None:
    with pytest.raises(ValueError, match="seed must be a whole number"):
        seed_everything(seed)  # type: ignore[arg-type]


def test_generator_states_go_back_exactly() -> None:
    seed_everything(1)
    np.random.standard_normal(1)  # leaves a second normal number in the cache of the legacy generator
    states = generator_states()
    first = (_draw(), float(np.random.standard_normal()))
    set_generator_states(states)
    assert (_draw(), float(np.random.standard_normal())) == first
