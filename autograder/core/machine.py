"""How many submissions this machine can grade in parallel: its cores and its free memory."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

WORKER_MEMORY = 2**30
"""Bytes to reserve per worker; an ordinary submission needs a tenth of it."""
RESERVE = 2**30
"""Free bytes below which no further submission starts while another is being graded."""

_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files with a container's memory limit and memory use (cgroup versions 2 and 1)."""


def cores() -> int:
    """Number of cores this process may use, by its affinity and by the CPU quota of its container (cgroup)."""
    from dask.system import cpu_count  # takes two tenths of a second to import

    return max(1, int(cpu_count()))


def stretched(seconds: float) -> float:
    """The seconds that work of this length may take now: more where more processes want to run than there are cores."""
    return seconds * max(1.0, os.getloadavg()[0] / cores())


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
