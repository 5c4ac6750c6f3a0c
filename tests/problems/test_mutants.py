"""Right answers changed in one place lose points, and the same answers in other forms keep them: see `mutant_check`."""

from __future__ import annotations

import pytest

from autograder.batch import mutant_check
from autograder.batch.mutant_check import Fate, check_mutants
from autograder.course.problem import DEFAULT_SECONDS, load_problem, problem_ids
from tests.problems.run_source import ROOT

pytestmark = pytest.mark.kernel

PROBLEMS = [load_problem(name, ROOT) for name in problem_ids(ROOT)]
ITEMS = [
    pytest.param(
        problem.id, item.id, min(100, round(100 * DEFAULT_SECONDS / item.seconds)), id=f"{problem.id}-{item.id}"
    )
    for problem in PROBLEMS
    for item in problem.items
    if item.kind == "code"
]
"""Problem, item, and how many of its mutants and rewritings to try: fewer if its test may take long. `make test-slow`
tries all."""


def unexpected(problem: str, items: list[str] | None, sample: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The mutants that survive and the rewritings that lose points."""
    monkeypatch.setattr(mutant_check, "SECONDS", 1.0)
    tried = check_mutants([load_problem(problem, ROOT)], workers=1, items=items, sample=sample)
    assert tried
    return [f"{one.item} ({one.base}): {one.change}" for one in tried if one.fate in (Fate.SURVIVED, Fate.LOST)]


def test_a_sample_leaves_no_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unexpected("vae", None, 12, monkeypatch) == []


@pytest.mark.long
@pytest.mark.parametrize(("problem", "item", "most"), ITEMS)
def test_no_mutant_survives(problem: str, item: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unexpected(problem, [item], most, monkeypatch) == []
