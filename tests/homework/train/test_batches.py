"""Batches have rows of about equal length; bfloat16 is used only where the hardware supports it."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from homework.train.batches import batches_by_length
from homework.train.precision import autocast, has_bf16


@given(st.lists(st.integers(1, 60), max_size=200), st.integers(1, 20), st.integers(1, 9), st.integers(0, 99))
def test_every_row_is_in_one_batch(lengths: list[int], batch_size: int, pool: int, seed: int) -> None:
    batches = batches_by_length(lengths, batch_size, random.Random(seed), pool=pool)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(0 < len(batch) <= batch_size for batch in batches)
    assert batches == batches_by_length(lengths, batch_size, random.Random(seed), pool=pool)


def test_batches_need_far_less_padding_than_shuffled_ones() -> None:
    source = random.Random(0)
    lengths = [source.randrange(10, 100) for _ in range(2_000)]

    def padded(pool: int) -> int:
        batches = batches_by_length(lengths, 16, random.Random(1), pool=pool)
        return sum(len(batch) * max(lengths[row] for row in batch) for batch in batches) - sum(lengths)

    assert padded(50) < 0.1 * padded(1)


def test_batches_have_another_order_each_time_and_are_not_sorted() -> None:
    lengths = list(range(1, 401))
    first, second = (batches_by_length(lengths, 8, random.Random(seed), pool=10) for seed in (0, 1))
    assert {tuple(batch) for batch in first} != {tuple(batch) for batch in second}
    longest = [max(lengths[row] for row in batch) for batch in first]
    assert longest != sorted(longest)


@pytest.mark.parametrize(("batch_size", "pool"), [(0, 5), (4, 0)])
def test_sizes_below_one_are_refused(batch_size: int, pool: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        batches_by_length([1, 2], batch_size, random.Random(0), pool=pool)


@pytest.mark.parametrize("supported", [True, False])
def test_bfloat16_is_used_only_with_hardware_for_it(supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_bf16_supported(including_emulation: bool = True) -> bool:
        return including_emulation or supported

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)
    assert has_bf16(torch.device("cuda")) is supported
    assert not has_bf16(torch.device("cpu"))
    x = torch.ones(2, 2)
    with autocast(torch.device("cpu")):
        assert (x @ x).dtype == torch.float32
