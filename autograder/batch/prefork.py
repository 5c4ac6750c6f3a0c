"""Forks of a warm process: one works while the next is prepared in advance."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing import Pipe, reduction
from multiprocessing.connection import Connection

from autograder.sandbox.guest.confinement import die_with_parent


class Fork:
    """A fork of this process that waits for a connection, serves it once, and ends.

    Args:
        serve: called in the fork with the connection. An error ends the fork without a message.
    """

    def __init__(self, serve: Callable[[Connection], None]) -> None:
        self._ours, theirs = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                die_with_parent()
                self._ours.close()
                serve(Connection(reduction.recv_handle(theirs)))
                theirs.send(True)
            finally:
                os._exit(0)
        theirs.close()

    def begin(self, handle: int) -> bool:
        """Sends the fork a copy of the connection with this file descriptor; returns False if the fork is dead."""
        try:
            reduction.send_handle(self._ours, handle, self._pid)
        except OSError:
            return False
        return True

    def ended_well(self) -> bool:
        """Waits until the fork has served its connection; returns False if it died before."""
        try:
            return bool(self._ours.recv())
        except (EOFError, OSError):
            return False

    def is_gone(self, *, wait: bool = False) -> bool:
        """Whether the process has ended. Call it until it returns true, so that no zombie is left."""
        return os.waitpid(self._pid, 0 if wait else os.WNOHANG) != (0, 0)

    def kill(self) -> None:
        """Kills the fork."""
        os.kill(self._pid, signal.SIGKILL)


class Relay:
    """Serves one connection after the other in forks; the next fork is made while the current one works."""

    def __init__(self) -> None:
        self._at_work: Fork | None = None
        self._next: Fork | None = None
        self._next_is_for: object = None
        self._leaving: list[Fork] = []

    def finish(self) -> bool:
        """Waits for the working fork; returns False if it died. Then the prepared fork is not used either."""
        at_work, self._at_work = self._at_work, None
        self._leaving = [fork for fork in self._leaving if not fork.is_gone()]
        if at_work is None:
            return True
        self._leaving.append(at_work)
        well = at_work.ended_well()
        if not well:
            self._drop_next()
        return well

    def begin(self, handle: int, what_for: object, serve: Callable[[Connection], None]) -> None:
        """Serves a connection in a fork; no other fork may be working.

        Args:
            handle: its file descriptor; closed here.
            what_for: purpose of the fork; one that was prepared for another purpose is not used.
            serve: see `Fork`.
        """
        if self._next is None or self._next_is_for != what_for or not self._next.begin(handle):
            self._drop_next()
            self._next = Fork(serve)
            self._next.begin(handle)
        os.close(handle)  # before the next fork, which would keep it open
        self._at_work, self._next, self._next_is_for = self._next, Fork(serve), what_for

    def kill(self) -> None:
        """Kills the working fork; `finish` then returns False."""
        if self._at_work is not None:
            self._at_work.kill()

    def close(self) -> None:
        """Ends all forks."""
        self.kill()
        self.finish()
        self._drop_next()
        for fork in self._leaving:
            fork.is_gone(wait=True)

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.kill()
            self._leaving.append(self._next)
        self._next = self._next_is_for = None
