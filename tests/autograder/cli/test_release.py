"""The release equals nbgrader's, is reproducible, and refuses sources that would show secrets."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.utils import compute_checksum

from autograder.cli.release import release
from autograder.core.errors import ReleaseError, SetupError, SourceError
from autograder.core.files import write_atomically
from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem
from autograder.gradebook import nbgrader_plugin
from autograder.gradebook.database import opened
from autograder.release import leaks as leaks_module
from autograder.release.notebook import checksum, released_notebook
from tests.autograder.toy import edit_source, fill_disk


def released_text(root: Path) -> str:
    """The released notebook's file."""
    return (root / "notebooks" / "toy.ipynb").read_text(encoding="utf-8")


@pytest.fixture
def notebook(released_course: Path) -> NotebookNode:
    """The released notebook."""
    found: NotebookNode = nbformat.reads(released_text(released_course), as_version=4)
    return found


def cell(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    """The cell of that id."""
    found: NotebookNode = next(c for c in notebook.cells if c.id == cell_id)
    return found


def test_a_second_release_gives_the_same_bytes(course: Path) -> None:
    path = course / "notebooks" / "toy.ipynb"
    before, when = path.read_bytes(), path.stat().st_mtime_ns
    (again,) = release(["toy"], course)
    assert not again.changed
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, when)
    path.unlink()
    (again,) = release(["toy"], course)
    assert again.changed
    assert path.read_bytes() == before


def test_a_lost_gradebook_is_made_again_and_changes_no_notebook(course: Path) -> None:
    before = released_text(course)
    shutil.rmtree(course / "course")
    (again,) = release(None, course)
    assert not again.changed
    assert released_text(course) == before
    with opened(course) as gradebook:
        assert gradebook.find_assignment("toy").max_score == 25.0


def test_the_released_file_is_a_valid_notebook(released_course: Path, notebook: NotebookNode) -> None:
    text, problem = released_text(released_course), load_problem("toy", released_course)
    assert text == notebook_text(released_notebook(problem)), "in memory it is the same notebook"
    assert text.startswith('{\n "cells"') and text.endswith("}\n")
    metadata = list(json.loads(text)["metadata"])
    assert metadata == sorted(metadata)
    nbformat.validate(notebook)
    assert notebook.metadata.homework == {"problem": "toy", "release": problem.sha256[:12]}
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any(c.get("outputs") or c.get("execution_count") for c in notebook.cells)
    assert [c.id for c in notebook.cells] == [c.id for c in problem.cells]
    assert "STUDENT_PACKAGE" not in text
    assert "install -q git+https://example.org/toy-course.git" in notebook.cells[1].source


def test_stubs_keep_signature_and_docstring(notebook: NotebookNode) -> None:
    stub = 'raise NotImplementedError("{}: replace this line by your code")'
    source = cell(notebook, "standardize").source
    assert source.startswith("def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n")
    assert "Brings every column to mean 0" in source
    assert source.endswith("\n    " + stub.format("standardize"))
    assert cell(notebook, "Line").source.endswith("\n        " + stub.format("Line"))
    assert cell(notebook, "written-units").source == "*Your answer (written_units): replace this line.*"
    figure = cell(notebook, "figure-loss")
    assert figure.source.endswith(stub.format("figure_loss"))
    assert figure.metadata.tags == ["experiment"]
    test = cell(notebook, "test-Line")
    assert test.source.endswith('print("Line: all visible checks passed")')
    assert (test.metadata.deletable, test.metadata.editable, test.metadata.nbgrader.points) == (False, False, 8)


def test_the_checksum_is_nbgraders(notebook: NotebookNode) -> None:
    graded = [c for c in notebook.cells if "nbgrader" in c.metadata]
    assert len(graded) == 6
    for one in graded:
        assert one.metadata.nbgrader.checksum == checksum(one) == compute_checksum(one)


