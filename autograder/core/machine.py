"""The machine's cores, load and free memory: how much can be graded in parallel, and limits for this process."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

WORKER_MEMORY = 2**30
"""Bytes to reserve per worker; an ordinary submission needs a tenth of it."""
RESERVE = 2**30
"""Free bytes below which no further submission starts while another is being graded."""
_USUAL = 0.02
"""CPU seconds of the work in `slowness` on the machine for which limits were set, with a margin for noise."""

_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files with a container's memory limit and memory use (cgroup versions 2 and 1)."""


def cores() -> int:
    """Number of cores this process may use, by its affinity and by the CPU quota of its container (cgroup)."""
    from dask.system import cpu_count  # takes two tenths of a second to import

    return max(1, int(cpu_count()))


@functools.cache
def slowness() -> float:
    """How many times as long as on the machine for which limits were set the same work takes here; at least 1.

    Measured once in a process, in CPU time, the best of some trials.
    """

    def seconds() -> float:
        begin, values = time.thread_time(), dict[int, int]()
        for n in range(100_000):
            values[n % 997] = values.get(n % 997, 0) + len(str(n))
        return time.thread_time() - begin

    return max(1.0, min(seconds() for _ in range(5)) / _USUAL)


def stretched(seconds: float) -> float:
    """The seconds that work of this length may take now: more on a slow machine, and where processes wait for cores."""
    return seconds * slowness() * max(1.0, os.getloadavg()[0] / cores())


def memory_with(extra: int) -> int:
    """The size of this process's address space in bytes if it allocates `extra` bytes more."""
    return int(psutil.Process().memory_info().vms) + extra


@contextlib.contextmanager
def memory_at_most(limit: int) -> Iterator[None]:
    """While the block runs, this process's address space has at most `limit` bytes; else allocating raises an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY or limit < soft:
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def free_memory() -> int:
    """Bytes of free memory: the machine's, or what is left of the container's limit if that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _LIMITS:
        try:
            most, now = int(Path(limit).read_text()), int(Path(used).read_text())
        except (OSError, ValueError):  # another version, or no limit ("max")
            continue
        free = min(free, max(0, most - now))
    return free


def workers_that_fit(submissions: int) -> int:
    """How many submissions to grade in parallel: one per core, fewer if memory or submissions are few."""
    most = min(free_memory() // WORKER_MEMORY, submissions)
    return min(cores(), most) if most > 1 else 1
