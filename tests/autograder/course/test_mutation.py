"""Mutants differ from an answer in one place; rewritings mean the same."""

from __future__ import annotations

import pytest
import torch

from autograder.course.mutation import mutants, rewritings
from autograder.course.problem import load_problem
from tests.conftest import ROOT

ANSWER = '''def f(m, v):
    """The docstring stays."""
    total = 0.5 * (m**2 - v).sum(dim=1)
    if total.max() < 3:
        total += 1
    return total, v.detach().mean()
'''


@pytest.mark.parametrize(
    "change",
    [
        "m ** 2 - v -> m ** 2 + v",
        "m ** 2 - v -> v - m ** 2",
        "(m ** 2 - v).sum(dim=1) -> (m ** 2 - v).mean(dim=1)",
        "1 -> 0",
        "total.max() < 3 -> total.max() <= 3",
        "total += 1 -> pass",
        "v.detach() -> (lambda _: _)(v)",
        "v.detach().mean() -> v.detach().sum()",
        "total.max() -> total.min()",
    ],
)
def test_a_usual_mistake_is_among_the_mutants(change: str) -> None:
    assert change in [one.change.partition(": ")[2] for one in mutants(ANSWER)]


def test_each_mutant_is_another_program_and_has_its_docstring() -> None:
    found = [one.source for one in mutants(ANSWER)]
    assert len(found) == len(set(found)) > 15
    for source in found:
        compile(source, "mutant", "exec")
        assert "The docstring stays." in source


def test_two_mutants_that_read_the_same_have_different_lines() -> None:
    found = mutants("def f(x):\n    y = x + 1\n    return y + 1\n")
    assert {"line 2: 1 -> 2", "line 3: 1 -> 2"} <= {one.change for one in found}


def test_rewritings_give_the_same_values() -> None:
    m, v = torch.randn(4, 3), torch.rand(4, 3)
    forms = rewritings(ANSWER.replace("total += 1", "total = total + 1"))
    assert len(forms) == 5
    for form in forms:
        names: dict[str, object] = {"torch": torch}
        exec(form.source, names)
        wanted: dict[str, object] = {"torch": torch}
        exec(ANSWER, wanted)
        got, want = names["f"](m, v=v), wanted["f"](m, v=v)  # type: ignore[operator]
        assert all(torch.equal(*pair) for pair in zip(got, want, strict=True)), form.change


def test_classes_and_decorated_functions_are_not_rewritten() -> None:
    assert rewritings("class A:\n    pass\n") == rewritings("@torch.no_grad()\ndef f(x):\n    return x\n") == []


def test_every_item_of_a_problem_has_mutants() -> None:
    assert all(mutants(item.cell.source) for item in load_problem("gan", ROOT).items if item.kind == "code")