def test_the_gradebook_has_items_and_due_date(released_course: Path) -> None:
    with opened(released_course) as gradebook:
        assignment = gradebook.find_assignment("toy")
        assert assignment.duedate.isoformat() == "2027-01-17T22:59:00"  # nbgrader keeps UTC without a zone
        (notebook,) = assignment.notebooks
        points = {c.name: c.max_score for c in notebook.grade_cells}
    assert points == {"test_standardize": 12.0, "test_Line": 8.0, "figure_loss": 2.0, "written_units": 3.0}


def test_a_source_with_lint_findings_is_not_released(course: Path) -> None:
    before = released_text(course)
    edit_source(course, {"### BEGIN HIDDEN TESTS\nsteep": "### BEGIN HIDEN TESTS\nsteep"})
    with pytest.raises(ReleaseError, match=r"nothing was released; fix these first:\n.*toy\.py:\d+: marker: "):
        release(None, course)
    assert released_text(course) == before


def test_a_notebook_that_shows_a_secret_is_not_released(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.release.notebook.replaced", lambda source, kind, stub_text: source)
    message = r"these lines must not reach students:\nnotebooks/toy.ipynb, line \d+: shows"
    with pytest.raises(ReleaseError, match=message):
        release(None, course)


def test_a_notebook_that_differs_from_nbgraders_is_not_released(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = released_text(course)
    monkeypatch.setattr(nbgrader_plugin, "stub", lambda grade_id, cell_type: "pass")
    difference = "first difference: .*pass.* .nbgrader., .*raise Not.* .ours."
    with pytest.raises(ReleaseError, match=f"nbgrader's release differs from ours; {difference}"):
        release(None, course)
    assert released_text(course) == before


def test_new_points_are_released(course: Path) -> None:
    edit_source(course, {'"points": 8,': '"points": 9,'})
    (again,) = release(None, course)
    assert again.changed
    with opened(course) as gradebook:
        assert gradebook.find_assignment("toy").max_score == 26.0


def test_items_cannot_change_after_the_first_submission(course: Path) -> None:
    with opened(course) as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's, from SQLAlchemy
        gradebook.add_student("ada")
        gradebook.add_submission("toy", "ada")
    edit_source(course, {"written_units": "written_unit"})
    with pytest.raises(ReleaseError, match="items were added, removed or renamed, but the gradebook has submissions"):
        release(None, course)


def test_an_unknown_problem_is_an_error(released_course: Path) -> None:
    with pytest.raises(SourceError, match="unknown problem 'tyo'"):
        release(["tyo"], released_course)


def test_an_error_of_nbgrader_is_reported(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NbGraderException("a reason")

    monkeypatch.setattr(nbgrader_plugin, "GenerateAssignment", lambda **_: SimpleNamespace(start=refuse))
    with pytest.raises(ReleaseError, match="toy: nbgrader refused the release: a reason"):
        release(None, course)


def test_writing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "file.txt"
    assert write_atomically(path, "one")
    assert not write_atomically(path, "one")
    fill_disk(monkeypatch)
    with pytest.raises(SetupError, match="file.txt cannot be written: No space left on device; make room"):
        write_atomically(path, "two")
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_the_config_is_the_same_on_each_machine_and_shows_no_secret(released_course: Path) -> None:
    text = (released_course / "course" / "nbgrader_config.py").read_text(encoding="utf-8")
    compile(text, "nbgrader_config.py", "exec")
    assert str(released_course) not in text
    assert leaks_module.leaks(load_problem("toy", released_course), {"nbgrader_config.py": text}) == []


@pytest.mark.slow
def test_a_new_gradebook_equals_one_of_nbgrader(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    theirs = course / "theirs.db"
    Gradebook(f"sqlite:///{theirs}").close()

    def content(path: Path) -> tuple[set[str], list[tuple[str]]]:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            tables = {row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
            return tables, connection.execute("SELECT version_num FROM alembic_version").fetchall()

    assert content(course / "course" / "gradebook.db") == content(theirs)
