"""`nbgrader autograde` gives our scores; the gradebook keeps manual scores; one broken submission affects no other."""

from __future__ import annotations

import contextlib
import copy
import csv
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.batch.grade_folder import grade_folder
from autograder.cli.release import release
from autograder.core.errors import CourseError
from autograder.core.results import STALE, GradedLog, ItemResult, Status, clamped
from autograder.gradebook import database
from autograder.gradebook.database import create_gradebook, gradebook_path, manual_points, opened, recording
from autograder.grading.failed import failed_grading
from autograder.submissions.reader import Submission
from tests.autograder.batch.test_grade_folder import in_this_process
from tests.autograder.gradebook.test_other_assignments import run
from tests.autograder.graded_folder import log_of, with_item
from tests.autograder.toy import ROOT, released, solved, submit, toy

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader builds rows before adding them


@dataclass(frozen=True)
class Grading:
    """The result of a submission, perhaps without a notebook."""

    log: GradedLog
    notebook: NotebookNode | None
    is_known: bool = False
    traceback: str = ""


def no_points(student: str) -> GradedLog:
    """The log of a submission that could not be graded."""
    return failed_grading(toy(), Submission(student), "No notebook was submitted.").log


def make_log(student: str, **results: tuple[float, Status, str]) -> GradedLog:
    """A log in which items that are not named have full points or need manual grading."""
    log = log_of(student)
    for item in log.items:
        score, status, message = results.get(item.id, (item.score, item.status, ""))
        log = with_item(log, item.id, score=score, status=status, message=message)
    return log


def record(root: Path, gradings: Iterable[database.Recordable], wait_seconds: float = 20.0) -> list[GradedLog]:
    """Records gradings; returns the logs with manual scores."""
    with recording(root, wait_seconds) as write:
        return [write(grading) for grading in gradings]


def make_grading(student: str, **results: tuple[float, Status, str]) -> Grading:
    """A grading whose notebook is the release with printed text left in the test cells."""
    notebook = released()
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="a progress bar")]
    return Grading(make_log(student, **results), notebook)


def submit_for(root: Path, student: str, verdict: Any = None, changes: Any = lambda notebook: None) -> Path:
    """Submits a notebook that tells the stand-in examiner which results to give, and returns its path."""
    notebook = released()
    notebook.metadata["verdict"] = verdict or {}
    changes(notebook)
    return submit(root / "course" / "submitted", student, json.dumps(notebook).encode())


def run_autograde(root: Path, *, real_examiner: bool = False, **options: Any) -> None:
    """Runs `nbgrader autograde toy` in this process, with the stand-in examiner unless `real_examiner`."""
    config = Config(PyFileConfigLoader("nbgrader_config.py", path=str(root / "course")).load_config())
    config.CourseDirectory.assignment_id = "toy"
    if not real_examiner:
        config.Examine.grader = "stand_in_examiner.grade"
    config.Autograde.update(options)
    log = logging.Logger("quiet", logging.CRITICAL)
    Autograde(coursedir=CourseDirectory(config=config, log=log), config=config, log=log).start()


