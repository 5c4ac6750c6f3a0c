"""An error of the autograder fails one submission; staff get the traceback, and students never see it."""

from __future__ import annotations

import io
import itertools
import json
import os
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from typer.testing import CliRunner

import autograder
from autograder.batch import grade_folder as batch
from autograder.batch import results as batch_results
from autograder.batch.fault_files import FOLDER, fault_file
from autograder.batch.grade_folder import grade_folder
from autograder.batch.result_cache import Cache
from autograder.batch.resume import Journal
from autograder.cli.main import app
from autograder.core.errors import SetupError
from autograder.core.results import Grading, ItemResult, Outcome, Status
from autograder.course.problem import load_problem
from autograder.feedback import student_page
from autograder.gradebook import rows as gradebook_rows
from autograder.gradebook.database import opened
from autograder.gradescope.results_json import RESULTS_FILE, End, Progress
from autograder.gradescope.runner import SavedResults
from autograder.gradescope.settings import ListedItem, Settings
from autograder.grading.grade import grade_submission
from autograder.report import page, report
from autograder.report.item_stats import summarise
from autograder.submissions.reader import Submission
from autograder.verify import verify
from tests.autograder.batch.test_grade_folder import QUIETLY, in_this_process
from tests.autograder.batch.test_invalid_text import log_bytes, nested
from tests.autograder.graded_folder import csv_rows, log_of, write_class
from tests.autograder.toy import ROOT, STANDARDIZE, course_copy, solved, submit, text

SECRET = "hidden_value_4711"
STUDENTS = ("ada", "bob", "eve")
Function = Callable[..., Any]


class OurFaultError(Exception):
    """An error of the autograder, whose text quotes a hidden test and is not valid text."""

    def __str__(self) -> str:
        return f"{SECRET} \ud800"


def fails_for_bob(real: Function, of: Function) -> Function:
    """The function, with an error for bob, whose name `of` finds in the arguments."""

    def instead(*args: Any, **options: Any) -> Any:
        if str(of(*args, **options)) == "bob":
            raise OurFaultError
        return real(*args, **options)

    return instead


FAULTS: dict[str, tuple[Any, str, Function]] = {
    "reading": (batch, "read_submission", lambda path, student, below: student),
    "the submission time": (batch_results, "submission_time_or_warning", lambda folder, log: folder.parent.name),
    "the late note": (student_page, "late_note", lambda course, problem, student, moment: student),
    "the feedback page": (student_page, "feedback_html", lambda log, problem, **more: log.student),
    "the log's text": (batch_results, "keep_traceback", lambda out, grading: grading.log.score and grading.log.student),
    "the journal, before": (Journal, "done", lambda self, student, digest: student),
    "the journal, after": (Journal, "note", lambda self, student, digest, seconds: student),
}


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """A class of three students who submitted the solution."""
    for student in STUDENTS:
        submit(tmp_path / "in", student, solved())
    return tmp_path / "in"


def only_bob_is_lost(out: Path, graded: list[Any]) -> None:
    """Checks that all students have a line and files, and only bob no points; staff find the traceback."""
    expected = {"ada": ("20", "graded"), "bob": ("0", "grader_error"), "eve": ("20", "graded")}
    assert [one.log.student for one in graded] == list(STUDENTS)
    rows = csv_rows(out / "grades.csv")
    assert {row["student"]: (row["score"], row["status"]) for row in rows} == expected
    trace = (out / FOLDER / "bob-toy.log").read_text(encoding="utf-8")
    assert "Traceback" in trace and f"OurFaultError: {SECRET} ?" in trace
    assert sorted(path.name for path in (out / FOLDER).iterdir()) == ["bob-toy.log"]
    bob = graded[1].log
    assert [flag.kind for flag in bob.flags] == ["grader_error"] and "errors/bob-toy.log" in bob.flags[0].message
    for name in ("submission_log.json", "feedback.html", "toy.ipynb"):
        written = (out / "bob" / "toy" / name).read_text(encoding="utf-8")
        assert SECRET not in written and "Traceback" not in written, name
        assert "OurFaultError" in written


