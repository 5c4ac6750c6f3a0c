"""Two answers are the same within a tolerance that depends on dtype, size and device."""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.log_check import disagreements
from autograder.grading.tolerance import EXACT, FLOAT32, FLOAT64, for_device, precision_of, same
from autograder.submissions.rebuild import Rebuilt
from homework.hand_in.personal import plain_json

Pair = namedtuple("Pair", "loss steps")


@dataclass
class Both:
    """A dataclass, which some students return in place of a named tuple."""

    loss: torch.Tensor
    steps: int


def accepts(right: Any, got: Any, device: str = "cpu") -> bool:
    return same(got, plain_json(right), for_device(precision_of(right), device))


@pytest.mark.parametrize(
    ("dtype", "near", "far"),
    [
        (torch.float64, 1e-6, 1e-5),
        (torch.float32, 5e-5, 5e-4),
        (torch.float16, 3e-3, 3e-2),
        (torch.bfloat16, 2e-2, 2e-1),
        (torch.complex64, 5e-5, 5e-4),
    ],
)
def test_the_dtype_of_the_right_answer_decides(dtype: torch.dtype, near: float, far: float) -> None:
    right = torch.tensor([2.0, 1.0], dtype=dtype)
    plain: Any = plain_json(right)
    assert accepts(right, plain)
    for off, good in ((near, True), (far, False)):
        got = [{"real": 2.0 * (1 + off), "imag": 0.0}, plain[1]] if dtype.is_complex else [2.0 * (1 + off), 1.0]
        assert accepts(right, got) == good


def test_whole_numbers_truth_and_text_are_exact() -> None:
    assert accepts(torch.tensor([100_000]), [100_000]) and not accepts(torch.tensor([100_000]), [100_001])
    assert accepts(torch.tensor([3]), [3.0]) and not accepts(torch.tensor([3]), [3.00001])
    assert accepts(True, True) and not accepts(True, 1) and not accepts(1, True) and not accepts(0, False)
    assert accepts("a", "a") and not accepts("1", 1) and not accepts(None, 0)


def test_a_gpu_makes_floats_looser_and_nothing_else() -> None:
    right = {"loss": torch.tensor(10.0), "steps": 3, "names": ["a"], "half": torch.tensor(1.0, dtype=torch.float16)}
    got = {"loss": 10.01, "steps": 3, "names": ["a"], "half": 1.001}
    assert not accepts(right, got) and accepts(right, got, "cuda (NVIDIA A100)") and accepts(right, got, "mps")
    assert not accepts(right, {**got, "steps": 4}, "cuda") and not accepts(right, {**got, "loss": 10.1}, "cuda")


def test_the_tolerance_of_small_numbers_depends_on_the_largest() -> None:
    right = torch.tensor([20_000.0, 0.001])
    assert accepts(right, [20_000.0, 0.003]) and not accepts(right, [20_000.0, 0.1])
    assert not accepts(torch.tensor([1.0, 0.001]), [1.0, 0.003]) and not accepts(torch.full((2,), 1e-3), [0.0, 0.0])


@pytest.mark.parametrize("right", [Pair(torch.tensor(2.0), 3), Both(torch.tensor(2.0), 3)])
def test_parts_of_an_answer_have_their_own_precision(right: Any) -> None:
    assert accepts(right, {"loss": 2.0001, "steps": 3}) and not accepts(right, {"loss": 2.0, "steps": 3.0001})
    assert not accepts(right, {"loss": 2.0}) and not accepts(right, [2.0, 3])


def test_arrays_and_plain_floats() -> None:
    assert precision_of(np.float64(0.5)) == FLOAT64 and precision_of(0.5) == FLOAT32 == precision_of(iter([0.5]))
    assert precision_of(np.arange(3)) == EXACT == precision_of(torch.tensor([True]))
    assert precision_of([torch.tensor(0.5), 1]) == [FLOAT32, EXACT]


@pytest.mark.parametrize("special", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_the_same_only_as_in_the_right_answer(special: float) -> None:
    said = plain_json(special)
    assert accepts(torch.tensor([special, 1.0]), [said, 1.0]) and not accepts(torch.tensor([0.5, 1.0]), [said, 1.0])
    assert not accepts(torch.tensor([special, 1.0]), [0.5, 1.0])


@given(st.floats(), st.sampled_from([math.inf, -math.inf, math.nan, 10**400, -(10**400)]))
def test_no_number_is_the_same_as_an_infinite_one(number: float, special: float) -> None:
    assert not same(number, special) and not same(special, number)
    assert not same([[number]], [[special]], for_device(FLOAT32, "cuda"))


def test_the_graded_answers_are_compared_by_the_same_rule() -> None:
    rebuilt = Rebuilt((), frozenset(), frozenset(), ())
    log = {"student": "ada", "answers": {"f": [1e999, 1.0]}, "environment": {"device": "cpu"}}
    assert [flag.kind for flag in disagreements(log, rebuilt, {"f": [0.5, 1.0]}, "ada")] == ["log_disagrees"]
    log["answers"] = {"f": [0.5, 1.001]}
    assert disagreements(log, rebuilt, {"f": [0.5, 1.0]}, "ada")
    assert not disagreements({**log, "environment": {"device": "cuda (T4)"}}, rebuilt, {"f": [0.5, 1.0]}, "ada")