@pytest.fixture
def examiner(course: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Installs an examiner that reads the results off the notebook; student → the bytes that it was given."""
    seen: dict[str, bytes] = {}

    def grade(problem_id: str, path: Path, *, student: str, submitted: Path) -> Grading:
        assert (problem_id, path.name) == ("toy", "toy.ipynb")
        seen[student] = path.read_bytes()
        if student == "our_fault":
            raise ZeroDivisionError("a fault of ours")
        wanted = json.loads(seen[student])["metadata"]["verdict"]
        results = {key: (float(score), Status(status), text) for key, (score, status, text) in wanted.items()}
        return make_grading(student, **results)

    module = ModuleType("stand_in_examiner")
    module.__dict__["grade"] = grade
    monkeypatch.setitem(sys.modules, "stand_in_examiner", module)
    return seen


def comment(root: Path, student: str, item: str) -> Any:
    """The automatic comment on an item in the gradebook."""
    with opened(root) as gradebook:
        return gradebook.find_comment(item, "toy", "toy", student).auto_comment


def penalties(root: Path, *students: str) -> list[float | None]:
    """The late penalties in the gradebook."""
    with opened(root) as gradebook:
        rows = [gradebook.find_submission_notebook("toy", "toy", student) for student in students]
        return [row.late_submission_penalty for row in rows]


def scores(root: Path, student: str) -> dict[str, tuple[float | None, bool]]:
    """Grade cell → (automatic score, needs manual grading?)."""
    with opened(root) as gradebook:
        notebook = gradebook.find_submission_notebook("toy", "toy", student)
        return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in notebook.grades}


def set_manual_score(root: Path, student: str, cell: str, points: float, comment: str = "") -> None:
    """Does what the form grader does when a grader enters a manual score."""
    with opened(root) as gradebook:
        grade = gradebook.find_grade(cell, "toy", "toy", student)
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            gradebook.find_comment(cell, "toy", "toy", student).manual_comment = comment
        gradebook.db.commit()


FULL = {
    "test_standardize": (12.0, False),
    "test_Line": (8.0, False),
    "figure_loss": (None, True),
    "written_units": (None, True),
}
NOTHING = {name: (0.0, False) for name in FULL}


def test_autograde_writes_explicit_results(course: Path, examiner: dict[str, bytes]) -> None:
    submitted = submit_for(course, "ada").read_bytes()
    partial = {"standardize": (7.5, "partial", "the gradient is cut"), "Line": (0, "crashed", "the kernel died")}
    submit_for(course, "bob", partial)
    submit_for(course, "untouched", {"written_units": (0, "missing", "")})
    run_autograde(course)
    assert examiner["ada"] == submitted
    assert scores(course, "ada") == FULL
    assert scores(course, "bob") == FULL | {"test_standardize": (7.5, False), "test_Line": (0.0, False)}
    assert scores(course, "untouched") == FULL | {"written_units": (0.0, False)}
    assert comment(course, "bob", "standardize") == "the gradient is cut" and comment(course, "ada", "Line") is None


@pytest.mark.kernel
def test_nbgrader_gives_the_same_totals_with_dropped_and_bonus_items(course: Path) -> None:
    path = course / "course.toml"
    line = 'problems = ["toy", "not_written_yet"]\n'
    more = 'drop = ["toy/written_units"]\nbonus = ["toy/Line", "toy/figure_loss"]\n'
    path.write_text(path.read_text().replace(line, line + more))
    release(root=course)
    submit(course / "course" / "submitted", "ada", solved())
    run_autograde(course, real_examiner=True)
    assert scores(course, "ada") == FULL | {"written_units": (0.0, False)}
    with opened(course) as gradebook:
        found = gradebook.find_submission("toy", "ada")
        assert (found.score, found.max_score, found.needs_manual_grade) == (20.0, 12.0, True)


def test_a_broken_file_costs_only_its_student(course: Path, examiner: dict[str, bytes]) -> None:
    def of_a_newer_schema(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            if "nbgrader" in cell.metadata:
                cell.metadata.nbgrader.schema_version = 99

    def with_a_cell_twice(notebook: NotebookNode) -> None:
        notebook.cells.append(copy.deepcopy(next(cell for cell in notebook.cells if cell.id == "test-Line")))

    submit_for(course, "a_good")
    submit_for(course, "g_schema_99", changes=of_a_newer_schema)
    submit_for(course, "h_twice", changes=with_a_cell_twice)
    run_autograde(course)
    version_3 = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    broken = {
        "b_not_json": b'{"cells": [',
        "c_empty": b"",
        "d_version_3": json.dumps(version_3).encode(),
        "e_not_utf8": "café".encode("latin-1"),
        "f_a_list": b"[1, 2]",
        "j_link": b"",
    }
    paths = {student: submit(course / "course" / "submitted", student, data) for student, data in broken.items()}
    paths["j_link"].unlink()
    paths["j_link"].symlink_to(course / "solutions" / "toy.py")
    run_autograde(course, real_examiner=True)  # new ones only; does not raise: exit status 0
    assert {student: scores(course, student) for student in broken} == dict.fromkeys(broken, NOTHING)
    for student in ("a_good", "g_schema_99", "h_twice"):
        assert scores(course, student) == FULL, student
    assert "it is not JSON" in comment(course, "b_not_json", "Line")
    assert "not a regular file" in comment(course, "j_link", "Line")


def test_a_release_marks_figures_as_graded_by_hand_in_a_gradebook_with_submissions(course: Path) -> None:
    record(course, [make_grading("ada", standardize=(12.0, Status.PASSED, ""))])
    set_manual_score(course, "ada", "figure_loss", 1.5)
    with opened(course) as gradebook:  # as an earlier version left it
        gradebook.update_or_create_grade_cell("figure_loss", "toy", "toy", cell_type="code")
    release(root=course)
    with opened(course) as gradebook:
        kinds = {cell.name: cell.cell_type for cell in gradebook.find_notebook("toy", "toy").grade_cells}
        ada = gradebook.find_submission_notebook("toy", "toy", "ada")
        assert (ada.code_score, ada.written_score, ada.max_written_score) == (20.0, 1.5, 5.0)
        assert not ada.failed_tests, "a figure is no test"
    assert kinds == {
        "test_standardize": "code",
        "test_Line": "code",
        "figure_loss": "markdown",
        "written_units": "markdown",
    }


def test_an_item_that_was_renamed_after_the_release_is_an_error(course: Path) -> None:
    log = with_item(make_log("ada"), "written_units", id="written_scale")
    with pytest.raises(CourseError, match="does not know these items of 'toy': written_scale. .* Release again"):
        record(course, [Grading(log, released())])


def test_other_files_of_a_student_are_neither_copied_nor_followed(course: Path, examiner: dict[str, bytes]) -> None:
    folder = submit_for(course, "ada").parent
    (folder / "secret").symlink_to(course / "solutions" / "toy.py")
    (folder / "folder").symlink_to(course / "solutions", target_is_directory=True)
    (folder / "weights.pt").write_bytes(b"x")
    run_autograde(course)
    assert scores(course, "ada") == FULL
    assert [path.name for path in (course / "course" / "autograded" / "ada" / "toy").iterdir()] == ["toy.ipynb"]


def test_an_error_of_the_examiner_is_reported_and_affects_one_student(course: Path, examiner: dict[str, bytes]) -> None:
    for student in ("a_good", "our_fault", "z_good"):
        submit_for(course, student)
    with pytest.raises(NbGraderException):
        run_autograde(course)
    assert scores(course, "a_good") == scores(course, "z_good") == FULL
    assert all(score is None and needs for score, needs in scores(course, "our_fault").values())


def test_the_autograded_notebook_shows_the_same_scores(course: Path, examiner: dict[str, bytes]) -> None:
    submit_for(course, "bob", {"standardize": (7.5, "partial", "cut <here>"), "Line": (0, "failed", "swapped?")})
    run_autograde(course)
    path = course / "course" / "autograded" / "bob" / "toy" / "toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    shown = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")}
    assert determine_grade(shown["test_standardize"]) == (7.5, 12.0)
    assert determine_grade(shown["test_Line"]) == (0, 8.0)
    assert "cut &lt;here&gt;" in shown["test_standardize"].outputs[0].data["text/html"]
    assert "0 of 8 points: swapped?" in shown["test_Line"].outputs[0].traceback[0]
    assert "BEGIN HIDDEN" not in path.read_text(encoding="utf-8")
    assert "steep" not in path.read_text(encoding="utf-8")


def test_regrading_keeps_manual_scores(course: Path, examiner: dict[str, bytes]) -> None:
    submit_for(course, "ada")
    run_autograde(course)
    set_manual_score(course, "ada", "written_units", 2.5, "well said")
    run_autograde(course, force=True)
    assert manual_points(course, "toy")("ada") == {"written_units": (2.5, "well said")}
    assert scores(course, "ada")["written_units"] == (None, True)  # as in nbgrader: it needs manual grading again


def test_autograde_applies_late_policy_and_extension(course: Path, examiner: dict[str, bytes]) -> None:
    for student in ("ada", "bob"):  # ada has two days more
        submit_for(course, student).with_name("timestamp.txt").write_text("2027-01-19 10:00:00 UTC")
    run_autograde(course)
    assert penalties(course, "ada", "bob") == [None, pytest.approx(20.0 * 0.2)]  # the second day has begun


def test_recording_applies_the_same_late_policy(course: Path) -> None:
    late = datetime(2027, 1, 19, 10, tzinfo=UTC)
    with recording(course) as write:
        for student in ("ada", "bob"):
            write(make_grading(student), late)
        write(make_grading("eve"))
    assert penalties(course, "ada", "bob", "eve") == [None, pytest.approx(20.0 * 0.2), None]
    record(course, [make_grading("bob", Line=(0.0, Status.FAILED, "no"))])  # the submission time stays
    assert penalties(course, "bob") == [pytest.approx(12.0 * 0.2)]


def with_curve(root: Path, curve: str = "toy = { add = 2 }") -> None:
    """Gives the toy course a curve."""
    with (root / "course.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[curve]\n{curve}\n")


def test_both_ways_of_recording_give_the_same_curve_and_late_penalty(course: Path, examiner: dict[str, bytes]) -> None:
    late = datetime(2027, 1, 19, 10, tzinfo=UTC)
    with_curve(course)
    with recording(course) as write:
        write(make_grading("ada"), late)
        write(make_grading("bob"), late)
    ours = penalties(course, "ada", "bob")
    assert ours == [-2.0, pytest.approx(22.0 * 0.2 - 2.0)]  # ada has two days more
    for student in ("ada", "bob"):
        submit_for(course, student).with_name("timestamp.txt").write_text("2027-01-19 10:00:00 UTC")
    run_autograde(course, force=True)
    assert penalties(course, "ada", "bob") == ours


def test_a_new_curve_reaches_a_gradebook_that_has_the_scores(course: Path) -> None:
    record(course, [make_grading("ada")])
    assert penalties(course, "ada") == [None]
    with_curve(course)
    record(course, [replace(make_grading("ada"), is_known=True)])
    assert penalties(course, "ada") == [-2.0]


def test_nbgraders_export_and_feedback_count_curve_and_manual_scores(course: Path) -> None:
    with_curve(course, "toy = { factor = 1.1 }")
    record(course, [make_grading("ada"), make_grading("bob", Line=(0.0, Status.FAILED, "no"))])
    set_manual_score(course, "ada", "written_units", 2.0)
    run(course / "course", "export", "--to", "grades.csv")
    with (course / "course" / "grades.csv").open(encoding="utf-8") as file:
        finals = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert finals == {"ada": pytest.approx(22 * 1.1), "bob": pytest.approx(12 * 1.1)}
    set_manual_score(course, "ada", "written_units", 1.0)
    run(course / "course", "generate_feedback", "toy", "--student", "ada")
    page = (course / "course" / "feedback" / "ada" / "toy" / "toy.html").read_text(encoding="utf-8")
    assert "toy (Score: 23.1 / 25.0)" in page and "Late submission penalty" not in page


def test_the_gradebook_keeps_one_spelling_of_an_id(course: Path) -> None:
    record(course, [make_grading("Ada")])
    set_manual_score(course, "Ada", "written_units", 1.5, "the unit is missing")
    [log] = record(course, [make_grading("ADA")])
    assert log.student == "ADA" and {item.id: item.score for item in log.items}["written_units"] == 1.5
    assert manual_points(course, "toy")("ada")["written_units"] == (1.5, "the unit is missing")
    with opened(course) as gradebook:
        assert [student.id for student in gradebook.students] == ["Ada"]


@pytest.mark.parametrize("planted", [b"yesterday", b"\xff\xfe", b"", b"2027-99-99 10:00:00 UTC", b"9" * 10**6, None])
def test_an_invalid_timestamp_file_is_ignored(course: Path, examiner: dict[str, bytes], planted: bytes | None) -> None:
    for student in ("ada", "bob"):
        timestamp = submit_for(course, student).with_name("timestamp.txt")
        os.mkfifo(timestamp) if planted is None else timestamp.write_bytes(planted)
    run_autograde(course)
    assert scores(course, "ada") == scores(course, "bob") == FULL


def test_record_writes_scores_and_notebooks(course: Path) -> None:
    gradings = [make_grading("ada"), make_grading("bob", Line=(3.0, Status.PARTIAL, "half"))]
    missing = Grading(no_points("eve"), None)
    record(course, [*gradings, missing])
    record(course, [*gradings, missing])
    assert scores(course, "ada") == FULL
    assert scores(course, "bob")["test_Line"] == (3.0, False)
    assert scores(course, "eve") == NOTHING
    notebook = nbformat.read(course / "course" / "autograded" / "ada" / "toy" / "toy.ipynb", as_version=4)
    assert all(c.outputs == [] for c in notebook.cells if c.cell_type == "code" and "test" in c.id)
    assert not (course / "course" / "autograded" / "eve").exists()
    with opened(course) as gradebook:
        assert gradebook.find_submission("toy", "bob").score == 15.0


def test_only_a_new_answer_needs_manual_grading_again(course: Path) -> None:
    record(course, [make_grading("ada")])
    set_manual_score(course, "ada", "written_units", 3.0)
    set_manual_score(course, "ada", "test_Line", 8.0, "")
    record(course, [make_grading("ada", Line=(0.0, Status.FAILED, "no"))])
    assert scores(course, "ada")["written_units"] == (None, False)
    assert scores(course, "ada")["figure_loss"] == (None, True)
    assert manual_points(course, "toy")("ada") == {"written_units": (3.0, ""), "Line": (8.0, "")}
    changed = make_grading("ada")
    assert changed.notebook is not None
    next(c for c in changed.notebook.cells if c.id == "written-units").source = "a new answer"
    for _ in range(2):  # however often it is graded before a grader reads it
        log, *_ = record(course, [changed])
        assert scores(course, "ada")["written_units"] == (None, True)
        assert manual_points(course, "toy")("ada")["written_units"] == (3.0, "")
        written = log.item("written_units")
        assert written.stale and written.graded_by_hand
        assert (written.score, written.status, written.message) == (3.0, Status.MANUAL, STALE)
    set_manual_score(course, "ada", "written_units", 2.0)
    log, *_ = record(course, [changed])
    assert (log.item("written_units").score, log.item("written_units").status) == (2.0, Status.PARTIAL)


def test_the_log_has_manual_scores_and_comments(course: Path) -> None:
    first, *_ = record(course, [make_grading("ada")])
    assert first == make_log("ada")
    set_manual_score(course, "ada", "written_units", 1.5, "the unit is missing")
    set_manual_score(course, "ada", "figure_loss", 0.0)
    log, *_ = record(course, [make_grading("ada", Line=(0.0, Status.FAILED, "swapped"))])
    written, figure = log.item("written_units"), log.item("figure_loss")
    assert (written.score, written.status, written.message) == (1.5, Status.PARTIAL, "the unit is missing")
    assert (figure.score, figure.status) == (0.0, Status.FAILED)
    assert (log.score, log.auto_score, log.max_score) == (13.5, 12.0, 25.0)
    given = {"Line": (None, "look at the sign"), "standardize": (12.5, "")}
    overruled = database.with_manual_points(log, given)
    assert overruled.item("Line").message == "A grader wrote: look at the sign\nswapped"
    assert (overruled.item("standardize").score, overruled.item("standardize").status) == (12.5, Status.PASSED)
    overruled = database.with_manual_points(log, {"Line": (4.0, "half"), "standardize": (None, "neat")})
    assert overruled.item("Line").message == "Graded by hand. half\nswapped"
    assert overruled.item("standardize").message == "A grader wrote: neat"
    for item in (written, figure, *overruled.items):
        assert ItemResult.from_json(item.as_json()) == item, "the log has all of it"
    assert (overruled.item("Line").verdict, overruled.item("Line").comment) == ("swapped", "half")


@pytest.mark.kernel
def test_the_batch_fills_the_gradebook_and_keeps_manual_scores(
    course: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch)
    submitted = course / "course" / "submitted"

    def grade(out: Path) -> list[float]:
        return [one.log.score for one in grade_folder("toy", submitted, out, root=course)]

    out = tmp_path / "out"
    for student, data in {"ada": solved(), "bob": b"{"}.items():  # ada has two days more
        submit(submitted, student, data).with_name("timestamp.txt").write_text("2027-01-19 10:00:00 UTC")
    grade(out)
    assert (scores(course, "ada"), scores(course, "bob")) == (FULL, NOTHING)
    set_manual_score(course, "ada", "written_units", 2.0, "and metres?")
    assert grade(out) == [22.0, 0.0]
    log = json.loads((out / "ada" / "toy" / "submission_log.json").read_text(encoding="utf-8"))
    assert log["grades"]["score"] == 22.0
    page = (out / "ada" / "toy" / "feedback.html").read_text(encoding="utf-8")
    assert "Comment from your teaching assistant:</strong> and metres?" in page and "deducted" not in page
    page = (out / "bob" / "toy" / "feedback.html").read_text(encoding="utf-8")
    assert "Submitted 2 days late" in page and "20 % of the points are deducted" in page
    assert "ada,toy,22,25,graded" in (out / "grades.csv").read_text(encoding="utf-8")
    assert not caplog.records
    extended = (course / "course.toml").read_text(encoding="utf-8").replace("days = 2", "days = 3")
    (course / "course.toml").write_text(extended, encoding="utf-8")
    grade(out)
    with opened(course) as gradebook:
        assert gradebook.find_submission("toy", "ada").extension == timedelta(days=3)
    gradebook_path(course).write_bytes(b"damaged" * 1000)
    assert grade(tmp_path / "out2") == [20.0, 0.0]
    assert "2 of 2 results are not in the gradebook" in caplog.text and "it seems damaged" in caplog.text


def test_a_student_name_that_is_markup_is_not_recorded(
    course: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch)
    submitted, name = course / "course" / "submitted", '<b onclick="x">'
    for student in (name, "bob"):
        submit(submitted, student)
    assert len(grade_folder("toy", submitted, tmp_path / "out", root=course)) == 2
    assert (tmp_path / "out" / name / "toy" / "feedback.html").is_file()
    with opened(course) as gradebook:
        assert [student.id for student in gradebook.students] == ["bob"]
    assert name in caplog.text and "autograder intake" in caplog.text and "results are not" not in caplog.text


def test_a_missing_or_invalid_result_scores_zero(course: Path) -> None:
    log = make_log("ada", standardize=(float("nan"), Status.PASSED, ""), Line=(99.0, Status.PASSED, ""))
    log = replace(log, items=tuple(item for item in log.items if item.id != "figure_loss"))
    record(course, [Grading(log, None)])
    assert scores(course, "ada") == FULL | {"test_standardize": (0.0, False), "figure_loss": (0.0, False)}


def test_manual_points_without_gradebook_or_submission(course: Path, tmp_path: Path) -> None:
    assert manual_points(tmp_path / "elsewhere", "toy")("ada") == {}
    assert manual_points(course, "toy")("unknown") == {}
    record(course, [make_grading("ada")])
    assert manual_points(course, "toy")("ada") == {}
    with opened(course) as gradebook:
        gradebook.find_comment("Line", "toy", "toy", "ada").manual_comment = "nice"
        gradebook.find_grade("written_units", "toy", "toy", "ada").extra_credit = 0.5
        gradebook.db.commit()
    assert manual_points(course, "toy")("ada") == {"Line": (None, "nice"), "written_units": (0.5, "")}


def test_an_unusable_gradebook_is_an_error_that_says_what_to_do(course: Path) -> None:
    gradebook_path(course).write_bytes(b"this is no database, however long the file may be" * 100)
    with pytest.raises(CourseError, match="it seems damaged: move it away, restore a backup"):
        record(course, [make_grading("ada")])
    with pytest.raises(CourseError, match="cannot be used"):
        manual_points(course, "toy")("ada")
    gradebook_path(course).unlink()
    with pytest.raises(CourseError, match="no gradebook .*run `autograder release` first"):
        record(course, [make_grading("ada")])
    create_gradebook(course)
    with pytest.raises(CourseError, match="does not know 'toy'; run `autograder release toy`"):
        record(course, [make_grading("ada")])


def test_a_locked_gradebook_loses_no_result(course: Path) -> None:
    record(course, [make_grading("ada")])
    with contextlib.closing(sqlite3.connect(gradebook_path(course))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CourseError, match="another program is writing to it"):
            record(course, [make_grading("bob")], wait_seconds=0.1)
    assert scores(course, "ada") == FULL
    record(course, [make_grading("bob")])
    assert scores(course, "bob") == FULL


@pytest.mark.parametrize("student", ["", "..", "../ada", "a/b"])
def test_an_invalid_student_name_writes_no_file(course: Path, student: str) -> None:
    with pytest.raises(CourseError, match="is not a valid name of a student folder"):
        record(course, [make_grading(student)])
    assert not (course / "course" / "autograded").exists()


def test_a_new_gradebook_needs_no_command_of_alembic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "course.toml").write_text((ROOT / "course.toml").read_text())
    create_gradebook(tmp_path)
    create_gradebook(tmp_path)
    with Gradebook(f"sqlite:///{gradebook_path(tmp_path)}") as gradebook:
        assert gradebook.assignments == []


@pytest.mark.parametrize(("score", "kept"), [(3, 3.0), (-1, 0.0), (99, 8.0), (float("nan"), 0.0), (float("inf"), 0.0)])
def test_scores_are_clamped(score: float, kept: float) -> None:
    assert clamped(score, 8) == kept


@pytest.mark.parametrize(("score", "said"), [(8.0, 8.0), (2.5, 2.5), (0.0, 0.0), (1e-9, 1e-9)])
def test_each_score_is_the_same_in_nbgrader(score: float, said: float) -> None:
    shown = database.show_verdicts(released(), with_item(no_points("ada"), "Line", score=score))
    cell = next(c for c in shown.cells if c.id == "test-Line")
    assert determine_grade(cell) == (said, 8.0)
    nbformat.validate(shown)
