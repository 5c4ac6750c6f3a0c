"""Starts the sandbox: one warm host process per worker, one forked session per submission.

The host is confined (`guest.confinement`) at the strongest isolation level that the machine offers. It has a minimal
environment and can read the interpreter, its libraries and, of this project, only `homework` and `guest`. The examiner
reaches student code only through the host's socket.
"""

from __future__ import annotations

import math
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.core.errors import SetupError
from autograder.core.machine import slowness
from autograder.core.results import Status
from autograder.sandbox.filesystem import remove
from autograder.sandbox.guest.confinement import FULL, LEVELS, PLAIN
from autograder.sandbox.guest.wire import (
    ClosedError,
    Limits,
    TooLateError,
    UnsendableError,
    WireError,
    receive_frame,
    send_frame,
)
from autograder.sandbox.launch import ForkedProcess, HostFolder, Process
from autograder.sandbox.limits import SessionLimits
from autograder.sandbox.patience import Patience

ISOLATION_VARIABLE = "AUTOGRADER_ISOLATION"
"""Environment variable with the isolation level; if unset, the strongest that the machine offers except `plain`."""
ANY = "any"
"""Given in place of a level: the strongest that the machine offers, including `plain`. For trusted code only."""

START_SECONDS = 180.0
"""Time limit for starting the host; importing torch is slow on a busy machine with a cold disk cache."""
GRACE_SECONDS = 10.0
"""Time limit for replies to requests that run no student code."""

_REPLY = Limits(header=2**20, body=0, values=10_000)
"""Of a reply about a cell: its output, error and names are cut to far less."""


def wanted_level() -> str:
    """The isolation level in `$AUTOGRADER_ISOLATION`; empty if unset."""
    return os.environ.get(ISOLATION_VARIABLE, "")


class SessionDiedError(Exception):
    """The student's process ended (`Status.CRASHED`) or did not answer in time (`Status.TIMEOUT`)."""

    def __init__(self, reason: Status) -> None:
        super().__init__(reason)
        self.reason = reason


class HostGoneError(SetupError):
    """A clone's host process has ended; the caller can start a new host."""


