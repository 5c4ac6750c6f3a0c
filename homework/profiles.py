"""The profile, device and seed of a run: one set of cells, three sizes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal, TypeVar, cast, get_args

from homework.lazy_torch import is_available, is_imported, torch, when_imported
from homework.seeds import seed_everything

Profile = Literal["full", "mini", "grade"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
PROFILE_VARIABLE = "HOMEWORK_PROFILE"

T = TypeVar("T")

_MEANING = {
    "full": "real data, a GPU",
    "mini": "embedded data, a laptop's CPU, no network",
    "grade": "a few steps, for the autograder",
}


class ProfileError(ValueError):
    """`HOMEWORK_PROFILE` is not a profile."""


@dataclass(frozen=True)
class Run:
    """One run of one problem's notebook; `start` creates it."""

    problem: str
    """Problem id, e.g. `vae`."""
    profile: Profile
    """`full`, `mini` or `grade`."""
    device: torch.device
    """Device for models and batches; until torch is imported, the text `cpu`."""
    seed: int
    """Seed of the global generators."""

    def size(self, *, full: T, mini: T, grade: T) -> T:
        """The value for this run's profile.

        Args:
            full: for real data and a GPU.
            mini: for embedded data and a CPU.
            grade: for the autograder: the smallest size that runs.
        """
        if self.profile == "full":
            return full
        return mini if self.profile == "mini" else grade


def start(problem: str, seed: int = 0) -> Run:
    """Starts a notebook: chooses profile and device, seeds everything and prints one line about it.

    The profile is `$HOMEWORK_PROFILE`; if unset, `full` where CUDA is available, else `mini`. The device is the GPU if
    there is one; in profile `grade` it is always the CPU, and torch is not imported for it.

    Args:
        problem: problem id: lower-case letters, digits and `_`.
        seed: seed of Python's, numpy's and torch's generators.

    Raises:
        ProfileError: `HOMEWORK_PROFILE` is not a profile.
        ValueError: the problem id or the seed is invalid.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", problem):
        raise ValueError(
            f"{problem!r} is not a valid problem id: use lower-case letters, digits and _, beginning with a letter."
        )
    profile = chosen_profile()
    run = Run(problem, profile, chosen_device(profile), seed)
    if not is_imported():
        when_imported(lambda: object.__setattr__(run, "device", torch.device("cpu")))
    seed_everything(seed)
    version = f" · torch {torch.__version__.split('+')[0]}" if is_imported() else ""
    print(f"{problem} · profile {profile} · {device_name(run.device)} · seed {seed}{version}")
    return run


def chosen_profile() -> Profile:
    """The profile in `$HOMEWORK_PROFILE`; if unset or empty, `full` with CUDA, else `mini`.

    Raises:
        ProfileError: it is not a profile.
    """
    wanted = os.environ.get(PROFILE_VARIABLE, "").strip().lower()
    if not wanted:
        return "full" if _has_cuda() else "mini"
    if wanted not in PROFILES:
        known = "; ".join(f"{name} ({_MEANING[name]})" for name in PROFILES)
        raise ProfileError(
            f"HOMEWORK_PROFILE is {os.environ[PROFILE_VARIABLE]!r}, not a profile. Set it to one of: {known}. "
            "Or unset it: then it is full where CUDA is available, else mini."
        )
    return wanted


def chosen_device(profile: Profile) -> torch.device:
    """The GPU where CUDA is available, else the CPU; profile `grade` always uses the CPU.

    Without torch it is the text `cpu`, which torch accepts as well.
    """
    kind = "cuda" if profile != "grade" and _has_cuda() else "cpu"
    return torch.device(kind) if is_imported() else cast("torch.device", kind)


def device_name(device: torch.device) -> str:
    """Name of the device: `cpu`, or `cuda (…)` with the GPU's name."""
    if not is_imported():
        return str(device)
    if torch.device(device).type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return torch.device(device).type


def _has_cuda() -> bool:
    return is_available() and torch.cuda.is_available()
