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
LIGHT = [("toy", TOY)] * 18
"""The toy problem is drawn more often than the others, whose kernels take long to start."""


def agree(problem: Problem, root: Path, folder: Path, names: list[str], seed: int, item: str = "") -> None:
    """Asserts that a notebook with these quirks passes the same items in Jupyter and in grading.

    Args:
        problem: the problem with visible tests only.
        root: the course that it is from.
        folder: working folder of the kernel.
        names: of the quirks.
        seed: draws the answers' faults, and the items that get the quirks.
        item: the item that gets the quirks; drawn if empty.
    """
    draw = random.Random(seed)
    source = load_problem(problem.id, root)
    answers = dict(solution_answers(source))
    code = [item.id for item in source.items if item.kind == "code"]
    is_wrong = not item and draw.random() < 0.3
    wrong = [one for one in variants(source, "wrong") if one.item in code] if is_wrong else []
    if wrong:
        variant = draw.choice(wrong)
        answers[variant.item] = variant.source
    notebook = fill_in(released_notebook(source), answers)
    for name in names:
        chosen = item or draw.choice(code)
        at = next(n for n, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == chosen)
        QUIRKS[name](notebook, at)
    there = passed_in_jupyter(problem, notebook, folder)
    here, goes_on = passed_here(problem, notebook)
    lost = {item for item, passed in there.items() if passed and not here[item]}
    won = {item for item, passed in there.items() if here[item] and not passed}
    assert not lost, (names, seed)
    assert not won or goes_on, (names, seed)  # docs/students.md: what stands below a failed statement is still run


@pytest.mark.parametrize("name", QUIRKS)
@pytest.mark.slow
def test_a_quirk_changes_no_verdict(name: str, tmp_path: Path) -> None:
    agree(visible("toy", TOY), TOY, tmp_path, [name], 0, "standardize")


def test_a_notebook_with_many_quirks_gets_the_verdicts_of_jupyter(tmp_path: Path) -> None:
    harmless = [name for name in QUIRKS if "written" not in name]
    for seed in range(2):
        agree(visible("toy", TOY), TOY, tmp_path, random.Random(seed).sample(harmless, 4), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(MADE))
def test_a_generated_notebook_gets_the_verdicts_of_jupyter(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    problem, root = draw.choice([*LIGHT, *((name, ROOT) for name in problem_ids(ROOT))])
    agree(visible(problem, root), root, tmp_path, draw.sample(list(QUIRKS), draw.randint(2, 4)), seed)
