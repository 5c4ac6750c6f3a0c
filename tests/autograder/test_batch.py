"""A folder of submissions: each gets its result, whatever the others do, and the files say the same."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import psutil
import pytest

import autograder
from autograder import batch
from autograder.batch import BatchRow, grade_folder, students_in
from autograder.errors import SetupError, SourceError
from autograder.grading import Grading, grade_file
from tests.autograder.toy import ROOT, STANDARDIZE, released, solved, text


def hand_in(folder: Path, student: str, data: bytes) -> None:
    """Puts a notebook where the batch looks for it."""
    path = folder / student / "toy" / "toy.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grades without worker processes: what is tested is the batch around them."""

    class Here:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None:
            return None

        def submit(self, function: Any, *args: Any) -> Any:
            from concurrent.futures import Future

            future: Future[Any] = Future()
            try:
                future.set_result(function(*args))
            except BaseException as error:
                future.set_exception(error)
            return future

    monkeypatch.setattr(batch, "_pool", lambda workers: Here())


def rows_of(path: Path) -> list[dict[str, str]]:
    """A CSV file's lines."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.kernel
def test_every_submission_gets_a_result_and_the_files_agree(tmp_path: Path) -> None:
    submitted, out = tmp_path / "in", tmp_path / "out"
    hand_in(submitted, "ada", text(solved()))
    hand_in(submitted, "bela é", text(solved(standardize=STANDARDIZE + "    import os; os._exit(1)")))
    hand_in(submitted, "chen", text(released()))
    hand_in(submitted, "dora", b"not a notebook")
    (submitted / "emil").mkdir()
    (submitted / ".hidden").mkdir()
    (submitted / "README.txt").write_text("no student")
    told: list[tuple[int, int]] = []
    rows = grade_folder("toy", submitted, out, workers=2, progress=lambda *n: told.append(n), root=ROOT)
    expected = [("ada", 20, "graded"), ("bela é", 8, "graded"), ("chen", 0, "graded"), ("dora", 0, "unreadable")]
    assert [(row.student, row.score, row.status) for row in rows] == [*expected, ("emil", 0, "missing")]
    assert told == [(n, 5) for n in range(1, 6)]
    written = rows_of(out / "grades.csv")
    assert list(written[0]) == ["student", "problem", "score", "max_score", "status"]
    assert [(row["student"], float(row["score"]), row["max_score"]) for row in written] == [
        (row.student, row.score, "25") for row in rows
    ]
    for row in rows:
        folder = out / row.student / "toy"
        log = json.loads((folder / "submission_log.json").read_text(encoding="utf-8"))
        assert (log["student"], log["grades"]["score"], log["grades"]["max_score"]) == (row.student, row.score, 25)
        assert (folder / "toy.ipynb").is_file() and (folder / "feedback.html").is_file()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != "timings.csv"}
    grade_folder("toy", submitted, out, workers=1, root=ROOT)
    assert {path: path.read_bytes() for path in before} == before


def test_a_fault_of_the_grader_costs_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_this_process(monkeypatch)

    def grade(problem_id: str, path: Path, **options: Any) -> Grading:
        if "bela" in str(path):
            raise ZeroDivisionError("a fault of ours")
        return grade_file(problem_id, path, **options)

    monkeypatch.setattr(batch, "grade_file", grade)
    hand_in(tmp_path / "in", "ada", b"")
    hand_in(tmp_path / "in", "bela", b"")
    rows = grade_folder("toy", tmp_path / "in", tmp_path / "out", root=ROOT)
    assert [row.status for row in rows] == ["unreadable", "grader_error"]
    log = json.loads((tmp_path / "out/bela/toy/submission_log.json").read_text())
    assert "not your fault" in log["grades"]["items"][0]["message"]


def test_a_dying_worker_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_this_process(monkeypatch)
    calls: list[str] = []

    def grade(problem_id: str, path: Path, **options: Any) -> Grading:
        calls.append(path.parts[-3])
        if path.parts[-3] == "bela":
            raise BrokenProcessPool
        return grade_file(problem_id, path, **options)

    def task(*args: Any) -> Grading:
        return grade(args[0], args[1], student=args[2], root=args[3])

    monkeypatch.setattr(batch, "_task", task)
    for student in ("ada", "bela", "chen"):
        hand_in(tmp_path / "in", student, b"")
    rows: list[BatchRow] = grade_folder("toy", tmp_path / "in", tmp_path / "out", root=ROOT)
    assert [row.status for row in rows] == ["unreadable", "grader_error", "unreadable"]
    assert calls.count("bela") == 2


def test_unknown_problems_and_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"unknown problem 'nope'.*Problems here: toy"):
        grade_folder("nope", tmp_path, tmp_path / "out", root=ROOT)
    with pytest.raises(SetupError, match="is no folder"):
        students_in(tmp_path / "nowhere")
    with pytest.raises(SetupError, match=r"<student>/<problem>/<problem>\.ipynb"):
        students_in(tmp_path)
    hand_in(tmp_path / "in", "ada", b"")
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        grade_folder("toy", tmp_path / "in", tmp_path / "file" / "out", root=ROOT)


def test_a_full_disk_stops_with_a_clear_error_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch)
    hand_in(tmp_path / "in", "ada", b"")
    grade_folder("toy", tmp_path / "in", tmp_path / "out", root=ROOT)
    before = (tmp_path / "out/grades.csv").read_bytes()
    hand_in(tmp_path / "in", "bela", b"")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SetupError, match="No space left on device"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", root=ROOT)
    assert (tmp_path / "out/grades.csv").read_bytes() == before


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process's life to its parent's")
def test_workers_and_their_hosts_do_not_outlive_a_killed_grader(tmp_path: Path) -> None:
    hand_in(tmp_path / "in", "ada", text(solved(standardize=STANDARDIZE + "    import time; time.sleep(300)")))
    arguments = f"'toy', Path('{tmp_path}/in'), Path('{tmp_path}/out'), root=Path('{ROOT}')"
    script = f"from pathlib import Path\nfrom autograder.batch import grade_folder\ngrade_folder({arguments})\n"
    (tmp_path / "run.py").write_text(f"if __name__ == '__main__':\n    {script.replace(chr(10), chr(10) + '    ')}")
    environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1])}
    grader = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], env=environment)
    family: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and not any("student_side" in " ".join(p.cmdline()) for p in family):
            time.sleep(0.2)
            assert grader.poll() is None, "the grader ended before anything was started"
            with contextlib.suppress(psutil.NoSuchProcess):
                family = psutil.Process(grader.pid).children(recursive=True)
    finally:
        grader.kill()
        grader.wait()
    assert family
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
