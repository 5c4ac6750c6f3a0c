"""A folder of submissions: each gets its result, whatever the others do, and the files say the same."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil
import pytest

import autograder
from autograder.batch import grade_folder as batch
from autograder.batch.grade_folder import grade_folder
from autograder.core.errors import SetupError, SourceError
from autograder.core.results import Graded, Grading
from autograder.course.config import load_course
from autograder.grading.grade import grade_submission
from autograder.submissions.class_folder import students_in
from autograder.submissions.reader import Submission
from tests.autograder.toy import ROOT, STANDARDIZE, released, solved, text

QUIETLY: dict[str, Any] = {"gradebook": False, "cache": False, "root": ROOT}


def hand_in(folder: Path, student: str, data: bytes) -> None:
    """Puts a notebook where the batch looks for it."""
    path = folder / student / "toy" / "toy.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)


Grade = Callable[..., Grading]


def in_this_process(monkeypatch: pytest.MonkeyPatch, grade: Grade = grade_submission) -> None:
    """Grades without processes of their own: what is tested is the batch around them."""

    class Here:
        workers = 1

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def submit(self, problem_id: str, submission: Submission, cached_items: Any = None) -> Future[Grading]:
            future: Future[Grading] = Future()
            try:
                future.set_result(grade(problem_id, submission, root=ROOT, cached_items=cached_items))
            except SetupError as error:
                future.set_exception(error)
            return future

    monkeypatch.setattr(batch, "worker_pool", lambda *_: Here())


def outcomes(graded: list[Graded]) -> list[str]:
    """How each submission fared, by student."""
    return [str(one.log.outcome) for one in graded]


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
    graded = grade_folder(
        "toy", submitted, out, workers=2, progress=lambda step: told.append((step.done, step.total)), **QUIETLY
    )
    expected = [("ada", 20, "graded"), ("bela é", 8, "graded"), ("chen", 0, "graded"), ("dora", 0, "unreadable")]
    logs = [one.log for one in graded]
    assert [(log.student, log.score, log.outcome) for log in logs] == [*expected, ("emil", 0, "missing")]
    assert told == [(n, 5) for n in range(1, 6)]
    written = rows_of(out / "grades.csv")
    assert list(written[0]) == ["student", "problem", "score", "max_score", "status"]
    assert [(row["student"], float(row["score"]), row["max_score"]) for row in written] == [
        (log.student, log.score, "25") for log in logs
    ]
    for log in logs:
        folder = out / log.student / "toy"
        assert json.loads((folder / "submission_log.json").read_text(encoding="utf-8")) == log.as_json()
        assert (folder / "toy.ipynb").is_file() and (folder / "feedback.html").is_file()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != "timings.csv"}
    grade_folder("toy", submitted, out, workers=1, **QUIETLY)
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_whose_name_is_no_text_is_named_before_anybody_is_graded(tmp_path: Path) -> None:
    hand_in(tmp_path / "in", "ada", b"")
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/b\xff")).mkdir()
    with pytest.raises(SetupError, match=r"cannot be written into a table \(the first: .*udcff"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)


def test_the_lines_of_other_problems_stay_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_this_process(monkeypatch)
    hand_in(tmp_path / "in", "ada", b"")
    out = tmp_path / "out"
    out.mkdir()
    header = "student,problem,score,max_score,status\n"
    (out / "grades.csv").write_text(header + "bela,other,3,4,graded\nzoe,toy,9,9,graded\nbroken,line\n")
    (out / "timings.csv").write_bytes(b"\xffsomething else\n1\n")
    for _ in range(2):
        grade_folder("toy", tmp_path / "in", out, **QUIETLY)
        assert (out / "grades.csv").read_text() == header + "bela,other,3,4,graded\nada,toy,0,25,unreadable\n"
    assert [row["student"] for row in rows_of(out / "timings.csv")] == ["ada"]


@pytest.mark.kernel
def test_a_folder_that_is_a_link_hands_nobody_elses_work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_this_process(monkeypatch)
    submitted = tmp_path / "in"
    hand_in(submitted, "ada", text(solved()))
    (submitted / "bela").symlink_to("ada", target_is_directory=True)
    (submitted / "chen").mkdir()
    (submitted / "chen" / "toy").symlink_to("../ada/toy", target_is_directory=True)
    (submitted / "dora" / "toy").mkdir(parents=True)
    (submitted / "dora" / "toy" / "toy.ipynb").symlink_to("../../ada/toy/toy.ipynb")
    graded = grade_folder("toy", submitted, tmp_path / "out", **QUIETLY)
    assert outcomes(graded) == ["graded", "unreadable", "unreadable", "unreadable"]
    assert "is behind a symbolic link" in graded[1].log.items[0].message


def test_unknown_problems_and_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"unknown problem 'nope'.*Problems here: toy"):
        grade_folder("nope", tmp_path, tmp_path / "out", **QUIETLY)
    with pytest.raises(SetupError, match="is not a folder"):
        students_in(tmp_path / "nowhere", "toy")
    with pytest.raises(SetupError, match=r"<student>/<problem>/<problem>\.ipynb"):
        students_in(tmp_path, "toy")
    hand_in(tmp_path / "in", "ada", b"")
    with pytest.raises(SetupError, match=r"looks like the folder of one student; use the folder above it: .*/in"):
        students_in(tmp_path / "in" / "ada", "toy")
    with pytest.raises(SetupError, match=r"no student in .* has a folder vae; .* It contains submissions for toy"):
        students_in(tmp_path / "in", "vae")
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        grade_folder("toy", tmp_path / "in", tmp_path / "file" / "out", **QUIETLY)


def test_a_full_disk_stops_with_a_clear_error_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch)
    hand_in(tmp_path / "in", "ada", b"")
    grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    before = (tmp_path / "out/grades.csv").read_bytes()
    hand_in(tmp_path / "in", "bela", b"")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SetupError, match="No space left on device"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert (tmp_path / "out/grades.csv").read_bytes() == before


def test_a_batch_that_was_cut_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    students = ["ada", "bela", "chen"]
    for student in students:
        hand_in(tmp_path / "in", student, b"")
    asked: list[str] = []
    full = ["the disk is full"]

    def grade(problem_id: str, submission: Submission, **options: Any) -> Grading:
        asked.append(str(submission.student))
        if submission.student == "chen" and full:
            raise SetupError(full.pop())
        return grade_submission(problem_id, submission, **options)

    in_this_process(monkeypatch, grade)
    with pytest.raises(SetupError, match="the disk is full"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert not (tmp_path / "out" / "grades.csv").exists()
    done = [student for student in students if (tmp_path / "out" / student / "toy" / "feedback.html").exists()]
    hand_in(tmp_path / "in", "dora", b"")
    (tmp_path / "in" / done[0] / "toy" / "toy.ipynb").write_bytes(b"{")  # handed in anew meanwhile
    with next((tmp_path / "out").glob(".grading-*")).open("a") as file:
        file.write('["half a li')
    asked.clear()
    graded = grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert [one.log.student for one in graded] == [*students, "dora"]
    assert sorted(asked) == sorted({*students, "dora"} - set(done[1:]))
    assert not list((tmp_path / "out").glob(".grading-*"))
    asked.clear()
    grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert len(asked) == 4, "a batch that came to its end is graded anew"


@pytest.mark.kernel
def test_ctrl_c_leaves_a_state_from_which_the_same_command_goes_on(tmp_path: Path) -> None:
    slow = text(solved(standardize=STANDARDIZE + "    import time; time.sleep(0.6)\n    return x"))
    for number in range(20):
        hand_in(tmp_path / "in", f"student{number:02d}", slow if number else text(solved()))
    command = [sys.executable, "-m", "autograder.cli.main", "grade", "toy", "--submitted", str(tmp_path / "in")]
    command += ["--out", str(tmp_path / "out"), "--no-gradebook", "--no-cache", "--workers", "1"]
    environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1]), "AUTOGRADER_ROOT": str(ROOT)}
    grader = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "out").rglob("feedback.html"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    family = psutil.Process(grader.pid).children(recursive=True)
    grader.send_signal(signal.SIGINT)
    _, said = grader.communicate(timeout=60)
    assert grader.returncode == 130 and "run the same command again" in said and "Traceback" not in said, said
    assert psutil.wait_procs(family, timeout=30)[1] == []
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("feedback.html")}
    assert 3 <= len(done) < 20
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in done} == done, "what was finished was not graded again"
    assert len(rows_of(tmp_path / "out" / "grades.csv")) == 20


def _runs_student_code(process: psutil.Process) -> bool:
    """Is it a session, or below one? What is killed there within a test cannot be told from what kills itself."""
    above = [process, *process.parents()]
    return sum("guest.main" in " ".join(each.cmdline()) for each in above) > 2  # the host is two processes


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process's life to its parent's")
def test_random_kills_of_workers_and_coordinator_change_no_grade(tmp_path: Path) -> None:
    answers = [text(solved()), text(released()), text(solved(standardize=STANDARDIZE + "    return x")), b"{"]
    answers.append(text(solved(standardize=STANDARDIZE + "    import os; os._exit(1)")))
    for number in range(100):
        hand_in(tmp_path / "in", f"student{number:02d}", answers[number % len(answers)])
    grade_folder("toy", tmp_path / "in", tmp_path / "calm", **QUIETLY)
    chance = random.Random(7)
    command = [sys.executable, "-m", "autograder.cli.main", "grade", "toy", "--submitted", str(tmp_path / "in")]
    command += ["--out", str(tmp_path / "wild"), "--no-gradebook", "--no-cache", "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1]), "AUTOGRADER_ROOT": str(ROOT)}
    killed: set[bool] = set()
    for attempt in range(40):
        grader = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while grader.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                grader.wait(chance.uniform(1, 8))
            with contextlib.suppress(psutil.NoSuchProcess):
                family = psutil.Process(grader.pid).children(recursive=True)
                family = [process for process in family if not _runs_student_code(process)]
                victim = grader if chance.random() < 0.3 or not family else chance.choice(family)
                if attempt < 8:
                    victim.kill()
                    killed.add(victim is grader)
        if grader.returncode == 0:
            break
    assert grader.returncode == 0 and killed == {True, False}, "kill more often: this machine is too fast"
    for path in [tmp_path / "calm" / "grades.csv", *(tmp_path / "calm").rglob("submission_log.json")]:
        assert (tmp_path / "wild" / path.relative_to(tmp_path / "calm")).read_bytes() == path.read_bytes(), path


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process's life to its parent's")
def test_workers_and_their_hosts_do_not_outlive_a_killed_grader(tmp_path: Path) -> None:
    hand_in(tmp_path / "in", "ada", text(solved(standardize=STANDARDIZE + "    import time; time.sleep(300)")))
    arguments = (
        f"'toy', Path('{tmp_path}/in'), Path('{tmp_path}/out'), gradebook=False, cache=False, root=Path('{ROOT}')"
    )
    imports = "from pathlib import Path\nfrom autograder.batch.grade_folder import grade_folder"
    script = f"{imports}\ngrade_folder({arguments})\n"
    (tmp_path / "run.py").write_text(f"if __name__ == '__main__':\n    {script.replace(chr(10), chr(10) + '    ')}")
    environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1])}
    grader = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], env=environment)
    family: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and not any("guest.main" in " ".join(p.cmdline()) for p in family):
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


@pytest.mark.kernel
def test_an_extension_for_nobody_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = Path(shutil.copytree(ROOT, tmp_path / "root"))
    extension = '\n[[extension]]\nstudent = "{}"\nhomework = "{}"\ndays = 2\n'
    homework = load_course(root).homeworks[0].id
    with (root / "course.toml").open("a") as file:
        file.write(extension.format("ada", homework) + extension.format("addaa", homework))
    hand_in(tmp_path / "in", "ada", b"{")
    grade_folder("toy", tmp_path / "in", tmp_path / "out", **{**QUIETLY, "root": root})
    warned = [record.getMessage() for record in caplog.records if "an extension" in record.getMessage()]
    assert len(warned) == 1 and "'addaa' an extension" in warned[0]
