"""Describes how a student's answer differs from the right one: type, shape, size and place of the difference.

Used for items that lost points. Both answers are plain JSON, for the same per-student inputs. The sentences show no
number of the right answer to more than two digits and no text that the student's code produced.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.grading.answer_relation import MEAN_OR_SUM, about, agreeing, are_short, relation
from autograder.grading.tolerance import EXACT, FLOAT32, Closeness, Precision, same, small_enough

MOST_PARTS = 4
"""At most this many differing parts are described; the others are only counted."""
_MOST_ROWS = 3
_FEW = 3
_ONE = 1e-3
"""Tolerance for a sum that should be 1."""
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

BEGINNING = "On your per-student inputs"
"""The first words of the first sentence."""


@dataclass(frozen=True)
class _Numbers:
    """An array of numbers and their kind."""

    values: Any
    """float64 array."""
    kind: str
    """`whole numbers`, `truth values` or `numbers`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes; empty for a single number."""
        return tuple(int(length) for length in self.values.shape)


def compare(got: Any, expected: Any, precision: Precision = FLOAT32) -> tuple[str, ...]:
    """Describes how an answer differs from the right one.

    Args:
        got: the student's answer as plain JSON; may be anything.
        expected: the right answer on the same inputs, as plain JSON.
        precision: how close numbers must be to agree; from `precision_of` the right answer.

    Returns:
        One to `MOST_PARTS` + 2 short paragraphs; the first begins with `BEGINNING`.
    """
    if not small_enough(got):
        return (f"{BEGINNING} you return too much data; expected: {describe(expected)}.",)
    if same(got, expected, precision):
        return (
            f"{BEGINNING} you return what is expected. The mistake shows on other inputs: other shapes, special "
            "cases, very large or very small numbers, or in the gradient.",
        )
    leaves = list(_leaves("", got, expected, precision))
    with np.errstate(all="ignore"):
        said = [_paragraph(*leaf) for leaf in leaves[:MOST_PARTS]]
    said[0] = f"{BEGINNING} {said[0]}"
    if MEAN_OR_SUM in said[0]:
        said[1:] = [paragraph.replace(MEAN_OR_SUM, "").rstrip() for paragraph in said[1:]]
    if len(leaves) > MOST_PARTS:
        said.append(f"{len(leaves) - MOST_PARTS} more parts differ.")
    right = [f"`{name}`" for name in _right_parts(got, expected, precision)]
    return (*said, f"As expected: {', '.join(right)}.") if right else tuple(said)


def describe(value: Any) -> str:
    """Describes an answer without any of its numbers: `one number`, `an array of shape 4 × 3`, `3 named parts`."""
    if value is None:
        return "nothing (`None`)"
    if isinstance(value, str) and value not in _NOT_FINITE:
        return "a text"
    if isinstance(value, dict):
        return f"{len(value)} named part{'' if len(value) == 1 else 's'}"
    numbers = _numbers(value)
    if numbers is None:
        return f"a list of {len(value)} parts"
    if not numbers.shape:
        return "one " + numbers.kind.removesuffix("s")
    if len(numbers.shape) == 1:
        count = numbers.shape[0]
        return "an empty list" if not count else f"{count} {numbers.kind if count > 1 else numbers.kind[:-1]}"
    return f"an array of shape {' × '.join(map(str, numbers.shape))}"


# --- part by part -----------------------------------------------------------------------------------------------------


def _right_parts(got: Any, expected: Any, precision: Precision) -> list[str]:
    """The names of the parts that are right; at most `MOST_PARTS`."""
    if not (isinstance(expected, dict) and isinstance(precision, dict) and isinstance(got, dict)):
        return []
    right = [name for name in expected if name in got and same(got[name], expected[name], precision[name])]
    return right[:MOST_PARTS]


def _leaves(name: str, got: Any, expected: Any, precision: Precision) -> Iterator[tuple[str, Any, Any, Closeness]]:
    """Yields the innermost parts that differ: name, student's value, right value, required closeness."""
    if same(got, expected, precision):
        return
    if isinstance(precision, dict) and isinstance(expected, dict) and isinstance(got, dict):
        for key in expected:
            if key in got:
                yield from _leaves(f"{name}, `{key}`".removeprefix(", "), got[key], expected[key], precision[key])
            else:
                yield f"{name}, `{key}`".removeprefix(", "), _Missing, expected[key], FLOAT32
        if got.keys() - expected.keys():
            yield name, got, expected, FLOAT32
    elif isinstance(precision, list) and isinstance(expected, list) and _numbers_in_one_row(expected) is None:
        if isinstance(got, list) and len(got) == len(expected) == len(precision):
            for place, (mine, right, part) in enumerate(zip(got, expected, precision, strict=True), start=1):
                yield from _leaves(f"{name}, part {place}".removeprefix(", "), mine, right, part)
        else:
            yield name, got, expected, FLOAT32
    else:
        yield name, got, expected, _one(precision)


