"""Exports of a real gradebook, end to end; once through the command `nbgrader export`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import CourseError, ExportError
from autograder.core.notebook_io import graded_text
from autograder.core.results import Grading, Status
from autograder.core.rubric_lines import RubricLine, written
from autograder.course.config import load_course
from autograder.export.assignments import chosen, total
from autograder.export.comments import COMMENTS
from autograder.export.export import Request, export
from autograder.export.grades import Grades, Score, read_grades
from autograder.export.options import Form, Per, Unfinished
from autograder.export.result import UNMATCHED
from autograder.gradebook.database import gradebook_path, opened, recording
from tests.autograder.graded_folder import csv_rows, log_of, with_item
from tests.autograder.toy import ROOT, released, toy

EVIL = '=cmd("x",1)'

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader builds rows before adding them


def _graded(student: str, **points: float) -> Grading:
    """A grading in which named items have these points and other code items full points."""
    log = log_of(student)
    for item, number in points.items():
        log = with_item(log, item, score=number, status=Status.PARTIAL)
    return Grading(log, graded_text(released()))


def set_manual_scores(root: Path, student: str, **points: float) -> None:
    """Does what the form grader does for manual scores; `_extra` is extra credit for the written item."""
    with opened(root) as gradebook:
        for item, number in points.items():
            grade = gradebook.find_grade("written_units" if item == "_extra" else item, "toy", "toy", student)
            if item == "_extra":
                grade.extra_credit = number
            else:
                grade.manual_score, grade.needs_manual_grade = number, False
        gradebook.db.commit()


IN_TIME = datetime(2027, 1, 17, 22, 0, tzinfo=UTC)  # due 22:59 in UTC
TWO_DAYS_LATE = datetime(2027, 1, 19, 10, 0, tzinfo=UTC)
FOREVER_LATE = datetime(2027, 2, 17, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, released_course: Path) -> Path:
    """A course whose gradebook has a small class; the toy problem has 25 points, 5 of them for manual grading."""
    root = Path(shutil.copytree(released_course, tmp_path_factory.mktemp("export") / "root"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with recording(root) as write:
            write(_graded("ada", standardize=7.5), TWO_DAYS_LATE)  # has two days more
            write(_graded("007"), TWO_DAYS_LATE)
            write(_graded("bob"), IN_TIME)
            write(_graded("eve", standardize=1.0, Line=0.0), FOREVER_LATE)
            write(_graded(EVIL), IN_TIME)
        for student in ("ada", "007", "eve", EVIL):
            set_manual_scores(root, student, written_units=2.0, figure_loss=1.0)
        set_manual_scores(root, "ada", _extra=0.25, test_standardize=8.0)
        with opened(root) as gradebook:
            gradebook.add_student("zoe", email="Zoe@uni.edu")
    return root


@pytest.fixture
def course(graded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The graded course, as the one of the command line; no test changes it."""
    monkeypatch.setenv("AUTOGRADER_ROOT", str(graded))
    return graded


@pytest.fixture
def grades(graded: Path) -> Grades:
    """The grades of its gradebook."""
    with opened(graded) as gradebook:
        return read_grades(gradebook, load_course(graded))


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    """A Canvas gradebook."""
    path = tmp_path / "canvas.csv"
    path.write_bytes(CANVAS.encode())
    return path


