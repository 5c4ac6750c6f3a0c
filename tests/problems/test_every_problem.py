"""What holds for every problem: it is complete, its variants are there, and its tests judge each of them correctly.

Each variant is graded alone, in a sandboxed process, in a notebook that is right everywhere else. That it costs its
item and no other is what `autograder check` proves.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from nbclient import NotebookClient

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Item, Problem, load_problem, problem_ids
from autograder.course.variants import Variant, VariantKind, variants
from autograder.grading.grade import grade_submission
from autograder.grading.misconceptions import asked_items, expected
from autograder.grading.reference import reference
from autograder.grading.tolerance import same
from autograder.release.fill import solved_notebook
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.autograder.warm_host import warm_host
from tests.problems.one_item import graded, together
from tests.problems.run_source import ROOT, run_source, verdicts

PROBLEMS = [load_problem(problem, ROOT) for problem in problem_ids(ROOT)]
ONE_QUICK = [problem if problem.id == "vae" else pytest.param(problem, marks=pytest.mark.long) for problem in PROBLEMS]
"""For tests that run a whole notebook: one problem's in `make test`, the others' in `make test-all`."""
CODE = [(problem, item) for problem in PROBLEMS for item in problem.items if item.kind == "code"]
KINDS: tuple[VariantKind, ...] = ("wrong", "right")
VARIANTS = [(problem, variant) for problem in PROBLEMS for kind in KINDS for variant in variants(problem, kind)]


def names_of(problem: Problem) -> list[str]:
    """Its graded names."""
    return [item.id for item in problem.items if item.kind == "code"]


def name_of(value: Problem | Item | Variant) -> str:
    return value.name if isinstance(value, Variant) else value.id


FLOAT32_ONLY = """

_given_{name} = {name}

def {name}(*args, **kwargs):
    for value in torch.utils._pytree.tree_leaves((args, kwargs)):
        weights = value.parameters() if isinstance(value, torch.nn.Module) else [value]
        if any(getattr(one, "dtype", None) == torch.float64 for one in weights):
            raise TypeError("the test gives {name} a float64 tensor, which the docstring does not promise")
    return _given_{name}(*args, **kwargs)
"""
"""Refuses float64."""


@pytest.mark.parametrize("problem", PROBLEMS, ids=name_of)
def test_the_solution_passes_its_tests_which_give_the_promised_data_types(problem: Problem) -> None:
    answers = {
        item.id: item.cell.source + FLOAT32_ONLY.format(name=item.id)
        for item in problem.items
        if f"def {item.id}(" in item.cell.source and "float64" not in item.cell.source.split("### BEGIN SOLUTION")[0]
    }
    assert verdicts(problem.id, answers) == dict.fromkeys(names_of(problem), "")


@pytest.mark.parametrize(("problem", "variant"), together(VARIANTS), ids=name_of)
def test_a_wrong_variant_loses_points_and_a_right_one_gets_full_marks(problem: Problem, variant: Variant) -> None:
    result = graded(problem, variant.item, variant.source)
    assert (result.score == result.max_score) is (variant.kind == "right"), result.message
    assert variant.kind == "right" or result.message


@pytest.mark.parametrize("problem", PROBLEMS, ids=name_of)
def test_the_students_text_has_at_most_4500_words(problem: Problem) -> None:
    """Formulas, addresses and tags do not count."""
    text = "\n".join(cell.source for cell in released_notebook(problem).cells if cell.cell_type == "markdown")
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|<[^>]*>|\(https?:[^)]*\)", " ", text, flags=re.DOTALL)
    assert sum(bool(re.search("[A-Za-z]", word)) for word in text.split()) <= 4500


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:std\\(\\):UserWarning")
@pytest.mark.parametrize(("problem", "item"), CODE, ids=name_of)
def test_verdicts_do_not_depend_on_the_drawn_inputs(problem: Problem, item: Item) -> None:
    """Each course draws its own inputs: solution, right and wrong answers are judged correctly with any of them."""
    asked = [variant for chosen, variant in VARIANTS if (chosen.id, variant.item) == (problem.id, item.id)]
    for seed in range(1, 21):
        assert verdicts(problem.id, {}, [item.id], seed=seed) == {item.id: ""}, seed
        for variant in asked:
            failed = bool(verdicts(problem.id, {item.id: variant.source}, [item.id], seed=seed)[item.id])
            assert failed is (variant.kind == "wrong"), (variant.slug, seed)


@pytest.mark.parametrize(("problem", "item"), CODE, ids=name_of)
@pytest.mark.parametrize("body", ["return None", "return torch.zeros(3, 2)", "raise NotImplementedError"])
def test_an_empty_answer_fails(problem: Problem, item: Item, body: str) -> None:
    assert verdicts(problem.id, {item.id: f"def {item.id}(*args, **kwargs):\n    {body}"}, [item.id])[item.id]


OVERWRITING = """

