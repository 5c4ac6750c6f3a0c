"""Keeps the states of the global random generators of this process, to go on from them later."""

from __future__ import annotations

import random

import numpy as np
import torch


class RandomStates:
    """The states of torch's, numpy's and Python's global generators at this moment.

    Unlike `homework.seeds.generator_states` without those of GPUs: looking for GPUs takes as long as a small test.
    """

    def __init__(self) -> None:
        self._torch, self._numpy, self._python = torch.get_rng_state(), np.random.get_state(), random.getstate()

    def restore(self) -> None:
        """Gives the generators these states."""
        torch.set_rng_state(self._torch)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
