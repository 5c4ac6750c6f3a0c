"""Changes in the middle of a term: every score follows in every place, visibly, and no student loses points unseen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from autograder.batch.results import BatchResults
from autograder.batch.tables import TIMINGS
from autograder.cli import changes
from autograder.core.results import Graded, Grading
from autograder.gradebook.database import opened
from autograder.submissions.reader import Submission
from tests.autograder.cli.term_class import (
    ANOTHER_TITLE,
    LESS_STRICT,
    MORE_POINTS,
    STRICTER,
    TermClass,
    term_class,
)
from tests.autograder.graded_folder import csv_rows

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # nbgrader builds rows before adding them
]


def table(output: str) -> dict[str, list[str]]:
    """Item → points before, points after, up, down, same, from a table of changes."""
    rows = re.findall(r"^ ?(\S+) +(\S.*?) {2,}(\S.*?) {2,}(\d+) +(\d+) +(\d+) *$", output, re.MULTILINE)
    return {name: rest for name, *rest in rows}


@pytest.fixture
def small(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TermClass:
    """One student of each kind, graded."""
    found = term_class(course, tmp_path, monkeypatch, right=1, absolute=1, noeps=1)
    found.grade()
    return found


THIRTY = {"right": 12, "absolute": 7, "noeps": 5, "empty": 4, "broken": 2}
TWO_HUNDRED = {"right": 80, "absolute": 47, "noeps": 33, "empty": 27, "broken": 13}


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(THIRTY, id="30", marks=pytest.mark.long),
        pytest.param(TWO_HUNDRED, id="200", marks=pytest.mark.slow),
    ],
)
def test_six_changes_in_a_class(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: dict[str, int]
) -> None:
    right, absolute, noeps, broken = (kinds[kind] for kind in ("right", "absolute", "noeps", "broken"))
    students = sum(kinds.values())
    term = term_class(course, tmp_path, monkeypatch, **kinds)

    def row(before: str, after: str, up: int, down: int) -> list[str]:
        """The row of an item in the table of changes."""
        return [before, after, str(up), str(down), str(students - up - down)]

    first = term.grade()
    assert "changes to the earlier results" not in first.output, "no question where there are no earlier results"
    for place in range(1, right + 1):
        term.by_hand(f"right{place}", "written_units", 2.0)
    term.grade()  # takes the points over

    def expect(most: float, **scores: float) -> None:
        found = term.everywhere()
        assert len(found) == students
        for student, (score, maximum) in found.items():
            assert (score, maximum) == (scores[student.rstrip("0123456789")], most), student

    nothing = {"empty": 0.0, "broken": 0.0}
    expect(25, right=22, absolute=12, noeps=20, **nothing)

    term.change(LESS_STRICT)
    shown = table(term.grade().output)
    assert shown["Line"] == row("8", "8", absolute, 0) and shown["all"] == row("25", "25", absolute, 0)
    assert len(term.examined) == students - broken, "one item of each readable notebook"
    expect(25, right=22, absolute=20, noeps=20, **nothing)

    term.change(STRICTER)
    before = term.files()
    refused = term.grade(code=2)
    assert f"{noeps} students would lose points" in refused.stderr and "--yes" in refused.stderr
    assert all(f"noeps{place}: score 20 of 25 → 12 of 25" in refused.output for place in range(1, noeps + 1))
    assert term.files() == before
    shown = table(term.grade("--yes").output)
    assert shown["standardize"] == row("12", "12", 0, noeps)
    expect(25, right=22, absolute=20, noeps=12, **nothing)

    term.change(MORE_POINTS)
    said = term.grade()
    assert table(said.output)["Line"] == row("8", "10", right + absolute + noeps, 0) and not term.examined
    expect(27, right=24, absolute=22, noeps=14, **nothing)
    assert '"points": 10' in (course / "notebooks" / "toy.ipynb").read_text()

    term.count(drop=["toy/written_units"])
    assert f"{right} students would lose points" in term.grade(code=2).stderr
    shown = table(term.grade("--yes").output)
    assert shown["written_units"] == row("3", "dropped", 0, right) and not term.examined
    expect(24, right=22, absolute=22, noeps=14, **nothing)
    page = (term.out / "right1" / "toy" / "feedback.html").read_text()
    assert "Dropped" in page and "counts for no student" in page

    term.count(bonus=["toy/Line"])
    shown = table(term.grade().output)
    assert shown["Line"] == row("10", "10 bonus", 0, 0)
    assert shown["written_units"] == row("dropped", "3", right, 0), "the points that graders gave are there again"
    expect(17, right=24, absolute=22, noeps=14, **nothing)
    assert "10 bonus points" in (term.out / "right1" / "toy" / "feedback.html").read_text()

    term.change(ANOTHER_TITLE)
    said = term.grade()
    assert f"no score changes for {students} students" in said.output and not term.examined
    expect(17, right=24, absolute=22, noeps=14, **nothing)
    assert "5 A question about units" in (term.out / "right1" / "toy" / "feedback.html").read_text()


def test_a_dry_run_writes_nothing(small: TermClass) -> None:
    small.change({**LESS_STRICT, **MORE_POINTS})
    before = {path: path.read_bytes() for path in small.out.rglob("*") if path.is_file()}
    notebook = (small.root / "notebooks" / "toy.ipynb").read_bytes()
    said = small.grade("--dry-run")
    assert table(said.output)["Line"] == ["8", "10", "3", "0", "0"] and "nothing was written" in said.output
    assert {path: path.read_bytes() for path in small.out.rglob("*") if path.is_file()} == before
    assert (small.root / "notebooks" / "toy.ipynb").read_bytes() == notebook
    small.submitted.joinpath("right1").rename(small.submitted / "new1")
    small.run("grade", "toy", "--submitted", str(small.submitted), "--out", f"{small.out}2", "--dry-run")
    assert not small.out.with_name("out2").exists()


def test_a_student_without_a_submission_any_more_loses_points(small: TermClass) -> None:
    small.submitted.joinpath("right1").rename(small.submitted.parent / "elsewhere")
    refused = small.grade(code=2)
    assert "right1: has no submission any more" in refused.output
    assert "right1" in (small.out / "grades.csv").read_text()


def test_the_question_on_a_terminal(small: TermClass, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(question: str, default: bool) -> bool:
        asked.append((question, default))
        return False

    monkeypatch.setattr(changes, "can_ask", lambda: True)
    monkeypatch.setattr("typer.confirm", answer)
    small.change(STRICTER)
    before = small.files()
    said = small.grade(code=1)
    assert asked == [("Write these results?", False)] and "nothing was written" in said.stderr
    assert small.files() == before


def test_manual_scores_below_the_tests_are_listed(small: TermClass) -> None:
    small.by_hand("absolute1", "test_Line", 4.0)
    small.change(LESS_STRICT)
    said = small.grade()
    assert "Line: 1 manual score below what the tests give now" in said.stderr
    assert "absolute1 (4, tests 8)" in said.stderr
    assert small.everywhere()["absolute1"] == (16, 25)


def test_release_before_grade_is_not_exported(small: TermClass) -> None:
    small.change(MORE_POINTS)
    to = str(small.out.parent / "export.csv")
    refused = small.run("export", "plain", "--to", to, code=2)
    assert "Line: 8, in the source 10" in refused.stderr and "autograder release toy" in refused.stderr
    said = small.run("release", "toy")
    assert "3 submissions were graded with other points" in said.stderr
    refused = small.run("export", "plain", "--to", to, code=2)
    assert "3 submissions" in refused.stderr and "grade toy again" in refused.stderr
    assert not Path(to).exists()
    refused = small.run("desk", "--out", str(small.out), "--no-browser", code=2)
    assert "graded with other points" in refused.stderr
    small.grade()
    assert small.everywhere()["right1"] == (22, 27)


def test_submissions_that_an_earlier_version_recorded_are_not_exported_with_new_points(small: TermClass) -> None:
    with opened(small.root) as gradebook:
        gradebook.db.execute(text("DROP TABLE autograder_graded_with"))
        gradebook.db.execute(text("DROP TABLE IF EXISTS autograder_set_aside"))
        gradebook.db.commit()
    assert small.everywhere()["right1"] == (20, 25)
    small.change(MORE_POINTS)
    small.run("release", "toy")
    refused = small.run("export", "plain", "--to", str(small.out.parent / "e.csv"), code=2)
    assert "3 submissions were graded with other points" in refused.stderr
    small.grade()
    assert small.everywhere()["right1"] == (22, 27)


def test_a_changed_id_is_refused_before_anything_is_written(small: TermClass) -> None:
    small.change({'"written_units"': '"written_dimensions"'})
    before = small.files()
    refused = small.grade("--yes", code=2)
    assert "items were added, removed or renamed" in refused.stderr
    assert small.files() == before


def test_diff_and_undo(small: TermClass) -> None:
    small.by_hand("right1", "written_units", 2.0)
    small.grade()
    before, scores, times = small.files(), small.everywhere(), (small.out / TIMINGS).read_text()
    small.change({**STRICTER, **MORE_POINTS})
    small.grade("--yes")
    after = small.files()
    assert (small.out / TIMINGS).read_text() != times
    assert small.everywhere() == {"right1": (24, 27), "absolute1": (12, 27), "noeps1": (14, 27)}
    said = small.run("diff", "--out", str(small.out)).output
    assert table(said)["standardize"] == ["12", "12", "0", "1", "2"] and table(said)["all"][2:] == ["1", "1", "1"]
    assert "noeps1: score 20 of 25 → 14 of 27" in said and "Line, up: noeps1 8 → 10, right1 8 → 10" in said
    assert [*re.findall(r"^ ?(toy-\d+)", small.run("runs", "--out", str(small.out)).output, re.M)] == ["toy-1", "toy-2"]
    listed = small.run("diff", "--list", "--out", str(small.out)).output
    assert "toy-2" in listed and "graded again" in listed

    small.by_hand("absolute1", "written_units", 3.0)  # a grader goes on meanwhile
    small.run("undo", "--out", str(small.out), code=2)
    assert small.files() == after
    undo = small.run("undo", "--out", str(small.out), "--yes")
    assert "of toy-2 again" in undo.output
    assert "manual scores or comments given since then stay: absolute1" in undo.stderr
    assert "has changed since that run" in undo.stderr
    undone = small.files()
    assert (small.out / TIMINGS).read_text() == times
    kept = {name for name in before if not name.startswith("absolute1") and name != "grades.csv"}
    assert {name: undone[name] for name in kept} == {name: before[name] for name in kept}
    small.run("export", "plain", "--to", str(small.out.parent / "e.csv"), code=2)
    small.change({new: old for old, new in {**STRICTER, **MORE_POINTS}.items()})
    assert small.everywhere() == {**scores, "absolute1": (15, 25)}

    small.change({**STRICTER, **MORE_POINTS})
    small.run("undo", "--out", str(small.out), "--to", "toy-3", "--yes")
    assert small.everywhere() == {"right1": (24, 27), "absolute1": (15, 27), "noeps1": (14, 27)}


def test_undo_of_a_drop_brings_manual_scores_back(small: TermClass) -> None:
    small.by_hand("right1", "written_units", 2.0)
    small.grade()
    small.count(drop=["toy/written_units"])
    small.grade("--yes")
    assert small.everywhere()["right1"] == (20, 22)
    small.run("undo", "toy", "--out", str(small.out), "--yes")
    small.count()
    assert small.everywhere()["right1"] == (22, 25)


def test_undo_keeps_regrade_requests_that_are_newer_than_the_run(small: TermClass) -> None:
    small.change(STRICTER)
    small.grade("--yes")
    small.run("regrade", "right1", "toy", "Line", "--note", "My line is right.", "--out", str(small.out))
    small.run("undo", "--out", str(small.out), "--yes")
    assert "My line is right." in (small.out / "right1" / "toy" / "feedback.html").read_text()


def test_undo_says_what_it_cannot_do(small: TermClass) -> None:
    refused = small.run("undo", "--out", str(small.out), "--yes", code=2)
    assert "has no earlier run" in refused.stderr
    small.grade()
    refused = small.run("undo", "--out", str(small.out), "--to", "toy-9", "--yes", code=2)
    assert "its runs: toy-1" in refused.stderr
    for path in (small.out / ".runs" / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")
    before = small.files()
    refused = small.run("undo", "--out", str(small.out), "--yes", code=2)
    assert "cannot be" in refused.stderr and small.files() == before


def test_an_interrupted_write_continues_and_undo_goes_behind_it(
    small: TermClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, scores = small.files(), small.everywhere()
    small.change({**STRICTER, **MORE_POINTS})
    add = BatchResults.add
    written: list[str] = []

    def interrupted(self: BatchResults, submission: Submission, grading: Grading) -> Graded:
        if written:
            raise KeyboardInterrupt
        written.append(str(submission.student))
        return add(self, submission, grading)

    with monkeypatch.context() as patch:
        patch.setattr(BatchResults, "add", interrupted)
        said = small.grade("--yes", code=130)
    assert written == ["absolute1"] and "run the same command again" in said.stderr
    refused = small.grade(code=2)
    assert "loses: noeps1" in refused.output and "absolute1" not in refused.output, "it is written already"
    small.grade("--yes")
    assert small.everywhere() == {"right1": (22, 27), "absolute1": (12, 27), "noeps1": (14, 27)}
    small.run("undo", "--out", str(small.out), "--yes")
    assert small.files() == before
    small.change({new: old for old, new in {**STRICTER, **MORE_POINTS}.items()})
    assert small.everywhere() == scores


def test_the_class_report_names_dropped_and_bonus_items(small: TermClass) -> None:
    small.count(drop=["toy/written_units"], bonus=["toy/Line"])
    small.run("report", "--out", str(small.out))
    assert "Graded with other points than the source has now" in (small.out / "report.html").read_text()
    small.grade("--yes")
    small.run("report", "--out", str(small.out))
    page = (small.out / "report.html").read_text()
    assert "dropped: <code>written_units</code>" in page and '<span class="badge">bonus</span>' in page
    assert "14 points" in page and "other points than" not in page


def test_grade_without_a_gradebook_releases_nothing(small: TermClass) -> None:
    notebook = (small.root / "notebooks" / "toy.ipynb").read_bytes()
    small.change(MORE_POINTS)
    small.grade("--no-gradebook")
    assert (small.root / "notebooks" / "toy.ipynb").read_bytes() == notebook
    assert small.logs()["right1"]["max_score"] == 27
    refused = small.run("export", "plain", "--to", str(small.out.parent / "e.csv"), code=2)
    assert "Line: 8, in the source 10" in refused.stderr


def test_a_curve_reaches_exports_pages_and_the_report_and_no_score(small: TermClass) -> None:
    path = small.root / "course.toml"
    small.submitted.joinpath("absolute1/toy/timestamp.txt").write_text("2027-01-18 23:00:00 +0100\n")
    before = {student: (log["score"], log["items"]) for student, log in small.logs().items()}
    path.write_text(path.read_text() + "\n[curve]\ntoy = { factor = 1.1, add = 2, most = 23 }\n")
    said = small.grade()
    assert "no score changes for 3 students" in said.output and not small.examined
    assert {student: (log["score"], log["items"]) for student, log in small.logs().items()} == before
    assert {student: score for student, (score, _) in small.everywhere().items()} == {
        student: score for student, (score, _) in before.items()
    }
    rows = {row["student"]: row for row in csv_rows(small.out.parent / "export.csv")}
    found = {name: tuple(row[key] for key in ("score", "curve", "late_penalty", "final")) for name, row in rows.items()}
    assert found == {
        "right1": ("20", "3", "0", "23"),
        "absolute1": ("12", "3.2", "1.52", "13.68"),  # 10 % of the raised score
        "noeps1": ("20", "3", "0", "23"),
    }
    page = (small.out / "absolute1" / "toy" / "feedback.html").read_text()
    assert "(multiplied by 1.1, plus 2, at most 23): 12 points become 15.2. The score above does not include" in page
    assert page.index("become 15.2") < page.index("Submitted 1 day late")
    small.run("report", "--out", str(small.out))
    assert "A curve raises the scores in exports (multiplied by 1.1" in (small.out / "report.html").read_text()


def test_an_export_warns_of_scores_of_earlier_tests_and_not_of_other_changes(small: TermClass) -> None:
    def exported() -> str:
        return " ".join(small.run("export", "plain", "--to", str(small.out.parent / "e.csv"), code=1).output.split())

    assert "changed" not in exported()
    small.change(ANOTHER_TITLE)
    assert "changed" not in exported()
    small.change(LESS_STRICT)
    assert (
        "the tests of Line in the source of toy changed since 3 submissions were graded (absolute1, noeps1, right1): "
        "these scores are those of the earlier tests. Grade toy again" in exported()
    )
    small.run("report", "--out", str(small.out))
    report = (small.out / "report.html").read_text()
    assert "Graded with other tests than the source has now (Line); grade again: absolute1, noeps1, right1." in report
    said = " ".join(small.run("inspect", "absolute1", "toy", "Line", "--out", str(small.out), code=1).output.split())
    assert "toy.py changed since this was graded (the tests or solutions of Line)" in said
    small.grade()
    assert "changed" not in exported()
    small.run("undo", "--out", str(small.out), "--yes")
    assert "the tests of Line in the source of toy changed since 3 submissions were graded" in exported()
