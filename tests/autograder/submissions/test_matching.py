"""Several cells that answer one item: the last answered one counts, as in the student's own Jupyter."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.core.results import Status
from autograder.course.name_analysis import replaces
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import Rebuilt, rebuild
from tests.autograder.submissions.test_rebuild import place
from tests.autograder.toy import FULL, RIGHT_STANDARDIZE, STANDARDIZE, graded, released, scores, solved, toy

WRONG = STANDARDIZE + "    return x"
EMPTY = ""
BROKEN = STANDARDIZE + "    return (x -"
STUB = str(released().cells[place(released(), "standardize")].source)
COMMENTED = STUB.replace("Brings every", "Will bring every").replace("    raise", "    # TODO: mean first?\n    raise")
HELPED = STANDARDIZE + "    return centred(x) / torch.sqrt(x.var(0, unbiased=False) + eps)"
HELPER = "\n\n\ndef centred(x):\n    return x - x.mean(0)"


def copied(
    sources: Sequence[str], *, item: str = "standardize", keeps: str = "grade id", below: str = "", **answers: str
) -> NotebookNode:
    """The solved notebook with an item's cell several times: the first in its place, the others below it, in order.

    Args:
        sources: texts of the cells.
        item: the item.
        keeps: what the copies keep of the first: `grade id`, `cell id` or nothing.
        below: grade id of the cell below which the copies stand; the answer's own if not given.
        answers: of other items.
    """
    notebook = solved(**answers, **{item: sources[0]})
    first = notebook.cells[place(notebook, item)]
    first.source = sources[0]
    at = place(notebook, below or item) + 1
    for number, source in enumerate(sources[1:]):
        make: Callable[..., NotebookNode] = new_code_cell if first.cell_type == "code" else new_markdown_cell
        copy = make(source, id=first.id if keeps == "cell id" else f"copy-{number}")
        if keeps == "grade id":
            copy.metadata = deepcopy(first.metadata)
        notebook.cells.insert(at + number, copy)
    if keeps == "cell id":
        first.metadata = {}
    return notebook


def written(notebook: NotebookNode) -> bytes:
    """The bytes of its file; nbformat would refuse a cell id that is there twice, which some editors write."""
    return json.dumps(notebook).encode()


def rebuilt(notebook: NotebookNode) -> Rebuilt:
    """The rebuilt toy notebook."""
    return rebuild(toy(), read_cells(written(notebook), "toy.ipynb"), "toy.ipynb")


def scores_of(notebook: NotebookNode) -> Mapping[str, float]:
    """The points of its code items."""
    return scores(graded(written(notebook)))


STANDARDIZE_WRONG = {"standardize": 0.0, "Line": 8.0}


def said(result: Rebuilt) -> str:
    """What the flags say."""
    assert {flag.kind for flag in result.flags} <= {"repaired"}
    return "\n".join(flag.message for flag in result.flags)


def order(result: Rebuilt, *sources: str) -> list[int]:
    """The positions of cells with these texts in the rebuilt notebook; each must be there once."""
    texts = [built.source for built in result.cells]
    assert all(texts.count(source) == 1 for source in sources)
    return [texts.index(source) for source in sources]


@pytest.mark.kernel
@pytest.mark.parametrize("below", ["", "test_standardize", "test_Line"])
@pytest.mark.parametrize("keeps", ["grade id", "cell id", "nothing"])
def test_a_right_copy_below_a_wrong_draft_gets_its_points(keeps: str, below: str) -> None:
    is_met_by_the_test = keeps != "nothing" or not below
    points = scores_of(copied([WRONG, RIGHT_STANDARDIZE], keeps=keeps, below=below))
    assert points == (FULL if is_met_by_the_test else STANDARDIZE_WRONG)


@pytest.mark.kernel
@pytest.mark.parametrize("draft", [BROKEN, "raise RuntimeError('a draft')", "def standardize(x, eps=EPS): oops", EMPTY])
@pytest.mark.parametrize("keeps", ["grade id", "nothing"])
def test_a_draft_that_fails_costs_no_points(draft: str, keeps: str) -> None:
    assert scores_of(copied([draft, RIGHT_STANDARDIZE], keeps=keeps)) == FULL


@pytest.mark.kernel
def test_a_wrong_copy_below_a_right_answer_counts_too() -> None:
    assert scores_of(copied([RIGHT_STANDARDIZE, WRONG])) == STANDARDIZE_WRONG


@pytest.mark.parametrize("keeps", ["grade id", "cell id", "nothing"])
@pytest.mark.parametrize("stub", [STUB, COMMENTED, EMPTY, "# nothing yet\n"])
def test_a_stub_below_the_answer_does_not_count_and_does_not_run(stub: str, keeps: str) -> None:
    result = rebuilt(copied([RIGHT_STANDARDIZE, stub], keeps=keeps))
    assert result.source("standardize") == RIGHT_STANDARDIZE
    free = [built.source for built in result.cells if built.role == "free"]
    assert STUB not in free and COMMENTED not in free


@pytest.mark.parametrize("keeps", ["grade id", "cell id", "nothing"])
def test_the_last_of_many_answers_counts_and_is_named(keeps: str) -> None:
    result = rebuilt(copied([STUB, WRONG, RIGHT_STANDARDIZE, STUB], keeps=keeps))
    assert result.source("standardize") == RIGHT_STANDARDIZE and "standardize" in result.answered
    at = place(solved(), "standardize") + 1
    assert f"standardize: cells {at + 1}, {at + 2} of the notebook answer this item; " in said(result)
    assert f"the last one, cell {at + 2}, counts." in said(result)
    assert order(result, WRONG, RIGHT_STANDARDIZE) == sorted(order(result, WRONG, RIGHT_STANDARDIZE))


@pytest.mark.kernel
def test_an_invalid_later_copy_does_not_replace_the_earlier_one() -> None:
    notebook = copied([RIGHT_STANDARDIZE, BROKEN])
    assert scores_of(notebook) == FULL
    at = place(notebook, "standardize") + 1
    assert f"cell {at + 1} cannot be read by Python, so cell {at} counts, as when the notebook is run." in said(
        rebuilt(notebook)
    )


def test_the_last_copy_is_graded_if_none_is_valid() -> None:
    assert rebuilt(copied([BROKEN, BROKEN + "(", STUB])).source("standardize") == BROKEN + "("


@pytest.mark.kernel
@pytest.mark.parametrize("keeps", ["grade id", "cell id", "nothing"])
@pytest.mark.parametrize("below", ["", "test_Line"])
def test_a_helper_in_a_draft_is_available_to_the_copy(keeps: str, below: str) -> None:
    if keeps == "nothing" and below:
        pytest.skip("below its test a cell without an id is not the answer")
    assert scores_of(copied([WRONG + HELPER, HELPED], keeps=keeps, below=below)) == FULL


@pytest.mark.kernel
def test_a_definition_below_the_test_is_named_and_not_graded() -> None:
    """In the student's Jupyter the test met the one above it."""
    notebook = copied([RIGHT_STANDARDIZE, WRONG], keeps="nothing", below="test_standardize")
    assert scores_of(notebook) == FULL
    at = place(notebook, "standardize") + 1
    assert f"standardize: cell {at + 2} defines it again below the test; cell {at}, above the test, counts." in said(
        rebuilt(notebook)
    )


