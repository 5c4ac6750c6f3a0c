"""The lock allows what `pyproject.toml` asks for, and what is installed here is what it says."""

from __future__ import annotations

import re
import sys
import sysconfig
import tomllib
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

TORCH = {"torch", "torchvision"}
"""These come through pip, as it is configured; `lock/torch.txt` says which."""
OF_TORCH = ("nvidia-", "cuda-", "triton")
"""How the names of its GPU libraries begin, which come with it."""
NOT_LOCKED = {"deep-learning-homework", "homework-autograder", "pip", "uv", *TORCH}


def _lines(path: Path) -> list[str]:
    """One line for each requirement of a pip file, without comments."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture
def lines(root: Path) -> list[str]:
    """The entries of the lock, with their hashes."""
    return _lines(root / "lock" / "requirements.txt")


@pytest.fixture
def locked(lines: list[str]) -> list[Requirement]:
    """The entries of the lock, without their hashes."""
    return [Requirement(line.partition(" --hash")[0]) for line in lines]


@pytest.fixture
def torch_pins(root: Path) -> list[Requirement]:
    """PyTorch as it was proven."""
    return [Requirement(line) for line in _lines(root / "lock" / "torch.txt")]


def _version(pin: Requirement) -> Version:
    (one,) = pin.specifier
    assert one.operator == "==", f"{pin} pins no version"
    return Version(one.version)


def test_every_bound_of_pyproject_is_kept(root: Path, locked: list[Requirement], torch_pins: list[Requirement]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    pins = [*locked, *torch_pins]
    for wanted in (Requirement(line) for lines in lists for line in lines):
        versions = [_version(pin) for pin in pins if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
        assert versions, f"{wanted} is not in the lock; run `make lock`"
        assert all(wanted.specifier.contains(version) for version in versions), f"{wanted}: run `make lock`"


def test_every_file_is_known_by_its_hash_and_comes_from_the_index_that_pip_uses(lines: list[str]) -> None:
    for line in lines:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), f"{line[:40]}: no hash"
        assert "://" not in line, f"{line[:80]}: names an address"


def test_torch_and_its_gpu_libraries_are_left_to_pip(locked: list[Requirement], torch_pins: list[Requirement]) -> None:
    assert {pin.name for pin in torch_pins} == TORCH
    assert not [pin.name for pin in locked if pin.name in TORCH or pin.name.startswith(OF_TORCH)]


def test_what_the_lock_knows_of_torch_is_what_torch_needs(root: Path) -> None:
    (known,) = tomllib.loads((root / "lock" / "uv.toml").read_text(encoding="utf-8"))["dependency-metadata"]
    names = {canonicalize_name(Requirement(line).name) for line in known["requires-dist"]}
    needed = [Requirement(line) for line in distribution("torch").requires or ()]
    general = {
        canonicalize_name(one.name)
        for one in needed
        if not one.name.startswith(OF_TORCH) and (one.marker is None or one.marker.evaluate({"extra": ""}))
    }
    assert general <= names, "add what torch needs to lock/uv.toml, then run `make lock`"


@pytest.mark.skipif(
    not (Path(sys.prefix) / ".ready").is_file() or (Path(sys.prefix) / ".ready").read_text().strip() != "locked",
    reason="this environment was not made from the lock (`make setup`)",
)
def test_what_is_installed_is_what_was_proven(locked: list[Requirement]) -> None:
    here = {
        canonicalize_name(one.name): Version(one.version)
        for one in distributions(path=[sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    }
    wanted = {pin.name: _version(pin) for pin in locked if pin.marker is None or pin.marker.evaluate()}
    ours = {name: version for name, version in here.items() if name not in NOT_LOCKED}
    assert {name: version for name, version in ours.items() if not name.startswith(OF_TORCH)} == wanted
