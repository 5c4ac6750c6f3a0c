"""`start` chooses profile and device, seeds all generators and prints one line."""

from __future__ import annotations

import random
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

import homework
from homework.profiles import ProfileError, chosen_device, chosen_profile
from homework.seeds import generator_states, seed_everything, set_generator_states
from tests.homework.conftest import Patch, Printed


def test_start_prints_one_line_about_the_run(monkeypatch: Patch, capsys: Printed) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "mini")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = homework.start("vae", seed=3)
    version = torch.__version__.split("+")[0]
    assert capsys.readouterr().out == f"vae · profile mini · cpu · seed 3 · torch {version}\n"
    assert (run.problem, run.profile, run.device, run.seed) == ("vae", "mini", torch.device("cpu"), 3)
    with pytest.raises(FrozenInstanceError):
        run.seed = 4  # type: ignore[misc]


@pytest.mark.parametrize(("profile", "size"), [("full", 10_000), ("mini", 800), ("grade", 3)])
def test_each_profile_has_its_size(monkeypatch: Patch, profile: str, size: int) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", f" {profile.upper()} ")
    assert homework.start("vae").size(full=10_000, mini=800, grade=3) == size


def test_the_error_of_an_unknown_profile_names_the_three(monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "tiny")
    with pytest.raises(ProfileError, match=r"'tiny'.*full.*mini.*grade"):
        homework.start("vae")


@pytest.mark.parametrize(("cuda", "profile"), [(True, "full"), (False, "mini")])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_unset_profile_depends_on_cuda(monkeypatch: Patch, cuda: bool, profile: str, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("HOMEWORK_PROFILE", value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert chosen_profile() == profile


def test_grading_uses_the_cpu(monkeypatch: Patch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (chosen_device("grade"), chosen_device("mini")) == (torch.device("cpu"), torch.device("cuda"))


@pytest.mark.parametrize("problem", ["", "VAE", "../vae", "1vae", "va e"])
def test_problem_ids_are_checked(problem: str) -> None:
    with pytest.raises(ValueError, match="problem id"):
        homework.start(problem)


def _draw(seed: int | None = None) -> tuple[float, float, float]:
    if seed is not None:
        seed_everything(seed)
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_a_seed_gives_the_same_numbers_in_all_three_generators() -> None:
    first = _draw(7)
    assert _draw(7) == first
    assert all(a != b for a, b in zip(_draw(8), first, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, True, 1.0, "1", None])
def test_seeds_are_checked(seed: object) -> None:
    with pytest.raises(ValueError, match="seed must be a whole number"):
        seed_everything(seed)  # type: ignore[arg-type]


def test_generator_states_are_restored_exactly() -> None:
    seed_everything(1)
    np.random.standard_normal(1)  # leaves a second normal number in the cache of the legacy generator
    states = generator_states()
    first = (_draw(), float(np.random.standard_normal()))
    set_generator_states(states)
    assert (_draw(), float(np.random.standard_normal())) == first
