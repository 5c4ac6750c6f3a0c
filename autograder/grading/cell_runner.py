"""The process that has run a student's cells so far. When it dies it comes back, without the cells that killed it.

It may also be ended by what is no fault of the student's: somebody kills it, or memory runs out around it. So a cell
counts as guilty only if the process dies under it twice. (A cell learns nothing of its tests, so running it again gives
nothing away. What dies in a test is not asked again: that would be a second try, for code that ends itself to get one.)
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from autograder.core.results import Status
from autograder.course.name_analysis import plain_python
from autograder.grading.limits import ALL_CELLS_SECONDS, CELL_SECONDS, LIVES, UNSURE_CELLS_SECONDS
from autograder.sandbox.host import Host, Session, SessionDiedError
from autograder.submissions.rebuild import Built


@dataclass(frozen=True)
class CellRun:
    """What running one of the student's cells printed and raised."""

    stdout: str
    stderr: str
    raised: dict[str, Any] | None


class StudentProcess:
    """The process, cell by cell.

    Args:
        host: forks it.
        seed: of its global random generators.
        unsure: ids of cells that run only because nobody can tell whether they are needed; their time is their own.
        timed: adds the time that a block takes to a phase of the examination.
        lives: how often it must die under the same cell until that is believed to be the cause.
    """

    def __init__(
        self,
        host: Host,
        seed: int,
        unsure: Collection[str],
        timed: Callable[[str], AbstractContextManager[None]],
        lives: int = LIVES,
    ) -> None:
        self.dead: dict[str, str] = {}
        """Cells that killed the process, by id, and how."""
        self.unsure_left = UNSURE_CELLS_SECONDS
        """Seconds that are left for the cells in `unsure`."""
        self._left = ALL_CELLS_SECONDS
        self._host = host
        self._seed = seed
        self._unsure = unsure
        self._timed = timed
        self._lives = lives
        self._session: Session | None = None
        self._ran: list[Built] = []

    @property
    def is_there(self) -> bool:
        """Has it been started, and is it not known to have died?"""
        return self._session is not None

    def run(self, built: Built) -> dict[str, Any]:
        """Runs one more cell: what it printed and raised (`CellRun`), or how it killed the process (`dead`)."""
        deaths: list[Status] = []
        while len(deaths) < self._lives:
            try:
                return asdict(self._run(self._ready(), built))
            except SessionDiedError as error:
                self._session = None
                deaths.append(error.reason)
                if error.reason is not Status.CRASHED:  # a crash can have a cause outside
                    break
        return {"dead": deaths[0]}

    def has_run(self, built: Built, dead: str = "") -> None:
        """Notes what a cell did, here or in an earlier grading: it runs again whenever the process comes back.

        Args:
            built: the cell.
            dead: how it killed the process; then it does not run again.
        """
        if dead:
            self.dead[built.id] = dead
        else:
            self._ran.append(built)

    def fork(self, seconds: float) -> socket.socket:
        """Forks it as it stands; the returned socket speaks to the fork.

        Args:
            seconds: of CPU time for the fork.

        Raises:
            SessionDiedError: it died before it could; it comes back when it is asked next.
        """
        for last in (False, True):  # it may have been dying of something before
            session = self._ready()
            try:
                with self._timed("start"):
                    return session.fork(seconds)
            except SessionDiedError:
                self._session = None
                if last:
                    raise
        raise AssertionError

    def come_back(self) -> None:
        """Makes sure that it is there.

        Raises:
            SetupError: it cannot be started again.
        """
        self._ready()

    def end_fork(self) -> None:
        """Kills the last fork."""
        if self._session is not None:
            try:
                with self._timed("start"):
                    self._session.end_fork()
            except SessionDiedError:
                self._session = None

    def close(self) -> None:
        """Ends it."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _ready(self) -> Session:
        """The session with all cells so far in it; after a death they are run again, without the guilty ones."""
        if self._session is not None:
            try:
                with self._timed("start"):
                    self._session.settle()
            except SessionDiedError:  # by what an item's fork did, which that item has paid for
                self._session = None
        deaths = Counter[str]()
        while self._session is None:
            with self._timed("start"):
                session = self._host.session()
                session.seed(self._seed)
            for built in self._ran:
                try:
                    self._run(session, built)
                except SessionDiedError as error:  # ran before, kills now
                    deaths[built.id] += 1
                    if error.reason is not Status.CRASHED or deaths[built.id] >= self._lives:
                        self.dead[built.id] = error.reason
                        self._ran.remove(built)
                    break
            else:
                self._session = session
        return self._session

    def _run(self, session: Session, built: Built) -> CellRun:
        """Runs one cell in the time that is left."""
        begin = time.monotonic()
        unsure = built.id in self._unsure
        seconds = max(0.0, min(CELL_SECONDS, self.unsure_left if unsure else self._left))
        try:
            with self._timed("cells"):
                reply = session.run(plain_python(built.source), built.id, seconds)
        finally:
            if unsure:
                self.unsure_left -= time.monotonic() - begin
            else:
                self._left -= time.monotonic() - begin
        raised = reply.get("raised")
        return CellRun(_text(reply.get("stdout")), _text(reply.get("stderr")), raised if type(raised) is dict else None)


def _text(value: Any) -> str:
    return value[:21_000] if type(value) is str else ""
