"""One set of cells, three sizes: which profile a run has, on which device, with which seed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import torch

from homework.seeds import seed_everything

Profile = Literal["full", "mini", "grade"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

T = TypeVar("T")

_MEANING = {
    "full": "real data, a GPU",
    "mini": "embedded data, a laptop's CPU, no network",
    "grade": "a few steps, for the autograder",
}


class ProfileError(ValueError):
    """`HOMEWORK_PROFILE` names no profile."""


@dataclass(frozen=True)
class Run:
    """One run of one problem's notebook; made by `start`."""

    problem: str
    """Problem id, e.g. `vae`."""
    profile: Profile
    """`full`, `mini` or `grade`."""
    device: torch.device
    """Where models and batches belong."""
    seed: int
    """What the global generators were seeded with."""

    def size(self, *, full: T, mini: T, grade: T) -> T:
        """The one of three values that belongs to this run's profile.

        Args:
            full: for real data and a GPU.
            mini: for embedded data and a CPU.
            grade: for the autograder: as small as still runs.
        """
        if self.profile == "full":
            return full
        return mini if self.profile == "mini" else grade


def start(problem: str, seed: int = 0) -> Run:
    """Begins a notebook: chooses profile and device, seeds everything and prints one line that says so.

    The profile is `$HOMEWORK_PROFILE`; unset, it is `full` where CUDA is available, else `mini`. The device is the GPU
    where there is one, and always the CPU in profile `grade`.

    Args:
        problem: problem id: lower-case letters, digits and `_`.
        seed: seed of Python's, numpy's and torch's generators.

    Raises:
        ProfileError: `HOMEWORK_PROFILE` is none of the three.
        ValueError: the problem id or the seed is not usable.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", problem):
        raise ValueError(f"problem id {problem!r}: use lower-case letters, digits and _, beginning with a letter.")
    profile = chosen_profile()
    run = Run(problem, profile, chosen_device(profile), seed)
    seed_everything(seed)
    version = torch.__version__.split("+")[0]
    print(f"{problem} · profile {profile} · {device_name(run.device)} · seed {seed} · torch {version}")
    return run


def chosen_profile() -> Profile:
    """The profile that `$HOMEWORK_PROFILE` names; unset or empty: `full` with CUDA, else `mini`.

    Raises:
        ProfileError: it names none of the three.
    """
    wanted = os.environ.get("HOMEWORK_PROFILE", "").strip().lower()
    if not wanted:
        return "full" if torch.cuda.is_available() else "mini"
    if wanted not in PROFILES:
        known = "; ".join(f"{name} ({_MEANING[name]})" for name in PROFILES)
        raise ProfileError(
            f"HOMEWORK_PROFILE is {os.environ['HOMEWORK_PROFILE']!r}, which is no profile. Set it to one of: {known}. "
            "Or unset it: then it is full where CUDA is available, else mini."
        )
    return wanted


def chosen_device(profile: Profile) -> torch.device:
    """The GPU where CUDA is available, else the CPU; profile `grade` always takes the CPU."""
    return torch.device("cuda" if profile != "grade" and torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """The device in words: `cpu`, or `cuda (…)` with the GPU's name."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return device.type
