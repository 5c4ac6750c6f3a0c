"""Runs one command and says, as JSON on the last line of a file, what it and all its descendants cost.

Called as `reaper.py RESULT COMMAND ...`. Processor time comes from a counter of Linux's perf events which all
descendants inherit: what `getrusage` says leaves out children that nobody waits for, and our sandbox lets the kernel
reap its sessions. Where there is no such counter, `getrusage` must do, and the result says so. Orphans are adopted and
waited for. Needs nothing but the standard library, so that it weighs nothing itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import struct
import subprocess
import sys
import time

ADOPT_ORPHANS = 36
"""`PR_SET_CHILD_SUBREAPER`."""
PATIENCE = 10.0
"""Seconds that helpers may live on after their command."""

PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
"""The system call's number."""
SOFTWARE, TASK_CLOCK, INHERIT, CLOSE_ON_EXEC = 1, 1, 2, 8
SIZE = 112
"""Bytes of the attributes of an event."""


def counter() -> int:
    """A descriptor that counts nanoseconds of processor time, of this process and all that it starts; -1: none."""
    call = PERF_EVENT_OPEN.get(platform.machine())
    if call is None or not sys.platform.startswith("linux"):
        return -1
    attributes = struct.pack("<IIQQQQQ", SOFTWARE, SIZE, TASK_CLOCK, 0, 0, 0, INHERIT).ljust(SIZE, b"\0")
    block = ctypes.create_string_buffer(attributes, SIZE)
    return int(ctypes.CDLL(None).syscall(call, block, 0, -1, -1, CLOSE_ON_EXEC))


def main(result: str, command: list[str]) -> None:
    """Runs the command, then waits for what it left behind."""
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    counting = counter()
    begun = time.monotonic()
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    seconds = time.monotonic() - begun
    while time.monotonic() - begun - seconds < PATIENCE:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
            continue
        break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, whole = used.ru_utime + used.ru_stime, counting >= 0
    if whole:
        cpu = struct.unpack("<Q", os.read(counting, 8))[0] / 1e9
    with open(result, "w", encoding="utf-8") as file:
        json.dump({"status": status, "seconds": seconds, "cpu": cpu, "whole": whole}, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
