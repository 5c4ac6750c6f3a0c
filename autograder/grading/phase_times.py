"""Adds up how long each phase of an examination takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class PhaseTimes(dict[str, float]):
    """Seconds by phase (`core.results.PHASES`); `start` includes starting and ending all forks."""

    def __init__(self) -> None:
        super().__init__(start=0.0, cells=0.0, tests=0.0, answers=0.0)

    @contextlib.contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Adds the time that the block takes to a phase."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self[phase] += time.monotonic() - begin
