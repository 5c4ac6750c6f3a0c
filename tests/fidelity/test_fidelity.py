"""What passes in Jupyter passes in grading, and the other way round, however the notebook is written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.variants import variants
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from tests.autograder.toy import ROOT as TOY
from tests.conftest import ROOT
from tests.fidelity.oracle import passed_here, passed_in_jupyter, visible
from tests.fidelity.quirks import QUIRKS

pytestmark = pytest.mark.kernel
MADE = 300
"""Number of generated notebooks."""


def agree(problem: Problem, root: Path, folder: Path, names: list[str], seed: int) -> None:
    """Asserts that a notebook with these quirks passes the same items in Jupyter and in grading."""
    draw = random.Random(seed)
    source = load_problem(problem.id, root)
    answers = dict(solution_answers(source))
    code = [item.id for item in source.items if item.kind == "code"]
    is_wrong = draw.random() < 0.3
    wrong = [one for one in variants(source, "wrong") if one.item in code] if is_wrong else []
    if wrong:
        variant = draw.choice(wrong)
        answers[variant.item] = variant.source
    notebook = fill_in(released_notebook(source), answers)
    for name in names:
        item = draw.choice(code)
        at = next(n for n, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == item)
        QUIRKS[name](notebook, at)
    there = passed_in_jupyter(problem, notebook, folder)
    here = passed_here(problem, notebook)
    assert {item: here[item] for item in there} == there, (names, seed)


@pytest.mark.parametrize("name", QUIRKS)
@pytest.mark.slow
def test_a_quirk_changes_no_verdict(name: str, tmp_path: Path) -> None:
    agree(visible("toy", TOY), TOY, tmp_path, [name], 0)


def test_a_notebook_with_many_quirks_gets_the_verdicts_of_jupyter(tmp_path: Path) -> None:
    harmless = [name for name in QUIRKS if "written" not in name]
    for seed in range(2):
        agree(visible("toy", TOY), TOY, tmp_path, random.Random(seed).sample(harmless, 4), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(MADE))
def test_a_generated_notebook_gets_the_verdicts_of_jupyter(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    problem, root = draw.choice([("toy", TOY), *((name, ROOT) for name in problem_ids(ROOT))])
    agree(visible(problem, root), root, tmp_path, draw.sample(list(QUIRKS), draw.randint(2, 4)), seed)
