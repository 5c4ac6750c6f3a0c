"""`close` accepts right answers, refuses wrong ones and says why; `part` gives partial credit."""

from __future__ import annotations

import pickle
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from homework.checks import CheckFailed, close, has_shape, part, recording

Terms = namedtuple("Terms", ["nelbo", "kl"])
NAN, INF = float("nan"), float("inf")


def detail(got: Any, want: Any, **tolerances: float) -> str:
    """What `close` says about two values that differ."""
    with pytest.raises(CheckFailed) as caught:
        close(got, want, "the hint", **tolerances)
    assert caught.value.hint == "the hint"
    assert str(caught.value) == f"the hint\n{caught.value.detail}"
    return caught.value.detail


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (1.00001, 1.0),
        (1, 1.0),
        (torch.tensor(1.0), 1.0),
        (1.0, torch.tensor(1.0)),
        (np.float64(1.0), torch.tensor(1.0)),
        (torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([1.0, 2.0])),
        (np.array([1.0, 2.0]), [1, 2]),
        ([torch.tensor(1.0, requires_grad=True), 2.0], [1.0, 2.0]),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        (torch.arange(3), torch.arange(3, dtype=torch.int32)),
        (INF, INF),
        (torch.tensor([-INF, 1.0]), torch.tensor([-INF, 1.0])),
        (True, True),
        (torch.tensor([True, False]), [True, False]),
        (Terms(torch.tensor(1.0), 2.0), Terms(1.0, torch.tensor(2.0))),
        ((1.0, 2.0), Terms(1.0, 2.0)),
        (torch.tensor([1.0, 2.0]), (1.0, 2.0)),
        ({"d_loss": 1.0, "g_loss": [1.0]}, {"g_loss": [1.0], "d_loss": 1.0}),
        ("forward", "forward"),
        (torch.float32, torch.float32),
        (None, None),
        (torch.empty(0, 3), torch.empty(0, 3)),
        (1 + 2j, torch.tensor(1 + 2j)),
    ],
)
def test_right_answers_pass(got: Any, want: Any) -> None:
    assert close(got, want, "hint") is True


@pytest.mark.parametrize(
    ("got", "want", "said"),
    [
        (None, 1.0, "is a `return` missing"),
        (1.1, 1.0, "1.1 times"),
        (torch.tensor([-1.0, -2.0]), torch.tensor([1.0, 2.0]), "wrong sign"),
        (torch.tensor([2.0, 4.0]), torch.tensor([1.0, 2.0]), "2 times the expected"),
        (torch.tensor([2.0, 3.0]), torch.tensor([1.0, 2.0]), "off by the same amount, 1"),
        (torch.zeros(2), torch.tensor([1.0, 2.0]), "all your values are 0"),
        (torch.tensor([1.0, NAN]), torch.tensor([1.0, 2.0]), "1 of your values are NaN"),
        (torch.ones(3, 1), torch.ones(3), "the shapes differ, the number of entries is right"),
        (torch.ones(2), torch.ones(3), "the shapes differ"),
        (torch.ones(1), 1.0, "the shapes differ"),
        (torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), "whole numbers"),
        (torch.tensor([1.0, 2.0]), torch.tensor([1, 2]), "floating-point"),
        (True, 1.0, "truth values"),
        (1, True, "whole numbers"),
        (10**400, 1.0, "NaN"),
        (INF, 1.0, "expected"),
        (1.0, INF, "expected"),
        (-INF, INF, "expected"),
        (NAN, NAN, "NaN"),
        (torch.tensor([100_000_001]), torch.tensor([100_000_000]), "must be equal"),
        (torch.tensor([5, 6]), torch.tensor([5, 7]), "1 of 2 entries differ, most at index [1]: got 6, expected 7"),
        (Terms(1.0, 2.0), Terms(1.0, 3.0), "at .kl:"),
        ([(1.0, 2.0), (1.0, 5.0)], [(1.0, 2.0), (1.0, 2.0)], "at [1][1]:"),
        ((1.0,), (1.0, 2.0), "got 1 entries, expected 2"),
        (3.0, (1.0, 2.0), "with 2 entries"),
        ({"a": 1.0}, {"b": 1.0}, "the keys ['a'], expected ['b']"),
        (1.0, {"b": 1.0}, "expected a dict"),
        ("reverse", "forward", "'reverse'"),
        (1.0, None, "expected None"),
        (object(), 1.0, "a object"),
        (np.array(["a"]), torch.ones(1), "a ndarray"),
    ],
)
def test_wrong_answers_are_explained(got: Any, want: Any, said: str) -> None:
    assert said in detail(got, want)