@pytest.mark.kernel
@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_outside_the_examination_fails_one_submission(
    fault: str, submitted: Path, tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, of = FAULTS[fault]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, fails_for_bob(getattr(where, name), of))
        only_bob_is_lost(tmp_path / "out", grade_folder("toy", submitted, tmp_path / "out", **QUIETLY))
    graded = grade_folder("toy", submitted, tmp_path / "out", **QUIETLY)
    assert [one.log.score for one in graded] == [20.0] * 3, "the same command grades it once the error is fixed"
    assert not list((tmp_path / "out" / FOLDER).iterdir())


@pytest.mark.kernel
def test_an_error_of_the_examiner_fails_one_submission(
    submitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch, fails_for_bob(grade_submission, lambda problem, submission, **_: submission.student))
    only_bob_is_lost(tmp_path / "out", grade_folder("toy", submitted, tmp_path / "out", **QUIETLY))


@pytest.mark.kernel
def test_an_error_of_the_cache_changes_no_result(submitted: Path, tmp_path: Path, here: None) -> None:
    root = course_copy(tmp_path / "root")
    for found in (b"[]", b"5", b'{"log": [], "text": 1, "cached_items": 2}', b"[" * 100_000):
        graded = grade_folder("toy", submitted, tmp_path / "out", gradebook=False, root=root)
        assert [one.log.score for one in graded] == [20.0] * 3, found
        with sqlite3.connect(root / "course" / "cache.db") as database:
            assert database.execute("UPDATE results SET found = ?", (zlib.compress(found),)).rowcount == 3
    grading = graded_alone()
    with Cache(root, load_problem("toy", root), "seed") as cache:
        for item in (nested(100_000), float("inf"), b""):
            cache.keep(Submission("ada"), Grading(grading.log, grading.text, cached_items={"a": item}))
            assert not cache.find(Submission("ada")).cached_items


