"""Limits time and memory of trusted code that works on values of the student's."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from autograder.core.machine import memory_at_most, slowness


class ItemTimeoutError(BaseException):
    """The trusted code itself ran out of time. Not an `Exception`, so that tests do not catch it."""


class TrustedLimits:
    """A limit of memory, and one of CPU time over several blocks.

    Args:
        seconds: of CPU time; more on a slow machine.
        memory: bytes of this process's address space.
    """

    def __init__(self, seconds: float, memory: int) -> None:
        self._left = seconds * slowness()
        self._memory = memory

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Applies them while the block runs.

        Raises:
            ItemTimeoutError: the time is over; in the main thread only.
        """
        begin = time.process_time()
        try:
            with memory_at_most(self._memory), _alarm(self._left):
                yield
        finally:
            self._left = max(0.001, self._left - (time.process_time() - begin))  # 0 would be no limit


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupts the block after so much CPU time."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: Any) -> None:
        raise ItemTimeoutError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
