"""Runs one command and says, as JSON on the last line of a file, what it and all its descendants cost.

Called as `reaper.py RESULT COMMAND ...`. It adopts orphans, so that processor time counts which a system's helpers
used after their parent had gone. Needs nothing but the standard library, so that it weighs nothing itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import time

ADOPT_ORPHANS = 36
"""`PR_SET_CHILD_SUBREAPER`."""
PATIENCE = 10.0
"""Seconds that helpers may live on after their command."""


def main(result: str, command: list[str]) -> None:
    """Runs the command, then waits for what it left behind."""
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
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
    with open(result, "w", encoding="utf-8") as file:
        json.dump({"status": status, "seconds": seconds, "cpu": used.ru_utime + used.ru_stime}, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