class _Missing:
    """Stands for a part that is missing from the student's answer."""


def _one(precision: Precision) -> Closeness:
    """The loosest closeness among an answer's parts."""
    if isinstance(precision, Closeness):
        return precision
    parts = precision.values() if isinstance(precision, dict) else precision
    return functools.reduce(Closeness.at_least, map(_one, parts), EXACT)


def _paragraph(name: str, got: Any, expected: Any, close: Closeness) -> str:
    """Describes one part that differs; `name` is empty for the whole answer."""
    if got is _Missing:
        return f"{name} is missing; expected: {describe(expected)}."
    is_ = f"{name} is" if name else "you return"
    mine, right = _numbers(got), _numbers(expected)
    if mine is None or right is None or mine.shape != right.shape:
        if isinstance(got, dict) and isinstance(expected, dict):
            return f"{is_} parts with other names; expected: {_names(expected)}."
        if describe(got) == describe(expected):
            return f"{is_} {describe(got)}, but not the expected one."
        hint = "Is a `return` missing?" if got is None else _about_shapes(mine, right, close)
        if isinstance(expected, dict):
            hint = f"Their names are {_names(expected)}."
        return f"{is_} {describe(got)}; expected: {describe(expected)}. {hint}".rstrip()
    if mine.kind == right.kind == "truth values" and not right.shape:
        return f"{is_} {_word(mine.values)}; expected: {_word(right.values)}."
    as_expected = ", as expected." if mine.kind == right.kind else f"; expected: {right.kind}."
    return " ".join([f"{is_} {describe(got)}{as_expected}", *_about_values(mine, right, close)])


def _names(expected: dict[str, Any]) -> str:
    return ", ".join(f"`{key}`" for key in expected)


# --- shapes -----------------------------------------------------------------------------------------------------------


def _about_shapes(mine: _Numbers | None, right: _Numbers | None, close: Closeness) -> str:
    """A hint about the cause of a wrong shape; empty if there is none."""
    if mine is None or right is None or not mine.values.size or not right.values.size:
        return ""
    if mine.values.size == right.values.size:
        if _without_ones(mine.shape) == _without_ones(right.shape):
            agree = agreeing(mine.values.reshape(right.shape), right.values, close).all()
            start = "The numbers agree, but" if agree else "Besides the numbers,"
            return f"{start} axes of length 1 are too many or missing: look at `keepdim`, `unsqueeze` and `squeeze`."
        if mine.shape == right.shape[::-1]:
            return "The axes are swapped."
    if len(mine.shape) == 2 and mine.shape[0] == mine.shape[1] == right.values.size:
        return "Did you combine `[B]` with `[B, 1]`? They broadcast to `[B, B]`: print both shapes before that line."
    more, fewer = (mine, right) if len(mine.shape) > len(right.shape) else (right, mine)
    yours, theirs = ("yours", "the expected ones") if more is mine else ("the expected ones", "yours")
    for axis in (None, *range(len(more.shape))):
        for how, reduced in (("sum", more.values.sum(axis)), ("mean", more.values.mean(axis))):
            if reduced.shape == fewer.shape and agreeing(reduced, fewer.values, close).all():
                over = "" if axis is None else f" over axis {axis}"
                return f"The {how} of {yours}{over} gives {theirs}."
    if len(mine.shape) == len(right.shape):
        return ""
    if more is mine:
        return "There are more axes than expected: is a sum or a mean over an axis missing?"
    return "There are fewer axes than expected: do you sum or average over too many?"


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _about_values(yours: _Numbers, expected: _Numbers, close: Closeness) -> Iterator[str]:
    """Yields sentences about arrays of the same shape that differ."""
    mine, right = yours.values, expected.values
    lost = np.isfinite(right) & ~np.isfinite(mine)
    if lost.any():
        count = int(lost.sum())
        many = f"{count} of your {lost.size} numbers {'is' if count == 1 else 'are'}"
        hint = "look at logarithms, roots and divisions by 0"
        yield f"{many if lost.size > 1 else 'Yours is'} NaN or infinite where a finite number is expected: {hint}."
    if (~np.isfinite(right) & np.isfinite(mine)).any():
        yield "Where the expected number is infinite or NaN, yours is not."
    agree = agreeing(mine, right, close)
    both = np.isfinite(mine) & np.isfinite(right) & ~agree
    if agree.size > 1 and not agree.all():
        yield _where(agree)
    if not both.any() or expected.kind == "truth values":
        return
    said = relation(mine, right, both, close)
    if said:
        yield said
    else:
        yield _sizes(mine[both], right[both])
    if right.ndim and right.shape[-1] > 1 and np.isfinite(mine).all() and (right >= 0).all():
        if (np.abs(right.sum(-1) - 1) < _ONE).all() and not (np.abs(mine.sum(-1) - 1) < _ONE).all():
            yield "The expected numbers sum to 1; yours do not."


