"""Keeps the memory of each session, all its processes together, below a limit. Needs `/proc` and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

SECONDS = 0.1
"""Time between two looks: memory cannot be filled much faster than it is written."""


@dataclass(frozen=True)
class Process:
    """One process as `/proc` shows it."""

    pid: int
    parent: int
    memory: int
    """Bytes of memory; what processes share counts for each of them."""


def over_limit(processes: Iterable[Process], sessions: Iterable[int], limit: int) -> list[int]:
    """Which processes must go so that no session holds more than `limit` bytes?

    Of a session that holds too much the largest process goes: the fork that answers a question if it is that one, so
    that the notebook itself goes on, else the session.

    Args:
        processes: all processes in sight.
        sessions: process ids of the sessions.
        limit: bytes for each session.
    """
    known = {process.pid: process for process in processes}
    roots = set(sessions)
    members: dict[int, list[Process]] = {}
    for process in known.values():
        at, steps = process.pid, 0
        while at not in roots and at in known and steps < len(known):
            at, steps = known[at].parent, steps + 1
        members.setdefault(at, []).append(process)
    return [
        max(members[root], key=lambda process: process.memory).pid
        for root in sorted(roots & members.keys())
        if sum(process.memory for process in members[root]) > limit
    ]


def enforce(sessions: Iterable[int], limit: int) -> None:
    """Kills what `over_limit` names; looks closely, which takes longer, only where a quick look finds too much."""
    quick = all_processes()
    if not over_limit(quick, sessions, limit):
        return
    exact = [replace(process, memory=_proportional(process)) for process in quick]
    for pid in over_limit(exact, sessions, limit):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def all_processes() -> list[Process]:
    """Every process in `/proc`; one that ends meanwhile is left out."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, KeyError):
                found.append(_read(int(entry)))
    return found


def _proportional(process: Process) -> int:
    """Bytes of memory, in which what n processes share counts one n-th for each."""
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it ended meanwhile
    return sum(
        int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(("Pss_Anon:", "Pss_Shmem:"))
    )


def _read(pid: int) -> Process:
    lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    status = {name: value.split() for name, _, value in lines}
    kilobytes = sum(int(status[name][0]) for name in ("RssAnon", "RssShmem") if name in status)
    return Process(pid, int(status["PPid"][0]), kilobytes * 1024)
