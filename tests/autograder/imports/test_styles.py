"""Assignments in the style of public courses get the scores here that their tests give in a notebook."""

from __future__ import annotations

import contextlib
import copy
import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from matplotlib import pyplot
from nbformat import NotebookNode

from autograder.cli.release import release
from autograder.core.notebook_io import notebook_text
from autograder.core.results import GradedLog
from autograder.course.markers import HIDDEN, replaced, without_markers
from autograder.course.problem import Problem, load_problem
from autograder.grading.grade import grade_submission
from autograder.imports.assignment import import_assignment
from autograder.release.fill import fill_in
from autograder.release.lint import lint_problem
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.autograder.imports.notebooks import written_to
from tests.autograder.imports.styles import NUMPY, PANDAS, TORCH, Assignment

pytestmark = pytest.mark.kernel
STYLES = {"numpy": NUMPY, "pandas": PANDAS, "torch": TORCH}


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Assignment:
    return STYLES[request.param]


@pytest.fixture
def imported(style: Assignment, course: Path, tmp_path: Path) -> Problem:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, content in style.files.items():
        (folder / name).write_text(content, encoding="utf-8")
    path = written_to(folder / "week.ipynb", *copy.deepcopy(style.cells))
    import_assignment(path, "nbgrader", to=course / "solutions")
    return load_problem("week", course)


def answer_cells(style: Assignment) -> dict[str, NotebookNode]:
    """Grade id → cell, of the cells that tests grade."""
    data = [(cell.metadata.get("nbgrader", {}), cell) for cell in style.cells]
    return {one["grade_id"]: cell for one, cell in data if one.get("solution") and not one.get("grade")}


def in_a_notebook(style: Assignment, answers: Mapping[str, str], folder: Path) -> dict[str, float]:
    """Grade id of each test cell → its points, when all cells run in one namespace, as nbgrader runs them."""
    points = {}
    names: dict[str, object] = {"__name__": "__main__"}
    pyplot.close("all")  # pandas draws into the figure that is open
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for cell in (cell for cell in style.cells if cell.cell_type == "code"):
            data = cell.metadata.get("nbgrader", {})
            source = without_markers(answers.get(data.get("grade_id", ""), cell.source))
            is_test = data.get("grade") and not data.get("solution")
            if is_test:
                source = "\n".join(line for line in cell.source.split("\n") if not line.startswith("### "))
            passed = False
            with contextlib.suppress(Exception):
                exec(source, names)
                passed = True
            if is_test:
                points[data["grade_id"]] = data["points"] if passed else 0.0
    return points


def graded(problem: Problem, style: Assignment, answers: Mapping[str, str]) -> GradedLog:
    """The result of a submission with these answers."""
    by_cell = {item.cell.source: item.id for item in problem.items}
    ids = {}
    for grade_id, cell in answer_cells(style).items():
        bodies = [
            one for source, one in by_cell.items() if without_markers(cell.source).split("\n")[-1].strip() in source
        ]
        ids[grade_id] = bodies[0]
    notebook = fill_in(released_notebook(problem), {ids[name]: source for name, source in answers.items()})
    submission = Submission("ada", "week.ipynb", notebook_text(notebook).encode())
    return grade_submission("week", submission, root=problem.path.parents[1]).log


def all_points(style: Assignment) -> float:
    data = [cell.metadata.get("nbgrader", {}) for cell in style.cells]
    return float(sum(one["points"] for one in data if one.get("grade") and not one.get("solution")))


def test_it_is_clean_and_only_what_must_runs_inside(style: Assignment, imported: Problem) -> None:
    assert lint_problem("week", imported.path.parents[1]) == []
    assert {item.id for item in imported.items if item.is_in_process} == style.in_process
    released = notebook_text(released_notebook(imported))
    for cell in style.cells:
        shown = replaced(cell.source, HIDDEN, None)
        assert all(line not in released for line in cell.source.split("\n") if line not in shown and len(line) > 20)


def test_the_scores_are_those_of_a_notebook(style: Assignment, imported: Problem, tmp_path: Path) -> None:
    solution = {name: without_markers(cell.source) for name, cell in answer_cells(style).items()}
    submissions = {"solution": solution, "right": dict(style.right)}
    submissions |= {f"wrong {name}": {**solution, name: answer} for name, answer in style.wrong.items()}
    scores = {}
    for name, answers in submissions.items():
        theirs = sum(in_a_notebook(style, answers, tmp_path / "source").values())
        ours = sum(item.score for item in graded(imported, style, answers).items if not item.manual)
        scores[name] = (ours, theirs)
    total = all_points(style)
    assert scores["solution"] == scores["right"] == (total, total)
    for name, (ours, theirs) in scores.items():
        assert ours == theirs or name.startswith("wrong"), name
        assert ours >= theirs, "what follows from a wrong function costs nothing here"
        assert ours < total or not name.startswith("wrong"), name


def test_an_empty_notebook_gets_nothing(style: Assignment, imported: Problem) -> None:
    assert graded(imported, style, {}).score == 0


def test_the_files_beside_it_reach_students(course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, content in {**PANDAS.files, "unused.csv": "x", ".hidden": "rents.csv"}.items():
        (folder / name).write_text(content, encoding="utf-8")
    path = written_to(folder / "week.ipynb", *copy.deepcopy(PANDAS.cells))
    (one,) = import_assignment(path, "nbgrader", to=course / "solutions")
    assert "- copied beside the notebook, for students too: rents.csv" in one.report
    release(["week"], course)
    assert sorted(os.listdir(course / "notebooks")) == ["rents.csv", "toy.ipynb", "week.ipynb"]
    assert (course / "notebooks" / "rents.csv").read_text(encoding="utf-8") == PANDAS.files["rents.csv"]
