"""A batch: each submission gets its result, whatever the others do, and the files agree with the results."""

from __future__ import annotations

import contextlib
import json
import os
import random
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
from tests.autograder.graded_folder import csv_rows
from tests.autograder.toy import ROOT, STANDARDIZE, course_copy, fill_disk, released, solved, submit

QUIETLY: dict[str, Any] = {"gradebook": False, "cache": False, "root": ROOT}


Grade = Callable[..., Grading]


def in_this_process(monkeypatch: pytest.MonkeyPatch, grade: Grade = grade_submission) -> None:
    """Makes batches grade in this process instead of a pool of workers."""

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
            except Exception as error:
                future.set_exception(error)
            return future

    monkeypatch.setattr(batch, "worker_pool", lambda *_: Here())


def outcomes(graded: list[Graded]) -> list[str]:
    """The outcome of each submission."""
    return [str(one.log.outcome) for one in graded]


def files_of(out: Path) -> dict[str, bytes]:
    """The files that a batch wrote, except for the timings and the runs that are kept."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name != "timings.csv"]
    paths = [path for path in paths if ".runs" not in path.parts]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


def started(tmp_path: Path, workers: int, script: str = "") -> subprocess.Popen[str]:
    """Starts `autograder grade` from `in` to `out`, or a script, in a process of its own."""
    command = ["-m", "autograder.cli.main", "grade", "toy", "--submitted", str(tmp_path / "in"), "--no-gradebook"]
    command += ["--out", str(tmp_path / "out"), "--no-cache", "--workers", str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(Path(autograder.__file__).parents[1]), "AUTOGRADER_ROOT": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *([script] if script else command)], env=environment, stderr=subprocess.PIPE, text=True
    )


def family_of(grader: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that a grader started and that run now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(grader.pid).children(recursive=True)
    return []


@pytest.mark.long
@pytest.mark.kernel
def test_every_submission_gets_a_result_and_the_files_agree(tmp_path: Path) -> None:
    submitted, out = tmp_path / "in", tmp_path / "out"
    answers = {"ada": solved(), "bela é": solved(standardize=STANDARDIZE + "    import os; os._exit(1)")}
    for student, data in (answers | {"chen": released(), "dora": b"not a notebook"}).items():
        submit(submitted, student, data)
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
    written = csv_rows(out / "grades.csv")
    assert list(written[0]) == ["student", "problem", "score", "max_score", "status"]
    assert [(row["student"], float(row["score"]), row["max_score"]) for row in written] == [
        (log.student, log.score, "25") for log in logs
    ]
    for log in logs:
        folder = out / log.student / "toy"
        assert json.loads((folder / "submission_log.json").read_text(encoding="utf-8")) == log.as_json()
        assert (folder / "toy.ipynb").is_file() and (folder / "feedback.html").is_file()
    before = files_of(out)
    grade_folder("toy", submitted, out, workers=1, **QUIETLY)
    assert files_of(out) == before


def test_a_folder_name_that_is_not_text_is_an_error_before_grading(tmp_path: Path) -> None:
    submit(tmp_path / "in", "ada")
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/b\xff")).mkdir()
    with pytest.raises(SetupError, match=r"cannot be written into a table \(the first: .*udcff"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)


def test_the_lines_of_other_problems_stay_in_the_table(tmp_path: Path, here: None) -> None:
    submit(tmp_path / "in", "ada")
    out = tmp_path / "out"
    out.mkdir()
    header = "student,problem,score,max_score,status\n"
    (out / "grades.csv").write_text(header + "bela,other,3,4,graded\nzoe,toy,9,9,graded\nbroken,line\n")
    (out / "timings.csv").write_bytes(b"\xffsomething else\n1\n")
    for _ in range(2):
        grade_folder("toy", tmp_path / "in", out, **QUIETLY)
        assert (out / "grades.csv").read_text() == header + "bela,other,3,4,graded\nada,toy,0,25,unreadable\n"
    assert [row["student"] for row in csv_rows(out / "timings.csv")] == ["ada"]


@pytest.mark.kernel
def test_a_link_to_the_work_of_another_student_is_not_followed(tmp_path: Path, here: None) -> None:
    submitted = tmp_path / "in"
    submit(submitted, "ada", solved())
    (submitted / "bela").symlink_to("ada", target_is_directory=True)
    (submitted / "chen").mkdir()
    (submitted / "chen" / "toy").symlink_to("../ada/toy", target_is_directory=True)
    (submitted / "dora" / "toy").mkdir(parents=True)
    (submitted / "dora" / "toy" / "toy.ipynb").symlink_to("../../ada/toy/toy.ipynb")
    graded = grade_folder("toy", submitted, tmp_path / "out", **QUIETLY)
    assert outcomes(graded) == ["graded", "unreadable", "unreadable", "unreadable"]
    assert "is behind a symbolic link" in graded[1].log.items[0].message


def test_unknown_problems_and_unusable_folders_are_errors_that_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"unknown problem 'nope'.*Problems here: toy"):
        grade_folder("nope", tmp_path, tmp_path / "out", **QUIETLY)
    with pytest.raises(SetupError, match="is not a folder"):
        students_in(tmp_path / "nowhere", "toy")
    with pytest.raises(SetupError, match=r"<student>/<problem>/<problem>\.ipynb"):
        students_in(tmp_path, "toy")
    submit(tmp_path / "in", "ada")
    with pytest.raises(SetupError, match=r"looks like the folder of one student; use the folder above it: .*/in"):
        students_in(tmp_path / "in" / "ada", "toy")
    with pytest.raises(SetupError, match=r"no student in .* has a folder vae; .* It contains submissions for toy"):
        students_in(tmp_path / "in", "vae")
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        grade_folder("toy", tmp_path / "in", tmp_path / "file" / "out", **QUIETLY)


def test_a_full_disk_is_a_clear_error_and_changes_no_file(
    tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(tmp_path / "in", "ada")
    grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    before = (tmp_path / "out/grades.csv").read_bytes()
    submit(tmp_path / "in", "bela")

    fill_disk(monkeypatch)
    with pytest.raises(SetupError, match="No space left on device"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert (tmp_path / "out/grades.csv").read_bytes() == before


def test_an_interrupted_batch_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    students = ["ada", "bela", "chen"]
    for student in students:
        submit(tmp_path / "in", student)
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
    submit(tmp_path / "in", "dora")
    (tmp_path / "in" / done[0] / "toy" / "toy.ipynb").write_bytes(b"")  # a new submission
    with next((tmp_path / "out").glob(".grading-*")).open("a") as file:
        file.write('["half a li')
    asked.clear()
    graded = grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert [one.log.student for one in graded] == [*students, "dora"]
    assert sorted(asked) == sorted({*students, "dora"} - set(done[1:]))
    assert not list((tmp_path / "out").glob(".grading-*"))
    asked.clear()
    grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert len(asked) == 4, "a finished batch is graded anew"


@pytest.mark.long
@pytest.mark.kernel
def test_a_batch_that_was_ended_with_ctrl_c_is_resumed(tmp_path: Path) -> None:
    slow = solved(standardize=STANDARDIZE + "    import time; time.sleep(0.6)\n    return x")
    for number in range(20):
        submit(tmp_path / "in", f"student{number:02d}", slow if number else solved())
    grader = started(tmp_path, workers=1)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "out").rglob("feedback.html"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    family = family_of(grader)
    grader.send_signal(signal.SIGINT)
    _, said = grader.communicate(timeout=60)
    assert grader.returncode == 130 and "run the same command again" in said and "Traceback" not in said, said
    assert psutil.wait_procs(family, timeout=30)[1] == []
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("feedback.html")}
    assert 3 <= len(done) < 20
    again = started(tmp_path, workers=1)
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert {path: path.stat().st_mtime_ns for path in done} == done, "finished submissions were graded again"
    assert len(csv_rows(tmp_path / "out" / "grades.csv")) == 20


def _runs_student_code(process: psutil.Process) -> bool:
    """Is it a session, or below one? There, a kill during a test looks the same as student code that ends itself."""
    above = [each for each in [process, *process.parents()] if "guest.main" in " ".join(each.cmdline())]
    return len({os.getsid(each.pid) for each in above}) > 2  # the graders, the host, each student's code


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process's life to its parent's")
def test_random_kills_of_workers_and_coordinator_change_no_grade(tmp_path: Path) -> None:
    answers = [solved(), released(), solved(standardize=STANDARDIZE + "    return x"), b"{"]
    answers.append(solved(standardize=STANDARDIZE + "    import os; os._exit(1)"))
    for number in range(100):
        submit(tmp_path / "in", f"student{number:02d}", answers[number % len(answers)])
    grade_folder("toy", tmp_path / "in", tmp_path / "calm", **QUIETLY)
    chance = random.Random(7)
    killed: set[bool] = set()
    for attempt in range(40):
        grader = started(tmp_path, workers=2)
        while grader.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                grader.communicate(timeout=chance.uniform(0.5, 4))
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                family = [process for process in family_of(grader) if not _runs_student_code(process)]
                victim = psutil.Process(grader.pid) if chance.random() < 0.3 or not family else chance.choice(family)
                if attempt < 8:
                    victim.kill()
                    killed.add(victim.pid == grader.pid)
        grader.communicate()  # closes the pipes
        if grader.returncode == 0:
            break
    assert grader.returncode == 0 and killed == {True, False}, "kill more often: this machine is too fast"
    for path in [tmp_path / "calm" / "grades.csv", *(tmp_path / "calm").rglob("submission_log.json")]:
        assert (tmp_path / "out" / path.relative_to(tmp_path / "calm")).read_bytes() == path.read_bytes(), path


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process's life to its parent's")
def test_workers_and_their_hosts_end_when_the_grader_is_killed(tmp_path: Path) -> None:
    submit(tmp_path / "in", "ada", solved(standardize=STANDARDIZE + "    import time; time.sleep(300)"))
    (tmp_path / "run.py").write_text(f"""
