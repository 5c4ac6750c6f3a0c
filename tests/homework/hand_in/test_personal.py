"""Per-student inputs never change and differ between students; answers become plain JSON."""

from __future__ import annotations

import json
import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from homework.hand_in.personal import Draws, draws_for, plain_json


def test_draws_never_change() -> None:
    draws = draws_for("ada", "vae")("sample_gaussian")
    assert torch.equal(draws.normal(2, 2), torch.tensor([[0.0957, -0.9731], [-1.9394, -0.3181]]))
    assert torch.equal(draws.uniform(0.5, 2.0, 3), torch.tensor([1.6402, 0.9142, 0.594]))
    assert torch.equal(draws.integers(0, 10, 6), torch.tensor([3, 7, 2, 1, 5, 2]))
    assert torch.equal(draws.binary(6), torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 1.0]))


def test_draws_have_their_shapes_types_and_ranges() -> None:
    draws = Draws("x")
    assert draws.normal().shape == () and draws.normal(3, 2).dtype == torch.float32
    uniform, whole = draws.uniform(-2.0, -1.0, 1000), draws.integers(-3, 4, 1000)
    assert uniform.dtype == torch.float32 and -2 <= float(uniform.min()) and float(uniform.max()) <= -1
    assert whole.dtype == torch.int64 and sorted(set(whole.tolist())) == list(range(-3, 4))
    assert set(draws.binary(100).tolist()) == {0.0, 1.0}
    numbers = draws.normal(50).to(torch.float64)
    assert float((numbers * 1e4 - (numbers * 1e4).round()).abs().max()) < 1e-2


def test_every_student_problem_and_item_has_its_own_draws() -> None:
    seen = {
        tuple(draws_for(student, problem)(item).normal(4).tolist())
        for student in ("ada", "bela", "ada\nvae")
        for problem in ("vae", "gan")
        for item in ("a", "b")
    }
    assert len(seen) == 12
    first, second = draws_for("ada", "vae"), draws_for(" ada ", "vae")
    assert first("a").normal(4).tolist() == second("a").normal(4).tolist() == first("a").normal(4).tolist()


Terms = namedtuple("Terms", ["nelbo", "kl"])


@dataclass
class Pair:
    """An answer of two parts."""

    left: Any
    right: Any


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**63, hex(2**63)),
        (-(2**63), -(2**63)),
        (0.1 + 0.2, 0.3),
        (1 / 3, 0.3333333),
        (123456789.0, 123456800.0),
        (-0.0, 0.0),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (1 + 2j, {"real": 1.0, "imag": 2.0}),
        ("text", "text"),
        ("\ud800", "\\ud800"),
        (b"\x00\xff", "00ff"),
        (torch.float16, "torch.float16"),
        (torch.tensor(1.5), 1.5),
        (torch.tensor([[1.0, math.nan]], requires_grad=True), [[1.0, "NaN"]]),
        (torch.tensor([1.0, 2.0], dtype=torch.bfloat16), [1.0, 2.0]),
        (torch.tensor([True]), [True]),
        (torch.eye(2).to_sparse(), [[1.0, 0.0], [0.0, 1.0]]),
        (np.array([1, 2], dtype=np.uint8), [1, 2]),
        (np.float32(0.1), 0.1),
        (np.array(["a"]), ["a"]),
        (Terms(torch.tensor(1.0), 2), {"nelbo": 1.0, "kl": 2}),
        (Pair(1, [2.0]), {"left": 1, "right": [2.0]}),
        (OrderedDict({1: (1, 2)}), {"1": [1, 2]}),
        (torch.Size([2, 3]), [2, 3]),
        ((n for n in (1, 2)), [1, 2]),
        (range(2), [0, 1]),
    ],
)
def test_answers_become_plain_json(value: Any, plain: Any) -> None:
    got = plain_json(value)
    assert got == plain and type(got) is type(plain)
    assert json.loads(json.dumps(got, allow_nan=False)) == plain
    if isinstance(value, float) and value == 0:
        assert math.copysign(1, got) == 1.0  # type: ignore[arg-type]


OTHERS = [object(), {1, 2}, int, print, np.array([object()]), [object()], torch.nn.Linear(1, 1)]


@pytest.mark.parametrize("value", OTHERS)
def test_answers_of_other_types_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="an answer contains a .*it can only contain numbers"):
        plain_json(value)


def test_size_and_depth_are_bounded() -> None:
    def endless() -> Any:
        while True:
            yield 0

    loop: list[Any] = []
    loop.append(loop)
    many = [torch.zeros(100_001), np.zeros(100_001), endless(), [[0.0] * 1000] * 101, [torch.zeros(100, 100)] * 11]
    empty = [torch.zeros(100_001, 0), np.zeros((0, 100_001)), [[]] * 100_001, {n: {} for n in range(100_001)}]
    for value in (*many, *empty, "x" * 1_000_001, bytes(1_000_001), [bytes(500_000)] * 3):
        with pytest.raises(ValueError, match="more than 100,000 numbers"):
            plain_json(value)
    with pytest.raises(ValueError, match="nested more than 32 deep"):
        plain_json(loop)
    assert plain_json(-(10**5000)) == hex(-(10**5000))  # as decimals Python would refuse to write it


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_any_answer_becomes_strict_json_which_is_not_changed_again(value: Any) -> None:
    plain = plain_json(value)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain == plain_json(plain)
