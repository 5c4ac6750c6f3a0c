"""Keeps the states of the global random generators of this process, to go on from them later."""

from __future__ import annotations

import random

import numpy as np

from homework.lazy_torch import is_imported, torch


class RandomStates:
    """The states of torch's, numpy's and Python's global generators at this moment.

    Unlike `homework.seeds.generator_states` without those of GPUs: looking for GPUs takes as long as a small test.
    """

    def __init__(self) -> None:
        self._torch = torch.get_rng_state() if is_imported() else None
        self._numpy, self._python = np.random.get_state(), random.getstate()

    def restore(self) -> None:
        """Gives the generators these states."""
        if self._torch is not None:
            torch.set_rng_state(self._torch)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
