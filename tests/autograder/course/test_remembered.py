"""What was found in order is remembered, and tested again after any change; faults are never remembered."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from autograder.core.errors import SetupError
from autograder.course import remembered
from autograder.course.config import course_folder
from autograder.course.remembered import recall, remember
from autograder.sandbox import probes
from autograder.sandbox.guest.confinement import PLAIN
from autograder.sandbox.host import Host
from tests.autograder.toy import course_copy


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = course_copy(tmp_path / "course root")
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    course_folder(root).mkdir(exist_ok=True)
    return root


def kept(root: Path) -> Path:
    return course_folder(root) / "remembered.json"


def test_an_entry_holds_under_its_own_conditions_only(root: Path) -> None:
    assert recall(root, "probes", "full") is None
    remember(root, ["a module"], "probes", "full")
    remember(root, True, "probes", "plain")
    assert recall(root, "probes", "full") == ["a module"] and recall(root, "probes", "plain") is True
    assert recall(root, "probes", "landlock") is None
    assert kept(root).stat().st_mode & 0o777 == 0o600


def test_another_start_of_the_machine_or_other_software_is_tested_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(root, True, "probes")
    machine = remembered._machine()
    for number in range(len(machine)):
        other = [*machine[:number], "changed", *machine[number + 1 :]]
        monkeypatch.setattr(remembered, "_machine", lambda other=other: other)
        assert recall(root, "probes") is None
    monkeypatch.setattr(remembered, "_machine", list)
    remember(root, True, "probes")
    assert recall(root, "probes") is None, "nothing is known of such a machine"


@pytest.mark.parametrize("spoiled", ["{", "[]", "\x00"])
def test_a_broken_file_is_as_good_as_none(root: Path, spoiled: str) -> None:
    remember(root, True, "probes")
    kept(root).write_text(spoiled)
    assert recall(root, "probes") is None
    remember(root, True, "probes")
    assert recall(root, "probes") is True


def test_a_file_that_others_may_write_is_not_believed(root: Path) -> None:
    remember(root, True, "probes")
    kept(root).chmod(0o666)
    assert recall(root, "probes") is None


def test_the_file_does_not_grow(root: Path) -> None:
    for number in range(remembered._MOST + 5):
        remember(root, number, number)
    assert len(json.loads(kept(root).read_text())) == remembered._MOST
    assert recall(root, 0) is None and recall(root, remembered._MOST + 4) == remembered._MOST + 4


def test_a_folder_that_cannot_be_written_costs_time_only(root: Path) -> None:
    kept(root).mkdir(parents=True)
    remember(root, True, "probes")
    assert recall(root, "probes") is None


def test_probes_run_once_and_again_after_a_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    fault = [SetupError("the sandbox does not confine student code")]

    def probing(host: Host, root: Path) -> None:
        runs.append(host.level)
        if fault:
            raise fault.pop()

    monkeypatch.setattr(probes, "require_confinement", probing)
    with contextlib.closing(Host(level=PLAIN)) as host:
        with pytest.raises(SetupError):
            probes.ensure_confinement(host, root)
        for _ in range(3):
            probes.ensure_confinement(host, root)
    assert runs == [PLAIN, PLAIN]
