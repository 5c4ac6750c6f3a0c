"""Entry point of the host process: confines the process before it imports large libraries."""

from __future__ import annotations

import os
import socket
from typing import Any

from .confinement import Confinement, Plan
from .wire import send_frame


def start(fd: int, modules: list[str], plan: dict[str, Any], *, huge_pages: bool) -> None:
    """Runs the host on the socket with file descriptor `fd`.

    Args:
        fd: the socket; the host sends `{"refused": reason}` if the machine does not offer the level.
        modules: modules to import before the first session.
        plan: `confinement.Plan` as plain JSON values.
        huge_pages: whether to spend half a second on faster forks.
    """
    sock = socket.socket(fileno=fd)
    confinement = Confinement(Plan.of(plan))
    try:
        confinement.confine_host()
    except (OSError, ImportError) as error:
        send_frame(sock, {"refused": str(error)})
        return
    from .forkserver import host

    host(sock, modules, confinement, huge_pages=huge_pages)
    os._exit(0)  # skips torch's cleanup, which takes seconds
