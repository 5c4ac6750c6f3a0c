"""The files of the two distributions: students get `homework` and no file of the autograder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import homework
from autograder.course.new_problem import TEMPLATE


def _project(path: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return project


def _wheel_names(project: Path, folder: Path, *without: str) -> list[str]:
    """The files in a wheel built from a copy of a project's folder, as an installer would see them."""
    skip = shutil.ignore_patterns(".*", "__pycache__", "build", "checkpoints", "*.egg-info", "raw", *without)
    copy = Path(shutil.copytree(project, folder / "copy", ignore=skip))
    build = f"from setuptools import build_meta; print(build_meta.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-P", "-c", build], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_student_wheel_holds_all_of_homework_and_no_other_package(tmp_path: Path, root: Path) -> None:
    wheel_names = _wheel_names(root, tmp_path, "course")
    tops = {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name}
    assert tops == {"homework"}
    forbidden = ("autograder", "solutions", "tests", "notebooks", "course.toml")
    assert not [name for name in wheel_names if any(word in name for word in forbidden)]
    files = (path for path in (root / "homework").rglob("*") if path.is_file() and not path.name.startswith("."))
    wanted = {path.relative_to(root).as_posix() for path in files if "__pycache__" not in path.parts}
    assert wanted <= set(wheel_names)
    assert "homework/py.typed" in wanted


def test_the_staff_wheel_holds_the_template_of_a_new_problem(tmp_path: Path, root: Path) -> None:
    wanted = {path.relative_to(root).as_posix() for path in TEMPLATE.rglob("*") if path.suffix == ".py"}
    assert wanted and wanted <= set(_wheel_names(root / "autograder", tmp_path))


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
