"""Measures a command from outside: wall time, processor time and memory of the whole tree of its processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 2**20
EVERY = 0.25
"""Seconds between two looks at the memory."""
PATIENCE = 10.0
"""Seconds that helper processes may live on after their command."""
ADOPT_ORPHANS = 36
"""`PR_SET_CHILD_SUBREAPER`."""
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
"""The system call's number."""
SOFTWARE, TASK_CLOCK, INHERIT, CLOSE_ON_EXEC = 1, 1, 2, 8
SIZE = 112
"""Bytes of the attributes of an event."""


@dataclass(frozen=True)
class Cost:
    """What a command cost, everything it started included."""

    seconds: float
    """Wall time from its start to its end."""
    cpu: float | None
    """Seconds of processor time of all processes; None where Linux's perf events are not available."""
    memory: float
    """Highest sum of the proportional set sizes (PSS) of all processes, sampled, in MiB."""
    main_memory: float
    """Highest resident set size of the command's own first process, sampled, in MiB."""


class CommandFailedError(Exception):
    """A measured command failed."""


def measure(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Cost:
    """Runs a command to its end.

    Args:
        command: program and arguments.
        folder: where it runs.
        variables: all its environment variables.

    Raises:
        CommandFailedError: its exit status is not 0; the message holds the end of its output.
    """
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    earlier = set(psutil.Process().children(recursive=True))
    counter, own = _counter(), time.process_time()
    begun = time.monotonic()
    with tempfile.TemporaryFile() as said:
        streams = {"stdin": subprocess.DEVNULL, "stdout": said, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=folder, env=dict(variables), **streams)  # type: ignore[call-overload]
        ended, peaks = threading.Event(), [0, 0]
        watcher = threading.Thread(target=_watch, args=(process.pid, earlier, ended, peaks))
        watcher.start()
        status, seconds = process.wait(), time.monotonic() - begun
        ended.set()
        watcher.join()
        said.seek(0)
        output = said.read().decode("utf-8", "replace")[-4000:]
    psutil.wait_procs(set(psutil.Process().children(recursive=True)) - earlier, PATIENCE)
    cpu = None
    if counter >= 0:
        cpu = struct.unpack("<Q", os.read(counter, 8))[0] / 1e9 - (time.process_time() - own)
        os.close(counter)
    if status:
        raise CommandFailedError(f"{' '.join(command)} ended with exit status {status} in {folder}; it said:\n{output}")
    return Cost(seconds, cpu, peaks[0] / MIB, peaks[1] / MIB)


def _counter() -> int:
    """A descriptor that counts nanoseconds of processor time, of this thread and all that it starts; -1: none.

    `getrusage` leaves out children that their parent does not wait for, and our sandbox lets the kernel reap its
    sessions.
    """
    call = PERF_EVENT_OPEN.get(platform.machine())
    if call is None or platform.system() != "Linux":
        return -1
    attributes = struct.pack("<IIQQQQQ", SOFTWARE, SIZE, TASK_CLOCK, 0, 0, 0, INHERIT).ljust(SIZE, b"\0")
    block = ctypes.create_string_buffer(attributes, SIZE)
    return int(ctypes.CDLL(None).syscall(call, block, 0, -1, -1, CLOSE_ON_EXEC))


def _watch(main: int, earlier: set[psutil.Process], ended: threading.Event, peaks: list[int]) -> None:
    """Keeps the highest memory of all processes but the earlier ones, and of the main one, until that one ends."""
    while not ended.wait(EVERY):
        with contextlib.suppress(psutil.Error):
            total = 0
            for process in set(psutil.Process().children(recursive=True)) - earlier:
                with contextlib.suppress(psutil.NoSuchProcess):
                    resident = process.memory_info().rss
                    if process.pid == main:
                        peaks[1] = max(peaks[1], resident)
                    try:
                        total += process.memory_full_info().pss
                    except psutil.AccessDenied:
                        total += resident
            peaks[0] = max(peaks[0], total)
