"""Keeps memory and CPU time of each session, all its processes together, below limits. Needs only `/proc`."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

SECONDS = 0.1
"""Time between two looks: memory cannot be filled much faster than it is written."""


_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process as `/proc` shows it."""

    pid: int
    parent: int
    memory: int
    """Bytes of memory; what processes share counts for each of them."""
    cpu: float = 0.0
    """Seconds of CPU time, with those of the children that ended and were waited for."""


def over_limit(processes: Iterable[Process], sessions: Iterable[int], limit: int) -> list[int]:
    """Which processes must go so that no session holds more than `limit` bytes?

    Of a session that holds too much the largest process goes: the fork that answers a question if it is that one, so
    that the notebook itself goes on, else the session.

    Args:
        processes: all processes in sight.
        sessions: process ids of the sessions.
        limit: bytes for each session.
    """
    return [
        max(members, key=lambda process: process.memory).pid
        for members in _by_session(processes, sessions).values()
        if sum(process.memory for process in members) > limit
    ]


def out_of_time(processes: Iterable[Process], sessions: Iterable[int], limit: float) -> list[int]:
    """Which sessions used more than `limit` seconds of CPU time, all their processes together?"""
    return [
        session
        for session, members in _by_session(processes, sessions).items()
        if sum(process.cpu for process in members) > limit
    ]


def _by_session(processes: Iterable[Process], sessions: Iterable[int]) -> dict[int, list[Process]]:
    """The processes of each session that has any: itself and what descends from it."""
    known = {process.pid: process for process in processes}
    members: dict[int, list[Process]] = {session: [] for session in sorted(sessions)}
    for process in known.values():
        at, steps = process.pid, 0
        while at not in members and at in known and steps < len(known):
            at, steps = known[at].parent, steps + 1
        if at in members:
            members[at].append(process)
    return {session: found for session, found in members.items() if found}


def enforce(sessions: Iterable[int], memory: int, cpu: float) -> None:
    """Kills what holds or used too much; looks closely, which takes longer, only where a quick look finds something.

    Args:
        sessions: process ids of the sessions.
        memory: bytes for each session.
        cpu: seconds of CPU time for each session.
    """
    quick = all_processes()
    _kill(out_of_time(quick, sessions, cpu))
    if not over_limit(quick, sessions, memory):
        return
    exact = [replace(process, memory=_proportional(process)) for process in quick]
    _kill(over_limit(exact, sessions, memory))


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
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
    # after the name, which may hold anything, in brackets: state, parent, ..., and 11 fields later four times
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return Process(pid, int(status["PPid"][0]), kilobytes * 1024, sum(map(int, times)) / _TICKS)