@pytest.mark.kernel
def test_a_definition_above_a_copy_of_the_test_counts() -> None:
    notebook = copied([WRONG, RIGHT_STANDARDIZE], keeps="nothing", below="test_standardize")
    at = place(notebook, "test_standardize")
    notebook.cells.insert(at + 2, new_code_cell(notebook.cells[at].source, id="test-again"))
    assert scores_of(notebook) == FULL


@pytest.mark.kernel
def test_a_wrapper_below_the_answer_runs_after_it() -> None:
    """It builds on the answer, so it does not take its place."""
    wrapped = "functools.wraps(standardize)(lambda *a, f=standardize, **k: f(*a, **k))"
    wrapper = f"import functools\n\nstandardize = {wrapped}"
    notebook = copied([RIGHT_STANDARDIZE, wrapper], keeps="nothing")
    assert rebuilt(notebook).source("standardize") == RIGHT_STANDARDIZE and scores_of(notebook) == FULL


@pytest.mark.kernel
def test_a_cell_without_an_id_that_defines_two_items_replaces_both() -> None:
    both = RIGHT_STANDARDIZE + "\n\n\n" + str(solved().cells[place(solved(), "Line")].source)
    wrong_line = both[both.index("class Line") :].replace("torch.addcmul(self.intercept, self.slope, x)", "x")
    notebook = solved(standardize=WRONG, Line=wrong_line)
    notebook.cells.insert(place(notebook, "Line") + 1, new_code_cell(both, id="both"))
    assert scores_of(notebook) == STANDARDIZE_WRONG, "as the visible tests say"


def test_the_cells_above_a_copy_far_below_run_before_it() -> None:
    notebook = copied([WRONG, RIGHT_STANDARDIZE], below="test_Line")
    notebook.cells.insert(place(notebook, "test_Line") + 1, new_code_cell("scale = 3", id="above"))
    notebook.cells.insert(place(notebook, "test_standardize"), new_code_cell("tried = standardize(1)", id="try"))
    result = rebuilt(notebook)
    where = order(result, WRONG, "scale = 3", RIGHT_STANDARDIZE, "tried = standardize(1)")
    assert where == sorted(where)


