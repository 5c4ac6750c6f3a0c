"""Whose right answers are these? Finds logs that hold the answers to another student's questions.

Every student is asked on inputs of their own, so an answer that is right for somebody else was not computed from one's
own inputs. One such answer can be chance; what a match is worth is measured, in decimal digits: the chance that two
students have the same right answer to an item is at most 10 to the minus that many. An item whose right answer is the
same for everybody is worth nothing.
"""

from __future__ import annotations

import bisect
import functools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.grading.misconceptions import Expected
from autograder.grading.tolerance import MOST_NUMBERS, Closeness, Precision, for_device, same

PROOF = 9.0
"""Digits from which a copy is called one: in a class of a thousand there are a million pairs to meet by chance."""
SAMPLE = 48
"""Right answers, of so many students, from which the worth of a match is measured."""
_MOST_PARTS = 4
"""Numbers of one answer that count: the others may follow from them."""


class RightAnswers:
    """The right answers of a class to one item, to be looked up by an answer that was handed in."""

    def __init__(self, students: Sequence[str], right_answer: Callable[[str], Expected]) -> None:
        """Begins with the names of a class; nobody's right answer is asked for before it is needed.

        Args:
            students: the class, in alphabetical order.
            right_answer: student → right answer on that student's inputs.
        """
        self._students = students
        self._right_answer = right_answer

    def owners(self, got: Any, device: str) -> list[str]:
        """The students for whom an answer is right, in alphabetical order; nobody if it is too large to be one.

        Args:
            got: the answer as plain JSON.
            device: what computed it, as its log names it.
        """
        place = _place(got)
        if place is None:
            return []
        shape, sum_ = place
        entries = self._index.get(shape, [])
        found = []
        apart = self._apart(shape, sum_, got, device)
        first = bisect.bisect_left(entries, sum_ - apart, key=lambda entry: entry[0])
        for other, student, right in entries[first:]:
            if other > sum_ + apart:
                break
            if same(got, right.value, for_device(right.precision, device)):
                found.append(student)
        return sorted(found)

    @functools.cached_property
    def worth(self) -> float:
        """Digits that one match is worth; 0 if it proves nothing."""
        made_up = [f"made-up student {number}" for number in range(SAMPLE)]
        sample = [self._right_answer(student).value for student in [*self._students, *made_up][:SAMPLE]]
        whole = _digits([json.dumps(_rounded(value), sort_keys=True) for value in sample])
        if whole < _digits(list(range(SAMPLE))):
            return whole  # some students share their right answer: this is how likely that is
        columns = zip(*([_word(part) for part in _parts(value)] for value in sample), strict=False)
        return sum(sorted(map(_digits, columns), reverse=True)[:_MOST_PARTS])

    @functools.cached_property
    def _index(self) -> dict[str, list[tuple[float, str, Expected]]]:
        """Shape of an answer → (weighted sum of its numbers, student, right answer), in order of the sum."""
        index = defaultdict(list)
        for student in self._students:
            right = self._right_answer(student)
            place = _place(right.value)
            if place is not None:
                index[place[0]].append((place[1], student, right))
        return {shape: sorted(entries, key=lambda entry: entry[:2]) for shape, entries in index.items()}

    def _apart(self, shape: str, sum_: float, got: Any, device: str) -> float:
        """How far apart the sums of two answers can be that are the same."""
        entries = self._index.get(shape)
        if not entries:
            return 0.0
        close = _loosest(for_device(entries[0][2].precision, device))
        sizes = [abs(number) for number in _numbers(got)]
        return 2.0 * (2.0 * close.rtol * sum(sizes) + close.atol * self._largest * len(sizes)) + 1e-9 * abs(sum_)

    @functools.cached_property
    def _largest(self) -> float:
        """The largest size of a tensor among the right answers."""
        return max(_loosest(self._right_answer(student).precision).size for student in self._students)


def is_telling(value: Any) -> bool:
    """Does an answer hold a number that two students hardly write by chance: one of five digits or more?"""
    return any(isinstance(part, float) and float(f"{part:.4g}") != part for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    """The numbers, texts and truth values of an answer, objects in order of their keys."""
    if isinstance(value, list):
        for part in value:
            yield from _parts(part)
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from _parts(value[key])
    else:
        yield value


def _numbers(value: Any) -> Iterator[float]:
    for part in _parts(value):
        if isinstance(part, int | float) and not isinstance(part, bool):
            yield float(part)


def _place(value: Any) -> tuple[str, float] | None:
    """Where an answer stands in the index: its shape with all that is no number, and a weighted sum of its numbers."""
    shape = json.dumps(_shape(value), sort_keys=True)
    try:
        numbers = np.fromiter(_numbers(value), dtype=np.float64)
    except OverflowError:
        return None
    with np.errstate(all="ignore"):
        sum_ = float(numbers @ _weights()[: numbers.size]) if numbers.size <= MOST_NUMBERS else math.nan
    return (shape, sum_) if math.isfinite(sum_) else None


@functools.cache
def _weights() -> Any:
    """Weights from 0.5 to 1.5, so that other numbers hardly have the same sum."""
    return np.random.RandomState(0).uniform(0.5, 1.5, MOST_NUMBERS)


def _shape(value: Any) -> Any:
    if isinstance(value, list):
        if value and all(type(part) in (int, float) for part in value):
            return len(value)
        return [_shape(part) for part in value]
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    if type(value) in (int, float):
        return 0
    return [str(value)]


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return _word(value)


def _word(part: Any) -> str:
    return f"{part:.4g}" if isinstance(part, float) else str(part)


def _digits(words: Any) -> float:
    """How seldom two of a sample are the same, in decimal digits; at most what so small a sample can show."""
    count = len(words)
    pairs = count * (count - 1) // 2
    equal = sum(number * (number - 1) // 2 for number in Counter(words).values())
    return -math.log10(max(equal, 0.5) / pairs) if pairs else 0.0


def _loosest(precision: Precision) -> Closeness:
    """The loosest of an answer's parts."""
    if isinstance(precision, Closeness):
        return precision
    parts = [_loosest(part) for part in (precision.values() if isinstance(precision, dict) else precision)]
    return functools.reduce(Closeness.at_least, parts, Closeness(0.0, 0.0))
