"""`environment.yml` says the same as `pyproject.toml`, where every version bound stands once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

CONDA_NAMES = {"torch": "pytorch"}  # where conda-forge calls a library otherwise


@pytest.fixture
def project(root: Path) -> dict[str, Any]:
    """The `[project]` table of the student package."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


@pytest.fixture
def conda(root: Path) -> list[Any]:
    """The dependencies of `environment.yml`."""
    dependencies: list[Any] = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return dependencies


def test_conda_has_the_bounds_of_pyproject(project: dict[str, Any], conda: list[Any]) -> None:
    listed = {Requirement(line).name: str(Requirement(line).specifier) for line in conda if isinstance(line, str)}
    wanted = {
        CONDA_NAMES.get(Requirement(line).name, Requirement(line).name): str(Requirement(line).specifier)
        for line in project["dependencies"]
    }
    assert {name: listed.get(name) for name in wanted} == wanted
    bounded = {name for name, bound in listed.items() if bound}
    assert bounded == set(wanted) | {"python"}, "a bound that does not stand in pyproject.toml"


def test_conda_has_the_python_range_of_pyproject(project: dict[str, Any], conda: list[Any]) -> None:
    assert f"python{project['requires-python']}" in conda


def test_conda_installs_the_student_package_itself(conda: list[Any]) -> None:
    assert {"pip": ["-e ."]} in conda
    assert "pip" in conda


def test_every_import_of_the_student_package_is_a_dependency(root: Path, project: dict[str, Any]) -> None:
    import ast
    import sys

    names = {"sklearn": "scikit-learn", "PIL": "pillow", "rouge_score": "rouge-score"}
    # IPython is there wherever a notebook runs, and google.colab on Colab; elsewhere the package does without.
    own = set(sys.stdlib_module_names) | {"homework", "IPython", "google"}
    declared = {Requirement(line).name for line in project["dependencies"]}
    for path in (root / "homework").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for top in {module.split(".")[0] for module in modules} - own:
                assert names.get(top, top) in declared, f"{path}: {top} is no dependency in pyproject.toml"
