"""A source is read into cells and items with stable ids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.core.errors import SourceError
from autograder.course.problem import DEFAULT_SECONDS, as_notebook, load_problem, problem_ids, read_source
from tests.autograder.toy import ROOT, toy


def test_a_problem_has_the_items_of_its_source() -> None:
    problem = toy()
    assert [(item.id, item.kind, item.points) for item in problem.items] == [
        ("standardize", "code", 12.0),
        ("Line", "code", 8.0),
        ("figure_loss", "figure", 2.0),
        ("written_units", "written", 3.0),
    ]
    assert problem.max_score == 25.0
    assert problem.title == "A toy problem"
    assert problem.item("Line").seconds == 10.0
    assert problem.item("standardize").seconds == DEFAULT_SECONDS
    assert "names the units" in problem.item("written_units").rubric
    assert "the axes are labelled" in problem.item("figure_loss").rubric
    assert problem_ids(ROOT) == ["toy"]
    with pytest.raises(KeyError):
        problem.item("nothing")


def test_cell_ids_are_unique_and_reproducible() -> None:
    problem = toy()
    first, second = as_notebook(problem), as_notebook(problem)
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in second.cells] == [cell.id for cell in problem.cells]
    assert len(set(ids)) == len(ids)
    assert {"standardize", "test-standardize", "written-units"} <= set(ids)


def test_equal_cells_get_different_ids() -> None:
    notebook = read_source("# %%\nx = 1\n\n# %%\nx = 1\n", "two.py")
    first, second = (cell.id for cell in notebook.cells)
    assert second == f"{first}-2"


def test_an_error_names_the_file_and_the_fix(tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    source = tmp_path / "solutions" / "bad.py"
    with pytest.raises(SourceError, match=r"unknown problem 'bad': there is no .*bad\.py\. Problems here: none"):
        load_problem("bad", tmp_path)
    source.write_bytes(b"# %%\nx = '\xe9'\n")
    with pytest.raises(SourceError, match=r"bad\.py is not UTF-8 text .*save it as UTF-8"):
        load_problem("bad", tmp_path)
    text = (ROOT / "solutions" / "toy.py").read_text(encoding="utf-8")
    source.write_text(text.replace("test_Line", "test_Lime"), encoding="utf-8")
    with pytest.raises(SourceError, match="item 'Line' has no test cell; add one with grade_id 'test_Line'"):
        load_problem("bad", tmp_path)


def test_a_heading_is_no_marker_and_of_no_sample_answer(tmp_path: Path) -> None:
    problem = load_problem("toy", ROOT)
    inside = replace(problem.item("written_units").cell, source="### BEGIN SOLUTION\n## Answer\n### END SOLUTION")
    above = problem.cells[: problem.cells.index(problem.item("written_units").cell)]
    below = replace(problem.item("standardize"), id="below", cell=replace(problem.cells[0], id="below"))
    changed = replace(problem, cells=(*above, inside, below.cell), items=(*problem.items, below))
    assert changed.heading("below") == "5 A question"
