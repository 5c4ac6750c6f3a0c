"""Rebuilding finds the student's answers, whatever an editor did to the notebook, and takes nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.core.results import Outcome
from autograder.course.problem import load_problem, problem_ids
from autograder.release.fill import solved_notebook
from autograder.submissions.reader import UnusableError, read_bytes, read_cells
from autograder.submissions.rebuild import Rebuilt, rebuild
from tests.autograder.toy import RIGHT_STANDARDIZE, ROOT, grade_id, released, solved, text, toy
from tests.conftest import ROOT as COURSE


def rebuilt(notebook: NotebookNode | bytes) -> Rebuilt:
    """The rebuilt toy notebook."""
    data = notebook if isinstance(notebook, bytes) else text(notebook)
    return rebuild(toy(), read_cells(data, "toy.ipynb"), "toy.ipynb")


def place(notebook: NotebookNode, wanted: str) -> int:
    """The position of a cell."""
    return [grade_id(cell) for cell in notebook.cells].index(wanted)


def answers(result: Rebuilt) -> dict[str, str]:
    """Item → the text that counts."""
    return {item.id: result.source(item.id) for item in toy().items}


EVERYTHING = answers(rebuilt(solved()))


def test_a_clean_notebook_needs_no_repair() -> None:
    result = rebuilt(solved())
    assert result.answered == {"standardize", "Line", "figure_loss", "written_units"} and result.flags == ()


@pytest.mark.parametrize("ids", ["kept", "dropped"])
def test_answers_are_found_without_metadata(ids: str) -> None:
    notebook = json.loads(text(solved()))
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if ids == "dropped":
            cell.pop("id")
            notebook["nbformat_minor"] = 4
    result = rebuilt(json.dumps(notebook).encode())
    assert answers(result) == EVERYTHING
    if ids == "dropped":
        assert [flag.kind for flag in result.flags] == ["repaired"] * 4


def test_answers_are_found_in_reordered_and_renamed_cells() -> None:
    notebook = solved()
    notebook.cells.reverse()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"c{number}"
    assert answers(rebuilt(notebook)) == EVERYTHING


def test_an_answer_in_another_cell_is_found_by_the_name_it_defines() -> None:
    notebook = released()
    notebook.cells.insert(0, nbformat.v4.new_code_cell(RIGHT_STANDARDIZE, id="own"))
    result = rebuilt(notebook)
    assert result.source("standardize") == RIGHT_STANDARDIZE and result.answered == {"standardize"}
    assert "by the name it defines" in result.flags[0].message


def test_a_deleted_answer_is_missing_and_flagged() -> None:
    notebook = solved()
    del notebook.cells[place(notebook, "Line")]
    result = rebuilt(notebook)
    assert "Line" not in result.found and "NotImplementedError" in result.source("Line")
    assert [flag.kind for flag in result.flags] == ["missing_cell"]


def test_changed_tests_tags_metadata_and_given_text_are_ignored() -> None:
    notebook = solved()
    test = notebook.cells[place(notebook, "test_standardize")]
    test.source = "pass"
    test.metadata.tags = ["skip-execution"]
    notebook.cells.append(copy.deepcopy(test))
    notebook.cells[-1].id = "copy"
    notebook.cells[0].source = "# My own title"
    notebook.metadata = {"evil": True}
    result = rebuilt(notebook)
    tests = [cell.source for cell in released().cells if grade_id(cell).startswith("test_")]
    assert [built.source for built in result.cells if built.role == "test"] == tests
    assert answers(result) == EVERYTHING


def test_an_edited_given_cell_counts_as_a_free_cell_above_the_original() -> None:
    notebook = solved()
    at = next(n for n, cell in enumerate(notebook.cells) if "import torch" in cell.source)
    original = notebook.cells[at].source
    notebook.cells[at].source = "import itertools\n" + original
    built = rebuilt(notebook).cells
    here = next(n for n, cell in enumerate(built) if cell.source == original)
    assert built[here].role == "given"
    assert built[here - 1].role == "free" and built[here - 1].source.startswith("import itertools")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"   \n", "is empty"),
        (b"not json", "not JSON"),
        (b"[1, 2]", "not a Jupyter notebook"),
        (b"{}", "not a Jupyter notebook"),
        (b'{"nbformat": 4, "cells": 3}', "not a Jupyter notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "old format 3"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"PK\x03\x04", "not JSON"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(UnusableError, match=said) as caught:
        rebuilt(data)
    assert caught.value.outcome is Outcome.UNREADABLE and "toy.ipynb" in str(caught.value)


def test_a_notebook_without_items_of_the_problem_is_refused() -> None:
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("def unrelated(): pass")])
    with pytest.raises(UnusableError, match="contains none of the items of 'toy'") as caught:
        rebuilt(other)
    assert caught.value.outcome is Outcome.WRONG_NOTEBOOK


def test_malformed_cells_are_ignored() -> None:
    notebook = json.loads(text(solved()))
    notebook["cells"] += [
        3,
        {"cell_type": "code"},
        {"cell_type": ["x"], "source": 5},
        {
            "cell_type": "code",
            "source": "x = 1",
            "metadata": {"nbgrader": {"grade_id": ["list"], "schema_version": 99}},
        },
        {"cell_type": "code", "source": ["a = ", 4]},
        {"cell_type": "code", "source": "y = 1", "metadata": [], "outputs": {"a": 1}, "id": 4},
    ]
    assert answers(rebuilt(json.dumps(notebook).encode())) == EVERYTHING


def test_missing_linked_and_huge_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link.ipynb").symlink_to(ROOT / "course.toml")
    (tmp_path / "big.ipynb").write_bytes(bytes(11))
    monkeypatch.setattr("autograder.submissions.reader.MAX_BYTES", 10)
    for name, said in (
        ("toy.ipynb", "is missing"),
        ("link.ipynb", "not a regular file"),
        ("", "not a regular file"),
        ("big.ipynb", "clear the outputs"),
    ):
        with pytest.raises(UnusableError, match=said) as caught:
            read_bytes(tmp_path / name)
        assert (caught.value.outcome is Outcome.MISSING) == (name == "toy.ipynb")


@pytest.mark.parametrize("problem_id", problem_ids(COURSE))
def test_the_notebook_of_another_problem_is_recognised(problem_id: str) -> None:
    problem = load_problem(problem_id, COURSE)
    notebook = text(solved_notebook(problem))
    assert rebuild(problem, read_cells(notebook, "it"), "it").found == {item.id for item in problem.items}
    for other in set(problem_ids(COURSE)) - {problem_id}:
        with pytest.raises(UnusableError, match=f"notebook of '{problem_id}', not of '{other}'"):
            rebuild(load_problem(other, COURSE), read_cells(notebook, "it"), "it")
