"""nbgrader's own quickstart assignment beside a problem of ours runs as in a course of plain nbgrader."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbgrader
import pytest
from nbgrader.api import Gradebook

from autograder.core.errors import SourceError
from autograder.gradebook.own_steps import is_ours
from autograder.grading.grade import grade_file
from tests.autograder.toy import solved, submit
from tests.conftest import ROOT

GUIDE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
"""What `nbgrader quickstart` copies, and the submissions of nbgrader's manual."""


def add_quickstart(folder: Path) -> None:
    """Puts the quickstart assignment `ps1` and its two submissions into a course directory, as they are."""
    shutil.copytree(GUIDE / "source" / "ps1", folder / "source" / "ps1")
    for student in ("bitdiddle", "hacker"):
        shutil.copytree(GUIDE / "submitted" / student / "ps1", folder / "submitted" / student / "ps1")


def run(folder: Path, *arguments: str) -> str:
    """Runs an nbgrader command in a course directory; returns what it logs."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},  # alembic
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def results(folder: Path, assignment: str) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """(Student, notebook, grade cell) → what the gradebook has."""
    found = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    key = (submission.student.id, notebook.name, grade.name)
                    worth = (grade.auto_score, grade.max_score, grade.needs_manual_grade)
                    found[key] = (*worth, notebook.late_submission_penalty)
    return found


def files(folder: Path, stage: str, assignment: str) -> dict[str, bytes]:
    """The files of one stage of an assignment; path → bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / stage).glob(f"*/{assignment}/*" if stage != "release" else f"{assignment}/*"))
    }


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_one_command_grades_ours_and_an_untouched_assignment(course: Path, tmp_path: Path) -> None:
    ours, plain = course / "course", tmp_path / "plain"
    submitted = submit(ours / "submitted", "bitdiddle", solved())
    (submitted.parent / "notes.txt").write_text("not graded")
    for folder in (ours, plain):
        add_quickstart(folder)
    for assignment in ("ps1", "toy"):
        run(ours, "generate_assignment", assignment, "--force")
    run(plain, "generate_assignment", "ps1")
    assert files(ours, "release", "ps1") == files(plain, "release", "ps1")

    run(ours, "autograde", "*")
    run(plain, "autograde", "ps1")
    assert results(ours, "ps1") == results(plain, "ps1") != {}
    assert {grade[0] for grade in results(ours, "ps1").values()} > {0.0}, "some of the tests pass"
    assert files(ours, "autograded", "ps1").keys() == files(plain, "autograded", "ps1").keys()
    log = grade_file("toy", submitted, student="bitdiddle").log
    expected = {item.id: item.score for item in log.items if not item.manual}
    of_ours = {name: grade[0] for (_, _, name), grade in results(ours, "toy").items()}
    assert {item: of_ours[f"test_{item}"] for item in expected} == expected == {"standardize": 12.0, "Line": 8.0}
    assert list(files(ours, "autograded", "toy")) == ["autograded/bitdiddle/toy/toy.ipynb"], "other files stay behind"

    run(ours, "generate_feedback", "*")
    run(plain, "generate_feedback", "ps1")
    assert files(ours, "feedback", "ps1") == files(plain, "feedback", "ps1") != {}
    assert list(files(ours, "feedback", "toy")) == ["feedback/bitdiddle/toy/toy.html"]


def test_a_problem_of_the_course_stays_ours_without_its_source(course: Path) -> None:
    assert is_ours("toy") and is_ours("not_written_yet") and not is_ours("ps1")
    (course / "solutions" / "toy.py").unlink()
    assert is_ours("toy"), "else nbgrader would run its submissions unconfined"
    with pytest.raises(SourceError, match="unknown problem 'toy'"):
        grade_file("toy", course / "toy.ipynb", student="ada")
