"""The command line over stand-ins for the library: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import autograder
from autograder.cli.main import app
from autograder.core.errors import SourceError
from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.release.lint import Finding

runner = CliRunner()


def _log(student: str, outcome: Outcome = Outcome.GRADED) -> GradedLog:
    items = (
        ItemResult("kl_standard_normal", 4.0, 4.0, Status.PASSED, "All checks passed."),
        ItemResult("written_terms", 0.0, 3.0, Status.MANUAL, "", manual=True),
    )
    environment = {"python": "3.11", "torch": "2.13", "device": "cpu"}
    return GradedLog("vae", student, "2026-11-21T10:00:00Z", "grade", environment, {}, {}, {}, None, outcome, items)


def _stand_in(monkeypatch: pytest.MonkeyPatch, module: str, **names: Any) -> None:
    """Puts a stand-in in the place of one module of the library."""
    stand_in = ModuleType(module)
    vars(stand_in).update(names)
    monkeypatch.setitem(sys.modules, module, stand_in)


@dataclass(frozen=True)
class _Checked:
    problem: str
    variant: str
    expected: str
    got: str
    ok: bool
    seconds: float = 0.25


def _standing_in_check(monkeypatch: pytest.MonkeyPatch, *rows: _Checked) -> list[Any]:
    calls: list[Any] = []

    def check(ids: list[str], workers: int | None = None, progress: Any = None) -> list[_Checked]:
        calls.append((ids, workers))
        progress(SimpleNamespace(done=1, total=2, latest=None))
        return list(rows)

    _stand_in(monkeypatch, "autograder.cli.check", check=check)
    return calls


def test_help_names_every_command() -> None:
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("release", "lint", "check", "grade", "grade-one", "demo"):
        assert command in result.stdout


def test_the_command_line_imports_nothing_heavy(root: Path) -> None:
    """So that `autograder --help` answers at once."""
    heavy = "[m for m in ('torch', 'nbgrader', 'jupytext', 'nbformat', 'jinja2', 'homework') if m in sys.modules]"
    code = f"import sys, autograder.cli.main; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_whoever_only_hands_out_work_imports_no_torch(root: Path) -> None:
    """Importing torch takes seconds and hundreds of megabytes; on a machine with two cores it would slow the start."""
    modules = ", ".join(
        f"autograder.{name}"
        for name in ("batch.grade_folder", "batch.dask_backend", "batch.forkserver", "cli.progress", "cli.tables")
    )
    heavy = "[m for m in ('torch', 'homework') if m in sys.modules]"
    code = f"import sys, autograder.core.fast_imports, {modules}; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_release_says_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def release(ids: list[str] | None) -> list[SimpleNamespace]:
        asked.append(ids)
        return [
            SimpleNamespace(problem="vae", path=Path("notebooks/vae.ipynb"), changed=True),
            SimpleNamespace(problem="gan", path=Path("notebooks/gan.ipynb"), changed=False),
        ]

    _stand_in(monkeypatch, "autograder.cli.release", release=release)
    result = runner.invoke(app, ["release"])
    assert result.stdout.splitlines() == ["vae: notebooks/vae.ipynb written", "gan: notebooks/gan.ipynb unchanged"]
    runner.invoke(app, ["release", "vae", "gan"])
    assert asked == [None, ["vae", "gan"]]


@pytest.mark.parametrize(("found", "status"), [(0, 0), (2, 1)])
def test_lint_prints_places_and_fails_on_findings(monkeypatch: pytest.MonkeyPatch, found: int, status: int) -> None:
    finding = Finding(Path("solutions/vae.py"), 7, "marker", "misspelt; write HIDDEN")
    _stand_in(monkeypatch, "autograder.release.lint", lint_problem=lambda problem: [finding] * found)
    result = runner.invoke(app, ["lint", "vae"])
    assert result.exit_code == status
    assert result.stdout.splitlines() == ["solutions/vae.py:7: marker: misspelt; write HIDDEN"] * found
    assert f"{found} findings in 1 source" in result.stderr


def test_check_prints_a_table_and_fails_when_one_row_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    good = _Checked("vae", "solution", "27 of 27", "27 of 27", True)
    bad = _Checked("vae", "wrong/sample_gaussian/no_noise", "less", "4 of 4", False)
    calls = _standing_in_check(monkeypatch, good, bad)
    result = runner.invoke(app, ["check", "vae", "--workers", "2"])
    assert result.exit_code == 1
    assert calls == [(["vae"], 2)]
    assert "wrong/sample_gaussian/no_noise" in result.stdout and "1 of 2 as expected" in result.stdout
    _standing_in_check(monkeypatch, good)
    assert runner.invoke(app, ["check", "vae"]).exit_code == 0


def test_an_error_of_ours_is_one_message_and_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def lint_problem(problem: str) -> list[Any]:
        raise SourceError(f"unknown problem {problem!r}. Problems here: vae.")

    _stand_in(monkeypatch, "autograder.release.lint", lint_problem=lint_problem)
    result = runner.invoke(app, ["lint", "vea"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == ["autograder: unknown problem 'vea'. Problems here: vae."]


def test_a_full_disk_is_one_message_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(ids: list[str] | None) -> list[Any]:
        raise OSError(28, "No space left on device", "notebooks/vae.ipynb")

    _stand_in(monkeypatch, "autograder.cli.release", release=release)
    result = runner.invoke(app, ["release"])
    assert result.exit_code == 2
    assert result.stderr.splitlines() == ["autograder: notebooks/vae.ipynb: No space left on device"]


def test_ctrl_c_is_one_message_and_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(ids: list[str] | None) -> None:
        raise KeyboardInterrupt

    _stand_in(monkeypatch, "autograder.cli.release", release=release)
    result = runner.invoke(app, ["release"])
    assert result.exit_code == 130 and "run the same command again" in result.stderr


def test_an_error_that_is_not_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(ids: list[str] | None) -> list[Any]:
        raise ZeroDivisionError("a bug")

    _stand_in(monkeypatch, "autograder.cli.release", release=release)
    assert isinstance(runner.invoke(app, ["release"]).exception, ZeroDivisionError)


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.UNREADABLE, 0), (Outcome.GRADER_ERROR, 1)])
def test_grade_fails_only_when_a_submission_got_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Outcome, status: int
) -> None:
    logs, asked = [_log("ada"), _log("bela", outcome)], []

    def grade_folder(problem: str, submitted: Path, out: Path, **options: Any) -> list[SimpleNamespace]:
        asked.append((options["gradebook"], options["cache"], options["scheduler"]))
        return [SimpleNamespace(log=log, seconds=1.5) for log in logs]

    _stand_in(monkeypatch, "autograder.batch.grade_folder", grade_folder=grade_folder)
    (tmp_path / "in").mkdir()
    arguments = ["grade", "vae", "--submitted", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    result = runner.invoke(app, arguments)
    assert result.exit_code == status, result.output
    assert "ada" in result.stdout and "4 / 7" in result.stdout and str(tmp_path / "out" / "grades.csv") in result.stdout
    assert outcome.value.replace("_", " ") in result.stdout
    assert f"autograder report --out {tmp_path / 'out'}" in result.stdout
    runner.invoke(app, [*arguments, "--no-gradebook"])
    runner.invoke(app, [*arguments, "--no-cache", "--scheduler", "tcp://there:1"])
    assert asked == [(True, True, ""), (False, True, ""), (True, False, "tcp://there:1")]


def test_grade_needs_the_folder_of_submissions(tmp_path: Path) -> None:
    result = runner.invoke(app, ["grade", "vae", "--submitted", str(tmp_path / "nobody"), "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert str(tmp_path / "nobody") in result.stderr


def test_grade_one_prints_the_log_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def grade(problem: str, notebook: Path, *, student: str | None = None) -> GradedLog:
        print("a library that talks")
        subprocess.run([sys.executable, "-c", "print('a child that talks')"], check=True)
        return _log(student or "unknown")

    monkeypatch.setitem(vars(autograder), "grade", grade)  # setattr would import the real one first
    app(["grade-one", str(tmp_path / "vae.ipynb"), "--problem", "vae", "--student", "ada"], standalone_mode=False)
    printed = capfd.readouterr()
    assert json.loads(printed.out) == _log("ada").as_json()
    assert "a library that talks" in printed.err and "a child that talks" in printed.err