class Host:
    """A warm process that forks sessions; a context manager.

    Args:
        modules: modules to import before the first session, besides `launch.WARM_MODULES`; unknown ones are ignored.
        limits: resource limits of each session.
        level: the isolation level (`guest.confinement.LEVELS`); if not given, that of `$AUTOGRADER_ISOLATION`, else
            the strongest that the machine offers. `plain` must be given, or allowed by `ANY`.
        huge_pages: whether to spend half a second at the start so that each fork takes a third of the time.
        thrifty: whether to save memory at the cost of time: return freed memory and use small pages.
        control_groups: whether to use the kernel's limits for a submission as a whole, where the machine offers them.
    """

    def __init__(
        self,
        modules: tuple[str, ...] = (),
        limits: SessionLimits | None = None,
        *,
        level: str | None = None,
        huge_pages: bool = False,
        thrifty: bool = False,
        control_groups: bool = True,
    ) -> None:
        self.level = ""
        """The level in use; empty before the start."""
        self.groups: tuple[str, ...] = ()
        """What the kernel limits for each submission as a whole (`guest.control_groups`)."""
        self.refusals: list[str] = []
        """The levels that the machine does not offer, each with the reason."""
        self._wanted = level or wanted_level()
        self._modules = modules
        self._limits = limits or SessionLimits()
        self._huge_pages = huge_pages
        self._thrifty = thrifty
        self._control_groups = control_groups
        self._process: Process | None = None
        self._sock: socket.socket | None = None
        self._owed = False
        """Whether the reply to a kill request is still to be read."""
        self._folder: HostFolder | None = None
        self._scratch = Path()
        """Parent folder of the sessions' working folders."""

    def __enter__(self) -> Host:
        try:
            self.start()
        except BaseException:  # e.g. Ctrl-C; Python does not call `__exit__` then
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process if it is not running.

        Raises:
            SetupError: it did not start, or the machine offers no requested level.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self.refusals = []
        for level in [self.level] if self.level else candidates(self._wanted):
            refusal = self._start_at(level)
            if not refusal:
                self.level = level
                return
            self.refusals.append(f"{level}: {refusal}")
        raise no_sandbox(self.refusals)

    def adopt(self, forked: Mapping[str, Any]) -> None:
        """Uses the host that was forked from this process before it knew the course; see `launch.HostFolder.beside`.

        Args:
            forked: what `guest.main.fork_host` returned.

        Raises:
            SetupError: there is none, because it did not start or the machine offers no requested level.
        """
        self.refusals = list(forked["refusals"])
        if "fault" in forked:
            raise _not_started(forked["fault"])
        if "pid" not in forked:
            raise no_sandbox(self.refusals)
        self.level, self.groups = forked["level"], tuple(forked["groups"])
        self._process, self._sock = ForkedProcess(forked["pid"]), socket.socket(fileno=forked["fd"])
        self._scratch = Path(forked["scratch"])

    def _start_at(self, level: str) -> str:
        """Starts the process at a level; returns why the machine does not offer it, or an empty text on success.

        Raises:
            SetupError: the process did not start.
        """
        self._folder = HostFolder.make(self._limits, control_groups=self._control_groups)
        self._scratch = self._folder.scratch
        ours, theirs = socket.socketpair()
        self._process = self._folder.start_program(
            theirs, self._modules, level, huge_pages=self._huge_pages, thrifty=self._thrifty
        )
        theirs.close()
        self._sock = ours
        try:
            reply, _ = receive_frame(ours, Patience(START_SECONDS), _REPLY)
        except (ClosedError, TooLateError):
            said = self._folder.said
            self.close()
            raise _not_started(said) from None
        if "refused" in reply:
            self.close()
        self.groups = tuple(reply.get("groups", ()))
        return str(reply.get("refused", ""))

    def clone(self) -> Host:
        """Forks the warm process into a second host, which works in parallel and ends when this host ends.

        Raises:
            SetupError: the process cannot be started, or ends at once.
        """
        self.start()
        assert self._sock is not None
        ours, theirs = socket.socketpair()
        try:
            send_frame(self._sock, {"op": "clone"})
            socket.send_fds(self._sock, [b"\0"], [theirs.fileno()])
            receive_frame(self._sock, Patience(GRACE_SECONDS), _REPLY)
        except (ClosedError, TooLateError, OSError) as error:
            ours.close()
            raise SetupError(f"the process for student code ended at its first request: {error!r}") from None
        finally:
            theirs.close()
        clone = _Clone(level=self.level)
        clone.level, clone._sock, clone._scratch = self.level, ours, self._scratch
        return clone

    def session(self) -> Session:
        """Forks a new session from the warm process, which is restarted if it has ended.

        Raises:
            SetupError: the process cannot be started, or ends at once.
        """
        for last in (False, True):
            self.start()
            try:
                return self._session()
            except (ClosedError, TooLateError, OSError) as error:
                self.close()
                if last:
                    raise SetupError(f"the process for student code ended at its first request: {error!r}") from None
        raise AssertionError

    def _session(self) -> Session:
        assert self._sock is not None
        ours, theirs = socket.socketpair()
        folder = "" if self.level == FULL else tempfile.mkdtemp(prefix="session-", dir=self._scratch)
        try:
            self.settle()
            send_frame(self._sock, {"op": "session", "folder": folder})
            socket.send_fds(self._sock, [b"\0"], [theirs.fileno()])
            reply, _ = receive_frame(self._sock, Patience(START_SECONDS), _REPLY)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return Session(self, ours, reply["pid"], folder)

    def kill(self, pid: int) -> None:
        """Kills one session and its process group; waits for its end only below level `full`."""
        if self._sock is None:
            return
        try:
            self.settle()
            send_frame(self._sock, {"op": "kill", "pid": pid})
            self._owed = True
            if self.level != FULL:  # its children do not end with it, and they use its folder until they end
                self.settle()
        except (ClosedError, TooLateError):
            self.close()

    def waited(self, pid: int) -> float:
        """Seconds that a session has waited for a processor; 0 if the host does not answer."""
        if self._sock is None:
            return 0.0
        try:
            self.settle()
            send_frame(self._sock, {"op": "waited", "pid": pid})
            reply, _ = receive_frame(self._sock, Patience(GRACE_SECONDS), _REPLY)
        except (ClosedError, TooLateError):
            self.close()
            return 0.0
        return float(reply["waited"])

    def settle(self) -> None:
        """Waits until the session that was killed last has ended; returns at once if none is ending.

        Raises:
            ClosedError: the sandbox process has ended.
            TooLateError: the sandbox process does not answer.
        """
        if self._owed and self._sock is not None:
            self._owed = False
            receive_frame(self._sock, Patience(GRACE_SECONDS), _REPLY)

    def close(self) -> None:
        """Ends the process and all its sessions, and removes the scratch folder."""
        self._owed = False
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        if self._process is not None:
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.remove()
            self._folder = None


class _Clone(Host):
    """The result of `Host.clone`; it cannot be restarted, because it ends with the process it was forked from."""

    def start(self) -> None:
        """Does nothing while the process runs.

        Raises:
            HostGoneError: the process has ended.
        """
        if self._sock is None:
            raise HostGoneError("the process for student code has ended")


@dataclass(frozen=True, eq=False)
class Fork:
    """A copy of a session's process in the state that it had."""

    sock: socket.socket
    """Connected to the fork's `guest.server.RequestServer`."""
    session: Session
    """Where it was forked."""
    number: int
    """What the session calls it."""


