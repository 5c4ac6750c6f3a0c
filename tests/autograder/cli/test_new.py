"""A problem that `autograder new` writes is complete: it is linted, checked, released, run and graded as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbclient import NotebookClient
from typer.testing import CliRunner

from autograder.cli.check import check, failures, promises_without_a_check
from autograder.cli.main import app
from autograder.cli.release import release
from autograder.core.notebook_io import notebook_text
from autograder.core.results import Status
from autograder.course.new_problem import new_problem
from autograder.course.problem import Problem, load_problem
from autograder.grading.grade import grade_submission
from autograder.release.fill import solved_notebook
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.conftest import ROOT

pytestmark = pytest.mark.kernel


@pytest.fixture
def problem(course: Path) -> Problem:
    new_problem("one", title="Size one", root=course)
    return load_problem("one", course)


def root_of(problem: Problem) -> Path:
    return problem.path.parents[1]


def test_it_passes_lint_and_is_released(problem: Problem) -> None:
    linted = CliRunner().invoke(app, ["lint", "one"])
    assert linted.exit_code == 0, linted.output
    (released,) = release(["one"], root_of(problem))
    assert released.path.read_text(encoding="utf-8") == notebook_text(released_notebook(problem))


@pytest.mark.long
def test_it_passes_check(problem: Problem) -> None:
    rows = check(["one"], root=root_of(problem))
    assert failures(rows) == []
    assert {row.variant.partition("/")[0] for row in rows} == {"solution", "release", "wrong", "right"}
    assert promises_without_a_check(["one"], root_of(problem)) == []


def test_a_solved_and_an_unsolved_notebook_are_graded(problem: Problem) -> None:
    found = {}
    for name, notebook in (("solved", solved_notebook(problem)), ("unsolved", released_notebook(problem))):
        submission = Submission("ada", "one.ipynb", notebook_text(notebook).encode())
        found[name] = grade_submission("one", submission, root=root_of(problem)).log
    assert found["solved"].auto_score == found["solved"].auto_max_score == 20
    assert found["unsolved"].score == 0
    code = [item for item in found["unsolved"].items if not item.manual]
    assert {item.status for item in code} == {Status.MISSING}


@pytest.mark.long
def test_its_notebook_runs_and_shows_what_the_text_says(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"HOMEWORK_PROFILE": "mini", "HOMEWORK_STUDENT": "ada", "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    notebook = solved_notebook(problem)
    notebook.cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]
    notebook = NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert "<- outside" not in str(outputs) and "Your numbers" in str(outputs)
    log = (tmp_path / "submission_log.json").read_text(encoding="utf-8")
    assert '"error"' not in log and '"one/loss_with"' in log
