"""The command line, with stand-ins for the library: output and exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner, Result

import autograder
from autograder.cli.main import app
from autograder.core.errors import SourceError
from autograder.core.results import GradedLog, Outcome
from autograder.release.lint import Finding
from tests.autograder.graded_folder import log_of

runner = CliRunner()


def stand_in(monkeypatch: pytest.MonkeyPatch, module: str, **names: Any) -> None:
    """Replaces one module of the library."""
    replacement = ModuleType(module)
    vars(replacement).update(names)
    monkeypatch.setitem(sys.modules, module, replacement)


def test_help_lists_the_commands() -> None:
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("release", "lint", "check", "grade", "grade-one", "demo"):
        assert command in result.stdout


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (["autograder.cli.main"], ["torch", "nbgrader", "jupytext", "nbformat", "jinja2", "homework"]),
        (
            [
                *("autograder.core.fast_imports", "autograder.batch.grade_folder", "autograder.batch.dask_backend"),
                *("autograder.batch.forkserver", "autograder.cli.progress", "autograder.cli.tables"),
            ],
            ["torch", "homework"],
        ),
    ],
    ids=["command line", "batch"],
)
def test_no_module_that_is_slow_to_import_is_imported(modules: list[str], heavy: list[str], root: Path) -> None:
    """So that `autograder --help` answers at once, and a batch starts fast: torch takes seconds and much memory."""
    code = f"import sys, {', '.join(modules)}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_release_prints_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def release(ids: list[str] | None) -> list[SimpleNamespace]:
        asked.append(ids)
        return [
            SimpleNamespace(problem="vae", path=Path("notebooks/vae.ipynb"), changed=True, note=""),
            SimpleNamespace(problem="gan", path=Path("notebooks/gan.ipynb"), changed=False, note="grade again"),
        ]

    stand_in(monkeypatch, "autograder.cli.release", release=release)
    result = runner.invoke(app, ["release"])
    assert result.stdout.splitlines() == ["vae: notebooks/vae.ipynb written", "gan: notebooks/gan.ipynb unchanged"]
    assert result.stderr == "gan: grade again\n"
    runner.invoke(app, ["release", "vae", "gan"])
    assert asked == [None, ["vae", "gan"]]


@pytest.mark.parametrize(("found", "status"), [(0, 0), (2, 1)])
def test_lint_prints_the_findings_and_fails_on_them(monkeypatch: pytest.MonkeyPatch, found: int, status: int) -> None:
    finding = Finding(Path("solutions/vae.py"), 7, "marker", "misspelt; write HIDDEN")
    stand_in(monkeypatch, "autograder.release.lint", lint_problem=lambda problem: [finding] * found, Finding=Finding)
    result = runner.invoke(app, ["lint", "vae"])
    assert result.exit_code == status
    assert result.stdout.splitlines() == ["solutions/vae.py:7: marker: misspelt; write HIDDEN"] * found
    assert f"{found} findings in 1 source" in result.stderr


@pytest.mark.parametrize("all_ok", [False, True])
def test_check_prints_a_table_and_fails_if_a_row_is_unexpected(all_ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"problem": "vae", "expected": "27 of 27", "got": "27 of 27", "seconds": 0.25}
    good = SimpleNamespace(variant="solution", ok=True, **row)
    other = SimpleNamespace(variant="wrong/sample_gaussian/no_noise", ok=all_ok, **row)
    calls: list[Any] = []

    def check(ids: list[str], workers: int | None = None, progress: Any = None) -> list[SimpleNamespace]:
        calls.append((ids, workers))
        progress(SimpleNamespace(done=1, total=2, latest=None))
        return [good, other]

    said = {"promises_without_a_check": lambda _ids: ["a promise"], "unproven": lambda _ids: ["a gap"]}
    stand_in(monkeypatch, "autograder.cli.check", check=check, **said)
    result = runner.invoke(app, ["check", "vae", "--workers", "2"])
    assert "a promise" in result.stdout and "a gap" in result.stdout
    assert result.exit_code == (0 if all_ok else 1)
    assert calls == [(["vae"], 2)]
    assert other.variant in result.stdout and f"{1 + all_ok} of 2 as expected, but not all is proven" in result.stdout


def release_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Result:
    """Runs `autograder release` with an error in the library."""

    def release(ids: list[str] | None) -> NoReturn:
        raise error

    stand_in(monkeypatch, "autograder.cli.release", release=release)
    return runner.invoke(app, ["release"])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SourceError("unknown problem 'vea'. Problems here: vae."), "unknown problem 'vea'. Problems here: vae."),
        (OSError(28, "No space left on device", "notebooks/vae.ipynb"), "notebooks/vae.ipynb: No space left on device"),
    ],
    ids=["autograder", "full disk"],
)
def test_an_expected_error_is_one_message_and_status_2(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = release_that_raises(monkeypatch, error)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [f"autograder: {message}"]


def test_ctrl_c_is_one_message_and_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    result = release_that_raises(monkeypatch, KeyboardInterrupt())
    assert result.exit_code == 130 and "run the same command again" in result.stderr


def test_an_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(release_that_raises(monkeypatch, ZeroDivisionError("a bug")).exception, ZeroDivisionError)


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.UNREADABLE, 0), (Outcome.GRADER_ERROR, 1)])
def test_grade_fails_only_when_a_submission_got_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Outcome, status: int
) -> None:
    logs, asked = [log_of("ada"), log_of("bela", outcome=outcome)], []

    def grade_folder(problem: str, submitted: Path, out: Path, **options: Any) -> list[SimpleNamespace]:
        asked.append((options["gradebook"], options["cache"], options["scheduler"]))
        return [SimpleNamespace(log=log, seconds=1.5) for log in logs]

    stand_in(monkeypatch, "autograder.batch.grade_folder", grade_folder=grade_folder)
    (tmp_path / "in").mkdir()
    arguments = ["grade", "vae", "--submitted", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    result = runner.invoke(app, arguments)
    assert result.exit_code == status, result.output
    assert (
        "ada" in result.stdout and "20 / 25" in result.stdout and str(tmp_path / "out" / "grades.csv") in result.stdout
    )
    assert outcome.value.replace("_", " ") in result.stdout
    assert f"autograder report --out {tmp_path / 'out'}" in result.stdout
    runner.invoke(app, [*arguments, "--no-gradebook"])
    runner.invoke(app, [*arguments, "--no-cache", "--scheduler", "tcp://there:1"])
    assert asked == [(True, True, ""), (False, True, ""), (True, False, "tcp://there:1")]


def test_grade_needs_the_folder_of_submissions(tmp_path: Path) -> None:
    result = runner.invoke(app, ["grade", "vae", "--submitted", str(tmp_path / "missing"), "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert str(tmp_path / "missing") in result.stderr


def test_grade_one_prints_only_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def grade(problem: str, notebook: Path, *, student: str | None = None) -> GradedLog:
        print("a library that talks")
        subprocess.run([sys.executable, "-c", "print('a child that talks')"], check=True)
        return log_of(student or "unknown")

    monkeypatch.setitem(vars(autograder), "grade", grade)  # setattr would import the real one first
    app(["grade-one", str(tmp_path / "vae.ipynb"), "--problem", "vae", "--student", "ada"], standalone_mode=False)
    printed = capfd.readouterr()
    assert json.loads(printed.out) == log_of("ada").as_json()
    assert "a library that talks" in printed.err and "a child that talks" in printed.err
