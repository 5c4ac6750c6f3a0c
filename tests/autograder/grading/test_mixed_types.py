"""Whose data types torch refuses to mix: the message names the argument's and the code's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from autograder.grading.mixed_types import whose_types
from tests.autograder.toy import STANDARDIZE, graded, solved

DOUBLE, FLOAT = torch.zeros(2, 2, dtype=torch.float64), torch.zeros(2, 2)
MIXED: dict[str, Callable[[], object]] = {
    "matmul": lambda: FLOAT @ DOUBLE,
    "einsum": lambda: torch.einsum("ij,ij->i", FLOAT, DOUBLE),
    "dot": lambda: torch.dot(FLOAT[0], DOUBLE[0]),
    "index": lambda: FLOAT.clone().index_put_((torch.tensor([0]),), DOUBLE[:1]),
    "linear": lambda: torch.nn.Linear(2, 2)(DOUBLE),
}


@pytest.mark.parametrize("operation", MIXED)
def test_the_argument_and_the_code_are_told_apart(operation: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        MIXED[operation]()
    said = whose_types(str(caught.value), {"float32", "int64"})
    assert "arguments have the data type float32; float64 comes from your code" in said
    assert "arguments have the data type float64; float32 comes" in whose_types(str(caught.value), {"float64"})


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("expected scalar type Float but found Double", {"float32", "float64"}),
        ("expected scalar type Float but found Double", {"int64"}),
        ("a double is not a float", {"float32"}),
        ("expected scalar type", {"float32"}),
    ],
)
def test_nothing_is_said_where_it_is_not_clear(message: str, given: set[str]) -> None:
    assert whose_types(message, given) == ""


@pytest.mark.kernel
def test_a_student_reads_it() -> None:
    mixes = STANDARDIZE + "    return x @ torch.eye(x.shape[1], dtype=torch.float64)"
    message = graded(solved(standardize=mixes)).log.item("standardize").message
    assert "The arguments have the data type float32; float64 comes from your code." in message
