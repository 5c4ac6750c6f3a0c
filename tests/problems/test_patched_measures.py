"""A wrong answer that also patches what its test looks at gets no more points than without the patch."""

from __future__ import annotations

import pytest

from autograder.batch.one_item import grade_items
from autograder.course.problem import load_problem
from autograder.course.variants import variants
from tests.problems.one_item import together
from tests.problems.run_source import ROOT

PATCHES = {
    "empty state": """
Generator.state_dict = lambda self, *a, **k: {}
Generator.load_state_dict = lambda self, *a, **k: None
""",
    "same state": """
_state = Generator.state_dict
Generator.state_dict = lambda self, *a, **k: {name: torch.ones_like(v) for name, v in _state(self, *a, **k).items()}
""",
    "other optimizers": """
_given_optimizers = make_optimizers
def make_optimizers(generator, *others, **options):
    if type(generator).__name__ == "PaperGenerator":
        raise ValueError
    return _given_optimizers(generator, *others, **options)
""",
    "nothing can be saved": """
def _refuse(*_, **__):
    raise ValueError
torch.save = _refuse
""",
    "no objects": """
import gc
gc.get_objects = lambda *_: []
""",
    "no bytes": """
torch.UntypedStorage.nbytes = torch.Tensor.numel = torch.Tensor.element_size = lambda self: 0
torch.UntypedStorage.data_ptr = lambda self: 0
""",
    "other network": """
def make_policy(seed):
    return nn.Sequential(nn.Linear(DIMENSIONS, CLASSES))
""",
}
"""Lines below an answer."""
CASES = [
    *(("gan", "train_gan", "parameters_only", patch) for patch in ("empty state", "same state", "other optimizers")),
    ("gan", "train_gan", "no_mode_and_other_optimizers", "empty state"),
    *(
        ("continual_learning", *wrong, patch)
        for wrong in (("EWC", "list_of_tasks"), ("RehearsalBuffer", "keeps_everything"))
        for patch in ("nothing can be saved", "no objects", "no bytes")
    ),
    ("policy_gradient", "train_policy", "old_policy", "other network"),
]


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "item", "slug", "patch"), together(CASES))
def test_a_patch_gains_nothing(name: str, item: str, slug: str, patch: str) -> None:
    problem = load_problem(name, ROOT)
    (wrong,) = (one.source for one in variants(problem, "wrong") if one.item == item and one.path.stem == slug)
    plain, patched = (
        grade_items(problem, {item: source}, seed="patched")[item].score for source in (wrong, wrong + PATCHES[patch])
    )
    assert patched <= plain < problem.item(item).points
