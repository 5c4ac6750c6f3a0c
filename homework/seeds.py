"""Seeds and states of the global random generators.

On a CPU the same seed, torch version and machine give the same numbers, bit for bit. On a GPU the order of some sums
differs from run to run, so that curves agree closely but not exactly.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from homework.lazy_torch import is_imported, torch, when_imported
from homework.scalars import is_whole

LARGEST_SEED = 2**32 - 1


def seed_everything(seed: int) -> None:
    """Seeds Python's, numpy's and torch's global generators, on the CPU and on every GPU.

    Args:
        seed: a whole number from 0 to 2³² − 1.

    Raises:
        ValueError: the seed is invalid.
    """
    if not is_whole(seed) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be a whole number from 0 to {LARGEST_SEED}, not {seed!r}.")
    random.seed(seed)
    np.random.seed(seed)
    when_imported(lambda: torch.manual_seed(seed), "seed")  # seeds every CUDA device as well


def generator_states() -> dict[str, Any]:
    """The states of all global generators, as tensors and plain values that `torch.load(weights_only=True)` reads.

    Without torch, those of Python and numpy; their words are an array then.
    """
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    words: Any = np.asarray(keys).astype(np.int64)
    numpy = (str(kind), words, int(position), int(has_gauss), float(gauss))
    if not is_imported():
        return {"python": random.getstate(), "numpy": numpy}
    return {
        "python": random.getstate(),
        "numpy": (numpy[0], torch.from_numpy(words), *numpy[2:]),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_generator_states(states: dict[str, Any]) -> None:
    """Restores the states of all global generators that `generator_states()` returned.

    States of GPUs are ignored if the number of GPUs has changed.
    """
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    kind, keys, position, has_gauss, cached = states["numpy"]
    keys = keys if isinstance(keys, np.ndarray) else keys.numpy()
    np.random.set_state((kind, keys.astype(np.uint32), position, has_gauss, cached))
    if "torch" not in states:
        return
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
