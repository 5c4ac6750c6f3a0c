"""Limits memory and CPU time of each session, summed over its processes; tells how long it waited for a processor.

Where the kernel keeps the limits (`control_groups`), it only reads their counters. Elsewhere it reads `/proc` from time
to time: it then misses processes that end within a tenth of a second and that no parent waits for.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .confinement import Confinement

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
    own_cpu: float = 0.0
    """Seconds of CPU time of the process itself."""
    children_cpu: float = 0.0
    """Seconds of CPU time of its children that ended and were waited for."""


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


class CpuTime:
    """The CPU time of sessions, from repeated looks at their processes.

    A process that ends leaves its time to the parent that waits for it; if none does, the last look at it counts.
    """

    def __init__(self) -> None:
        self._seen: dict[int, dict[int, float]] = {}
        """Session → the last known time of each process that it had."""

    def of(self, processes: Iterable[Process], sessions: Iterable[int]) -> dict[int, float]:
        """Session → seconds of CPU time, at least."""
        found = {}
        for session, members in _by_session(processes, sessions).items():
            seen = self._seen.setdefault(session, {})
            seen.update({process.pid: process.own_cpu for process in members})
            waited_for = sum(process.own_cpu + process.children_cpu for process in members)
            found[session] = max(waited_for, sum(seen.values()))
        self._seen = {session: self._seen[session] for session in found}
        return found


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
    """The longest time, in seconds, that a thread of the session has been ready to run while others ran.

    It is summed over the thread's life. The time in which other threads and processes of the session ran does not
    count: so code cannot prolong its limit by being busy. 0 where the kernel does not tell.
    """
    members = _by_session(all_processes(), [session]).get(session, ())
    inner = sum(one.own_cpu + one.children_cpu for one in members if one.pid != session)
    longest = 0.0
    for process in members:
        busy = inner + (process.own_cpu if process.pid == session else 0.0)  # what it waited for is of earlier forks
        for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                ran, delayed = (int(field) / 1e9 for field in path.read_text().split()[:2])
                longest = max(longest, delayed - max(0.0, busy - ran))
    return longest


class ResourceMonitor:
    """Kills processes over the limits of memory and CPU time.

    Args:
        confinement: limits and control groups of the sessions.
    """

    def __init__(self, confinement: Confinement) -> None:
        self._confinement = confinement
        self._cpu_time = CpuTime()

    def enforce(self, sessions: Iterable[int]) -> None:
        """Looks at all sessions once.

        Args:
            sessions: process ids of the sessions.
        """
        limits = self._confinement.limits
        counted = {session: self._confinement.cpu(session) for session in sessions}
        _kill(session for session, seconds in counted.items() if seconds is not None and seconds > limits["cpu"])
        if None not in counted.values() and self._confinement.kernel_limits_memory:
            return
        quick = all_processes()
        used = self._cpu_time.of(quick, [session for session, seconds in counted.items() if seconds is None])
        _kill(session for session, seconds in used.items() if seconds > limits["cpu"])
        limit_memory(quick, sessions, limits["total"])


def limit_memory(processes: Iterable[Process], sessions: Iterable[int], limit: int) -> None:
    """Kills the largest process of each session over `limit` bytes.

    Memory is measured exactly, which is slower, only if a quick check finds too much.
    """
    quick = list(processes)
    if over_limit(quick, sessions, limit):
        exact = [replace(process, memory=_proportional(process)) for process in quick]
        _kill(over_limit(exact, sessions, limit))


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
        text = _text(f"/proc/{process.pid}/smaps_rollup")
    except OSError:
        return 0  # the process has ended
    return sum(
        int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(("Pss_Anon:", "Pss_Shmem:"))
    )


def _read(pid: int) -> Process:
    status = _status(f"/proc/{pid}/status")
    parent = int(status["PPid"])
    if "VmRSS" not in status:  # the first thread has ended; the others still have the memory
        with contextlib.suppress(OSError, StopIteration):
            tasks = (_status(f"/proc/{pid}/task/{task}/status") for task in os.listdir(f"/proc/{pid}/task"))
            status = next(found for found in tasks if "VmRSS" in found)
    kilobytes = sum(int(status[name].split()[0]) for name in ("RssAnon", "RssShmem", "VmPTE") if name in status)
    # fields after the name, which is in brackets and may contain any character; indices 11 to 14 are CPU times
    times = [int(field) / _TICKS for field in _text(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:15]]
    return Process(pid, parent, kilobytes * 1024, sum(times[:2]), sum(times[2:]))


def _text(path: str) -> str:
    """A file of the kernel's; a process may give itself a name of any bytes."""
    return Path(path).read_bytes().decode("utf-8", "replace")


def _status(path: str) -> dict[str, str]:
    """The fields of a process or thread."""
    lines = (line.partition(":") for line in _text(path).split("\n"))
    return {name: value.strip() for name, _, value in lines}
