"""The release is nbgrader's, the same bytes each time, and refuses what should not get out."""

from __future__ import annotations

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
from nbgrader.converters.base import NbGraderException

from autograder.cli.release import release
from autograder.core.errors import ReleaseError, SetupError, SourceError
from autograder.core.files import write_atomically
from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem
from autograder.gradebook import nbgrader_plugin
from autograder.gradebook.database import opened
from autograder.release import leaks as leaks_module
from autograder.release.notebook import checksum, released_notebook

FIXTURE = Path(__file__).parents[1] / "fixture_course"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy course that was released once (a new gradebook takes nbgrader a second or two)."""
    root = tmp_path_factory.mktemp("release") / "course root"
    shutil.copytree(FIXTURE, root)
    (released,) = release(root=root)
    assert (released.problem, released.changed) == ("toy", True)
    assert released.path == root / "notebooks" / "toy.ipynb"
    return root


@pytest.fixture
def course(first: Path, tmp_path: Path) -> Path:
    """A copy of the released toy course that a test may change."""
    return Path(shutil.copytree(first, tmp_path / "again"))


def edit_source(root: Path, old: str, new: str) -> None:
    """Replaces text in the toy source."""
    path = root / "solutions" / "toy.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def hand_in(root: Path, student: str) -> None:
    """Makes the gradebook know a submission."""
    with opened(root) as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's, from SQLAlchemy
        gradebook.add_student(student)
        gradebook.add_submission("toy", student)


def cell(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    """The cell of that id."""
    found: NotebookNode = next(c for c in notebook.cells if c.id == cell_id)
    return found


def test_twice_gives_the_same_bytes(course: Path) -> None:
    path = course / "notebooks" / "toy.ipynb"
    before, when = path.read_bytes(), path.stat().st_mtime_ns
    (again,) = release(["toy"], course)
    assert not again.changed
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == when
    path.unlink()
    (again,) = release(["toy"], course)
    assert again.changed
    assert path.read_bytes() == before


def test_a_lost_gradebook_changes_nothing(course: Path) -> None:
    before = (course / "notebooks" / "toy.ipynb").read_bytes()
    shutil.rmtree(course / "course")
    (again,) = release(None, course)
    assert not again.changed
    assert (course / "notebooks" / "toy.ipynb").read_bytes() == before
    with opened(course) as gradebook:
        assert gradebook.find_assignment("toy").max_score == 25.0


def test_in_memory_it_is_the_same_notebook(course: Path) -> None:
    text = notebook_text(released_notebook(load_problem("toy", course)))
    assert text == (course / "notebooks" / "toy.ipynb").read_text(encoding="utf-8")


def test_the_file_is_a_good_notebook(course: Path) -> None:
    text = (course / "notebooks" / "toy.ipynb").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text.startswith('{\n "cells"')
    data = json.loads(text)
    assert list(data["metadata"]) == sorted(data["metadata"])
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    problem = load_problem("toy", course)
    assert notebook.metadata.homework == {"problem": "toy", "release": problem.sha256[:12]}
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any(c.get("outputs") or c.get("execution_count") for c in notebook.cells)
    assert [c.id for c in notebook.cells] == [c.id for c in problem.cells]
    assert "STUDENT_PACKAGE" not in text
    assert "install -q git+https://example.org/toy-course.git" in cell(notebook, notebook.cells[1].id).source


def test_stubs_keep_signature_and_docstring(course: Path) -> None:
    notebook = nbformat.read(course / "notebooks" / "toy.ipynb", as_version=4)
    source = cell(notebook, "standardize").source
    assert source.startswith("def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n")
    assert "Brings every column to mean 0" in source
    assert source.endswith('\n    raise NotImplementedError("standardize: replace this line by your code")')
    assert cell(notebook, "Line").source.endswith(
        '\n        raise NotImplementedError("Line: replace this line by your code")'
    )
    assert cell(notebook, "written-units").source == "*Your answer (written_units): replace this line.*"
    figure = cell(notebook, "figure-loss")
    assert figure.source.endswith('raise NotImplementedError("figure_loss: replace this line by your code")')
    assert figure.metadata.tags == ["experiment"]
    test = cell(notebook, "test-Line")
    assert test.source.endswith('print("Line: all visible checks passed")')
    assert (test.metadata.deletable, test.metadata.editable, test.metadata.nbgrader.points) == (False, False, 8)


def test_the_checksum_is_nbgraders(course: Path) -> None:
    from nbgrader.utils import compute_checksum

    notebook = nbformat.read(course / "notebooks" / "toy.ipynb", as_version=4)
    graded = [c for c in notebook.cells if "nbgrader" in c.metadata]
    assert len(graded) == 6
    for one in graded:
        assert one.metadata.nbgrader.checksum == checksum(one) == compute_checksum(one)


def test_the_gradebook_knows_items_and_due_date(course: Path) -> None:
    with opened(course) as gradebook:
        assignment = gradebook.find_assignment("toy")
        assert assignment.duedate.isoformat() == "2027-01-17T22:59:00"  # nbgrader keeps UTC without a zone
        (notebook,) = assignment.notebooks
        points = {c.name: c.max_score for c in notebook.grade_cells}
    assert points == {"test_standardize": 12.0, "test_Line": 8.0, "figure_loss": 2.0, "written_units": 3.0}


def test_lint_findings_refuse_everything(course: Path) -> None:
    before = (course / "notebooks" / "toy.ipynb").read_bytes()
    edit_source(course, "### BEGIN HIDDEN TESTS\nsteep", "### BEGIN HIDEN TESTS\nsteep")
    with pytest.raises(ReleaseError, match=r"nothing was released; fix these first:\n.*toy\.py:\d+: marker: "):
        release(None, course)
    assert (course / "notebooks" / "toy.ipynb").read_bytes() == before


def test_a_leak_refuses_everything(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.release.notebook.replaced", lambda source, kind, stub_text: source)
    with pytest.raises(
        ReleaseError, match=r"these lines must not reach students:\nnotebooks/toy.ipynb, line \d+: shows"
    ):
        release(None, course)


def test_if_nbgrader_and_we_differ_nothing_is_put_in_place(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (course / "notebooks" / "toy.ipynb").read_bytes()
    monkeypatch.setattr(nbgrader_plugin, "stub", lambda grade_id, cell_type: "pass")
    with pytest.raises(
        ReleaseError,
        match="nbgrader's release differs from ours; first difference: .*pass.* .nbgrader., .*raise Not.* .ours.",
    ):
        release(None, course)
    assert (course / "notebooks" / "toy.ipynb").read_bytes() == before


def test_new_points_and_texts_are_released_again(course: Path) -> None:
    edit_source(course, '"points": 8,', '"points": 9,')
    (again,) = release(None, course)
    assert again.changed
    with opened(course) as gradebook:
        assert gradebook.find_assignment("toy").max_score == 26.0


def test_other_items_after_submissions_are_refused(course: Path) -> None:
    hand_in(course, "ada")
    edit_source(course, "written_units", "written_unit")
    with pytest.raises(ReleaseError, match="items were added, removed or renamed, but the gradebook has submissions"):
        release(None, course)


def test_unknown_problem(course: Path) -> None:
    with pytest.raises(SourceError, match="unknown problem 'tyo'"):
        release(["tyo"], course)


def test_what_nbgrader_says_is_passed_on(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NbGraderException("something odd")

    monkeypatch.setattr(nbgrader_plugin, "GenerateAssignment", lambda **_: SimpleNamespace(start=refuse))
    with pytest.raises(ReleaseError, match="toy: nbgrader refused the release: something odd"):
        release(None, course)


def test_writing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "file.txt"
    assert write_atomically(path, "one")
    assert not write_atomically(path, "one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SetupError, match="file.txt cannot be written: No space left on device; make room"):
        write_atomically(path, "two")
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_the_config_is_the_same_everywhere(course: Path) -> None:
    text = (course / "course" / "nbgrader_config.py").read_text(encoding="utf-8")
    compile(text, "nbgrader_config.py", "exec")
    assert str(course) not in text
    assert leaks_module.leaks(load_problem("toy", course), {"nbgrader_config.py": text}) == []


@pytest.mark.slow
def test_a_new_gradebook_is_as_nbgrader_makes_it(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbgrader.api import Gradebook

    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    theirs = course / "theirs.db"
    Gradebook(f"sqlite:///{theirs}").close()

    def content(path: Path) -> tuple[set[str], list[tuple[str]]]:
        connection = sqlite3.connect(path)
        try:
            tables = {row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
            return tables, connection.execute("SELECT version_num FROM alembic_version").fetchall()
        finally:
            connection.close()

    assert content(course / "course" / "gradebook.db") == content(theirs)
