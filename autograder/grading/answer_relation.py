"""Finds the relation between wrong numbers and the right ones: a factor, an offset, a sign, an order, a known function.

The relation often names the mistake: twice as large, a sum for a mean, a logarithm to base 2, a variance for a
standard deviation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.grading.tolerance import FLOAT32, Closeness

MOST_TIMES = 64
"""The largest whole number that is reported as a factor."""
_EXACTLY = 2e-4
MEAN_OR_SUM = "This happens with a mean in place of a sum, or a sum in place of a mean."

_FACTORS = {
    -1.0: "has the opposite sign",
    1 / math.log(2): "is 1 / ln 2 times the expected one: did you use a logarithm to base 2, not the natural one?",
    math.log(2): "is ln 2 times the expected one: did you use the natural logarithm, not one to base 2?",
}

_FUNCTIONS: tuple[tuple[str, Callable[[Any], Any], bool], ...] = (
    ("the square of the expected one", np.square, False),
    ("the square root of the expected one", np.square, True),
    ("the logarithm of the expected one", np.exp, True),
    ("the exponential of the expected one", np.exp, False),
    ("1 minus the expected one", lambda values: 1 - values, False),
    ("1 divided by the expected one", np.reciprocal, False),
)
"""What the student's number is; a function; whether it maps the student's number to the expected one or the reverse."""


def relation(mine: Any, right: Any, differ: Any, close: Closeness) -> str:
    """Describes the relation of wrong numbers to the right ones in a sentence; empty if none is found.

    Args:
        mine: the wrong numbers, float64 of any shape.
        right: the right numbers, of the same shape.
        differ: boolean mask of that shape: the pairs that are finite and do not agree; at least one is true.
        close: how close numbers must be to agree.
    """
    close = close.at_least(FLOAT32)
    with np.errstate(all="ignore"):
        said = next(_of_each(mine[differ], right[differ], close), "")
        if said and not differ.all():
            return f"Where they differ, {said}"
        if not said and np.isfinite(mine).all() and np.isfinite(right).all():
            said = next(_of_all(mine, right, close), "")
    return said[:1].upper() + said[1:]


def agreeing(mine: Any, right: Any, close: Closeness) -> Any:
    """Elementwise mask of two float64 arrays of one shape: close enough, or, for numbers that are not finite, equal."""
    with np.errstate(all="ignore"):
        room = close.atol * close.size + close.rtol * np.maximum(np.abs(mine), np.abs(right))
        near = np.abs(mine - right) <= room
    finite = np.isfinite(mine) & np.isfinite(right)
    return np.where(finite, near, (mine == right) | (np.isnan(mine) & np.isnan(right)))


def about(number: float) -> str:
    """Formats a number with two digits, e.g. `0.69`, `−1300`, `1.2e−07`."""
    return f"{float(f'{number:.2g}') + 0.0:.6g}".replace("-", "−")


def are_short(values: Any) -> bool:
    """Whether all numbers have at most two digits, so that `about` would show them exactly."""
    return all(float(f"{value:.2g}") == value for value in values.ravel().tolist())


def _of_each(mine: Any, right: Any, close: Closeness) -> Iterator[str]:
    """Yields relations that hold for each pair of numbers."""
    one = mine.size == 1
    yours = "yours" if one else "each of yours"
    if not mine.any():
        yield f"{yours} is 0."
    if not one and np.ptp(mine) == 0 and np.ptp(right) > 0:
        yield "all of yours are the same number."
    if one and are_short(right):  # almost any number is a multiple of a number with so few digits
        return
    factor = _factor(mine, right, close)
    if factor is not None:
        words = _of_factor(factor)
        if words or not one:
            yield f"{yours} {words or f'is about {about(factor)} times the expected one.'}"
    for words, function, from_mine in _FUNCTIONS:
        made, given = (function(mine), right) if from_mine else (function(right), mine)
        if np.isfinite(made).all() and agreeing(made, given, close).all() and not np.isin(right, (0, 1)).all():
            yield f"{yours} is {words}."
    shift = float(np.median(mine - right))
    if not one and agreeing(mine, right + shift, close).all():
        yield f"{yours} is {about(abs(shift))} too {'large' if shift > 0 else 'small'}."


def _factor(mine: Any, right: Any, close: Closeness) -> float | None:
    """The factor from all right numbers to the student's; None if there is no common one."""
    if not right.all() or not mine.all():
        return None
    factor = float(np.median(mine / right))
    return factor if math.isfinite(factor) and agreeing(mine, right * factor, close).all() else None


def _of_factor(factor: float) -> str:
    """Describes a factor that means something even for a single number; else empty."""
    for known, words in _FACTORS.items():
        if abs(factor / known - 1) < _EXACTLY:
            return words if words.endswith("?") else words + "."
    times, divided = round(factor), round(1 / factor) if abs(factor) > 1e-6 else 0
    number = times if abs(times) > 1 else divided
    if not 2 <= abs(number) <= MOST_TIMES:
        return ""
    hint = "" if abs(number) == 2 else f" {MEAN_OR_SUM}"
    said = str(number).replace("-", "−")
    if number == times and abs(factor / times - 1) < _EXACTLY:
        return f"is {said} times the expected one.{hint}"
    if number == divided and abs(factor * divided - 1) < _EXACTLY:
        return f"is the expected one divided by {said}.{hint}"
    return ""


def _of_all(mine: Any, right: Any, close: Closeness) -> Iterator[str]:
    """Yields relations of the arrays as a whole: the same numbers in other places."""
    if mine.size < 2:
        return
    for axis in range(mine.ndim):
        if mine.shape[axis] > 1 and agreeing(np.flip(mine, axis), right, close).all():
            yield f"yours are the expected numbers in reverse order{f' along axis {axis}' if mine.ndim > 1 else ''}."
    if mine.ndim == 2 and mine.shape[0] == mine.shape[1] and agreeing(mine.T, right, close).all():
        yield "yours are the expected numbers with rows and columns swapped."
    if mine.shape[-1] > 3:
        if agreeing(mine[..., 1:], right[..., :-1], close).all():
            yield "yours are shifted one position too late."
        if agreeing(mine[..., :-1], right[..., 1:], close).all():
            yield "yours are shifted one position too early."
    if agreeing(np.sort(mine, axis=None), np.sort(right, axis=None), close).all():
        yield "yours are the expected numbers in another order."
