"""Goes on with a command in a process that shares its slow imports with the host for student code.

torch and transformers would be imported twice otherwise, which is most of the time that it takes to grade one
submission.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import typer

from autograder.sandbox.guest.confinement import die_with_parent
from autograder.sandbox.host import candidates, wanted_level
from autograder.sandbox.launch import HostFolder
from autograder.sandbox.limits import SessionLimits

_SECONDS_TO_STOP = 10.0
_is_program = False
"""Whether this process runs one command, and was not started by this module."""


def run_as_program() -> None:
    """Says that this process runs one command with the arguments in `sys.argv`."""
    global _is_program
    _is_program = True


def go_on_beside_host(problem_id: str) -> None:
    """Runs this command in another process that has a host for the problem, and exits with its status.

    Returns at once in that process, which Ctrl-C ends without a word until then, and where a command is called as a
    function.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: the process cannot be started.
    """
    if not _is_program:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see `sandbox.guest.main.fork_host`
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return
    from autograder.course.cell_selection import warm_modules
    from autograder.course.problem import load_problem

    levels = candidates(wanted_level())
    modules = warm_modules([load_problem(problem_id)])
    folder = HostFolder.make(SessionLimits())
    try:
        process, control = folder.beside(modules, levels, __name__, huge_pages=False, own=False)
        with control:
            control.send((sys.argv, dict(os.environ)))
            status, is_interrupted = _ended(process)
    finally:
        folder.remove()
    if status == -signal.SIGINT or (is_interrupted and status == 0):  # it came too early, or a library hid it
        raise KeyboardInterrupt
    raise typer.Exit(status if status >= 0 else 128 - status)


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, bool]:
    """The exit status of the process, and whether this one was interrupted meanwhile.

    The process gets the same signal from the terminal, and ends. If it does not in time, because the exception was lost
    in a library, it gets the signal again.
    """
    is_interrupted = False
    while True:
        try:
            return process.wait(_SECONDS_TO_STOP if is_interrupted else None), is_interrupted
        except KeyboardInterrupt:
            is_interrupted = True
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)


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
        app(sys.argv[1:])  # as a function: it stays in this process
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done
    close_hosts()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)  # skips torch's cleanup, which takes most of a second
