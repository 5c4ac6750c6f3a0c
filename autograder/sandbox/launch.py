"""What a process for student code starts with: its folder, its plan, its environment; and how it is started.

It is started as a program of its own (`start_program`), or forked from a process that has imported the same libraries
and becomes the examiner's (`beside`), so that they are imported once. That process knows nothing of the course before
the fork.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from autograder.core.machine import slowness
from autograder.sandbox.filesystem import create_library, environment, remove, staff_only
from autograder.sandbox.guest.wire import ClosedError, send_frame
from autograder.sandbox.limits import SessionLimits

WARM_MODULES = ("numpy", "homework")
"""Modules that every host imports before its first session."""
_PROGRAM = (
    "import sys; sys.path[:0] = {paths!r}; from guest.main import start; "
    "start({fd}, {modules!r}, {plan!r}, huge_pages={huge!r})"
)
_BESIDE = (
    "import sys; sys.path[:0] = {paths!r}; from guest.main import fork_host; "
    "host = fork_host({fd}, {modules!r}, {plans!r}, {scratch!r}, {log!r}, huge_pages={huge!r}); "
    "from guest.main import trusted; trusted({fd}).main({fd}, host); "
    "import os; os._exit(0)"  # skips torch's cleanup, which takes most of a second
)


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl-C waits until the block ends; a process that is started in it has to unblock it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Process(Protocol):
    """What `Host` needs of its process; `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; raises `subprocess.TimeoutExpired`."""

    def kill(self) -> None:
        """Kills it."""


class ForkedProcess:
    """A child of this process that is not a program of its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        if self._status is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if not pid:
                    return None
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(0.005)
        return status

    def kill(self) -> None:
        """Kills it."""
        if self.poll() is None:
            os.kill(self.pid, 9)


@dataclass(frozen=True)
class HostFolder:
    """The folder of a host outside the sandbox, with its library, and what is the same at every isolation level."""

    path: Path
    library: str
    plan: Mapping[str, Any]
    """`guest.confinement.Plan` as plain JSON values, without its level."""

    @staticmethod
    def make(limits: SessionLimits, *, control_groups: bool = True) -> HostFolder:
        """Makes the folder; call `remove` at the end.

        Raises:
            SetupError: the package `homework` is not installed.
        """
        path = Path(tempfile.mkdtemp(prefix="autograder-"))
        try:
            path.chmod(0o711)  # sessions with their own user id must reach their folders below it
            (path / "scratch").mkdir(mode=0o711)
            library, shown = create_library(path)
            plan = {
                "shown": shown,
                "hidden": staff_only(),
                "folder": str(path),
                "limits": {**asdict(limits), "cpu": math.ceil(limits.cpu * slowness())},
                "number": secrets.randbelow(4096),
                "groups": control_groups,
            }
            return HostFolder(path, library, plan)
        except BaseException:  # e.g. Ctrl-C
            remove(str(path))
            raise

    @property
    def scratch(self) -> Path:
        """Parent folder of the sessions' working folders, outside the sandbox."""
        return self.path / "scratch"

    @property
    def said(self) -> str:
        """The end of what the process printed."""
        try:
            return self._log.read_text(errors="replace")[-2000:]
        except OSError:
            return ""

    @property
    def _log(self) -> Path:
        return self.path / "host.log"

    def start_program(
        self, sock: socket.socket, modules: Sequence[str], level: str, *, huge_pages: bool, thrifty: bool
    ) -> subprocess.Popen[bytes]:
        """Starts a host on a socket, as a program of its own."""
        command = _PROGRAM.format(
            paths=[self.library],
            fd=sock.fileno(),
            modules=[*WARM_MODULES, *modules],
            plan={**self.plan, "level": level},
            huge=huge_pages,
        )
        variables = environment(self.scratch)
        if thrifty:
            variables.pop("GLIBC_TUNABLES")
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-c", command],
                pass_fds=(sock.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.scratch,
                env=variables,
                start_new_session=True,
            )

    def beside(
        self,
        modules: Sequence[str],
        levels: Sequence[str],
        module: str,
        *,
        huge_pages: bool,
        own: bool = True,
    ) -> tuple[subprocess.Popen[bytes], Connection]:
        """Starts a process that imports the modules, forks a host and calls `main(fd, host)` of a trusted module.

        Until then it has the host's environment and nothing of the course. `main` gets the number of the socket's file
        descriptor, and what `guest.main.fork_host` returns.

        Returns:
            The process, and our end of its socket.

        Args:
            modules: what student code of the course may import, besides `WARM_MODULES`.
            levels: isolation levels to try, strongest first.
            module: the name of the trusted module.
            huge_pages: see `Host`.
            own: whether it is a process group of its own, without the terminal.
        """
        ours, theirs = socket.socketpair()
        command = _BESIDE.format(
            paths=[self.library],
            fd=theirs.fileno(),
            modules=[*WARM_MODULES, *modules],
            plans=[{**self.plan, "level": level} for level in levels],
            scratch=str(self.scratch),
            log=str(self._log),
            huge=huge_pages,
        )
        with theirs, _interrupts_wait():  # in the new process until it says what they do
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", command],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL if own else None,
                stdout=subprocess.DEVNULL if own else None,
                env=environment(self.scratch),
                start_new_session=own,
            )
        with contextlib.suppress(ClosedError):  # it has ended, which its user finds out
            send_frame(ours, {"search": sys.path, "module": module})  # read after the fork: the host must not know it
        return process, Connection(ours.detach())

    def remove(self) -> None:
        """Removes the folder with all files that student code left in it."""
        remove(str(self.path))
