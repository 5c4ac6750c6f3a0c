"""The files of the two distributions: students get `homework` and no file of the autograder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import homework
from tests.conftest import ROOT


def _project(path: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return project


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files in a wheel built from a copy of this checkout, as an installer would see them."""
    copy = tmp_path_factory.mktemp("checkout") / "copy"
    skip = shutil.ignore_patterns(".*", "__pycache__", "build", "course", "checkpoints", "*.egg-info", "raw")
    shutil.copytree(ROOT, copy, ignore=skip)
    out = tmp_path_factory.mktemp("wheel")
    build = f"from setuptools import build_meta; print(build_meta.build_wheel({str(out)!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_student_wheel_holds_all_of_homework_and_no_other_package(wheel_names: list[str], root: Path) -> None:
    tops = {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name}
    assert tops == {"homework"}
    forbidden = ("autograder", "solutions", "tests", "notebooks", "course.toml")
    assert not [name for name in wheel_names if any(word in name for word in forbidden)]
    files = (path for path in (root / "homework").rglob("*") if path.is_file() and not path.name.startswith("."))
    wanted = {path.relative_to(root).as_posix() for path in files if "__pycache__" not in path.parts}
    assert wanted <= set(wheel_names)
    assert "homework/py.typed" in wanted


def test_the_staff_distribution_depends_on_the_student_package_with_its_staff_extra(root: Path) -> None:
    staff = _project(root / "autograder" / "pyproject.toml")
    student = _project(root / "pyproject.toml")
    assert staff["dependencies"] == [f"{student['name']}[staff]"], "version bounds belong into the root pyproject.toml"
    assert staff["scripts"] == {"autograder": "autograder.cli.main:app"}
    assert staff["requires-python"] == student["requires-python"] == ">=3.11"


def test_both_distributions_have_one_version(root: Path) -> None:
    assert _project(root / "autograder" / "pyproject.toml")["version"] == homework.__version__
    assert "version" not in _project(root / "pyproject.toml"), "it is read from homework.__version__"


def test_the_staff_distribution_lists_every_package_of_the_folder(root: Path) -> None:
    config = tomllib.loads((root / "autograder" / "pyproject.toml").read_text(encoding="utf-8"))
    found = {
        ".".join(path.parent.relative_to(root).parts)
        for path in (root / "autograder").rglob("__init__.py")
        if not {"build", "templates"} & set(path.parts)
    }
    assert set(config["tool"]["setuptools"]["packages"]) == found


def test_students_libraries_have_lower_bounds_only(root: Path) -> None:
    for requirement in _project(root / "pyproject.toml")["dependencies"]:
        assert ">=" in requirement and "<" not in requirement and "==" not in requirement, requirement
