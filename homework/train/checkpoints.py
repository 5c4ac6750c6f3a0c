"""Checkpoint files: contents, fingerprint, atomic writes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from homework.atomic import disk_is_full, whole_file
from homework.hand_in.personal import plain_json
from homework.hand_in.source_hash import behaviour_hash
from homework.profiles import Run

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training run between two steps."""

    fingerprint: dict[str, str]
    """Identifies the training run: see `fingerprint`."""
    step: int
    """Number of completed steps."""
    modules: dict[str, Any]
    """Name → state."""
    history: dict[str, list[float]]
    """Name → recorded values."""
    recorded_at: dict[str, list[int]]
    """Name → steps at which they were recorded."""
    generators: dict[str, Any]
    """States of the global random generators."""


def checkpoint_path(run: Run, name: str, seed: int) -> Path:
    """The checkpoint's file in `$HOMEWORK_CHECKPOINTS`, else in `checkpoints` in the working directory.

    Raises:
        ValueError: the name is not valid in a file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise ValueError(f"{name!r} cannot name a training run: use at most 100 letters, digits, '_', '-' and '.'.")
    return checkpoints_folder() / f"{run.problem}-{name}-{run.profile}-seed{seed}.pt"


def checkpoints_folder() -> Path:
    """The folder for trained models: `$HOMEWORK_CHECKPOINTS`, else `checkpoints` in the working directory."""
    folder = os.environ.get("HOMEWORK_CHECKPOINTS", "").strip() or "checkpoints"
    return Path(folder).expanduser().absolute()


def fingerprint(
    *, steps: int, seed: int, modules: Mapping[str, Any], code: Sequence[Callable[..., Any] | type | object]
) -> dict[str, str]:
    """Identifies a training run: the number of steps, the seed, size and settings of the modules, the code.

    Args:
        steps: total number of steps.
        seed: the run's seed.
        modules: name → object with a state.
        code: functions, classes and plain settings.

    Raises:
        TypeError: a module has no state, or an entry of `code` is neither code nor a plain value.
    """
    parts = {"the number of steps": str(steps), "the seed": str(seed)}
    for name, module in modules.items():
        parts[f"size or settings of {name!r}"] = digest_of(_make_of(name, module))
    for number, thing in enumerate(code, start=1):
        if callable(thing):
            parts[f"the code of {getattr(thing, '__name__', type(thing).__name__)}"] = behaviour_hash(thing)
        else:
            parts[f"setting {number} in `code`"] = digest_of(plain_json(thing))
    return parts


def state_of(module: Any) -> Any:
    """The state of a module, optimizer, generator or tensor."""
    if isinstance(module, torch.Generator):
        return module.get_state()
    if isinstance(module, torch.Tensor):
        return module.detach()
    return module.state_dict()


def restore(modules: Mapping[str, Any], checkpoint: Checkpoint, path: Path) -> None:
    """Loads the checkpoint's states into the modules.

    Raises:
        RuntimeError: a state does not match, although the fingerprints agree; says what to do.
    """
    for name, module in modules.items():
        state = checkpoint.modules[name]
        try:
            if isinstance(module, torch.Generator):
                module.set_state(state)
            elif isinstance(module, torch.Tensor):
                with torch.no_grad():
                    module.copy_(state)
            else:
                module.load_state_dict(state)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise RuntimeError(
                f"{path}: the state of {name!r} does not match ({error}). Delete this file, then run the cells again "
                "from the one that builds the model."
            ) from error


def save(checkpoint: Checkpoint, path: Path) -> str:
    """Writes the checkpoint; returns an error message, empty on success.

    After a failure an earlier checkpoint is unchanged.
    """
    contents = {
        "format": FORMAT,
        "fingerprint": checkpoint.fingerprint,
        "step": checkpoint.step,
        "modules": checkpoint.modules,
        "history": {name: torch.tensor(values, dtype=torch.float64) for name, values in checkpoint.history.items()},
        "recorded_at": {name: torch.tensor(at, dtype=torch.int64) for name, at in checkpoint.recorded_at.items()},
        "generators": checkpoint.generators,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as handle:
            torch.save(contents, handle)
    except (OSError, RuntimeError) as error:
        why = "the disk is full" if disk_is_full(error) else _first_line(error)
        return f"the checkpoint {path} cannot be saved ({why}); an older one, if there is one, is unchanged."
    return ""


def load(path: Path, wanted: Mapping[str, str]) -> tuple[Checkpoint | None, str]:
    """The checkpoint if it belongs to this run, else the reason why not (empty if there is no file).

    Args:
        path: the checkpoint's file.
        wanted: this run's fingerprint.
    """
    if not path.is_file():
        return None, ""
    try:
        checkpoint = _read(path)
    except Exception as error:  # a damaged file raises many kinds of errors in zipfile, pickle and torch
        return None, f"the checkpoint {path} is damaged and is ignored ({_first_line(error)})."
    if checkpoint.fingerprint != wanted:
        keys = [*wanted, *(key for key in checkpoint.fingerprint if key not in wanted)]
        changed = [key for key in keys if checkpoint.fingerprint.get(key) != wanted.get(key)]
        return None, f"the checkpoint {path} is not used, because this changed: {'; '.join(changed)}."
    return checkpoint, ""


def _read(path: Path) -> Checkpoint:
    contents = torch.load(path, map_location="cpu", weights_only=True)
    if contents["format"] != FORMAT:
        raise ValueError(f"format {contents['format']} is unknown")
    return Checkpoint(
        fingerprint=dict(contents["fingerprint"]),
        step=int(contents["step"]),
        modules=dict(contents["modules"]),
        history={name: values.tolist() for name, values in contents["history"].items()},
        recorded_at={name: at.tolist() for name, at in contents["recorded_at"].items()},
        generators=dict(contents["generators"]),
    )


def _make_of(name: str, module: Any) -> Any:
    """Size and settings of a module, without the values that training changes."""
    kind = type(module).__name__
    if isinstance(module, torch.Tensor):
        return [kind, list(module.shape), str(module.dtype)]
    if isinstance(module, torch.Generator):
        return [kind]
    if not (hasattr(module, "state_dict") and hasattr(module, "load_state_dict")):
        raise TypeError(
            f"modules[{name!r}] is a {kind}; a checkpoint can store torch modules, optimizers, schedulers, "
            "generators and tensors (and other objects with state_dict and load_state_dict)."
        )
    if isinstance(module, torch.nn.Module):
        tensors = {key: value for key, value in module.state_dict().items() if isinstance(value, torch.Tensor)}
        return [kind, {key: [list(value.shape), str(value.dtype)] for key, value in tensors.items()}]
    if isinstance(module, torch.optim.Optimizer):
        return [kind, [{key: _setting(key, value) for key, value in group.items()} for group in module.param_groups]]
    return [kind]


def _setting(key: str, value: Any) -> Any:
    if key == "params":
        return [list(parameter.shape) for parameter in value]
    try:
        return plain_json(value)
    except (TypeError, ValueError):
        return type(value).__name__


def digest_of(value: Any) -> str:
    """A SHA-256 of a plain JSON value, for instance of a fingerprint."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