def _where(agree: Any) -> str:
    """Describes how many numbers agree and where the others are."""
    if not agree.any():
        return f"None of the {agree.size} agrees."
    start = f"{int(agree.sum())} of {agree.size} agree{'s' if agree.sum() == 1 else ''}; "
    for axis, name in ((0, "row"), (agree.ndim - 1, "column")):
        others = tuple(other for other in range(agree.ndim) if other != axis)
        bad = np.flatnonzero(~agree.all(axis=others)).tolist()
        if agree.ndim > 1 and len(bad) <= _MOST_ROWS and 2 * len(bad) <= agree.shape[axis]:
            return f"{start}the others are in {name}{'s' if len(bad) > 1 else ''} {_listed(bad)} (counted from 0)."
    first = np.argwhere(~agree)[0].tolist()
    if agree.ndim == 1 and not agree[first[0] :].any():
        return f"{start}all from position {first[0]} on differ (counted from 0)."
    place = f"position {first[0]} (counted from 0)" if agree.ndim == 1 else f"`{first}`"
    return f"{start}the first difference is at {place}."


def _listed(numbers: list[int]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _sizes(mine: Any, right: Any) -> str:
    """Compares the sizes of two arrays; of a few short numbers it only says larger or smaller."""
    yours = f"Yours {'is' if mine.size == 1 else 'are'}"
    if right.size > _FEW or not are_short(right):
        return f"{yours} {_range(mine)}, the expected {'one' if right.size == 1 else 'ones'} {_range(right)}."
    if (mine > right).any() and (mine < right).any():
        return f"{yours} too large in some places and too small in others."
    return f"{yours} too {'large' if (mine > right).any() else 'small'}."


def _range(values: Any) -> str:
    low, high = about(float(values.min())), about(float(values.max()))
    if low == high:
        return "0" if low == "0" else f"about {low}"
    return f"between {low} and {high}"


def _word(value: Any) -> str:
    return "true" if bool(value) else "false"


def _numbers(value: Any) -> _Numbers | None:
    """A number or regular nested list of numbers as an array, else None; booleans count as 0 and 1."""
    flat: list[Any] = []
    shape = _read(value, flat)
    if shape is None:
        return None
    kind = "numbers"
    if flat and all(isinstance(each, bool) for each in flat):
        kind = "truth values"
    elif flat and all(type(each) is int for each in flat):
        kind = "whole numbers"
    numbers = [_NOT_FINITE[each] if isinstance(each, str) else each for each in flat]
    try:
        return _Numbers(np.array(numbers, dtype=np.float64).reshape(shape), kind)
    except OverflowError:
        return None


def _numbers_in_one_row(value: list[Any]) -> _Numbers | None:
    numbers = _numbers(value)
    return numbers if numbers is not None and len(numbers.shape) == 1 else None


def _read(value: Any, flat: list[Any]) -> tuple[int, ...] | None:
    """Appends the numbers in order and returns their shape; None if the value is no regular array."""
    if isinstance(value, bool | int | float) or (isinstance(value, str) and value in _NOT_FINITE):
        flat.append(value)
        return ()
    if not isinstance(value, list):
        return None
    shapes = {_read(part, flat) for part in value}
    if len(shapes) > 1 or None in shapes:
        return None
    inner = shapes.pop() if shapes else ()
    assert inner is not None
    return (len(value), *inner)
