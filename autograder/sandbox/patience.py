"""How long to wait for student code: time in which it waited for a processor does not count.

On a busy machine a process gets only a share of a processor. Its time limit must not depend on that: what counts is the
time that it ran or slept, which is the time that passed minus the time that it was ready to run and did not (Linux'
`run_delay`, asked of the sandbox only when the limit seems to have passed). Examiner and student code run in turns, for
example when the code calls a function of the test; so the time that the examiner ran or waited does not count, either.
On a machine that is slower than the one for which limits were set, all limits are longer (`core.machine.slowness`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from autograder.core.machine import slowness

LONGEST = 30.0
"""A limit is extended to at most this many times its length."""


class Patience:
    """A time limit that begins now.

    Args:
        seconds: of running and sleeping.
        waited: the seconds that the process has waited for a processor since it started; 0 where that is unknown.
    """

    def __init__(self, seconds: float, waited: Callable[[], float] = lambda: 0.0) -> None:
        self._begin = time.monotonic()
        self._seconds = seconds * slowness()
        self._end = self._begin + self._seconds
        self._waited = waited
        self._own = _busy_or_waiting()
        self._pause = (0.0, 0.0)
        """When the pause began, and how long this thread had run or waited by then."""

    def pause(self) -> None:
        """The time from now until `resume` does not count."""
        self._pause = (time.monotonic(), _busy_or_waiting())

    def resume(self) -> None:
        """Ends the pause."""
        began, own = self._pause
        passed = time.monotonic() - began
        self._begin += passed
        self._end += passed
        self._own += _busy_or_waiting() - own

    def left(self) -> float:
        """Seconds after which to ask again; not positive once the time is over."""
        now = time.monotonic()
        if now >= self._end:
            extra = self._waited() + _busy_or_waiting() - self._own
            extra = min(max(0.0, extra), (LONGEST - 1) * self._seconds)
            self._end = self._begin + self._seconds + extra
        return self._end - now


def _busy_or_waiting() -> float:
    """Seconds that this thread has run or waited for a processor; 0 where the kernel does not tell."""
    try:
        ran, waited, _ = Path("/proc/thread-self/schedstat").read_text().split()
    except (OSError, ValueError):
        return 0.0
    return (int(ran) + int(waited)) / 1e9
