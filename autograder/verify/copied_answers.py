"""Finds logs that hold the right answers of another student.

Each student's inputs differ, so an answer that is right for another student was not computed from one's own inputs. One
such answer can be chance. The weight of a match is measured in decimal digits: with weight d, the probability that two
students have the same right answer to an item is at most 10 to the minus d. An item with the same right answer for
every student has weight 0.
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
"""Digits that prove a copy: a class of a thousand has a million ordered pairs that may match by chance."""
SAMPLE = 48
"""Number of students whose right answers are used to measure the weight of a match."""
_MOST_PARTS = 4
"""Maximum number of an answer's numbers that count; the others may depend on them."""


class RightAnswers:
    """An index of a class's right answers to one item, searched by submitted answer."""

    def __init__(self, students: Sequence[str], right_answer: Callable[[str], Expected]) -> None:
        """Takes the class; right answers are computed only when they are needed.

        Args:
            students: the class, in alphabetical order.
            right_answer: student → right answer on that student's inputs.
        """
        self._students = students
        self._right_answer = right_answer

    def owners(self, got: Any, device: str) -> list[str]:
        """The students for whom an answer is right, in alphabetical order; empty if it is too large to be an answer.

        Args:
            got: the answer as plain JSON.
            device: the device that computed it, as named in the log.
        """
        place = _place(got)
        if place is None:
            return []
        shape, sum_ = place
        entries = self._index.get(shape, [])
        apart = self._apart(shape, sum_, got, device)
        first = bisect.bisect_left(entries, sum_ - apart, key=lambda entry: entry[0])
        last = bisect.bisect_right(entries, sum_ + apart, key=lambda entry: entry[0])
        return sorted(
            student
            for _, student, right in entries[first:last]
            if same(got, right.value, for_device(right.precision, device))
        )

    @functools.cached_property
    def worth(self) -> float:
        """Weight of one match in digits; 0 if it proves nothing."""
        made_up = [f"made-up student {number}" for number in range(SAMPLE)]
        sample = [self._right_answer(student).value for student in [*self._students, *made_up][:SAMPLE]]
        whole = _digits([json.dumps(_each(_word, value), sort_keys=True) for value in sample])
        if whole < _digits(list(range(SAMPLE))):
            return whole  # some students share their right answer: this is the probability of that
        columns = zip(*([_word(part) for part in _parts(value)] for value in sample), strict=False)
        return sum(sorted(map(_digits, columns), reverse=True)[:_MOST_PARTS])

    @functools.cached_property
    def _index(self) -> dict[str, list[tuple[float, str, Expected]]]:
        """Shape of an answer → (weighted sum of its numbers, student, right answer), sorted by the sum."""
        index = defaultdict(list)
        for student in self._students:
            right = self._right_answer(student)
            place = _place(right.value)
            if place is not None:
                index[place[0]].append((place[1], student, right))
        return {shape: sorted(entries, key=lambda entry: entry[:2]) for shape, entries in index.items()}

    def _apart(self, shape: str, sum_: float, got: Any, device: str) -> float:
        """The maximum difference of the weighted sums of two answers that are the same."""
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
    """Whether an answer holds a number with five or more digits, which two students rarely share by chance."""
    return any(isinstance(part, float) and float(f"{part:.4g}") != part for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    """The numbers, texts and booleans of an answer; objects in order of their keys."""
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
    """The key of an answer in the index: its shape with all other values, and a weighted sum of its numbers."""
    shape = json.dumps(_each(lambda part: 0 if type(part) in (int, float) else str(part), value), sort_keys=True)
    try:
        numbers = np.fromiter(_numbers(value), dtype=np.float64)
    except OverflowError:
        return None
    with np.errstate(all="ignore"):
        sum_ = float(numbers @ _weights()[: numbers.size]) if numbers.size <= MOST_NUMBERS else math.nan
    return (shape, sum_) if math.isfinite(sum_) else None


@functools.cache
def _weights() -> Any:
    """Weights from 0.5 to 1.5, so that different numbers rarely have the same sum."""
    return np.random.RandomState(0).uniform(0.5, 1.5, MOST_NUMBERS)


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """The answer with each of its parts changed."""
    if isinstance(value, list):
        return [_each(change, part) for part in value]
    if isinstance(value, dict):
        return {key: _each(change, part) for key, part in value.items()}
    return change(value)


def _word(part: Any) -> str:
    return f"{part:.4g}" if isinstance(part, float) else str(part)


def _digits(words: Any) -> float:
    """The rarity of equal pairs in a sample, in decimal digits; limited by the size of the sample."""
    count = len(words)
    pairs = count * (count - 1) // 2
    equal = sum(number * (number - 1) // 2 for number in Counter(words).values())
    return -math.log10(max(equal, 0.5) / pairs) if pairs else 0.0


def _loosest(precision: Precision) -> Closeness:
    """The loosest closeness among an answer's parts."""
    if isinstance(precision, Closeness):
        return precision
    parts = [_loosest(part) for part in (precision.values() if isinstance(precision, dict) else precision)]
    return functools.reduce(Closeness.at_least, parts, Closeness(0.0, 0.0))
