"""The zip of the toy problem, unpacked as in Gradescope's container."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.gradescope import build
from autograder.gradescope.build import make_zip
from autograder.gradescope.requirements import Packages
from tests.autograder.gradescope_room import SEED, Room
from tests.autograder.toy import ROOT


@pytest.fixture(autouse=True)
def _seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the seed that zips of these tests carry."""
    monkeypatch.setenv("AUTOGRADER_SEED", SEED)


def give_packages(patch: pytest.MonkeyPatch) -> None:
    """Makes zips ask for given packages instead of searching for those that grading needs."""
    packages = Packages(("torch==1",), ("numpy==1",), ("numpy==1", "torch==1"))
    patch.setattr(build, "packages_for", lambda problem, root: packages)


@pytest.fixture
def no_package_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes zips without the search for packages, which grades the solution."""
    give_packages(monkeypatch)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of the toy problem."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SEED", SEED)
        give_packages(patch)
        return make_zip("toy", tmp_path_factory.mktemp("zip") / "toy.zip", root=ROOT).path


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that all users can enter, as `/autograder` is; pytest's own folders are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="gradescope-room-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def room(archive: Path, base: Path) -> Room:
    """A container before the first submission."""
    return Room(base, archive)
