"""Starts the student's side: one warm host process per grader, one forked session per submission.

The host is shut in (`guest.confinement`) as strongly as the machine allows: it sees an empty environment, the
interpreter with its libraries and, of this project, only `homework` and `guest`. It is the examiner's only way
to the student's code, over a socket.
"""

from __future__ import annotations

import math
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.core.errors import SetupError
from autograder.core.results import Status
from autograder.sandbox.filesystem import environment, lay_out, remove, staff_only
from autograder.sandbox.guest.confinement import FULL, LEVELS, PLAIN, SCRATCH
from autograder.sandbox.guest.wire import ClosedError, Limits, TooLateError, WireError, receive_frame, send_frame

ISOLATION_VARIABLE = "AUTOGRADER_ISOLATION"
"""Names the isolation level to use; without it the strongest that the machine offers, but never `plain`."""
ANY = "any"
"""In the place of a level: the strongest, and `plain` where there is no other. For code of our own."""

WARM_MODULES = ("numpy", "torch.nn.functional", "homework")
START_SECONDS = 180.0
"""What importing torch may take on a cold and busy machine."""
GRACE_SECONDS = 10.0
"""What a session may take to acknowledge something that runs no student code."""

_REPLY = Limits(header=4 * 2**20, body=0)

_START = (
    "import sys; sys.path[:0] = {paths!r}; from guest.main import start; "
    "start({fd}, {modules!r}, {plan!r}, huge_pages={huge!r})"
)


@dataclass(frozen=True)
class SessionLimits:
    """Resource limits of one submission's processes."""

    memory: int = 4 * 2**30
    """Bytes of data (private memory) per process."""
    total: int = 6 * 2**30
    """Bytes of memory of all its processes together (level `full`)."""
    disk: int = 256 * 2**20
    """Bytes of its working folder (level `full`)."""
    entries: int = 4096
    """Files and folders in it (level `full`)."""
    processes: int = 64
    """Processes and threads."""
    cpu: int = 300
    """Seconds of CPU time of each process, and of all of them together (level `full`)."""
    file: int = 256 * 2**20
    """Bytes of the largest file it may write."""
    files: int = 256
    """Open file descriptors."""
    core: int = 0
    """Bytes of a core dump."""


def wanted_level() -> str:
    """The isolation level that `$AUTOGRADER_ISOLATION` asks for; empty for the strongest."""
    return os.environ.get(ISOLATION_VARIABLE, "")


class SessionDiedError(Exception):
    """The student's process ended (`Status.CRASHED`) or stopped answering (`Status.TIMEOUT`)."""

    def __init__(self, reason: Status) -> None:
        super().__init__(reason)
        self.reason = reason


class HostGoneError(SetupError):
    """The warm process from which a clone was forked is gone; another one can be started."""


