"""The first thing the host process runs: it shuts itself in, and only then imports anything heavy."""

from __future__ import annotations

import os
import socket
from typing import Any

from .confinement import Confinement, Plan
from .wire import send_frame


def start(fd: int, modules: list[str], plan: dict[str, Any], *, huge_pages: bool) -> None:
    """Runs the host on the socket that has number `fd`.

    Args:
        fd: the examiner's end of this socket hears `{"refused": reason}` if the machine does not offer the level.
        modules: what to import before the first session.
        plan: `confinement.Plan` as plain JSON.
        huge_pages: spend half a second on cheaper forks?
    """
    sock = socket.socket(fileno=fd)
    walls = Confinement(Plan.of(plan))
    try:
        walls.shut_in_host()
    except (OSError, ImportError) as error:
        send_frame(sock, {"refused": str(error)})
        return
    from .forkserver import host

    host(sock, modules, walls, huge_pages=huge_pages)
    os._exit(0)  # nothing is left to do: taking torch apart piece by piece would take seconds
