"""What all tests share: a quiet, small, offline environment, and markers: see docs/testing.md."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

import autograder.core.fast_imports  # noqa: F401  (acts before anything imports jsonschema)

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The browser of the tests that look at pages; None where there is none, and they are skipped."""
NO_CHROMIUM = "no chromium is installed (`apt-get install chromium`)"

LONG_FOLDERS = (("tests", "browser"), ("tests", "benchmarks"))
FIRST = ("test_ways_of_grading.py", "test_hostile_class.py")
"""One test of each takes about a minute: started first, it runs beside all the others."""

# Before anything imports matplotlib, torch or a hub client. Kernels and examiner processes inherit these.
os.environ["MPLBACKEND"] = "Agg"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["AUTOGRADER_ISOLATION"] = "any"  # what is graded here is our own; what each level holds has its own tests
os.environ["AUTOGRADER_SEED"] = "of the tests"  # what they see must not change from run to run
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"  # else jupyter_core warns that its folders will move

settings.register_profile("project", deadline=None)  # machines that run tests are shared and slow at times
settings.load_profile("project")

# A developer's own choices must not decide what the tests see.
_PERSONAL = (
    "AUTOGRADER_ROOT",
    "HOMEWORK_CACHE",
    "HOMEWORK_CHECKPOINTS",
    "HOMEWORK_PROFILE",
    "HOMEWORK_STUDENT",
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of this checkout."""
    return ROOT


@pytest.fixture(autouse=True)
def _no_personal_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsets the variables that steer notebooks; a test that wants one sets it."""
    for name in _PERSONAL:
        monkeypatch.delenv(name, raising=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Marks tests in a browser and benchmarks as `long`, tests without another marker as `unit`.

    Tests that share a fixture of their module run in one process, so that it is made once. After other plug-ins have
    read the groups and shuffled the tests, those of `FIRST` come first, then the groups, one after the other: the tests
    that are left fill the time of a process that is done earlier.
    """
    for item in items:
        if _shares_a_fixture(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if item.path.relative_to(ROOT).parts[:2] in LONG_FOLDERS:
            item.add_marker("long")
        if not any(item.get_closest_marker(name) for name in ("kernel", "long", "slow")):
            item.add_marker("unit")
    yield
    items.sort(key=lambda item: (item.path.name not in FIRST, not _group(item), _group(item)))


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else ""


def _shares_a_fixture(item: pytest.Item) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(found[-1].scope == "module" for found in fixtures.values())