@pytest.mark.parametrize("keeps", ["grade id", "cell id"])
def test_the_last_written_answer_counts_and_the_others_are_shown(keeps: str) -> None:
    first, last = "They have units.", "The quotient has no unit."
    result = rebuilt(copied([first, last], item="written_units", keeps=keeps))
    assert result.source("written_units") == last and "written_units" in result.answered
    assert [b.role for b in result.cells if b.source == first] == ["free"], "the grader sees both"
    assert "written_units: cells" in said(result)


@pytest.mark.parametrize("item", ["written_units", "figure_loss"])
def test_an_answer_without_an_id_below_an_untouched_stub_is_found(item: str) -> None:
    stub = str(released().cells[place(released(), item)].source)
    answer = "plots.curves({})" if item == "figure_loss" else "They have units."
    result = rebuilt(copied([stub, answer], item=item, keeps="nothing"))
    assert result.source(item) == answer and item in result.answered


def test_the_last_figure_counts_and_no_other_is_run() -> None:
    result = rebuilt(copied(["plots.curves({})", "plots.curves({1: 2})"], item="figure_loss"))
    assert result.source("figure_loss") == "plots.curves({1: 2})"
    assert "plots.curves({})" not in [built.source for built in result.cells]


@pytest.mark.kernel
def test_hundreds_of_copies_and_copies_under_another_items_id_gain_nothing() -> None:
    notebook = copied([WRONG, *[WRONG + f"  # {n}" for n in range(400)]])
    result = rebuilt(notebook)
    assert len(said(result)) < 300 and "395 more" in said(result)
    stranger = new_code_cell(RIGHT_STANDARDIZE, id="stranger")
    stranger.metadata = deepcopy(notebook.cells[place(notebook, "Line")].metadata)
    notebook.cells.insert(place(notebook, "test_Line"), stranger)
    grading = graded(written(notebook))
    assert scores(grading) == STANDARDIZE_WRONG
    assert grading.log.item("standardize").status is Status.FAILED


NEW = ["def f(): return f", "class f(f): pass", "f = lambda x: x", "from helper import f"]
SAME = ["f = cache(f)", "f.forward = g", "g = f", "def f(:"]


@pytest.mark.parametrize(("source", "new"), [(source, source in NEW) for source in NEW + SAME])
def test_only_an_independent_definition_replaces_another(source: str, new: bool) -> None:
    assert replaces(source, "f") is new


@pytest.mark.parametrize("seed", range(60))
def test_the_test_gets_the_function_that_it_gets_in_jupyter(seed: int) -> None:
    """Cells above the test in any order: answers, copies with and without the id, helpers, stubs, broken ones."""
    draw = random.Random(seed)
    kinds = [
        ("grade id", "def standardize(x):\n    return {n}"),
        ("grade id", "def standardize(x):\n    return helper() + {n}"),
        ("grade id", "def helper():\n    return 100 * {n}\n\n\ndef standardize(x):\n    return {n}"),
        ("grade id", BROKEN),
        ("grade id", STUB),
        ("nothing", "def standardize(x):\n    return {n}"),
        ("nothing", "def helper():\n    return 1000 * {n}"),
        ("nothing", "before{n} = standardize\n\n\ndef standardize(x):\n    return before{n}(x) + 10_000 * {n}"),
        ("nothing", "standardize = (lambda f: lambda x: f(x) + 100_000 * {n})(standardize)"),
    ]
    first = "def helper():\n    return 0\n\n\ndef standardize(x):\n    return 7"
    notebook = solved(standardize=first)
    at = place(notebook, "standardize")
    for n in range(1, draw.randint(2, 7)):
        keeps, source = draw.choice(kinds)
        cell = new_code_cell(source.replace("{n}", str(n)), id=f"copy-{n}")
        if keeps == "grade id":
            cell.metadata = deepcopy(notebook.cells[at].metadata)
        notebook.cells.insert(at + n, cell)
    in_jupyter = [cell.source for cell in notebook.cells[at : place(notebook, "test_standardize")]]
    result = rebuilt(notebook)
    test = next(n for n, built in enumerate(result.cells) if built.id == "test-standardize")
    own = [b.source for b in result.cells[:test] if b.cell_type == "code" and b.role in ("free", "answer")]
    assert _at_the_end(own) == _at_the_end([source for source in in_jupyter if source != STUB])


def _at_the_end(sources: Sequence[str]) -> object:
    """What the item's function gives after these cells ran; a cell that cannot be read changes nothing."""
    names: dict[str, Any] = {"EPS": 0.0, "torch": torch}
    for source in sources:
        with contextlib.suppress(SyntaxError):
            exec(source, names)
    return names["standardize"](0)
