"""Plain `nbgrader autograde` gives our scores; the gradebook keeps what people gave; broken input stops nobody else."""

from __future__ import annotations

import copy
import json
import logging
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator
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
from autograder.core.notebook_io import notebook_text
from autograder.core.results import STALE, GradedLog, ItemResult, Outcome, Status, clamped
from autograder.course.problem import load_problem
from autograder.gradebook.database import (
    Recordable,
    create_gradebook,
    gradebook_path,
    manual_points,
    opened,
    recording,
    show_verdicts,
    with_manual_points,
)
from autograder.grading.failed import failed_grading
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission

FIXTURE = Path(__file__).parents[1] / "fixture_course"

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader builds rows before adding them


@dataclass(frozen=True)
class Grading:
    """What the examiner hands over."""

    log: GradedLog
    notebook: NotebookNode | None
    is_known: bool = False
    trouble: str = ""


def no_points(root: Path, student: str, reason: str) -> GradedLog:
    """The log of a submission that could not be graded."""
    return failed_grading(load_problem("toy", root), Submission(student), reason).log


def make_log(root: Path, student: str, **results: tuple[float, Status, str]) -> GradedLog:
    """A log of the toy problem; items that are not named have full points or wait for a person."""
    items = []
    for item in load_problem("toy", root).items:
        manual = item.kind != "code"
        default = (0.0, Status.MANUAL, "") if manual else (item.points, Status.PASSED, "")
        score, status, message = results.get(item.id, default)
        items.append(ItemResult(item.id, score, item.points, status, message, manual=manual))
    return replace(no_points(root, student, ""), outcome=Outcome.GRADED, items=tuple(items), flags=())


def record(root: Path, gradings: Iterable[Recordable], wait_seconds: float = 20.0) -> list[GradedLog]:
    """Records some gradings; the logs with what people gave."""
    with recording(root, wait_seconds) as write:
        return [write(grading) for grading in gradings]


def make_grading(root: Path, student: str, **results: tuple[float, Status, str]) -> Grading:
    """A grading whose notebook is the release with some printing left in the test cells."""
    notebook = released_notebook(load_problem("toy", root))
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="a progress bar")]
    return Grading(make_log(root, student, **results), notebook)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy course that was released once."""
    root = tmp_path_factory.mktemp("nbgrader") / "root"
    shutil.copytree(FIXTURE, root)
    release(root=root)
    return root


@pytest.fixture
def course(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the released toy course that a test may change."""
    root = Path(shutil.copytree(first, tmp_path / "root"))
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    return root


def submit(root: Path, student: str, data: bytes) -> Path:
    """Puts a submitted file in place."""
    path = root / "course" / "submitted" / student / "toy" / "toy.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def run_autograde(root: Path, *, real_examiner: bool = False, **options: Any) -> None:
    """Does what `nbgrader autograde toy` does, configured as the course is; mostly with a stand-in for the examiner."""
    config = Config(PyFileConfigLoader("nbgrader_config.py", path=str(root / "course")).load_config())
    config.CourseDirectory.assignment_id = "toy"
    if not real_examiner:
        config.Examine.grader = "stand_in_examiner.grade"
    for name, value in options.items():
        config.Autograde[name] = value
    log = logging.Logger("quiet", logging.CRITICAL)
    Autograde(coursedir=CourseDirectory(config=config, log=log), config=config, log=log).start()


