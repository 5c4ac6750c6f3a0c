"""Span corruption cuts out spans of the right lengths at all places, and loses no token."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homework.data.span_corruption import corrupt_spans, parts

SENTINELS = [9_000 - number for number in range(40)]
END = 1


def corrupted(tokens: list[int], seed: int = 0, **settings: float) -> tuple[list[int], list[int]]:
    return corrupt_spans(tokens, sentinels=SENTINELS, end=END, source=random.Random(seed), **settings)


def spans_of(target: list[int]) -> list[list[int]]:
    """The tokens after each sentinel of a target, without the last sentinel and the end token."""
    assert target[-1] == END
    spans: list[list[int]] = []
    for token in target[:-1]:
        if token == SENTINELS[len(spans)]:
            spans.append([])
        else:
            spans[-1].append(token)
    assert spans.pop() == []  # the last sentinel has nothing behind it
    return spans


def put_back(inputs: list[int], target: list[int]) -> list[int]:
    spans = dict(zip(SENTINELS, spans_of(target), strict=False))
    assert inputs[-1] == END
    return [part for token in inputs[:-1] for part in spans.get(token, [token])]


def test_the_example_of_the_docstring() -> None:
    A, B, C, D, E, F, G, H = tokens = list(range(2, 10))
    inputs, target = corrupt_spans(
        tokens, sentinels=[90, 91, 92], end=1, source=random.Random(5), density=0.4, mean_span=1.5
    )
    assert inputs == [A, B, 90, E, F, 91, H, 1]
    assert target == [90, C, D, 91, G, 92, 1]


@given(st.integers(2, 200), st.integers(0, 10_000))
def test_no_token_is_lost_and_spans_never_touch(length: int, seed: int) -> None:
    tokens = list(range(10_000, 10_000 + length))
    inputs, target = corrupted(tokens, seed)
    assert put_back(inputs, target) == tokens
    spans = spans_of(target)
    assert all(spans)
    assert [token for token in inputs if token in SENTINELS] == SENTINELS[: len(spans)]
    assert not any(left in SENTINELS and right in SENTINELS for left, right in pairwise(inputs))


@given(st.integers(10, 200), st.integers(0, 100))
def test_fifteen_percent_in_spans_of_three_on_average(length: int, seed: int) -> None:
    spans = spans_of(corrupted(list(range(10_000, 10_000 + length)), seed)[1])
    assert sum(map(len, spans)) == round(0.15 * length)
    assert len(spans) == max(1, round(sum(map(len, spans)) / 3))


def test_density_and_mean_span_are_kept() -> None:
    spans = spans_of(corrupted(list(range(10_000, 10_100)), density=0.5, mean_span=5.0)[1])
    assert (sum(map(len, spans)), len(spans)) == (50, 10)


def test_every_place_is_cut_out_about_equally_often() -> None:
    length, draws = 20, 6_000
    source = random.Random(0)
    gone = [0] * length
    for _ in range(draws):
        target = corrupt_spans(list(range(length)), sentinels=SENTINELS, end=-1, source=source)[1]
        for token in (token for token in target[:-1] if token < length):
            gone[token] += 1
    assert mean(gone) == pytest.approx(0.15 * draws)
    assert min(gone[2:-2]) > 0.12 * draws
    assert min(gone) > 0.03 * draws  # the first and the last are covered by fewer spans of three


def test_the_same_state_gives_the_same_spans_and_another_gives_others() -> None:
    tokens = list(range(10_000, 10_080))
    assert corrupted(tokens, 3) == corrupted(tokens, 3)
    assert len({tuple(corrupted(tokens, seed)[0]) for seed in range(20)}) > 15
    source = random.Random(3)
    first, second = (corrupt_spans(tokens, sentinels=SENTINELS, end=END, source=source) for _ in range(2))
    assert first == corrupted(tokens, 3) != second


def test_parts_add_up_and_all_are_equally_likely() -> None:
    source = random.Random(0)
    seen = Counter(tuple(parts(5, 3, source)) for _ in range(6_000))
    assert set(seen) == {(1, 1, 3), (1, 3, 1), (3, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1)}
    assert all(abs(count - 1_000) < 150 for count in seen.values())  # five standard errors
    assert parts(4, 1, source) == [4]


@pytest.mark.parametrize(
    ("tokens", "settings", "message"),
    [
        ([7], {}, "two tokens"),
        ([7] * 50, {"density": 0.0}, "density"),
        ([7] * 50, {"density": 1.0}, "density"),
        ([7] * 50, {"mean_span": 0.5}, "mean_span"),
        ([7] * 1000, {}, "sentinels; there are 40"),
    ],
)
def test_invalid_settings_are_refused(tokens: list[int], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrupted(tokens, **settings)
