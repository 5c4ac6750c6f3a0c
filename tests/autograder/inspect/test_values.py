"""Values are described in bounded time and length."""

from __future__ import annotations

import time

import torch

from autograder.inspect.values import rounding, value_of, where_they_differ


def test_nested_arrays_are_described_in_bounded_time() -> None:
    arrays = [torch.rand(10, 12) for _ in range(12)]
    nested = [[[arrays for _ in range(12)] for _ in range(12)] for _ in range(12)]
    begun = time.process_time()
    text = value_of(nested, "got").text
    assert time.process_time() - begun < 1.0, "12^4 arrays took 20 s"
    assert 500 < len(text) <= 2000


def test_long_lists_are_not_compared_one_by_one() -> None:
    begun = time.process_time()
    numbers = [float(n) for n in range(200_000)]
    for got in (numbers, {"a": numbers}, [[number] for number in numbers]):
        assert where_they_differ(got, numbers) == "" == rounding(got, numbers)
    assert time.process_time() - begun < 1.0, "each took over a second"
    assert "differ" in where_they_differ(torch.rand(200_000), torch.rand(200_000))


def test_a_list_says_how_many_entries_it_has() -> None:
    assert value_of(list(range(100)), "got").text.endswith("… (100 entries)]")
    assert value_of([[1, 2], [3, 4]], "got").text == "[[1, 2], [3, 4]]"