def by_student(path: Path) -> Mapping[str, dict[str, str]]:
    """The rows of a CSV file by student; checks that each student has one row."""
    rows = csv_rows(path)
    found = {row["student"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_manual_scores_and_extra_credit_count(grades: Grades) -> None:
    ada = grades.scores["ada", "toy"]
    assert dict(ada.points) == {"standardize": 8.0, "Line": 8.0, "figure_loss": 1.0, "written_units": 2.25}
    assert (ada.score, ada.max_score, ada.waiting) == (19.25, 25.0, ())
    assert (ada.seconds_late, ada.penalty, ada.final) == (0.0, 0.0, 19.25)  # her extension counts
    assert [item for item, _ in ada.points] == [item.id for item in toy().items]
    assert grades.items["toy"] == (("standardize", 12.0), ("Line", 8.0), ("figure_loss", 2.0), ("written_units", 3.0))


def test_the_late_penalty_is_computed_from_the_present_points(course: Path, grades: Grades) -> None:
    late = grades.scores["007", "toy"]
    assert late.score == 23.0
    assert late.penalty == pytest.approx(4.6)  # two started days, 10 % each
    assert late.final == pytest.approx(18.4)
    with opened(course) as gradebook:
        kept = gradebook.find_submission_notebook("toy", "toy", "007").late_submission_penalty
    assert kept == pytest.approx(4.0)  # of the 20 points before manual grading
    too_late = grades.scores["eve", "toy"]
    assert (too_late.score, too_late.penalty, too_late.final) == (4.0, 4.0, 0.0)


def test_no_score_is_negative() -> None:
    score = Score("ada", "toy", (("a", -3.0), ("b", 1.0)), 4.0, (), None, 0.0, 5.0)
    assert (score.score, score.final) == (0.0, 0.0)
    assert Score("ada", "toy", (("a", 3.0),), 4.0, (), None, 0.0, 5.0).final == 0.0


def test_items_that_need_manual_grading_are_listed(grades: Grades) -> None:
    assert grades.scores["bob", "toy"].waiting == ("figure_loss", "written_units")
    (homework,) = chosen(load_course(ROOT), grades, (), Per.HOMEWORK)
    assert (homework.id, homework.problems, homework.not_released) == ("1", ("toy",), ("not_written_yet",))
    bob = total(grades, homework, "bob")
    assert bob is not None and bob.waiting == ("toy/figure_loss", "toy/written_units")
    assert total(grades, homework, "zoe") is None


def test_an_unknown_assignment_is_an_error(grades: Grades) -> None:
    course = load_course(ROOT)
    assert chosen(course, grades, ["toy"], Per.HOMEWORK)[0].problems == ("toy",)
    with pytest.raises(ExportError, match=r"'toi' is neither .* .did you mean 'toy'\?"):
        chosen(course, grades, ["toi"], Per.HOMEWORK)
    with pytest.raises(ExportError, match="does not have 'not_written_yet'; run `autograder release"):
        chosen(course, grades, ["not_written_yet"], Per.PROBLEM)
    with pytest.raises(ExportError, match="no submission to export"):
        chosen(course, Grades((), grades.items, {}), (), Per.PROBLEM)


def test_the_plain_export_has_all_columns_and_is_reproducible(course: Path, tmp_path: Path) -> None:
    to = tmp_path / "grades.csv"
    done = export(Request(Form.PLAIN, to), course)
    rows = by_student(to)
    assert list(rows) == ["007", f"'{EVIL}", "ada", "bob", "eve", "zoe"]  # leading zeros stay, formulas are quoted
    assert rows["007"] == {
        "student": "007",
        "problem": "toy",
        "score": "23",
        "max_score": "25",
        "curve": "0",
        "late_penalty": "4.6",
        "final": "18.4",
        "manual_grading": "done",
        "handed_in": "2027-01-19T11:00:00+0100",
        "late": "35:01:00",
    }
    assert (rows["ada"]["final"], rows["ada"]["late"]) == ("19.25", "00:00:00")
    assert (rows["bob"]["score"], rows["bob"]["final"]) == ("20", "")
    assert rows["bob"]["manual_grading"] == "waiting: figure_loss written_units"
    assert (rows["zoe"]["final"], rows["zoe"]["manual_grading"]) == ("0", "nothing handed in")
    assert [one.student for one in done.exported.left_out] == ["bob"] and not done.complete
    before = to.read_bytes()
    export(Request(Form.PLAIN, to), course)
    assert to.read_bytes() == before


def test_unfinished_grades_are_exported_only_on_request(course: Path, tmp_path: Path) -> None:
    to = tmp_path / "grades.csv"
    done = export(Request(Form.PLAIN, to, unfinished=Unfinished.INCLUDE), course)
    bob = by_student(to)["bob"]
    assert done.complete and bob["final"] == "20" and bob["manual_grading"].startswith("waiting")
    assert done.beside.unmatched is None and not (tmp_path / f"grades.csv{UNMATCHED}").exists()
    with pytest.raises(ExportError, match=r"nothing was exported; these need manual grading: 'bob \(toy\)'"):
        export(Request(Form.PLAIN, tmp_path / "none.csv", unfinished=Unfinished.REFUSE), course)
    assert not (tmp_path / "none.csv").exists()


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Toys (4711),Essay (4712),Assignments Current Points,Final Score
,,,,,Manual Posting,,,
    Points Possible,,,,,25,10,(read only),(read only)
"Lovelace, Ada",1,100,ADA,"S1, ""A"" too",3,9.5,12.5,80
"Bond, James",2,007,james@uni.edu,S1,,,0,0
"Builder, Bob",3,102,bob@uni.edu,S1,1,,0,0
"Zed, Zoe",4,103,zoe@uni.edu,S1,,,0,0
"New, Kid",5,104,kid@uni.edu,S1,,,0,0
"Student, Test",9,,d0e1a5f3c7,S1,,,0,0
"""


def test_the_canvas_export_changes_only_the_column_of_the_homework(course: Path, roster: Path, tmp_path: Path) -> None:
    to = tmp_path / "to_import.csv"
    done = export(Request(Form.CANVAS, to, roster=roster), course)
    expected = CANVAS.replace(' too",3,9.5', ' too",19.25,9.5').replace("james@uni.edu,S1,,", "james@uni.edu,S1,18.4,")
    assert to.read_bytes() == expected.encode()
    assert {one.student: one.why for one in done.exported.left_out} == {
        EVIL: "not on the roster",
        "bob": "needs manual grading: toy/figure_loss, toy/written_units",
        "eve": "not on the roster",
    }
    assert [person.label for person, _ in done.exported.absent] == ["Zoe Zed (103)", "Kid New (104)"]
    unmatched = csv_rows(tmp_path / f"to_import.csv{UNMATCHED}")
    assert [(row["in"], row["student"], row["final"]) for row in unmatched] == [
        ("gradebook", f"'{EVIL}", "23"),
        ("gradebook", "eve", "0"),
        ("gradebook", "bob", "20"),
        ("roster", "Zoe Zed (103)", ""),
        ("roster", "Kid New (104)", ""),
    ]
    assert "homework" not in " ".join(done.messages()) and "1: not in the gradebook: not_written_yet" in done.messages()


def test_the_canvas_export_can_be_limited_to_some_students(course: Path, roster: Path, tmp_path: Path) -> None:
    to = tmp_path / "to_import.csv"
    done = export(Request(Form.CANVAS, to, roster=roster, students=["007"]), course)
    assert to.read_text() == CANVAS.replace("james@uni.edu,S1,,", "james@uni.edu,S1,18.4,")
    assert done.complete and not done.exported.absent
    with pytest.raises(ExportError, match="does not have 'unknown'"):
        export(Request(Form.CANVAS, to, roster=roster, students=["unknown"]), course)


GRADESCOPE = """First Name,Last Name,SID,Email,Role,Section
Ada,Lovelace,100,ada@uni.edu,Student,S1
James,Bond,007,james@uni.edu,Student,S1
Bob,Builder,102,bob@uni.edu,Student,S2
@Kid,New,104,kid@uni.edu,Student,S2
Grace,Hopper,1,grace@uni.edu,Instructor,
"""


def test_the_gradescope_export_has_the_columns_of_gradescope(course: Path, tmp_path: Path) -> None:
    roster, to = tmp_path / "roster.csv", tmp_path / "gradescope.csv"
    roster.write_text(GRADESCOPE)
    done = export(Request(Form.GRADESCOPE, to, roster=roster), course)
    lines = to.read_text().splitlines()
    assert lines == [
        "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
        "Lateness (H:M:S),View Count,Submission Count,"
        "1: standardize (12.0 pts),2: Line (8.0 pts),3: figure_loss (2.0 pts),4: written_units (3.0 pts)",
        "Ada,Lovelace,100,ada@uni.edu,S1,19.25,25,Graded,,2027-01-19 11:00:00 +0100,00:00:00,,1,8,8,1,2.25",
        "James,Bond,007,james@uni.edu,S1,18.4,25,Graded,,2027-01-19 11:00:00 +0100,35:01:00,,1,12,8,1,2",
        "Bob,Builder,102,bob@uni.edu,S2,,25,Ungraded,,2027-01-17 23:00:00 +0100,00:00:00,,1,12,8,,",
        "'@Kid,New,104,kid@uni.edu,S2,,25,Missing,,,,,0,,,,",
    ]
    assert {one.student for one in done.exported.left_out} == {EVIL, "bob", "eve"}
    with pytest.raises(ExportError, match="needs --roster"):
        export(Request(Form.GRADESCOPE, to), course)


def test_the_roster_is_not_overwritten(course: Path, roster: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is the roster itself"):
        export(Request(Form.CANVAS, tmp_path / "." / "canvas.csv", roster=roster), course)
    assert roster.read_text() == CANVAS


def test_an_old_list_of_unmatched_students_is_removed_but_no_other_file(course: Path, tmp_path: Path) -> None:
    to, beside = tmp_path / "grades.csv", tmp_path / f"grades.csv{UNMATCHED}"
    assert export(Request(Form.PLAIN, to), course).beside.unmatched == beside and beside.is_file()
    export(Request(Form.PLAIN, to, unfinished=Unfinished.INCLUDE), course)
    assert not beside.exists()
    beside.write_text("mine")
    export(Request(Form.PLAIN, to, unfinished=Unfinished.INCLUDE), course)
    assert beside.read_text() == "mine"


def write_comment(root: Path, student: str, item: str, text: str) -> None:
    """Does what the desk and the form grader do for a comment."""
    with opened(root) as gradebook:
        gradebook.find_comment(item, "toy", "toy", student).manual_comment = text
        gradebook.db.commit()


RUBRIC = (
    RubricLine(True, 1, "names the units"),
    RubricLine(False, 2, "=cmd|' /C calc'!A0"),
    RubricLine(True, 1, "why"),
)


@pytest.mark.parametrize("form", list(Form))
def test_what_graders_wrote_is_in_a_file_beside_the_grades(
    graded: Path, roster: Path, tmp_path: Path, form: Form
) -> None:
    root = Path(shutil.copytree(graded, tmp_path / "root"))
    to, beside = tmp_path / "grades.csv", tmp_path / f"grades.csv{COMMENTS}"
    request = Request(form, to, roster=roster)
    assert export(request, root).beside.comments is None
    write_comment(root, "ada", "written_units", written(RUBRIC, "Good,\n=1+1"))
    write_comment(root, "ada", "standardize", "+1 for the eps")
    write_comment(root, "bob", "written_units", "Read the text again.")
    write_comment(root, EVIL, "figure_loss", "ok")
    done = export(request, root)
    rows = {(row["student"], row["item"]): row for row in csv_rows(beside)}
    assert done.beside.comments == beside and len(rows) == 4
    assert rows["ada", "written_units"] == {
        "student": "ada",
        "problem": "toy",
        "item": "written_units",
        "title": toy().heading("written_units"),
        "points": "2.25",
        "max_points": "3",
        "rubric_met": "names the units (1); why (1)",
        "rubric_not_met": "'=cmd|' /C calc'!A0 (2)",
        "comment": "Good,\n'=1+1",
    }
    assert rows["ada", "standardize"]["comment"] == "'+1 for the eps" and not rows["ada", "standardize"]["rubric_met"]
    assert (rows["bob", "written_units"]["points"], rows["bob", "written_units"]["max_points"]) == ("", "3")
    assert (f"'{EVIL}", "figure_loss") in rows
    export(replace(request, students=("007",)), root)
    assert not beside.exists(), "of an earlier export"


def test_the_command_names_the_file_with_the_comments(
    graded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(graded, tmp_path / "root"))
    write_comment(root, "ada", "written_units", "Good.")
    (root / "solutions" / "toy.py").unlink()  # titles are not available then
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    to = tmp_path / "grades.csv"
    said = CliRunner().invoke(app, ["export", "plain", "--to", str(to)])
    assert f"comments and rubric items: {to}{COMMENTS}\n" in said.stdout
    [row] = csv_rows(tmp_path / f"grades.csv{COMMENTS}")
    assert (row["title"], row["comment"]) == ("written_units", "Good.")


def test_an_unusable_gradebook_is_an_error(graded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(shutil.copytree(graded, tmp_path / "root"))
    monkeypatch.setattr("autograder.export.export.opened", lambda root: opened(root, 0.1))
    request = Request(Form.PLAIN, tmp_path / "x.csv")
    with contextlib.closing(sqlite3.connect(gradebook_path(root))) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CourseError, match="another program is writing to it"):
            export(request, root)
    gradebook_path(root).write_bytes(b"damaged" * 1000)
    with pytest.raises(CourseError, match="it seems damaged"):
        export(request, root)
    gradebook_path(root).unlink()
    with pytest.raises(CourseError, match="there is no gradebook"):
        export(request, root)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.usefixtures("course")
def test_the_command_lists_the_students_who_are_left_out(roster: Path, tmp_path: Path) -> None:
    to = tmp_path / "out" / "to_import.csv"
    arguments = ["export", "canvas", "--roster", str(roster), "--to", str(to)]
    said = CliRunner().invoke(app, arguments)
    assert said.exit_code == 1
    assert "left out: eve, 1: not on the roster" in said.stderr
    assert "left out: bob, 1: needs manual grading: toy/figure_loss" in said.stderr
    assert "on the roster: Kid New (104), 1: no submission" in said.stderr
    assert f"2 grades in {to}" in said.stdout and f"3 left out, 2 without a submission: {to}{UNMATCHED}" in said.stdout
    fine = CliRunner().invoke(app, [*arguments, "--student", "ada", "--column", "1=4711", "--per", "homework"])
    assert (fine.exit_code, fine.stdout) == (0, f"1 grade in {to}\n")
    wrong = CliRunner().invoke(app, [*arguments, "--column", "1"])
    assert wrong.exit_code == 2 and "is not of the form" in wrong.stderr


@pytest.mark.long
@pytest.mark.kernel
def test_nbgrader_export_runs_our_plug_ins(course: Path, roster: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    export(Request(Form.CANVAS, ours, roster=roster, assignments=["toy"], columns={"toy": "Toys"}), course)
    exporter = "--exporter=autograder.export.nbgrader_plugin.CanvasExporter"
    command = [sys.executable, "-m", "nbgrader", "export", exporter]
    options = [f"--CanvasExporter.roster={roster}", "--CanvasExporter.column=toy=Toys", "--assignment=['toy']"]
    done = subprocess.run(
        [*command, *options, f"--to={theirs}"],
        cwd=course / "course",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr  # students are left out
    assert theirs.read_bytes() == ours.read_bytes()
    assert "bob, toy: needs manual grading" in done.stderr and "2 grades in" in done.stderr
    assert "Traceback" not in done.stderr and "nrecognized" not in done.stderr, done.stderr
