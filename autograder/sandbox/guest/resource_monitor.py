"""Limits memory and CPU time of each session, summed over its processes; tells how long it waited for a processor.

Needs only `/proc`.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

SECONDS = 0.1
"""Seconds between two checks; a process can write only a limited amount of memory in this time."""


_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process, from `/proc`."""

    pid: int
    parent: int
    memory: int
    """Bytes of memory; shared memory counts fully for each process."""
    cpu: float = 0.0
    """Seconds of CPU time, including children that ended and were waited for."""


def over_limit(processes: Iterable[Process], sessions: Iterable[int], limit: int) -> list[int]:
    """Process ids to kill: the largest process of each session that uses more than `limit` bytes.

    If that process is the fork for an item, the session itself continues.

    Args:
        processes: all visible processes.
        sessions: process ids of the sessions.
        limit: bytes for each session.
    """
    return [
        max(members, key=lambda process: process.memory).pid
        for members in _by_session(processes, sessions).values()
        if sum(process.memory for process in members) > limit
    ]


def out_of_time(processes: Iterable[Process], sessions: Iterable[int], limit: float) -> list[int]:
    """The sessions whose processes together used more than `limit` seconds of CPU time."""
    return [
        session
        for session, members in _by_session(processes, sessions).items()
        if sum(process.cpu for process in members) > limit
    ]


def _by_session(processes: Iterable[Process], sessions: Iterable[int]) -> dict[int, list[Process]]:
    """Session → its processes: itself and its descendants; without sessions that have ended."""
    known = {process.pid: process for process in processes}
    members: dict[int, list[Process]] = {session: [] for session in sorted(sessions)}
    for process in known.values():
        at, steps = process.pid, 0
        while at not in members and at in known and steps < len(known):
            at, steps = known[at].parent, steps + 1
        if at in members:
            members[at].append(process)
    return {session: found for session, found in members.items() if found}


def waited(session: int) -> float:
    """The longest time, in seconds, that a thread of the session has been ready to run without a processor.

    It is summed over the thread's life; 0 where the kernel does not tell.
    """
    longest = 0
    for process in _by_session(all_processes(), [session]).get(session, ()):
        for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                longest = max(longest, int(path.read_text().split()[1]))
    return longest / 1e9


def enforce(sessions: Iterable[int], memory: int, cpu: float) -> None:
    """Kills processes over the limits; measures memory exactly, which is slower, only if a quick check finds some.

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
    """Every process in `/proc`, without those that end meanwhile."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, KeyError):
                found.append(_read(int(entry)))
    return found


def _proportional(process: Process) -> int:
    """Bytes of memory; memory shared by n processes counts 1/n for each."""
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # the process has ended
    return sum(
        int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(("Pss_Anon:", "Pss_Shmem:"))
    )


def _read(pid: int) -> Process:
    lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    status = {name: value.split() for name, _, value in lines}
    kilobytes = sum(int(status[name][0]) for name in ("RssAnon", "RssShmem") if name in status)
    # fields after the name, which is in brackets and may contain any character; indices 11 to 14 are CPU times
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return Process(pid, int(status["PPid"][0]), kilobytes * 1024, sum(map(int, times)) / _TICKS)