def graded_alone() -> Grading:
    return grade_submission("toy", Submission("ada", notebook=text(solved())), root=ROOT)


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_an_error_of_the_gradebook_fails_one_submission(
    course: Path, submitted: Path, tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gradebook_rows.write_scores
    failed: list[Any] = []

    def write_scores(gradebook: Any, log: Any, *rest: Any) -> None:
        if log.student == "bob" and not failed:
            failed.append(log)
            gradebook.db.execute(sql("INSERT INTO student (id) VALUES ('half a change')"))
            raise OurFaultError
        real(gradebook, log, *rest)

    monkeypatch.setattr("autograder.gradebook.database.write_scores", write_scores)
    only_bob_is_lost(tmp_path / "out", grade_folder("toy", submitted, tmp_path / "out", cache=False, root=course))
    with opened(course) as gradebook:
        assert {one.id for one in gradebook.students} == set(STUDENTS)
        assert [gradebook.find_submission("toy", student).score for student in STUDENTS] == [20.0, 0.0, 20.0]


@pytest.mark.kernel
@pytest.mark.parametrize("place", ["bob", "bob/toy", "bob/toy/toy.ipynb", "bob/toy/feedback.html"])
def test_a_file_at_the_path_of_a_result_fails_one_submission(
    place: str, submitted: Path, tmp_path: Path, here: None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "out" / place
    path.parent.mkdir(parents=True)
    path.mkdir() if path.suffix else path.write_text("in the way")
    graded = grade_folder("toy", submitted, tmp_path / "out", **QUIETLY)
    assert [str(one.log.outcome) for one in graded] == ["graded", "grader_error", "graded"]
    assert "PathError" in (tmp_path / "out" / FOLDER / "bob-toy.log").read_text()
    assert "bob, toy:" in caplog.text and str(path if path.suffix else tmp_path / "out" / "bob") in caplog.text


STAT = os.stat


class FailingDisk:
    """Raises at one of the calls that open, write or rename a file of bob's."""

    CALLS = ((io, "open"), (os, "open"), (os, "replace"), (os, "stat"), (os, "scandir"), (os, "mkdir"))

    def __init__(self, patch: pytest.MonkeyPatch, error: Exception, at: int) -> None:
        self.error, self.at, self.count = error, at, 0
        for module, name in self.CALLS:
            patch.setattr(module, name, self.instead(getattr(module, name)))

    def instead(self, real: Function) -> Function:
        """The call, which fails if its turn has come."""

        def call(path: Any, *args: Any, **options: Any) -> Any:
            # listing the class comes before any submission; there a folder that cannot be examined is a student's
            if "bob" in str(path) and (real is not STAT or isinstance(self.error, OSError)):
                self.count += 1
                if self.count == self.at:
                    raise self.error
            return real(path, *args, **options)

        return call


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("error", [PermissionError(13, "no"), OSError(22, "odd"), ValueError("odd"), OurFaultError()])
def test_an_error_at_any_read_or_write_of_a_submission_costs_nobody_else_anything(
    error: Exception, submitted: Path, tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in itertools.count(1):
        out = tmp_path / f"out{at}"
        with monkeypatch.context() as patch:
            disk = FailingDisk(patch, error, at)
            graded = grade_folder("toy", submitted, out, **QUIETLY)
        scores = {row["student"]: row["score"] for row in csv_rows(out / "grades.csv")}
        assert set(scores) == set(STUDENTS) and scores["ada"] == scores["eve"] == "20", at
        bob = next(one.log for one in graded if one.log.student == "bob")
        assert bob.outcome in (Outcome.GRADED, Outcome.GRADER_ERROR, Outcome.UNREADABLE), at
        if disk.count < at:
            break
    assert at > 10, "it failed at many calls"


def test_two_batches_of_one_problem_cannot_write_into_one_folder(tmp_path: Path, here: None) -> None:
    submitted = tmp_path / "in"
    for student in STUDENTS:
        submit(submitted, student)
    refusals: list[str] = []

    def again(_: Any) -> None:
        with pytest.raises(SetupError) as refused:
            grade_folder("toy", submitted, tmp_path / "out", **QUIETLY)
        refusals.append(str(refused.value))

    graded = grade_folder("toy", submitted, tmp_path / "out", progress=again, **QUIETLY)
    assert len(graded) == 3 and len(refusals) == 3 and "another `autograder grade toy` is writing into" in refusals[0]
    grade_folder("toy", submitted, tmp_path / "out", **QUIETLY)


@pytest.mark.long
@pytest.mark.kernel
def test_staff_get_the_traceback_of_an_error_in_a_worker(submitted: Path, tmp_path: Path) -> None:
    """A wrong answer makes the examiner ask the reference, which has an error here."""
    call = "return student.standardize(d.normal(4, 2))"
    fault = f"if type(student).__name__ == 'Names': raise ZeroDivisionError('{SECRET}')\n        {call}"
    root = course_copy(tmp_path / "root", {call: fault})
    (submitted / "bob" / "toy" / "toy.ipynb").write_bytes(text(solved(standardize=STANDARDIZE + "    return x")))
    out = tmp_path / "out"
    graded = grade_folder("toy", submitted, out, workers=2, **{**QUIETLY, "root": root})
    assert [str(one.log.outcome) for one in graded] == ["graded", "grader_error", "graded"]
    trace = (out / FOLDER / "bob-toy.log").read_text()
    assert f"ZeroDivisionError: {SECRET}" in trace and "in standardize" in trace and "examiner.py" in trace
    seen = [(out / "bob" / "toy" / name).read_text() for name in ("feedback.html", "submission_log.json")]
    assert not any(SECRET in written for written in seen) and "ZeroDivisionError" in seen[0]


# --- one submission alone, and what reads many ------------------------------------------------------------------------


def test_grade_one_prints_the_result_and_logs_the_traceback(
    submitted: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    always = fails_for_bob(grade_submission, lambda *_, **__: "bob")
    monkeypatch.setattr("autograder.grading.grade.grade_submission", always)
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    notebook = submitted / "bob" / "toy" / "toy.ipynb"
    done = CliRunner().invoke(app, ["grade-one", str(notebook), "--problem", "toy", "--student", "bob"])
    assert done.exit_code == 1
    record = json.loads(done.stdout)
    assert (record["student"], record["grades"]["score"], record["grades"]["outcome"]) == ("bob", 0, "grader_error")
    assert SECRET not in done.stdout and f"OurFaultError: {SECRET} ?" in caplog.text


def test_a_log_that_cannot_be_written_fails_one_submission(submitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grading = graded_alone()

    def infinite(*_: Any, **__: Any) -> Grading:
        object.__setattr__(grading.log, "metrics", {"toy/loss": {"value": float("inf")}})
        return grading

    monkeypatch.setattr("autograder.grading.grade.grade_submission", infinite)
    log = autograder.grade("toy", submitted / "bob" / "toy" / "toy.ipynb", root=ROOT)
    assert log.outcome is Outcome.GRADER_ERROR and log.score == 0


SETTINGS = Settings("toy", "Toy", (ListedItem("Line", "1", "code", 8.0),), 10.0, "verify", "", False, "", "x")


@pytest.mark.parametrize(
    "fields", [{"extra": {"flags": [float("nan")]}}, {"extra": {"student": "\ud800"}}, {"extra": {"a": b""}}]
)
def test_the_results_for_gradescope_are_written_whatever_they_contain(fields: dict[str, Any], tmp_path: Path) -> None:
    progress = Progress(items={"Line": ItemResult("Line", 8.0, 8.0, Status.PASSED, "All checks passed.")}, **fields)
    save = SavedResults(tmp_path, SETTINGS, progress, 0.0)
    save()
    progress.end = End.DONE
    save.finally_()
    record = json.loads((tmp_path / RESULTS_FILE).read_text(encoding="utf-8"))
    assert progress.end is End.FAULT and "not your fault" in record["output"]
    [test] = record["tests"]
    assert (test["score"], test["visibility"]) == (0.0, "hidden")
    assert any("Error" in line for line in record["extra_data"]["staff"])


def test_verify_reports_the_log_on_which_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for student in STUDENTS:
        submit(tmp_path, student, log=log_bytes(student))
    for name, of in (("read_any_log", None), ("judge_class", lambda problem, logs, **_: logs)):
        with monkeypatch.context() as patch:
            real = getattr(verify, name)

            def instead(*args: Any, real: Any = real, of: Any = of, **options: Any) -> Any:
                logs = of(*args, **options) if of else args[:1]
                if any(b'"bob"' in one if of is None else one.owner == "bob" for one in logs):
                    raise OurFaultError
                return real(*args, **options)

            patch.setattr(verify, name, instead)
            ada, bob, eve = verify.verify([tmp_path], root=ROOT)
        assert [flag.kind for flag in bob.flags] == ["not_checked"] and not bob.ok and bob.student == "bob"
        assert "not_checked" not in [flag.kind for one in (ada, eve) for flag in one.flags] and ada.items and eve.items


def test_the_report_leaves_out_the_student_on_whom_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class(tmp_path, [log_of(student) for student in STUDENTS])

    def with_ada(problem: Any, entries: Any) -> str:
        return "bob" if any(entry.student == "ada" for entry in entries) else ""

    monkeypatch.setattr(page, "summarise", fails_for_bob(summarise, with_ada))
    written = report(tmp_path, root=ROOT).read_text(encoding="utf-8")
    assert "1 left out, because this report fails on them (OurFaultError; please report it): ada." in written


@given(st.lists(st.text(min_size=1, max_size=300), min_size=2, max_size=2, unique=True))
def test_each_student_has_a_fault_file_of_their_own_whatever_the_name(names: list[str]) -> None:
    names = [name.encode("utf-8", "replace").decode() for name in names]
    paths = [fault_file(Path("out"), name, "toy") for name in names]
    assert len(set(paths)) == len(set(names))
    for path in paths:
        assert path.parent == Path("out") / FOLDER and path.name.isascii() and len(path.name) < 120
        assert path.name.endswith("-toy.log")


def test_a_fault_file_is_named_after_student_and_problem() -> None:
    assert fault_file(Path("out"), "ada.l@uni.example", "vae") == Path("out/errors/ada.l@uni.example-vae.log")