class Session:
    """The examiner's connection to one submission's process."""

    def __init__(self, host: Host, sock: socket.socket, pid: int, folder: str) -> None:
        self._host = host
        self._sock = sock
        self._pid = pid
        self._folder = folder
        """Its working folder outside the sandbox, removed when it closes; an empty text at level `full`."""
        self._owes = False
        """Whether the reply to an `end` request is still to be read."""

    def run(self, source: str, name: str, seconds: float) -> dict[str, Any]:
        """Runs one cell and returns its output and error (see `guest.shell.NotebookShell.run`).

        Raises:
            SessionDiedError: the process died or did not finish in time; the session is closed.
        """
        return self._ask({"op": "run", "source": source, "name": name}, seconds)

    def seed(self, seed: int) -> None:
        """Seeds torch, numpy and random in the session."""
        self._ask({"op": "seed", "seed": seed}, GRACE_SECONDS)

    def put(self, name: str, data: bytes) -> None:
        """Writes a file into the session's working folder, before its first cell.

        Raises:
            SessionDiedError: the session has ended; it is closed.
        """
        self._ask({"op": "put", "name": name}, GRACE_SECONDS, data)

    def patience(self, seconds: float) -> Patience:
        """A time limit for the session and its forks, in which waiting for a processor does not count."""
        return Patience(seconds, self.waited)

    def waited(self) -> float:
        """Seconds that the session, or the fork for an item, has waited for a processor."""
        return self._host.waited(self._pid) if self._pid else 0.0

    def fork(self, cpu: float) -> Fork:
        """Forks the session in its current state.

        Args:
            cpu: limit in seconds of CPU time for the fork, and for each process that it starts.

        Raises:
            SessionDiedError: the session has ended; it is closed.
        """
        self.settle()
        ours, theirs = socket.socketpair()
        try:
            send_frame(self._sock, {"op": "fork", "cpu": math.ceil(cpu * slowness())}, deadline=Patience(GRACE_SECONDS))
            socket.send_fds(self._sock, [b"\0"], [theirs.fileno()])
            number = self._receive(GRACE_SECONDS).get("forked")
            if type(number) is not int or not 0 < number < 2**32:
                raise ClosedError("a fork without a number")
        except (ClosedError, TooLateError, OSError):
            ours.close()
            self.close()
            raise SessionDiedError(Status.CRASHED) from None
        except SessionDiedError:
            ours.close()
            raise
        finally:
            theirs.close()
        return Fork(ours, self, number)

    def wake(self, fork: Fork) -> bool:
        """Prepares for further requests to a fork after others had their turn: puts its files back.

        Returns:
            Whether the fork is still there.

        Raises:
            SessionDiedError: the session has ended; it is closed.
        """
        return self._ask({"op": "wake", "fork": fork.number}, GRACE_SECONDS).get("woken") is True

    def end_fork(self, fork: Fork) -> None:
        """Requests the end of a fork without waiting for it; call `settle` before the next request.

        Raises:
            SessionDiedError: the session has ended; it is closed.
        """
        self.settle()
        self._send({"op": "end", "fork": fork.number}, GRACE_SECONDS)
        self._owes = True

    def settle(self) -> None:
        """Waits until the fork that was ended last has been killed; returns at once if it was waited for before.

        Raises:
            SessionDiedError: the session has ended because of that fork; it is closed.
        """
        if self._owes:
            self._owes = False
            self._receive(GRACE_SECONDS)

    def close(self) -> None:
        """Kills the session."""
        if self._pid:
            self._sock.close()
            self._host.kill(self._pid)
            if self._folder:
                remove(self._folder)
            self._pid = 0

    def _ask(self, header: dict[str, Any], seconds: float, body: bytes = b"") -> dict[str, Any]:
        self.settle()
        self._send(header, seconds, body)
        return self._receive(seconds)

    def _send(self, header: dict[str, Any], seconds: float, body: bytes = b"") -> None:
        try:
            send_frame(self._sock, header, body, deadline=Patience(seconds))
        except (ClosedError, UnsendableError):  # e.g. a cell with a million emojis
            self.close()
            raise SessionDiedError(Status.CRASHED) from None
        except TooLateError:
            self.close()
            raise SessionDiedError(Status.TIMEOUT) from None

    def _receive(self, seconds: float) -> dict[str, Any]:
        try:
            reply, _ = receive_frame(self._sock, self.patience(seconds), _REPLY)
        except TooLateError:
            self.close()
            raise SessionDiedError(Status.TIMEOUT) from None
        except (ClosedError, WireError):
            self.close()
            raise SessionDiedError(Status.CRASHED) from None
        assert isinstance(reply, dict)
        return reply


def no_sandbox(refusals: Sequence[str]) -> SetupError:
    """The error for a machine that offers no requested level."""
    return SetupError(
        "this machine offers no usable sandbox for student code:\n  " + "\n  ".join(refusals) + "\n"
        f"If you trust the students, set ${ISOLATION_VARIABLE}={PLAIN} to grade without a sandbox."
    )


def _not_started(said: str) -> SetupError:
    return SetupError(f"the process for student code did not start; its output:\n{said}")


def candidates(wanted: str) -> Sequence[str]:
    """The levels to try, strongest first.

    Raises:
        SetupError: the wanted level does not exist.
    """
    if wanted == ANY:
        return LEVELS
    if not wanted:
        return [level for level in LEVELS if level != PLAIN]
    if wanted not in LEVELS:
        raise SetupError(f"unknown isolation level {wanted!r}; use one of {', '.join(LEVELS)}.")
    return [wanted]