class Host:
    """A warm process that forks sessions; a context manager.

    Args:
        modules: what it imports beside `WARM_MODULES` before the first session; unknown names are passed over.
        limits: resource limits of each session.
        level: the isolation level (`guest.confinement.LEVELS`); that of `$AUTOGRADER_ISOLATION` if not given,
            else the strongest that the machine offers. `plain` must be named, or allowed by `ANY`.
        huge_pages: spend half a second at the start so that each fork takes a third of the time?
        thrifty: give freed memory back and use small pages, where memory is scarcer than time?
    """

    def __init__(
        self,
        modules: tuple[str, ...] = (),
        limits: SessionLimits | None = None,
        *,
        level: str | None = None,
        huge_pages: bool = False,
        thrifty: bool = False,
    ) -> None:
        self.level = ""
        """The level in use; empty before the start."""
        self.refusals: list[str] = []
        """The stronger levels that the machine does not offer, and why."""
        self._wanted = level or wanted_level()
        self._modules = (*WARM_MODULES, *modules)
        self._limits = limits or SessionLimits()
        self._huge_pages = huge_pages
        self._thrifty = thrifty
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._owed = False
        """Was a session killed, and is the answer still to come?"""
        self._folder = ""
        self._scratch = Path()
        """Below it each session gets its working folder."""

    def __enter__(self) -> Host:
        try:
            self.start()
        except BaseException:  # e.g. Ctrl-C: `__exit__` is not called
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
            SetupError: it did not come up, or no level is to be had.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self.refusals = []
        for level in [self.level] if self.level else _candidates(self._wanted):
            refusal = self._start_at(level)
            if not refusal:
                self.level = level
                return
            self.refusals.append(f"{level}: {refusal}")
        raise SetupError(
            "student code cannot be shut in on this machine:\n  " + "\n  ".join(self.refusals) + "\n"
            f"To grade without walls students whom you trust, set ${ISOLATION_VARIABLE}={PLAIN}."
        )

    def _start_at(self, level: str) -> str:
        """Starts the process at a level; why that cannot be, or empty if it could."""
        self._folder = tempfile.mkdtemp(prefix="autograder-")
        os.chmod(self._folder, 0o711)  # sessions with a user id of their own must get to their folder below it
        library, shown = lay_out(Path(self._folder))
        plan = {
            "level": level,
            "shown": shown,
            "hidden": staff_only(),
            "folder": self._folder,
            "limits": asdict(self._limits),
            "number": secrets.randbelow(4096),
        }
        ours, theirs = socket.socketpair()
        command = _START.format(
            paths=[library], fd=theirs.fileno(), modules=list(self._modules), plan=plan, huge=self._huge_pages
        )
        scratch = self._scratch = Path(self._folder) / "scratch"
        scratch.mkdir(mode=0o711)
        variables = environment(Path(SCRATCH) if level == FULL else scratch)
        if self._thrifty:
            variables.pop("GLIBC_TUNABLES")
        with open(Path(self._folder) / "host.log", "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", command],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=scratch,
                env=variables,
                start_new_session=True,
            )
        theirs.close()
        self._sock = ours
        try:
            reply, _ = receive_frame(ours, time.monotonic() + START_SECONDS, _REPLY)
        except (ClosedError, TooLateError):
            said = (Path(self._folder) / "host.log").read_text(errors="replace")[-2000:]
            self.close()
            raise SetupError(f"the process for student code did not start; it said:\n{said}") from None
        if "refused" in reply:
            self.close()
        return str(reply.get("refused", ""))

    def clone(self) -> Host:
        """A copy of the warm process, forked from it, that works side by side with it and ends with it.

        Raises:
            SetupError: the process cannot be started, or is gone at once.
        """
        self.start()
        assert self._sock is not None
        ours, theirs = socket.socketpair()
        try:
            send_frame(self._sock, {"op": "clone"})
            socket.send_fds(self._sock, [b"\0"], [theirs.fileno()])
            receive_frame(self._sock, time.monotonic() + GRACE_SECONDS, _REPLY)
        except (ClosedError, TooLateError, OSError) as error:
            ours.close()
            raise SetupError(f"the process for student code ends as soon as it is asked: {error!r}") from None
        finally:
            theirs.close()
        clone = _Clone(level=self.level)
        clone.level, clone._sock, clone._scratch = self.level, ours, self._scratch
        return clone

    def session(self) -> Session:
        """A fresh session, forked from the warm process, which is started again if it is gone.

        Raises:
            SetupError: it cannot be started, or is gone at once.
        """
        for last in (False, True):
            self.start()
            try:
                return self._session()
            except (ClosedError, TooLateError, OSError) as error:
                self.close()
                if last:
                    raise SetupError(f"the process for student code ends as soon as it is asked: {error!r}") from None
        raise AssertionError

    def _session(self) -> Session:
        assert self._sock is not None
        ours, theirs = socket.socketpair()
        folder = "" if self.level == FULL else tempfile.mkdtemp(prefix="session-", dir=self._scratch)
        try:
            self.settle()
            send_frame(self._sock, {"op": "session", "folder": folder})
            socket.send_fds(self._sock, [b"\0"], [theirs.fileno()])
            reply, _ = receive_frame(self._sock, time.monotonic() + START_SECONDS, _REPLY)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return Session(self, ours, reply["pid"], folder)

    def kill(self, pid: int) -> None:
        """Kills one session with everything in its process group; waits for its death only where it must."""
        if self._sock is None:
            return
        try:
            self.settle()
            send_frame(self._sock, {"op": "kill", "pid": pid})
            self._owed = True
            if self.level != FULL:  # there its folder is in use while it lives, and its children are not gone with it
                self.settle()
        except (ClosedError, TooLateError):
            self.close()

    def settle(self) -> None:
        """Waits until a session that was killed is gone.

        Raises:
            ClosedError: the process is gone.
            TooLateError: it does not answer.
        """
        if self._owed and self._sock is not None:
            self._owed = False
            receive_frame(self._sock, time.monotonic() + GRACE_SECONDS, _REPLY)

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
        if self._folder:
            remove(self._folder)
            self._folder = ""