def test_close_names_an_object_without_comparing_it() -> None:
    class Handle:
        def __bool__(self, *others: object) -> bool:
            raise AssertionError("must not be called")

        __eq__ = __bool__
        __hash__ = None  # type: ignore[assignment]

    for want in (1.0, torch.ones(2), (1.0, 2.0), {"a": 1.0}, "text", None):
        assert "Handle" in detail(Handle(), want)


def test_tolerances_scale_with_the_expected_value() -> None:
    assert close(1000.05, 1000.0, "hint")
    assert "expected" in detail(1000.05, 1000.0, rtol=1e-6)
    assert "expected" in detail(1e-3, 0.0)
    assert close(5e-7, 0.0, "hint")


def test_close_refuses_expected_values_of_unknown_types() -> None:
    with pytest.raises(TypeError, match="cannot compare with a object"):
        close(1.0, object(), "hint")


def test_the_failure_can_be_pickled() -> None:
    failure = pickle.loads(pickle.dumps(CheckFailed("hint", "detail")))
    assert (failure.hint, failure.detail, str(failure)) == ("hint", "detail", "hint\ndetail")


finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1, max_size=20), st.data())
def test_values_equal_themselves_and_one_moved_number_is_found(values: list[float], data: st.DataObject) -> None:
    assert close(torch.tensor(values, dtype=torch.float64), values, "hint")
    index = data.draw(st.integers(0, len(values) - 1))
    moved = list(values)
    moved[index] += 1.0 + abs(values[index])
    said = detail(moved, values)
    assert len(values) == 1 or f"most at index [{index}]" in said


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=8), st.lists(st.floats(), min_size=1, max_size=8))
def test_nan_never_passes_and_nothing_crashes(got: list[float], want: list[float]) -> None:
    try:
        close(got, want, "hint")
    except CheckFailed:
        return
    assert not any(value != value for value in [*got, *want])


def test_all_recorded_parts_count_and_others_raise_at_once() -> None:
    with pytest.raises(CheckFailed), part("values", 2):
        close(1.0, 2.0, "hint")
    with recording() as parts:
        with part("first", 2):
            assert close(1.0, 1.0, "hint")
        with part("second"):
            raise ZeroDivisionError("oops")
        with part("third", 0.5):
            assert close(1.0, 2.0, "hint")
    assert [(p.name, p.weight, p.passed, type(p.error)) for p in parts] == [
        ("first", 2, True, type(None)),
        ("second", 1.0, False, ZeroDivisionError),
        ("third", 0.5, False, CheckFailed),
    ]
    with pytest.raises(ValueError, match="outside"), part("after the recording"):
        raise ValueError("outside")


def test_recordings_nest_without_mixing() -> None:
    with recording() as outer:
        with recording() as inner, part("inner"):
            pass
        with part("outer"):
            pass
    assert ([p.name for p in inner], [p.name for p in outer]) == (["inner"], ["outer"])


@pytest.mark.parametrize("weight", [0, -1, NAN, INF])
def test_weights_are_checked(weight: float) -> None:
    with pytest.raises(ValueError, match="weight must be a positive number"), part("name", weight):
        pass


def test_parts_cannot_be_nested() -> None:
    with pytest.raises(ValueError, match="is nested in part"), part("outer"), part("inner"):
        pass
    with part("and the next one works"):
        pass


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (
            np.zeros((2, 3), dtype=np.float32),
            r"^return z \(a torch.Tensor\)\nyours is a float32 array of shape \[2, 3\]$",
        ),
        (None, r"yours is None \(is a `return` missing\?\)"),
        (1.5, r"yours is a plain float"),
        (torch.zeros(3, 2), r"^return z\nthe shape must be \[2, 3\], yours is \[3, 2\]$"),
    ],
)
def test_a_wrong_type_and_a_wrong_shape_are_told_apart(got: object, said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        has_shape(got, (2, 3), "return z")
    assert has_shape(torch.zeros(2, 3), (2, 3), "return z")


@pytest.mark.parametrize("got", ["0.123 -4.5", [1, 2, 3], {"a": 1}, 2.5, torch.zeros(7), np.ones(2), None])
def test_a_hint_tells_nothing_of_the_value_that_was_returned(got: Any) -> None:
    """Hidden tests show hints, and a returned value may hold their inputs."""
    checks: list[Callable[[], object]] = [
        lambda: has_shape(got, (3, 2), "the hint"),
        lambda: close(got, torch.ones(3, 2), "the hint"),
    ]
    for check in checks:
        with pytest.raises(CheckFailed) as failed:
            check()
        assert failed.value.hint in ("the hint", "the hint (a torch.Tensor)")
