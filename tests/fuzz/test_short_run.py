"""A short run of the fuzzer finds nothing, and the fuzzer finds each kind of fault that a stand-in plants."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from autograder.core.errors import SetupError
from autograder.sandbox.guest.confinement import FULL
from autograder.sandbox.host import Host
from tests.autograder.toy import ROOT
from tests.fuzz import __main__ as command
from tests.fuzz import stand_in
from tests.fuzz.findings import Keeper
from tests.fuzz.hostile_round import GENERATORS, new_round, saved

KINDS = {
    "row": "a student has no row",
    "points": "an attacker has points",
    "honest": "an honest student has another score",
    "error": "grader_error",
    "json": "a result file is missing or invalid",
    "files": "a result file is missing or invalid",
    "script": "a feedback page has a script",
    "status": "grade ends with status 1",
    "traceback": "grade warns at autograder/core/text.py:7 (KeyError)",
    "course": "the course was changed",
}
"""Fault of the stand-in → kind of the finding."""


def keeper(tmp_path: Path, fault: str) -> Keeper:
    course = tmp_path / "course"
    (course / "notebooks").mkdir(parents=True)
    (course / "solutions").symlink_to(ROOT / "solutions")
    (course / "course.toml").touch()
    return Keeper(course, [sys.executable, "-S", stand_in.__file__, fault], tmp_path / "found")


@pytest.mark.kernel
def test_a_short_run_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(Host(level=FULL)) as host:
        try:
            host.start()
        except SetupError as error:
            pytest.skip(f"this tests isolation level `full`: {error}")
    status = command.main(["--rounds", "1", "--attackers", "10", "--seed", "3", "--to", str(tmp_path)])
    assert status == 0, capsys.readouterr().out


def test_where_nothing_is_wrong_nothing_is_found(tmp_path: Path) -> None:
    new_round(tmp_path, 0, 2, ["log"])
    assert keeper(tmp_path / "run", "none").findings(tmp_path)[0] == []


@pytest.mark.parametrize("fault", KINDS)
def test_a_planted_fault_is_found_made_small_and_found_again(fault: str, tmp_path: Path) -> None:
    folder = tmp_path / "round"
    folder.mkdir()
    new_round(folder, 0, 2, ["log"])
    finder = keeper(tmp_path, fault)
    found, _ = finder.findings(folder)
    assert {one.kind for one in found} == {KINDS[fault]}
    finder.keep(folder, found)
    (place,) = finder.kept.values()
    assert len(saved(place).attackers) == 1
    assert KINDS[fault] in (place / "finding.txt").read_text(encoding="utf-8")
    assert [one.kind for one in finder.findings(place)[0]] == [KINDS[fault]]


def test_ctrl_c_while_a_finding_is_made_small_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "round"
    folder.mkdir()
    new_round(folder, 0, 2, ["log"])
    finder = keeper(tmp_path, "row")
    found, _ = finder.findings(folder)
    monkeypatch.setattr(finder, "findings", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        finder.keep(folder, found)
    (place,) = finder.kept.values()
    assert len(saved(place).attackers) == 2


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_makes_the_same_class(name: str, tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "1", tmp_path / "2"):
        folder.mkdir()
        new_round(folder, 5, 5, [name])
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        made.append([(str(path.relative_to(folder)), path.read_bytes()) for path in files])
    assert made[0] == made[1]