class _Clone(Host):
    """What `Host.clone` gives: it cannot be started again, because it ends with the process it was forked from."""

    def start(self) -> None:
        """Does nothing while the process is there.

        Raises:
            HostGoneError: it is gone.
        """
        if self._sock is None:
            raise HostGoneError("the process for student code is gone")


class Session:
    """One submission's process, as the examiner holds it."""

    def __init__(self, host: Host, sock: socket.socket, pid: int, folder: str) -> None:
        self._host = host
        self._sock = sock
        self._pid = pid
        self._folder = folder
        """Its working folder outside, if it has one there: empty at first, gone with it."""
        self._owes = False
        """Was it asked to end a fork, and is the answer still to come?"""

    def run(self, source: str, name: str, seconds: float) -> dict[str, Any]:
        """Runs one cell and returns what it printed and raised (`worker.run_cell`).

        Raises:
            SessionDiedError: the process died or did not finish in time; the session is closed.
        """
        return self._ask({"op": "run", "source": source, "name": name}, seconds)

    def seed(self, seed: int) -> None:
        """Seeds torch, numpy and random of the session."""
        self._ask({"op": "seed", "seed": seed}, GRACE_SECONDS)

    def fork(self, cpu: float) -> socket.socket:
        """Forks the session as it stands; the returned socket speaks to the fork's `Desk`.

        Args:
            cpu: seconds of CPU time for the fork, and for each process that it starts.
        """
        self.settle()
        ours, theirs = socket.socketpair()
        try:
            send_frame(self._sock, {"op": "fork", "cpu": math.ceil(cpu)}, deadline=time.monotonic() + GRACE_SECONDS)
            socket.send_fds(self._sock, [b"\0"], [theirs.fileno()])
            self._receive(GRACE_SECONDS)
        except (ClosedError, TooLateError, OSError):
            ours.close()
            self.close()
            raise SessionDiedError(Status.CRASHED) from None
        except SessionDiedError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def end_fork(self) -> None:
        """Kills the last fork, sooner or later; ask nothing more before `settle`.

        Raises:
            SessionDiedError: the session is dead; it is closed.
        """
        self._send({"op": "end"}, GRACE_SECONDS)
        self._owes = True

    def settle(self) -> None:
        """Waits until the last fork has been killed.

        Raises:
            SessionDiedError: the session is dead, by what that fork did; it is closed.
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

    def _ask(self, header: dict[str, Any], seconds: float) -> dict[str, Any]:
        self.settle()
        self._send(header, seconds)
        return self._receive(seconds)

    def _send(self, header: dict[str, Any], seconds: float) -> None:
        try:
            send_frame(self._sock, header, deadline=time.monotonic() + seconds)
        except ClosedError:
            self.close()
            raise SessionDiedError(Status.CRASHED) from None
        except TooLateError:
            self.close()
            raise SessionDiedError(Status.TIMEOUT) from None

    def _receive(self, seconds: float) -> dict[str, Any]:
        try:
            reply, _ = receive_frame(self._sock, time.monotonic() + seconds, _REPLY)
        except TooLateError:
            self.close()
            raise SessionDiedError(Status.TIMEOUT) from None
        except (ClosedError, WireError):
            self.close()
            raise SessionDiedError(Status.CRASHED) from None
        assert isinstance(reply, dict)
        return reply


def _candidates(wanted: str) -> Sequence[str]:
    """The levels to try, strongest first."""
    if wanted == ANY:
        return LEVELS
    if not wanted:
        return [level for level in LEVELS if level != PLAIN]
    if wanted not in LEVELS:
        raise SetupError(f"there is no isolation level {wanted!r}; use one of {', '.join(LEVELS)}.")
    return [wanted]
