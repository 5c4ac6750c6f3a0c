"""The toy course after its first release."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.cli.release import release
from tests.autograder.toy import course_copy


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
