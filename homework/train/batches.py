"""Batches of rows of similar length, which need little padding.

for rows in batches_by_length(lengths, 32, random.Random(step)):
    documents = pad([documents[row] for row in rows])
"""

from __future__ import annotations

import random
from collections.abc import Sequence


def batches_by_length(
    lengths: Sequence[int], batch_size: int, source: random.Random, *, pool: int = 50
) -> list[list[int]]:
    """Every row once, in random batches of rows of similar length.

    The rows are shuffled, split into pools of `pool` batches, and sorted by length within each pool; then the batches
    are shuffled. So the composition and order of the batches differ from call to call.

    Args:
        lengths: the length of each row.
        batch_size: rows in a batch; the last one of the last pool may have fewer.
        source: random generator; the same state gives the same batches.
        pool: number of batches to sort together: 1 is plain shuffling, more means less padding and less randomness.

    Returns:
        Batches of indices into `lengths`.

    Raises:
        ValueError: `batch_size` or `pool` is below 1.
    """
    if batch_size < 1 or pool < 1:
        raise ValueError(f"batch_size and pool must be 1 or more, not {batch_size} and {pool}.")
    rows = list(range(len(lengths)))
    source.shuffle(rows)
    batches: list[list[int]] = []
    for start in range(0, len(rows), pool * batch_size):
        together = sorted(rows[start : start + pool * batch_size], key=lambda row: lengths[row])
        batches += [together[first : first + batch_size] for first in range(0, len(together), batch_size)]
    source.shuffle(batches)
    return batches