if __name__ == '__main__':
    from pathlib import Path
    from autograder.batch.grade_folder import grade_folder
    folders = Path('{tmp_path}/in'), Path('{tmp_path}/out')
    grade_folder('toy', *folders, gradebook=False, cache=False, root=Path('{ROOT}'))
""")
    grader = started(tmp_path, workers=1, script=str(tmp_path / "run.py"))
    family: list[psutil.Process] = []
    student_code = False
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and not student_code:
            time.sleep(0.2)
            assert grader.poll() is None, "the grader ended before anything was started"
            family = family_of(grader)
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                student_code = any(map(_runs_student_code, family))
    finally:
        grader.kill()
        grader.communicate()
    assert student_code
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_two_folders_of_one_student_are_an_error_before_grading(tmp_path: Path) -> None:
    for student in ("ADA", "ada", "Jos\u00e9", "Jose\u0301", "bob"):
        submit(tmp_path / "in", student)
    with pytest.raises(SetupError, match="'ADA' and 'ada', 'Jose\u0301' and 'Jos\u00e9'. Keep one folder"):
        grade_folder("toy", tmp_path / "in", tmp_path / "out", **QUIETLY)
    assert not (tmp_path / "out").exists()


@pytest.mark.kernel
def test_an_extension_for_an_unknown_student_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, here: None
) -> None:
    root = course_copy(tmp_path / "root")
    extension = '\n[[extension]]\nstudent = "{}"\nhomework = "{}"\ndays = 2\n'
    homework = load_course(root).homeworks[0].id
    with (root / "course.toml").open("a") as file:
        file.write(extension.format("ADA", homework) + extension.format("addaa", homework))
    submit(tmp_path / "in", "ada")
    grade_folder("toy", tmp_path / "in", tmp_path / "out", **{**QUIETLY, "root": root})
    warned = [record.getMessage() for record in caplog.records if "an extension" in record.getMessage()]
    assert len(warned) == 1 and "'addaa' an extension" in warned[0]
