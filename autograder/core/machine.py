"""What this machine can carry: how many submissions side by side, and whether there is memory for one more."""

from __future__ import annotations

from pathlib import Path

import psutil

WORKER_MEMORY = 2**30
"""Bytes that one submission may need at the same time as others: an honest one needs a tenth of it."""
RESERVE = 2**30
"""Bytes below which no further submission is begun while one is being graded."""

_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Where a container's limit and use of memory stand (cgroup versions 2 and 1)."""


def cores() -> int:
    """How many cores may this process use, by its affinity and by the CPU quota of its container (cgroup)?"""
    from dask.system import cpu_count  # takes two tenths of a second to import

    return max(1, int(cpu_count()))


def free_memory() -> int:
    """Bytes of memory that can still be had: the machine's, or what is left of the container's if that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _LIMITS:
        try:
            most, now = int(Path(limit).read_text()), int(Path(used).read_text())
        except (OSError, ValueError):  # another version, or no limit ("max")
            continue
        free = min(free, max(0, most - now))
    return free


def workers_that_fit(submissions: int) -> int:
    """How many submissions to grade side by side: one per core, fewer where memory or submissions are few."""
    most = min(free_memory() // WORKER_MEMORY, submissions)
    return min(cores(), most) if most > 1 else 1
