"""A wrong item takes no points from what builds on it, and gives a wrong answer none but by an error that cancels.

For every pair of items: the answer has the same points as beside a right item, or what it has with the wrong one.

The wrong functions are made from the solution: they return nothing of use, or only as long as the other item was not
asked yet.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest
from nbformat.v4 import new_code_cell

from autograder.batch.one_item import grade_items
from autograder.core.notebook_io import notebook_text
from autograder.core.results import ItemResult
from autograder.course.name_analysis import names_of
from autograder.course.problem import Item, Problem, load_problem, problem_ids
from autograder.course.variants import variants
from autograder.grading import examiner
from autograder.grading.following_errors import follow_errors
from autograder.grading.grade import grade_submission
from autograder.grading.notebook_run import Exam
from autograder.grading.reference import reference
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.problems.one_item import together
from tests.problems.run_source import ROOT, verdicts

_CHANGED = """

_right_{name}, _asked_{name} = {name}, []


def _changed_{name}(value):
    if isinstance(value, tuple):
        return tuple(map(_changed_{name}, value))
    value = torch.as_tensor(value)
    return {change}


def {name}(*args, **kwargs):
    value = _right_{name}(*args, **kwargs)
    return {result}
"""
_ALWAYS = "_changed_{name}(value)"
WRONG = {
    "zeros": ("torch.zeros_like(value)", _ALWAYS),
    "constant": ("torch.full_like(value, 3)", _ALWAYS),
    "random": ("torch.rand(value.shape)", _ALWAYS),
    "scaled": ("1.25 * value", _ALWAYS),
    "another shape": ("value.reshape(-1)[:1]", _ALWAYS),
    "two-faced": ("0 * value", "_changed_{name}(value) if _asked_{name} else value"),
    "raises": ("value", "[][0]"),
}
"""Kind of wrong function → what it makes of a right value, and what it returns."""
_TELLS = """

_right_{name} = {name}


def {name}(*args, **kwargs):
    _asked_{helper}.append(True)
    return _right_{name}(*args, **kwargs)
"""


def pairs() -> Iterator[tuple[str, str, str]]:
    """Every problem, helper and item of which the solution uses the helper."""
    for name in problem_ids(ROOT):
        problem = load_problem(name, ROOT)
        answers = solution_answers(problem)
        codes = [item.id for item in problem.items if item.kind == "code"]
        for item in codes:
            names = names_of(answers[item])
            assert names is not None
            yield from ((name, helper, item) for helper in codes if helper != item and helper in names.uses)


PAIRS = list(pairs())


def wrong_helper(problem: Problem, helper: str, kind: str) -> str:
    """The source of a function that is wrong in this way."""
    change, result = WRONG[kind]
    texts = {"change": change, "result": result.format(name=helper)}
    return solution_answers(problem)[helper] + _CHANGED.format(name=helper, **texts)


@functools.cache
def answers_to(problem: Problem, item: str) -> dict[str, str]:
    """The solution, right alternatives and wrong solutions of an item: name → source."""
    known = {
        one.name: one.source for one in [*variants(problem, "wrong"), *variants(problem, "right")] if one.item == item
    }
    return {"the solution": solution_answers(problem)[item], **known}


@functools.cache
def alone(problem: Problem, item: str, name: str) -> ItemResult:
    """The result of an answer in a notebook that is right everywhere else."""
    return grade_items(problem, {item: answers_to(problem, item)[name]}, seed="following")[item]


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Item id → its latest score before the test with the right functions in place of wrong ones."""
    scores: dict[str, float] = {}

    def recording(exam: Exam, wanted: Collection[Item], results: Sequence[ItemResult], **rest: Any) -> Any:
        scores.update({result.id: result.score for result in results})
        return follow_errors(exam, list(wanted), results, **rest)

    monkeypatch.setattr(examiner, "follow_errors", recording)
    return scores


def check(problem: Problem, helper: str, item: str, kind: str, name: str, own: dict[str, float]) -> None:
    """The answer has the points that it has beside a right helper; more only if its tests pass with the wrong one."""
    answer = answers_to(problem, item)[name]
    if kind == "two-faced":
        answer += _TELLS.format(name=item, helper=helper)
    want = alone(problem, item, name)
    found = grade_items(problem, {helper: wrong_helper(problem, helper, kind), item: answer}, seed="following")
    if kind == "two-faced":
        assert found[helper].score == found[helper].max_score
        assert found[item].score <= want.score, found[item].message
    else:
        assert found[helper].score < found[helper].max_score
        assert found[item].score == pytest.approx(max(want.score, own[item])), (found[item].message, want.message)
    if want.score < want.max_score:
        assert found[item].score < found[item].max_score, "a wrong helper makes no wrong answer right"


