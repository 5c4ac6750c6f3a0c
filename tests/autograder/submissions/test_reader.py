"""A file that cannot be read affects only its own submission, whatever the reason."""

from __future__ import annotations

import csv
import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.batch.grade_folder import grade_folder
from autograder.core.errors import SetupError
from autograder.core.results import GradedLog, Outcome
from autograder.submissions.class_folder import students_in
from autograder.submissions.reader import LOG_NAME, UnusableError, read_submission
from autograder.verify.discover import find_logs, read_found
from tests.autograder.batch.test_grade_folder import QUIETLY, in_this_process
from tests.autograder.toy import ROOT, solved, text

SOLVED = text(solved())
LOG = b"{}"


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """A class in which everything can be read: ada, bob and eve, each with a notebook and a log."""
    for student in ("ada", "bob", "eve"):
        folder = tmp_path / "in" / student / "toy"
        folder.mkdir(parents=True)
        (folder / "toy.ipynb").write_bytes(SOLVED)
        (folder / LOG_NAME).write_bytes(LOG)
    return tmp_path / "in"


Spoil = Callable[[Path], object]


NOTEBOOK, FOLDER = "toy/toy.ipynb", "toy"
INSTEAD: dict[str, tuple[str, Spoil, str]] = {
    "a folder for the notebook": (NOTEBOOK, Path.mkdir, "not a regular file"),
    "a pipe for the notebook": (NOTEBOOK, os.mkfifo, "not a regular file"),
    "a dangling link for the notebook": (NOTEBOOK, lambda path: path.symlink_to("nowhere"), "not a regular file"),
    "a link in a circle": (FOLDER, lambda path: path.symlink_to("toy"), "behind a symbolic link"),
    "a file for the problem's folder": (FOLDER, Path.touch, "Not a directory"),
    "nothing at all": (FOLDER, lambda path: None, "nothing was submitted"),
}


LOGS: dict[str, Spoil] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a dangling link": lambda log: log.symlink_to("nowhere"),
    "a link to another student's": lambda log: log.symlink_to("../../ada/toy/" + LOG_NAME),
    "a socket": lambda log: socket.socket(socket.AF_UNIX).bind(str(log)),
}


