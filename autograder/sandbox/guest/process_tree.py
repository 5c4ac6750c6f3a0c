"""Lists and kills this process's children, including orphaned descendants if the process adopts them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Set
from pathlib import Path


def children() -> set[int]:
    """Process ids of this process's children; empty if the system does not list them."""
    try:
        return {int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    except OSError:  # not Linux, or a kernel without this file
        return set()


def is_busy(pid: int) -> bool:
    """Whether a process has more than one thread, or children; False if the system does not tell."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return len(threads) > 1 or any((thread / "children").read_text().strip() for thread in threads)
    except OSError:
        return False


def kill_children(but: Set[int] = frozenset()) -> None:
    """Kills all children of this process except those in `but`, and orphans that it adopts meanwhile."""
    for _ in range(1000):
        strays = children() - but
        for stray in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(stray, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(stray, os.WNOHANG)
        if not strays:
            return
        time.sleep(0.001)
