"""Finds what calls of the student's code do to the global random generators of their process.

A call that seeds a global generator makes what is drawn after it repeat, and no check says so by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

NAME = "__random_states__"
"""Name of the helper in the student's process."""
SOURCE = f"""
def {NAME}():
    import hashlib
    import random
    import sys

    import numpy

    torch = sys.modules.get("torch")
    _, keys, place, *_ = numpy.random.get_state()
    states = (torch.get_rng_state().numpy().tobytes() if torch else b"", keys.tobytes() + bytes(str(place), "ascii"),
              repr(random.getstate()).encode())
    return [torch.initial_seed() if torch else -1, *(hashlib.sha256(state).hexdigest() for state in states)]
"""


class States(NamedTuple):
    """The states of the generators, as the student's process tells them."""

    seed: int
    """With which torch's generator was seeded last; -1 without torch."""
    torch: str
    numpy: str
    python: str

    @staticmethod
    def of(told: Any) -> States | None:
        """The states from an untrusted answer; None if it has another form."""
        if type(told) is list and [type(one) for one in told] == [int, str, str, str]:
            return States(*told)
        return None


class RandomUse:
    """What the functions of one test did to the generators."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, str]] = {}
        """Function → generator → what a call did to it."""

    def add(self, function: str, before: States | None, after: States | None) -> None:
        """Adds what one call did."""
        if before is None or after is None:
            return
        found = self._found.setdefault(function, {})
        if before.seed < 0:  # without torch; its import draws nothing
            pass
        elif before.seed != after.seed:
            found["torch"] = f"seeds torch's global generator (with {after.seed}): what is drawn after it repeats"
        elif before.torch != after.torch:
            found.setdefault("torch", "draws from torch's global generator")
        if before.numpy != after.numpy:
            found["numpy"] = "draws from numpy's global generator, or seeds it"
        if before.python != after.python:
            found["python"] = "draws from Python's global generator, or seeds it"

    def sentences(self, item_id: str) -> Iterator[str]:
        """What the item's code did; of other functions only what they seed, because many of them draw."""
        own = f"student.{item_id}"
        for function, found in self._found.items():
            for said in found.values():
                if function in (own, f"{own}(...)") or said.startswith("seeds"):
                    yield f"{function} {said}"
