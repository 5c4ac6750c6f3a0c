"""Serves one submission after the other in forks of a warm process; the next fork waits while one works."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.connection import Connection

from autograder.sandbox.guest.prefork import WaitingFork


class Relay:
    """Serves one connection after the other in forks; the next fork is made while the current one works."""

    def __init__(self) -> None:
        self._at_work: WaitingFork | None = None
        self._next: WaitingFork | None = None
        self._next_purpose: object = None
        self._leaving: list[WaitingFork] = []

    def finish(self) -> bool:
        """Waits for the working fork; returns False if it died. Then the prepared fork is not used either."""
        at_work, self._at_work = self._at_work, None
        self._leaving = [fork for fork in self._leaving if os.waitpid(fork.pid, os.WNOHANG) == (0, 0)]
        if at_work is None:
            return True
        self._leaving.append(at_work)
        finished = at_work.finished()
        if not finished:
            self._drop_next()
        return finished

    def begin(self, handle: int, purpose: object, serve: Callable[[Connection], None]) -> None:
        """Serves a connection in a fork; no other fork may be working.

        Args:
            handle: its file descriptor; closed here.
            purpose: what the fork is for; one that was prepared for another purpose is not used.
            serve: called in the fork with the connection. An error ends the fork.
        """
        if self._next is None or self._next_purpose != purpose or not self._next.hand_over(handle):
            self._drop_next()
            self._next = _fork(serve)
            self._next.hand_over(handle)
        os.close(handle)  # before the next fork, which would keep it open
        self._at_work, self._next, self._next_purpose = self._next, _fork(serve), purpose

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
            os.waitpid(fork.pid, 0)

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.kill()
            self._leaving.append(self._next)
        self._next = self._next_purpose = None


def _fork(serve: Callable[[Connection], None]) -> WaitingFork:
    return WaitingFork(lambda sock: serve(Connection(sock.detach())), reports=True)
