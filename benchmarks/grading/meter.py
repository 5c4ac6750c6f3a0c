"""Measures a command from outside: wall time, processor time and memory of the whole tree of its processes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

REAPER = Path(__file__).with_name("reaper.py")
MIB = 2**20
EVERY = 0.25
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Cost:
    """What a command cost, everything it started included."""

    status: int
    seconds: float
    """Wall time from its start to its end."""
    cpu: float
    """Seconds of processor time, user and system, of all processes."""
    memory: float
    """Highest sum of the proportional set sizes (PSS) of all processes, sampled, in MiB."""
    main_memory: float
    """Highest resident set size of the command's own first process, in MiB."""
    unread: int
    """Processes whose PSS could not be read at the peak and whose resident set size stands in for it."""
    whole: bool
    """Does the processor time hold that of descendants, too, that nobody waited for?"""
    output: str
    """The end of what it printed."""


class CommandFailedError(Exception):
    """A measured command ended with another exit status than it may."""


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str], allowed: Sequence[int] = (0,)) -> Cost:
    """Runs a command to its end.

    Args:
        command: program and arguments.
        cwd: where it runs.
        environment: all its environment variables.
        allowed: exit statuses that mean that it did its work.

    Raises:
        CommandFailedError: another exit status; the message holds the end of its output.
    """
    with tempfile.TemporaryDirectory(prefix="measured-") as name:
        result, said = Path(name) / "result", Path(name) / "said"
        with said.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(REAPER), str(result), *command],
                cwd=cwd,
                env=dict(environment),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            memory, main_memory, unread = _watch(process)
        output = said.read_text(encoding="utf-8", errors="replace")[-4000:]
        if not result.is_file():
            raise CommandFailedError(f"{command[0]} could not be run in {cwd}; it said:\n{output}")
        told = json.loads(result.read_text(encoding="utf-8"))
    cost = Cost(told["status"], told["seconds"], told["cpu"], memory, main_memory, unread, told["whole"], output)
    if cost.status not in allowed:
        words = " ".join(map(str, command))
        raise CommandFailedError(f"{words} ended with exit status {cost.status} in {cwd}; it said:\n{output}")
    return cost


def environment_for(**values: str) -> dict[str, str]:
    """What every measured command finds in its environment: the same few variables on every machine."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        "PATH": os.defpath,
        **kept,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "HOMEWORK_PROFILE": "grade",
        "HOMEWORK_STUDENT": "somebody",
        "JUPYTER_PLATFORM_DIRS": "1",
        **values,
    }


def _watch(process: subprocess.Popen[bytes]) -> tuple[float, float, int]:
    """Looks at the memory until the process has ended: the peaks of all and of the command itself, in MiB."""
    peak, main_peak, unread = 0.0, 0.0, 0
    reaper, main_pid = psutil.Process(process.pid), 0
    while process.poll() is None:
        looked = time.monotonic()
        with contextlib.suppress(psutil.Error):
            main_pid = main_pid or next((child.pid for child in reaper.children()), 0)  # before there are orphans
            main_peak = max(main_peak, _high_water(main_pid))
            total, not_read = _sum(reaper.children(recursive=True))
            if total > peak:
                peak, unread = total, not_read
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.01, EVERY - (time.monotonic() - looked)))
    return peak / MIB, main_peak / MIB, unread


def _sum(processes: Sequence[psutil.Process]) -> tuple[int, int]:
    total, not_read = 0, 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            try:
                total += process.memory_full_info().pss
            except (psutil.AccessDenied, AttributeError):
                total += process.memory_info().rss
                not_read += 1
    return total, not_read


def _high_water(pid: int) -> int:
    """The highest resident set size that a process ever had, in bytes; 0 if there is none."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
