"""What the tests of the student package share: runs, notebook cells, a full disk, programs of `data/`, checks.

It is imported before every test module here, and imports homework, which makes torchvision importable for transformers.
"""

from __future__ import annotations

import errno
import importlib
import io
import linecache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure

from homework.profiles import Profile, Run
from tests.conftest import ROOT

Patch = pytest.MonkeyPatch
Printed = pytest.CaptureFixture[str]


def a_run(problem: str = "vae", profile: Profile = "mini", seed: int = 0) -> Run:
    """A run on the CPU, as `homework.start` makes it."""
    return Run(problem, profile, torch.device("cpu"), seed)


def disk_full(*_: object) -> None:
    """What the system does when the disk is full."""
    raise OSError(errno.ENOSPC, "No space left on device")


def run_cell(name: str, source: str, **names: Any) -> dict[str, Any]:
    """Runs a source as a notebook runs a cell: `inspect` finds it. Returns what it defines, `names` included."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    cell = vars(ModuleType("cell"))
    cell.update(names)
    exec(compile(source, name, "exec"), cell)
    return cell


def builder(name: str) -> ModuleType:
    """The program `data/<name>.py`."""
    with Patch.context() as patch:
        patch.syspath_prepend(str(ROOT / "data"))
        return importlib.import_module(name)


def same_weights(left: torch.nn.Module, right: torch.nn.Module) -> bool:
    """Whether two modules of one architecture have bit for bit the same state."""
    return all(torch.equal(a, b) for a, b in zip(left.state_dict().values(), right.state_dict().values(), strict=True))


def check_shipped(folder: Path, most_bytes: int) -> None:
    """Asserts that each file of a shipped model is small, and that none names the machine that made it."""
    for path in folder.iterdir():
        assert path.stat().st_size <= most_bytes
        if path.suffix == ".json":
            assert not any(place in path.read_text() for place in ("/home", "/tmp", "/work", "/Users"))


def check_saved(figure: Figure) -> None:
    """Asserts that a figure can be saved as a PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")