@pytest.mark.parametrize("name", problem_ids(ROOT))
def test_only_functions_above_an_item_stand_in_for_wrong_ones(name: str) -> None:
    problem = load_problem(name, ROOT)
    ours, order = reference(problem), [item.id for item in problem.items]
    for item in problem.items:
        for other in ours.builds_on(item) if item.kind == "code" else ():
            assert order.index(other) < order.index(item.id)
            assert item.id not in ours.builds_on(problem.item(other)), "it could be asked for the answer to the other"


ASKS = {
    "sample_gaussian": """
class Tap(torch.nn.Module):
    def __init__(self, m, v):
        super().__init__()
        self.m, self.v, self.z = m, v, None

    def encode(self, x):
        return self.m, self.v

    def decode(self, z):
        self.z = z
        return torch.zeros(z.shape[0], 1)


def sample_gaussian(m, v, noise=None):
    tap = Tap(m, v)
    negative_elbo_bound(tap, torch.zeros(m.shape[0], 1), noise)
    return tap.z
""",
    "kl_standard_normal": """
def kl_standard_normal(m, v):
    rows = range(m.shape[0])
    none = torch.zeros(1, m.shape[1])
    return torch.stack([negative_elbo_bound(Tap(m[i : i + 1], v[i : i + 1]), none[:, :1], none).kl for i in rows])
""",
    "negative_elbo_bound": "def negative_elbo_bound(vae, x, noise=None):\n    raise ValueError('no idea')\n",
}
"""Answers that ask what builds on them for their own result: a stand-in for that would be right."""


def test_what_builds_on_an_item_never_answers_for_it() -> None:
    problem = load_problem("vae", ROOT)
    notebook = fill_in(released_notebook(problem), ASKS)
    notebook.cells.append(new_code_cell("needed = 'by nothing, so that there is a second look'"))
    log = grade_submission("vae", Submission("ada", notebook=notebook_text(notebook).encode()), root=ROOT).log
    assert log.auto_score == 0


def test_there_are_items_that_build_on_others() -> None:
    assert len(PAIRS) >= 18


@pytest.mark.parametrize(("problem", "helper", "item"), together(PAIRS))
def test_a_wrong_helper_costs_nothing_of_what_builds_on_it(
    problem: str, helper: str, item: str, own: dict[str, float]
) -> None:
    loaded = load_problem(problem, ROOT)
    draw = random.Random(f"{helper} {item}")
    wrong = [name for name in answers_to(loaded, item) if name.startswith("wrong/")]
    for kind in draw.sample(sorted(WRONG), 3):
        check(loaded, helper, item, kind, "the solution", own)
    check(loaded, helper, item, draw.choice(sorted(WRONG)), draw.choice(wrong), own)


@pytest.mark.long
@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize(("problem", "helper", "item"), together(PAIRS))
def test_a_wrong_helper_costs_no_answer_anything(
    problem: str, helper: str, item: str, kind: str, own: dict[str, float]
) -> None:
    loaded = load_problem(problem, ROOT)
    for name in answers_to(loaded, item):
        check(loaded, helper, item, kind, name, own)


@pytest.mark.parametrize(
    "wrong",
    [
        *(f"TransformerLayer/{name}" for name in ("no_causal_mask", "cache_ignored", "no_cross_attention")),
        *(f"TransformerStack/{name}" for name in ("place_0", "first_layer_only")),
    ],
)
@pytest.mark.long  # `autograder check` proves it for every variant
def test_a_wrong_class_of_summarization_costs_its_own_item_only(wrong: str) -> None:
    item = wrong.split("/")[0]
    source = answers_to(load_problem("summarization", ROOT), item)[f"wrong/{wrong}"]
    found = verdicts("summarization", {item: source})
    assert {name for name, message in found.items() if message} == {item}


def test_a_divergence_that_is_nan_costs_no_other_item_of_comparing_distributions() -> None:
    nan = {"kl_divergence": "def kl_divergence(p, q):\n    return torch.tensor(float('nan'))"}
    found = verdicts("comparing_distributions", nan)
    assert {name for name, message in found.items() if message} == {"kl_divergence"}
