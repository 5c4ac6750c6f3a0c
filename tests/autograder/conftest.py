"""The toy course after its first release, and one warm process for student code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.cli.release import release
from autograder.grading import grade
from autograder.grading.reference import Reference
from tests.autograder.toy import course_copy
from tests.autograder.warm_host import warm_host


@pytest.fixture(autouse=True)
def _one_warm_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets all gradings in this process fork from one host; else each course would start and test its own."""
    monkeypatch.setattr(grade, "_host", lambda _modules, _root: warm_host())


@pytest.fixture(scope="session")
def released_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A released toy course, which no test changes (a new gradebook takes nbgrader a second or two)."""
    root = course_copy(tmp_path_factory.mktemp("released") / "course root")
    (released,) = release(root=root)
    assert (released.problem, released.changed) == ("toy", True)
    assert released.path == root / "notebooks" / "toy.ipynb"
    return root


@pytest.fixture
def course(released_course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the released toy course that a test may change."""
    root = Path(shutil.copytree(released_course, tmp_path / "root"))
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    return root


@pytest.fixture
def line_builds_on_standardize(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the toy problem the second item then builds on the first one."""
    builds_on = frozenset({"standardize"})
    monkeypatch.setattr(Reference, "builds_on", lambda _, item: builds_on if item.id == "Line" else frozenset())