def replaced(path: Path) -> Path:
    """The path, after the file or folder there is removed."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return path


def graded(submitted: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, GradedLog]:
    """The results of the class; the table has a line for each."""
    in_this_process(monkeypatch)
    out = submitted.parent / "out"
    logs = {one.log.student: one.log for one in grade_folder("toy", submitted, out, **QUIETLY)}
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        listed = {row["student"]: row["status"] for row in csv.DictReader(file)}
    assert listed == {student: str(log.outcome) for student, log in logs.items()}
    return logs


def others_are_graded(logs: dict[str, GradedLog]) -> bool:
    return [(logs[name].outcome, logs[name].score) for name in ("ada", "eve")] == [(Outcome.GRADED, 20.0)] * 2


@pytest.mark.kernel
@pytest.mark.parametrize("name", INSTEAD)
def test_something_else_in_place_of_a_notebook_affects_only_its_submission(
    name: str, submitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, spoil, said = INSTEAD[name]
    spoil(replaced(submitted / "bob" / place))
    logs = graded(submitted, monkeypatch)
    assert others_are_graded(logs) and said in logs["bob"].items[0].message
    assert logs["bob"].outcome is (Outcome.MISSING if name == "nothing at all" else Outcome.UNREADABLE)


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", LOGS)
def test_a_log_that_cannot_be_read_is_flagged_and_the_notebook_is_graded(
    name: str, submitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(submitted / "bob" / "toy")  # the path of a socket must be short
    LOGS[name](replaced(Path(LOG_NAME)))
    logs = graded(submitted, monkeypatch)
    assert others_are_graded(logs)
    assert (logs["bob"].outcome, logs["bob"].score) == (Outcome.GRADED, 20.0)
    [flag] = [flag for flag in logs["bob"].flags if flag.kind == "log_unusable"]
    assert "could not be read" in flag.message and "not a regular file" in flag.message


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: replaced(path).mkdir()])
def test_a_message_names_the_file_and_no_path(submitted: Path, spoil: Spoil) -> None:
    notebook = submitted / "bob" / "toy" / "toy.ipynb"
    spoil(notebook)
    fault = read_submission(notebook).fault
    assert fault is not None and fault[1].startswith("toy.ipynb is ") and "/" not in fault[1]


REFUSALS = [PermissionError(errno.EACCES, "Permission denied"), OSError("no number, no words")]


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("refusal", REFUSALS, ids=repr)
@pytest.mark.parametrize("call", ["lstat", "open", "stat"])
@pytest.mark.parametrize(
    "refused", ["bob", "bob/toy", "bob/toy/toy.ipynb", "bob/toy/submission_log.json", "bob/toy/timestamp.txt"]
)
def test_an_error_of_the_system_affects_only_its_submission(
    refused: str, call: str, refusal: OSError, submitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here and below, a call refuses, as a broken disk, a lost share or missing permissions do."""
    (submitted / "bob" / "toy" / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    real = getattr(os, call)

    def refuse(path: Any, *args: Any, **options: Any) -> Any:
        if isinstance(path, str | Path) and (submitted / refused) in (Path(path), *Path(path).parents):
            raise type(refusal)(*refusal.args)
        return real(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        logs = graded(submitted, patch)
    assert others_are_graded(logs) and set(logs) == {"ada", "bob", "eve"}
    bob = logs["bob"]
    if bob.outcome is Outcome.GRADED:  # nothing that decides over the score was refused
        assert bob.score == 20.0
    else:
        assert bob.outcome is Outcome.UNREADABLE and bob.score == 0 and "cannot be read" in bob.items[0].message


def test_a_log_that_the_system_refuses_is_flagged_with_the_reason(
    submitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(name: object, *rest: Any) -> int:
        if str(name).endswith(".json"):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    assert read_submission(submitted / "bob" / "toy" / "toy.ipynb").log_fault == "Permission denied"
    with pytest.raises(UnusableError, match="cannot be read: Permission denied"):
        read_found(find_logs([submitted / "bob"])[0])


def test_a_file_that_vanishes_while_it_is_read_is_missing(submitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def vanish(path: Any, *rest: Any) -> int:
        Path(path).unlink()
        return real(path, *rest)

    monkeypatch.setattr(os, "open", vanish)
    submission = read_submission(submitted / "bob" / "toy" / "toy.ipynb", "bob", submitted)
    assert submission.fault is not None and submission.fault[0] is Outcome.MISSING


@pytest.mark.parametrize("seconds", [-(2**40), 2**40])
def test_a_file_with_an_invalid_time_is_read(seconds: int, submitted: Path) -> None:
    path = submitted / "bob" / "toy" / "toy.ipynb"
    try:
        os.utime(path, (seconds, seconds))
    except OSError:
        pytest.skip("this file system keeps no such times")
    submission = read_submission(path)
    assert submission.notebook == SOLVED and submission.fault is None


def test_an_invalid_submission_time_is_a_warning(
    submitted: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replaced(submitted / "bob" / "toy" / "toy.ipynb")
    (submitted / "bob" / "toy" / "timestamp.txt").mkdir()
    in_this_process(monkeypatch)
    grade_folder("toy", submitted, submitted.parent / "out", **QUIETLY)
    [warning] = [record.getMessage() for record in caplog.records if "timestamp" in record.getMessage()]
    assert "bob/toy/timestamp.txt contains no valid time" in warning


@pytest.fixture
def as_other_user(submitted: Path) -> Callable[[str], str]:
    """Runs Python as a user who owns no file of the class."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    for folder in (submitted, *submitted.parents):
        if not folder.stat().st_mode & 0o001 and folder.is_relative_to("/tmp"):
            folder.chmod(0o711)

    def run(script: str) -> str:
        imports = "from autograder.submissions.reader import *; from autograder.submissions.class_folder import *"
        code = "import os, sys; os.setgid(65534); os.setuid(65534); from pathlib import Path; "
        command = [sys.executable, "-c", f"{imports}; {code}{script}"]
        environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_missing_permissions_are_named_or_refuse_the_class(
    submitted: Path, as_other_user: Callable[[str], str]
) -> None:
    submitted.chmod(0o755)
    read = f"s = read_submission(Path('{submitted}/bob/toy/toy.ipynb'), 'bob', Path('{submitted}')); "
    shown = read + "print(s.fault, repr(s.log_fault), len(s.notebook), s.log)"
    assert as_other_user(shown).split(" ", 2)[:2] == ["None", "''"]
    (submitted / "bob" / "toy" / LOG_NAME).chmod(0)
    assert as_other_user(shown) == f"None 'Permission denied' {len(SOLVED)} None\n"
    for path in ("toy/toy.ipynb", "toy", ""):
        (submitted / "bob" / path).chmod(0)
        said = as_other_user(shown + f"; print(students_in(Path('{submitted}'), 'toy'))")
        assert "cannot be read: Permission denied" in said and "['ada', 'bob', 'eve']" in said, path
        (submitted / "bob" / path).chmod(0o755)
    submitted.chmod(0o711)
    said = as_other_user(f"""
try: students_in(Path('{submitted}'), 'toy')
except Exception as error: print(type(error).__name__, error)""")
    assert said.startswith("SetupError") and "Permission denied; nothing was graded" in said


def test_a_class_that_cannot_be_listed_is_refused(submitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(SetupError, match="in cannot be read: Permission denied; nothing was graded"):
        students_in(submitted, "toy")


def test_the_library_call_reports_an_unreadable_notebook(submitted: Path) -> None:
    os.mkfifo(replaced(submitted / "bob" / "toy" / "toy.ipynb"))
    log = autograder.grade("toy", submitted / "bob" / "toy" / "toy.ipynb", student="bob", root=ROOT)
    assert log.outcome is Outcome.UNREADABLE and "not a regular file" in log.items[0].message