_right_{name} = {name}

def {name}(*args, **kwargs):
    result = _right_{name}(*args, **kwargs)
    for value in (*args, *kwargs.values()):
        if isinstance(value, torch.Tensor):
            value.detach().copy_(~value if value.dtype == torch.bool else value.detach() + 1)
        elif isinstance(value, list | dict):
            value.clear()
    return result
"""
"""Overwrites the arguments of a right answer, after it is computed."""
REFUSING_DATA = """

_right_{name} = {name}

def {name}(*args, **kwargs):
    assert not any(isinstance(value, torch.Tensor | list | dict) for value in (*args, *kwargs.values())), "data"
    return _right_{name}(*args, **kwargs)
"""
"""Fails if its test gives a right answer any data, not only numbers and functions."""
FUNCTIONS = [pair for pair in CODE if f"def {pair[1].id}(" in pair[1].cell.source]


@pytest.mark.parametrize(("problem", "item"), FUNCTIONS, ids=name_of)
def test_a_right_answer_that_overwrites_its_arguments_fails(problem: Problem, item: Item) -> None:
    has_data, failure = (
        verdicts(problem.id, {item.id: item.cell.source + more.format(name=item.id)}, [item.id])[item.id]
        for more in (REFUSING_DATA, OVERWRITING)
    )
    assert ("Your code changed" in failure) is (has_data == "AssertionError: data"), (failure, has_data)


@pytest.mark.kernel
@pytest.mark.parametrize("problem", ONE_QUICK, ids=name_of)
def test_the_notebook_runs_in_grade(problem: Problem, tmp_path: Path) -> None:
    log = run_source(problem.id, "grade", tmp_path)["log"]
    assert set(log["answers"]) == set(names_of(problem))
    assert "error" not in str(log["answers"]) and log["profile"] == "grade"


@pytest.mark.kernel
@pytest.mark.parametrize("problem", ONE_QUICK, ids=name_of)
def test_the_grader_gets_the_answers_that_the_notebook_logs(problem: Problem) -> None:
    """Questions on per-student inputs ask a student's process; what they do to its objects must reach it."""
    data = notebook_text(solved_notebook(problem)).encode()
    done = grade_submission(problem.id, Submission("ada", problem.id, data), root=ROOT, host=warm_host())
    ours = reference(problem)
    assert set(done.log.answers) == set(names_of(problem))
    for item in asked_items(ours):
        right = expected(ours, item, "ada")
        assert same(done.log.answers[item.id], right.value, right.precision), item.id


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("problem", ONE_QUICK, ids=name_of)
def test_the_untouched_release_writes_a_log(problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of its cells fail, the last one does not."""
    for name, value in {"HOMEWORK_PROFILE": "grade", "HOMEWORK_STUDENT": "ada", "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    notebook = released_notebook(problem)
    notebook.cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(str(output) for output in notebook.cells[-1].get("outputs", ()))
    log = json.loads((tmp_path / "submission_log.json").read_text(encoding="utf-8"))
    assert set(log["answers"]) == set(names_of(problem)), said
    assert all("NotImplementedError" in answer["error"] for answer in log["answers"].values())
