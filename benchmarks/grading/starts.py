"""What comes before a submission's first cell: a warm sandboxed session of ours, a cold kernel of the peers'."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from jupyter_client.manager import KernelManager

from autograder.course.problem import Problem
from autograder.course.warm_modules import warm_modules
from autograder.sandbox.host import Host

FIRST_CELL = "import torch"
SECONDS = 120.0


def sessions(problem: Problem, number: int) -> tuple[str, list[float]]:
    """The isolation level, and the seconds from asking for a session until its first cell has been answered.

    Args:
        problem: decides what the host has imported.
        number: how many sessions, one after the other; one more that does not count comes first.

    Raises:
        SetupError: student code cannot be shut in on this machine.
    """
    found = []
    with Host(warm_modules([problem])) as host:
        for _ in range(number + 1):
            begun = time.perf_counter()
            session = host.session()
            session.run(FIRST_CELL, "first", SECONDS)
            found.append(time.perf_counter() - begun)
            session.close()
        return host.level, found[1:]


def kernels(number: int, folder: Path) -> list[float]:
    """The seconds from starting an ipykernel of this environment until its first cell has been answered.

    Args:
        number: how many kernels, one after the other; one more that does not count comes first.
        folder: where they run.
    """
    found = []
    for _ in range(number + 1):
        begun = time.perf_counter()
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(cwd=str(folder), stderr=subprocess.DEVNULL)
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=SECONDS)
            client.execute_interactive(FIRST_CELL, timeout=SECONDS, store_history=False)
            found.append(time.perf_counter() - begun)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    return found[1:]
