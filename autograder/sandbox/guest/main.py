"""Entry points of the host process: a program of its own, or forked from a process that becomes the examiner's."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .confinement import Confinement, Plan
from .wire import ClosedError, receive_frame, send_frame


def start(fd: int, modules: list[str], plan: dict[str, Any], *, huge_pages: bool) -> None:
    """Runs the host on the socket with file descriptor `fd`; it confines itself before it imports large libraries.

    Args:
        fd: the socket; the host sends `{"refused": reason}` if the machine does not offer the level.
        modules: modules to import before the first session.
        plan: `confinement.Plan` as plain JSON values.
        huge_pages: whether to spend half a second on faster forks.
    """
    _serve(socket.socket(fileno=fd), modules, plan, huge_pages=huge_pages)
    os._exit(0)  # skips torch's cleanup, which takes seconds


def fork_host(
    control: int, modules: list[str], plans: list[dict[str, Any]], scratch: str, log: str, *, huge_pages: bool
) -> dict[str, Any]:
    """Imports the modules and forks the host at the first level that the machine offers; returns in this process.

    Args:
        control: file descriptor by which this process will learn of the course; the host closes it at once.
        modules: as for `start`.
        plans: one for each level, strongest first.
        scratch: the host's working folder.
        log: file for what the host prints.
        huge_pages: as for `start`.

    Returns:
        `refusals`: the levels that the machine does not offer, each with the reason. If there is a host also `level`,
        its process id `pid`, `fd` of the socket, `groups` and `scratch`; if it ended at once, `fault`: its output.
    """
    # nothing to tidy up or to say yet, and some libraries hide a KeyboardInterrupt while they are imported
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    from .forkserver import import_modules

    import_modules(modules)
    refusals: list[str] = []
    for plan in plans:
        ours, theirs = socket.socketpair()

        def serve(plan: dict[str, Any] = plan, ours: socket.socket = ours, theirs: socket.socket = theirs) -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.close(control)
            ours.close()
            os.setsid()
            os.chdir(scratch)
            _print_to(log)
            _serve(theirs, modules, plan, huge_pages=huge_pages)

        pid = _forked(serve)
        theirs.close()
        try:
            reply, _ = receive_frame(ours)
        except ClosedError:
            os.waitpid(pid, 0)
            return {"refusals": refusals, "fault": Path(log).read_text(errors="replace")[-2000:]}
        if "refused" not in reply:
            found = {"level": plan["level"], "pid": pid, "fd": ours.detach(), "scratch": scratch}
            return {**found, "groups": reply["groups"], "refusals": refusals}
        ours.close()
        os.waitpid(pid, 0)
        refusals.append(f"{plan['level']}: {reply['refused']}")
    return {"refusals": refusals}


def trusted(control: int) -> ModuleType:
    """The trusted module that is named over the control socket, which a host that was forked before does not know.

    Its `main` says what Ctrl-C does; until then it ends this process without a word.

    Args:
        control: the socket's file descriptor, which stays open.
    """
    sock = socket.socket(fileno=control)
    told, _ = receive_frame(sock)
    sock.detach()
    sys.path[:] = told["search"]
    return importlib.import_module(told["module"])


def _serve(sock: socket.socket, modules: list[str], plan: dict[str, Any], *, huge_pages: bool) -> None:
    confinement = Confinement(Plan.of(plan))
    try:
        confinement.confine_host()
    except (OSError, ImportError) as error:
        send_frame(sock, {"refused": str(error)})
        return
    from .forkserver import host

    host(sock, modules, confinement, huge_pages=huge_pages)


def _forked(action: Callable[[], None]) -> int:
    """Runs an action in a fork; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        action()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def _print_to(log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for fd in (1, 2):
        os.dup2(file, fd)
    os.close(file)
