"""Goes on with a command in a process that shares its slow imports with the host for student code.

torch and transformers would be imported twice otherwise, which is most of the time that it takes to grade one
submission.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import typer

from autograder.sandbox.guest.confinement import die_with_parent
from autograder.sandbox.host import WARM_MODULES, candidates, wanted_level
from autograder.sandbox.launch import HostFolder
from autograder.sandbox.limits import SessionLimits

_is_program = False
"""Whether this process runs one command, and was not started by this module."""


def run_as_program() -> None:
    """Says that this process runs one command with the arguments in `sys.argv`."""
    global _is_program
    _is_program = "autograder.cli.beside" not in sys.orig_argv[-1]


def go_on_beside_host(problem_id: str) -> None:
    """Runs this command in another process that has a host for the problem, and exits with its status.

    Returns at once in that process, and where a command is called as a function.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: the process cannot be started.
    """
    if not _is_program:
        return
    from autograder.course.cell_selection import warm_modules
    from autograder.course.problem import load_problem

    levels = candidates(wanted_level())
    modules = (*WARM_MODULES, *warm_modules([load_problem(problem_id)]))
    folder = HostFolder.make(SessionLimits())
    ours, theirs = socket.socketpair()
    try:
        process = folder.beside(theirs, modules, levels, __name__, huge_pages=False, own=False)
        theirs.close()
        with Connection(ours.detach()) as control:
            control.send((sys.argv, dict(os.environ)))
            status = _ended(process)
    finally:
        folder.remove()
    raise typer.Exit(status if status >= 0 else 128 - status)


def _ended(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # it got the same signal, and says what to do
            continue


def main(fd: int, forked: Mapping[str, Any]) -> None:
    """Runs the command that comes over the socket with number `fd`; see `launch.HostFolder.beside`."""
    die_with_parent()
    with Connection(fd) as control:
        sys.argv, environment = control.recv()
    os.environ.clear()
    os.environ.update(environment)
    from autograder.cli.main import app
    from autograder.grading.grade import close_hosts, offer_host

    offer_host(forked)
    status = 1
    try:
        app()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    finally:
        close_hosts()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)  # skips torch's cleanup, which takes most of a second