@pytest.fixture
def examiner(course: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A stand-in for the examiner that reads the verdict off the file; yields what it was given."""
    seen: dict[str, bytes] = {}

    def grade(problem_id: str, path: Path, *, student: str, submitted: Path) -> Grading:
        assert (problem_id, path.name) == ("toy", "toy.ipynb")
        seen[student] = path.read_bytes()
        if student == "our_fault":
            raise ZeroDivisionError("a fault of ours")
        wanted = json.loads(seen[student])["metadata"]["verdict"]
        results = {key: (float(score), Status(status), text) for key, (score, status, text) in wanted.items()}
        return make_grading(course, student, **results)

    module = ModuleType("stand_in_examiner")
    module.__dict__["grade"] = grade
    monkeypatch.setitem(sys.modules, "stand_in_examiner", module)
    yield seen


def notebook_with(root: Path, verdict: Any) -> NotebookNode:
    """A notebook that tells the stand-in which verdict to give."""
    notebook = released_notebook(load_problem("toy", root))
    notebook.metadata["verdict"] = verdict
    return notebook


def scores(root: Path, student: str) -> dict[str, tuple[float | None, bool]]:
    """Grade cell → (automatic score, needs a person?)."""
    with opened(root) as gradebook:
        notebook = gradebook.find_submission_notebook("toy", "toy", student)
        return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in notebook.grades}


def give(root: Path, student: str, cell: str, points: float, comment: str = "") -> None:
    """Does what the form grader does when a person gives points."""
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
    partial = {"standardize": (7.5, "partial", "the gradient is cut"), "Line": (0, "crashed", "the kernel died")}
    data = json.dumps(notebook_with(course, {})).encode()
    submit(course, "ada", data)
    submit(course, "bob", notebook_text(notebook_with(course, partial)).encode())
    submit(course, "untouched", notebook_text(notebook_with(course, {"written_units": (0, "missing", "")})).encode())
    run_autograde(course)
    assert examiner["ada"] == data
    assert scores(course, "ada") == FULL
    assert scores(course, "bob") == FULL | {"test_standardize": (7.5, False), "test_Line": (0.0, False)}
    assert scores(course, "untouched") == FULL | {"written_units": (0.0, False)}
    with opened(course) as gradebook:
        assert gradebook.find_comment("standardize", "toy", "toy", "bob").auto_comment == "the gradient is cut"
        assert gradebook.find_comment("Line", "toy", "toy", "ada").auto_comment is None


def test_broken_files_cost_their_student_only(course: Path, examiner: dict[str, bytes]) -> None:
    newer = notebook_with(course, {})
    for cell in newer.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.schema_version = 99
    twice = notebook_with(course, {})
    twice.cells.append(copy.deepcopy(next(cell for cell in twice.cells if cell.id == "test-Line")))
    for student, notebook in {"a_good": notebook_with(course, {}), "g_schema_99": newer, "h_twice": twice}.items():
        submit(course, student, json.dumps(notebook).encode())
    run_autograde(course)
    version_3 = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    broken = {
        "b_not_json": b'{"cells": [',
        "c_empty": b"",
        "d_version_3": json.dumps(version_3).encode(),
        "e_not_utf8": "café".encode("latin-1"),
        "f_a_list": b"[1, 2]",
    }
    for student, data in broken.items():
        submit(course, student, data)
    link = submit(course, "j_link", b"")
    link.unlink()
    link.symlink_to(course / "solutions" / "toy.py")

    run_autograde(course, real_examiner=True)  # new ones only; does not raise: exit status 0

    for student in (*broken, "j_link"):
        assert scores(course, student) == NOTHING, student
    for student in ("a_good", "g_schema_99", "h_twice"):
        assert scores(course, student) == FULL, student
    with opened(course) as gradebook:
        assert "it is not JSON" in gradebook.find_comment("Line", "toy", "toy", "b_not_json").auto_comment
        assert "not a regular file" in gradebook.find_comment("Line", "toy", "toy", "j_link").auto_comment


def test_an_item_that_was_renamed_after_the_release_is_said_not_lost(course: Path) -> None:
    grading = make_grading(course, "ada")
    items = tuple(replace(item, id=item.id.replace("units", "scale")) for item in grading.log.items)
    with pytest.raises(CourseError, match="does not know these items of 'toy': written_scale. .* Release again"):
        record(course, [replace(grading, log=replace(grading.log, items=items))])


def test_other_files_of_a_student_are_neither_copied_nor_followed(course: Path, examiner: dict[str, bytes]) -> None:
    folder = submit(course, "ada", json.dumps(notebook_with(course, {})).encode()).parent
    (folder / "secret").symlink_to(course / "solutions" / "toy.py")
    (folder / "folder").symlink_to(course / "solutions", target_is_directory=True)
    (folder / "weights.pt").write_bytes(b"x")
    run_autograde(course)
    assert scores(course, "ada") == FULL
    assert [path.name for path in (course / "course" / "autograded" / "ada" / "toy").iterdir()] == ["toy.ipynb"]


def test_a_fault_of_ours_is_not_hidden_and_stops_nobody_else(course: Path, examiner: dict[str, bytes]) -> None:
    for student in ("a_good", "our_fault", "z_good"):
        submit(course, student, json.dumps(notebook_with(course, {})).encode())
    with pytest.raises(NbGraderException):
        run_autograde(course)
    assert scores(course, "a_good") == scores(course, "z_good") == FULL
    assert all(score is None and needs for score, needs in scores(course, "our_fault").values())


def test_what_nbgrader_shows_scores_the_same(course: Path, examiner: dict[str, bytes]) -> None:
    verdict = {"standardize": (7.5, "partial", "cut <here>"), "Line": (0, "failed", "swapped?")}
    submit(course, "bob", json.dumps(notebook_with(course, verdict)).encode())
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


def test_regrading_keeps_what_a_person_gave(course: Path, examiner: dict[str, bytes]) -> None:
    submit(course, "ada", json.dumps(notebook_with(course, {})).encode())
    run_autograde(course)
    give(course, "ada", "written_units", 2.5, "well said")
    run_autograde(course, force=True)
    assert manual_points(course, "toy", "ada") == {"written_units": (2.5, "well said")}
    assert scores(course, "ada")["written_units"] == (None, True)  # as in nbgrader: a person looks again


def test_late_policy_and_extension(course: Path, examiner: dict[str, bytes]) -> None:
    for student in ("ada", "bob"):  # ada has two days more
        path = submit(course, student, json.dumps(notebook_with(course, {})).encode())
        (path.parent / "timestamp.txt").write_text("2027-01-19 10:00:00 UTC")
    run_autograde(course)
    with opened(course) as gradebook:
        penalties = {
            student: gradebook.find_submission_notebook("toy", "toy", student).late_submission_penalty
            for student in ("ada", "bob")
        }
    assert penalties == {"ada": None, "bob": pytest.approx(20.0 * 0.2)}  # the second day has begun


def test_recording_takes_away_the_same_for_a_late_hand_in(course: Path) -> None:
    late = datetime(2027, 1, 19, 10, tzinfo=UTC)
    with recording(course) as write:
        for student in ("ada", "bob"):
            write(make_grading(course, student), late)
        write(make_grading(course, "eve"))

    def penalties() -> list[float | None]:
        with opened(course) as gradebook:
            rows = [gradebook.find_submission_notebook("toy", "toy", student) for student in ("ada", "bob", "eve")]
            return [row.late_submission_penalty for row in rows]

    assert penalties() == [None, pytest.approx(20.0 * 0.2), None]
    record(course, [make_grading(course, "bob", Line=(0.0, Status.FAILED, "no"))])  # the hand-in time stays
    assert penalties()[1] == pytest.approx(12.0 * 0.2)


@pytest.mark.parametrize("planted", [b"yesterday", b"\xff\xfe", b"", b"2027-99-99 10:00:00 UTC", b"9" * 10**6, None])
def test_a_planted_hand_in_time_stops_nobody(course: Path, examiner: dict[str, bytes], planted: bytes | None) -> None:
    for student in ("ada", "bob"):
        folder = submit(course, student, json.dumps(notebook_with(course, {})).encode()).parent
        if planted is None:
            os.mkfifo(folder / "timestamp.txt")
        else:
            (folder / "timestamp.txt").write_bytes(planted)
    run_autograde(course)
    assert scores(course, "ada") == scores(course, "bob") == FULL


def test_record_writes_scores_and_notebooks(course: Path) -> None:
    gradings = [make_grading(course, "ada"), make_grading(course, "bob", Line=(3.0, Status.PARTIAL, "half"))]
    missing = Grading(no_points(course, "eve", "No notebook was handed in."), None)
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


def test_record_keeps_manual_points_and_asks_again_only_for_new_answers(course: Path) -> None:
    record(course, [make_grading(course, "ada")])
    give(course, "ada", "written_units", 3.0)
    give(course, "ada", "test_Line", 8.0, "")
    record(course, [make_grading(course, "ada", Line=(0.0, Status.FAILED, "no"))])
    assert scores(course, "ada")["written_units"] == (None, False)
    assert scores(course, "ada")["figure_loss"] == (None, True)
    assert manual_points(course, "toy", "ada") == {"written_units": (3.0, ""), "Line": (8.0, "")}
    changed = make_grading(course, "ada")
    assert changed.notebook is not None
    next(c for c in changed.notebook.cells if c.id == "written-units").source = "a new answer"
    for _ in range(2):  # however often it is graded before somebody reads it
        log, *_ = record(course, [changed])
        assert scores(course, "ada")["written_units"] == (None, True)
        assert manual_points(course, "toy", "ada")["written_units"] == (3.0, "")
        written = log.item("written_units")
        assert written.stale and written.graded_by_hand
        assert (written.score, written.status, written.message) == (3.0, Status.MANUAL, STALE)
    give(course, "ada", "written_units", 2.0)
    log, *_ = record(course, [changed])
    assert (log.item("written_units").score, log.item("written_units").status) == (2.0, Status.PARTIAL)


def test_what_people_gave_stands_in_the_log(course: Path) -> None:
    first, *_ = record(course, [make_grading(course, "ada")])
    assert first == make_log(course, "ada")
    give(course, "ada", "written_units", 1.5, "the unit is missing")
    give(course, "ada", "figure_loss", 0.0)
    log, *_ = record(course, [make_grading(course, "ada", Line=(0.0, Status.FAILED, "swapped"))])
    written, figure = log.item("written_units"), log.item("figure_loss")
    assert (written.score, written.status, written.message) == (1.5, Status.PARTIAL, "the unit is missing")
    assert (figure.score, figure.status) == (0.0, Status.FAILED)
    assert (log.score, log.auto_score, log.max_score) == (13.5, 12.0, 25.0)
    given = {"Line": (None, "look at the sign"), "standardize": (12.5, "")}
    overruled = with_manual_points(log, given)
    assert overruled.item("Line").message == "A grader wrote: look at the sign\nswapped"
    assert (overruled.item("standardize").score, overruled.item("standardize").status) == (12.5, Status.PASSED)
    overruled = with_manual_points(log, {"Line": (4.0, "half"), "standardize": (None, "neat")})
    assert overruled.item("Line").message == "Graded by hand. half\nswapped"
    assert overruled.item("standardize").message == "A grader wrote: neat"
    for item in (written, figure, *overruled.items):
        assert ItemResult.from_json(item.as_json()) == item, "all of it stands in the log"
    assert (overruled.item("Line").verdict, overruled.item("Line").comment) == ("swapped", "half")


@pytest.mark.kernel
def test_the_batch_fills_the_gradebook_and_keeps_what_people_gave(
    course: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers = solution_answers(load_problem("toy", course))
    handed_in = course / "course" / "submitted"
    submit(course, "ada", notebook_text(fill_in(released_notebook(load_problem("toy", course)), answers)).encode())
    submit(course, "bob", b"{")
    for student in ("ada", "bob"):  # ada has two days more
        (handed_in / student / "toy" / "timestamp.txt").write_text("2027-01-19 10:00:00 UTC")
    grade_folder("toy", handed_in, tmp_path / "out", workers=1, root=course)
    assert scores(course, "ada") == FULL
    assert scores(course, "bob") == NOTHING
    give(course, "ada", "written_units", 2.0, "and metres?")
    graded = grade_folder("toy", handed_in, tmp_path / "out", workers=1, root=course)
    assert [one.log.score for one in graded] == [22.0, 0.0]
    folder = tmp_path / "out" / "ada" / "toy"
    assert json.loads((folder / "submission_log.json").read_text(encoding="utf-8"))["grades"]["score"] == 22.0
    page = (folder / "feedback.html").read_text(encoding="utf-8")
    assert "Comment from your teaching assistant:</strong> and metres?" in page and "deducted" not in page
    page = (tmp_path / "out" / "bob" / "toy" / "feedback.html").read_text(encoding="utf-8")
    assert "Submitted 2 days late" in page and "20 % of the points are deducted" in page
    assert "ada,toy,22,25,graded" in (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8")
    assert not caplog.records
    extended = (course / "course.toml").read_text(encoding="utf-8").replace("days = 2", "days = 3")
    (course / "course.toml").write_text(extended, encoding="utf-8")
    grade_folder("toy", handed_in, tmp_path / "out", workers=1, root=course)
    with opened(course) as gradebook:
        assert gradebook.find_submission("toy", "ada").extension == timedelta(days=3)
    gradebook_path(course).write_bytes(b"damaged" * 1000)
    graded = grade_folder("toy", handed_in, tmp_path / "out2", workers=1, root=course)
    assert [one.log.score for one in graded] == [20.0, 0.0]
    assert "2 of 2 results are not in the gradebook" in caplog.text and "it seems damaged" in caplog.text


def test_a_name_that_is_markup_stays_out_of_the_gradebook(
    course: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handed_in, name = course / "course" / "submitted", '<b onclick="x">'
    for student in (name, "bob"):
        submit(course, student, b"{")
    assert len(grade_folder("toy", handed_in, tmp_path / "out", workers=1, root=course)) == 2
    assert (tmp_path / "out" / name / "toy" / "feedback.html").is_file()
    with opened(course) as gradebook:
        assert [student.id for student in gradebook.students] == ["bob"]
    assert name in caplog.text and "autograder intake" in caplog.text and "results are not" not in caplog.text


def test_a_missing_verdict_is_zero(course: Path) -> None:
    log = make_log(course, "ada", standardize=(float("nan"), Status.PASSED, ""), Line=(99.0, Status.PASSED, ""))
    log = replace(log, items=tuple(item for item in log.items if item.id != "figure_loss"))
    record(course, [Grading(log, None)])
    assert scores(course, "ada") == FULL | {"test_standardize": (0.0, False), "figure_loss": (0.0, False)}


def test_manual_points_without_gradebook_or_submission(course: Path, tmp_path: Path) -> None:
    assert manual_points(tmp_path / "elsewhere", "toy", "ada") == {}
    assert manual_points(course, "toy", "nobody") == {}
    record(course, [make_grading(course, "ada")])
    assert manual_points(course, "toy", "ada") == {}
    with opened(course) as gradebook:
        gradebook.find_comment("Line", "toy", "toy", "ada").manual_comment = "nice"
        gradebook.find_grade("written_units", "toy", "toy", "ada").extra_credit = 0.5
        gradebook.db.commit()
    assert manual_points(course, "toy", "ada") == {"Line": (None, "nice"), "written_units": (0.5, "")}


def test_a_missing_gradebook(course: Path) -> None:
    gradebook_path(course).unlink()
    with pytest.raises(CourseError, match="no gradebook .*run `autograder release` first"):
        record(course, [make_grading(course, "ada")])


def test_a_damaged_gradebook(course: Path) -> None:
    gradebook_path(course).write_bytes(b"this is no database, however long the file may be" * 100)
    with pytest.raises(CourseError, match="it seems damaged: move it away, restore a backup"):
        record(course, [make_grading(course, "ada")])
    with pytest.raises(CourseError, match="cannot be used"):
        manual_points(course, "toy", "ada")


def test_a_locked_gradebook_loses_nothing(course: Path) -> None:
    record(course, [make_grading(course, "ada")])
    other = sqlite3.connect(gradebook_path(course))
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CourseError, match="another program is writing to it"):
            record(course, [make_grading(course, "bob")], wait_seconds=0.1)
    finally:
        other.rollback()
        other.close()
    assert scores(course, "ada") == FULL
    record(course, [make_grading(course, "bob")])
    assert scores(course, "bob") == FULL


def test_a_problem_that_was_not_released(course: Path) -> None:
    gradebook_path(course).unlink()
    create_gradebook(course)
    with pytest.raises(CourseError, match="does not know 'toy'; run `autograder release toy`"):
        record(course, [make_grading(course, "ada")])


@pytest.mark.parametrize("student", ["", "..", "../ada", "a/b"])
def test_odd_student_names_write_nowhere(course: Path, student: str) -> None:
    with pytest.raises(CourseError, match="is not a valid name of a student folder"):
        record(course, [make_grading(course, student)])
    assert not (course / "course" / "autograded").exists()


def test_a_new_gradebook_needs_no_command_of_alembic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "course.toml").write_text((FIXTURE / "course.toml").read_text())
    create_gradebook(tmp_path)
    create_gradebook(tmp_path)
    with Gradebook(f"sqlite:///{gradebook_path(tmp_path)}") as gradebook:
        assert gradebook.assignments == []


@pytest.mark.parametrize(("score", "kept"), [(3, 3.0), (-1, 0.0), (99, 8.0), (float("nan"), 0.0), (float("inf"), 0.0)])
def test_scores_are_clamped(score: float, kept: float) -> None:
    assert clamped(score, 8) == kept


@pytest.mark.parametrize(("score", "said"), [(8.0, 8.0), (2.5, 2.5), (0.0, 0.0), (1e-9, 1e-9)])
def test_every_verdict_scores_the_same_in_nbgrader(score: float, said: float) -> None:
    problem = load_problem("toy", FIXTURE)
    log = no_points(FIXTURE, "ada", "no")
    items = tuple(replace(item, score=score) if item.id == "Line" else item for item in log.items)
    shown = show_verdicts(released_notebook(problem), replace(log, items=items))
    cell = next(c for c in shown.cells if c.id == "test-Line")
    assert determine_grade(cell) == (said, 8.0)
    nbformat.validate(shown)
