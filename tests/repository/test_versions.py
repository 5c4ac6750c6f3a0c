"""Version bounds: `environment.yml` repeats those of `pyproject.toml`, and the lock and this environment keep them."""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
import tomllib
from importlib.metadata import distribution, distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

CONDA_NAMES = {"torch": "pytorch"}
"""Names that are different in conda-forge."""
IMPORT_NAMES = {"sklearn": "scikit-learn", "PIL": "pillow", "rouge_score": "rouge-score"}
"""Modules whose distribution has another name."""
OPTIONAL = {"IPython", "google"}
"""IPython is installed wherever notebooks run, and google.colab on Colab; elsewhere the package works without them."""
TORCH = {"torch", "torchvision"}
"""These come through pip, as it is configured; `lock/torch.txt` says which."""
OF_TORCH = ("nvidia-", "cuda-", "triton")
"""How the names of its GPU libraries begin."""
NOT_LOCKED = {"deep-learning-homework", "homework-autograder", "pip", "uv", *TORCH}


@pytest.fixture
def project(root: Path) -> dict[str, Any]:
    """The `[project]` table of the student package."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


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
    """The versions of PyTorch with which the tests passed."""
    return [Requirement(line) for line in _lines(root / "lock" / "torch.txt")]


def _version(pin: Requirement) -> Version:
    (one,) = pin.specifier
    assert one.operator == "==", f"{pin} pins no version"
    return Version(one.version)


def test_conda_has_the_bounds_and_the_python_range_of_pyproject(root: Path, project: dict[str, Any]) -> None:
    conda = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    listed = {one.name: str(one.specifier) for one in (Requirement(line) for line in conda if isinstance(line, str))}
    wanted = [Requirement(line) for line in (*project["dependencies"], f"python{project['requires-python']}")]
    bounds = {CONDA_NAMES.get(one.name, one.name): str(one.specifier) for one in wanted}
    assert {name: bound for name, bound in listed.items() if bound} == bounds
    assert {"pip": ["-e ."]} in conda and "pip" in conda, "it installs the student package itself"


def test_every_import_of_the_student_package_is_a_dependency(root: Path, project: dict[str, Any]) -> None:
    own = {*sys.stdlib_module_names, *OPTIONAL, "homework"}
    declared = {Requirement(line).name for line in project["dependencies"]}
    for path in (root / "homework").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for top in {module.split(".")[0] for module in modules} - own:
                assert IMPORT_NAMES.get(top, top) in declared, f"{path}: {top} is no dependency in pyproject.toml"


def test_the_lock_keeps_every_bound_of_pyproject(
    project: dict[str, Any], locked: list[Requirement], torch_pins: list[Requirement]
) -> None:
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    pins = [*locked, *torch_pins]
    for wanted in (Requirement(line) for lines in lists for line in lines):
        versions = [_version(pin) for pin in pins if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
        assert versions, f"{wanted} is not in the lock; run `make lock`"
        assert all(wanted.specifier.contains(version) for version in versions), f"{wanted}: run `make lock`"


def test_every_locked_file_has_a_hash_and_comes_from_the_index_that_pip_uses(lines: list[str]) -> None:
    for line in lines:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), f"{line[:40]}: no hash"
        assert "://" not in line, f"{line[:80]}: names an address"


def test_torch_and_its_gpu_libraries_are_left_to_pip(locked: list[Requirement], torch_pins: list[Requirement]) -> None:
    assert {pin.name for pin in torch_pins} == TORCH
    assert not [pin.name for pin in locked if pin.name in TORCH or pin.name.startswith(OF_TORCH)]


def test_the_lock_lists_the_dependencies_of_torch(root: Path) -> None:
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
def test_the_installed_versions_are_the_locked_ones(locked: list[Requirement]) -> None:
    installed = distributions(path=[sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    here = {canonicalize_name(one.name): Version(one.version) for one in installed}
    wanted = {pin.name: _version(pin) for pin in locked if pin.marker is None or pin.marker.evaluate()}
    ours = {name for name in here if name not in NOT_LOCKED and not name.startswith(OF_TORCH)}
    assert {name: here[name] for name in ours} == wanted
