"""The sample course of `nbgrader quickstart`: imported, released, checked, and graded as nbgrader grades it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbgrader
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.cli.check import check, failures
from autograder.cli.main import app
from autograder.cli.release import release
from autograder.core.results import ItemResult, Status
from autograder.grading.grade import grade_submission
from autograder.imports.assignment import import_assignment
from autograder.submissions.reader import Submission

pytestmark = pytest.mark.long

STUDENTS = ("bitdiddle", "hacker")
PROBLEMS = ("problem1", "problem2")


def run_nbgrader(*arguments: str, folder: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # nbgrader runs alembic and jupyter
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """nbgrader's sample course with its sample submissions, graded by plain nbgrader."""
    folder = tmp_path_factory.mktemp("quickstart")
    run_nbgrader("quickstart", "course101", folder=folder)
    course101 = folder / "course101"
    samples = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "submitted"
    for student in STUDENTS:
        shutil.copytree(samples / student / "ps1", course101 / "submitted" / student / "ps1")
    run_nbgrader("generate_assignment", "ps1", folder=course101)
    run_nbgrader("autograde", "ps1", folder=course101)
    return course101


@pytest.fixture
def imported(quickstart: Path, course: Path) -> Path:
    """The course after the import of `ps1`."""
    import_assignment(quickstart / "source" / "ps1", "nbgrader", to=course / "solutions")
    return course


def nbgraders_scores(course101: Path) -> Iterator[tuple[tuple[str, str, str], tuple[float, bool]]]:
    """(student, problem, grade_id) → (points that nbgrader's tests gave, whether a person must grade it)."""
    with Gradebook(f"sqlite:///{course101 / 'gradebook.db'}") as gradebook:
        for student in STUDENTS:
            for problem in PROBLEMS:
                for grade in gradebook.find_submission_notebook(problem, "ps1", student).grades:
                    yield (student, problem, grade.name), (grade.auto_score or 0.0, grade.needs_manual_grade)


def graded(course101: Path, course: Path, student: str, problem: str) -> dict[str, ItemResult]:
    """Item → result, of a sample submission."""
    path = course101 / "submitted" / student / "ps1" / f"{problem}.ipynb"
    log = grade_submission(problem, Submission(student, path.name, path.read_bytes()), root=course).log
    return {item.id: item for item in log.items}


def test_it_is_linted_checked_and_released_without_its_answers_and_moved_tests(imported: Path) -> None:
    linted = CliRunner().invoke(app, ["lint", *PROBLEMS])
    findings = [line for line in linted.stdout.splitlines() if line]
    assert findings[-1].startswith("note: problem1.py: `sum_of_squares`: tested inside the student's process")
    assert len(findings) == 5 and all("squares' has 0" in line for line in findings[:-1])  # a person writes variants
    assert failures(check(PROBLEMS, root=imported)) == []
    texts = {one.problem: one.path.read_text(encoding="utf-8") for one in release(PROBLEMS, imported)}
    assert "student.squares(2) == [1, 4]" in texts["problem1"]
    for secret in ("i ** 2", "sum(squares(n))", "pyramidal", "fibonnaci"):
        assert secret not in "".join(texts.values())


def test_its_submissions_get_the_points_of_nbgrader_item_by_item(quickstart: Path, imported: Path) -> None:
    theirs = dict(nbgraders_scores(quickstart))
    scores = {}
    for student in STUDENTS:
        results = graded(quickstart, imported, student, "problem1")
        # The same, cell by cell: the two test cells of `squares` are the two parts of its test.
        cells = [theirs[student, "problem1", name] for name in ("correct_squares", "squares_invalid_input")]
        assert results["squares"].score == sum(score for score, _ in cells)
        assert not any(by_hand for _, by_hand in cells)
        # `sum_of_squares` is also tested by deleting `squares` from the student's names: inside the student's process.
        # Different: bitdiddle's is right and calls a wrong `squares`, which costs it half of its points in nbgrader.
        names = ("correct_sum_of_squares", "sum_of_squares_uses_squares")
        scores[student] = (
            results["sum_of_squares"].score,
            sum(theirs[student, "problem1", name][0] for name in names),
            "Tested with the right `squares` in place of yours" in results["sum_of_squares"].message,
        )
    assert scores == {"bitdiddle": (1.0, 0.5, True), "hacker": (1.0, 1.0, False)}
    assert theirs["bitdiddle", "problem1", "correct_squares"][0] == 0
    assert theirs["hacker", "problem1", "correct_squares"][0] == 1


def test_what_nbgrader_leaves_to_graders_is_left_to_graders(quickstart: Path, imported: Path) -> None:
    theirs = dict(nbgraders_scores(quickstart))
    for student in STUDENTS:
        for problem in PROBLEMS:
            results = graded(quickstart, imported, student, problem)
            ours = {name.partition("_")[2]: item for name, item in results.items() if item.manual}
            cells = [(name, by_hand) for (*who, name), (_, by_hand) in theirs.items() if who == [student, problem]]
            left = {name.replace("-", "_") for name, by_hand in cells if by_hand}
            assert {ours[name].status for name in left} == {Status.MANUAL}
            assert {ours[name].status for name in ours.keys() - left} <= {Status.MISSING}


def test_three_commands_lead_from_the_sample_course_to_results(quickstart: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    run = [sys.executable, "-c", "from autograder.cli.main import app; app()"]
    commands = [["import", str(quickstart / "source" / "ps1"), "--format", "nbgrader", "--to", str(ours / "solutions")]]
    for problem in PROBLEMS:
        submitted, out = str(quickstart / "submitted"), str(tmp_path / "out" / problem)
        commands.append(["grade", problem, "--submitted", submitted, "--out", out, "--no-gradebook"])
    for number, command in enumerate(commands):
        root = {"AUTOGRADER_ROOT": str(ours)} if number else {}
        done = subprocess.run(
            [*run, *command], cwd=tmp_path, env={**os.environ, **root}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    grades = (tmp_path / "out" / "problem1" / "grades.csv").read_text(encoding="utf-8").splitlines()
    scores = {line.split(",")[0]: float(line.split(",")[grades[0].split(",").index("score")]) for line in grades[1:]}
    assert scores == {"bitdiddle": 2.0, "hacker": 3.0}
