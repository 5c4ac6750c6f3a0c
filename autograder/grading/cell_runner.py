"""Runs a student's cells in a process; starts a new process when it dies, without the cells that killed it.

A process can also die without the student's fault: it is killed from outside, or other programs use up the memory. So a
cell is blamed only if the process dies twice while running it, and while no fork waits that could disturb it. Running
it again reveals nothing, since a cell sees nothing of its tests. A test that ends the process is repeated only if
other forks waited, which share the limit of memory, and no hidden part has failed: once, alone, and nothing more is
shown of it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from autograder.core.machine import slowness
from autograder.core.results import Status
from autograder.grading.limits import ALL_CELLS_SECONDS, ATTEMPTS, CELL_SECONDS, UNSURE_CELLS_SECONDS
from autograder.sandbox.host import Fork, Host, Session, SessionDiedError
from autograder.sandbox.student_error import StudentError
from autograder.submissions.rebuild import Built

_SHORT = 1.0
"""Seconds up to which the time of a cell counts in full; asking how much of it was waiting would take longer."""


@dataclass(frozen=True)
class CellRun:
    """What one of the student's cells printed and raised."""

    stdout: str
    stderr: str
    raised: StudentError | None
    """The first error."""
    lost: list[str] | None
    """Names that the cell would have bound and that stayed undefined; None if it could not be parsed."""
    absent: list[tuple[int, str, str]]
    """Calls that do nothing where homework is graded: line, function, reason."""

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> CellRun:
        """Reads what `dataclasses.asdict` made of a run."""
        raised = record["raised"]
        return CellRun(**{**record, "raised": None if raised is None else StudentError.from_json(raised)})


class StudentProcess:
    """The process that runs a student's cells one by one.

    Args:
        host: forks the process.
        seed: of the process's global random generators.
        cells: cell id → text of the notebook's cells.
        unsure: ids of cells that may not be needed; they have a time limit of their own.
        timed: adds the time that a block takes to a phase of the examination.
        attempts: how many times the process must die in a cell before the cell is blamed.
        dead: cell id → how the cell killed an earlier process; it is not run.
        files: path → content, of the files in its working folder.
    """

    def __init__(
        self,
        host: Host,
        seed: int,
        cells: Mapping[str, str],
        unsure: Collection[str],
        timed: Callable[[str], AbstractContextManager[None]],
        attempts: int = ATTEMPTS,
        dead: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._files = files or {}
        self.dead = dict(dead or {})
        """Cell id → how the cell killed the process."""
        self.unsure_left = UNSURE_CELLS_SECONDS
        """Seconds left for the cells in `unsure`."""
        self._left = ALL_CELLS_SECONDS
        self._host = host
        self._seed = seed
        self._cells = cells
        self._unsure = unsure
        self._timed = timed
        self._attempts = attempts
        self._session: Session | None = None
        self._forks: set[Fork] = set()
        self._ran: list[Built] = []
        self._waited = 0.0
        """Seconds that the session has waited for a processor, as far as it was asked."""

    @property
    def is_there(self) -> bool:
        """Whether the process was started and is not known to be dead."""
        return self._session is not None

    def run(self, built: Built) -> dict[str, Any]:
        """Runs one more cell; returns what it printed and raised (`CellRun`), or how it killed the process (`dead`)."""
        deaths: list[Status] = []
        while len(deaths) < self._attempts:
            session = self._ready()
            is_alone = not self.has_forks(session)
            try:
                return asdict(self._run(session, built))
            except SessionDiedError as error:
                self._session = None
                if is_alone:
                    deaths.append(error.reason)
                if is_alone and error.reason is not Status.CRASHED:  # only a crash can have a cause outside the cell
                    break
        return {"dead": deaths[0]}

    def has_run(self, built: Built, dead: str = "") -> None:
        """Records that a cell was run, now or in an earlier grading; it runs again whenever the process is restarted.

        Args:
            built: the cell.
            dead: how it killed the process; then it does not run again.
        """
        if dead:
            self.dead[built.id] = dead
        else:
            self._ran.append(built)

    def fork(self, seconds: float) -> Fork:
        """Forks the process in its current state.

        Args:
            seconds: of CPU time for the fork.

        Raises:
            SessionDiedError: the process died twice before it forked; the next call restarts it.
        """
        for last in (False, True):  # the process may have died of something earlier: try twice
            session = self._ready()
            try:
                with self._timed("start"):
                    fork = session.fork(seconds)
                self._forks.add(fork)
                return fork
            except SessionDiedError:
                self._session = None
                if last:
                    raise
        raise AssertionError

    def wake(self, fork: Fork) -> bool:
        """Prepares for further requests to a fork; returns False if the process that it comes from has died."""
        if self._session is not fork.session:
            return False
        try:
            with self._timed("start"):
                return fork.session.wake(fork)
        except SessionDiedError:
            self._session = None
            return False

    def has_forks(self, session: Session, but: Fork | None = None) -> bool:
        """Whether forks of the session wait, other than this one: all share the limit of memory."""
        return any(fork is not but and fork.session is session for fork in self._forks)

    def end_fork(self, fork: Fork) -> None:
        """Kills a fork."""
        self._forks.discard(fork)
        fork.sock.close()
        if self._session is fork.session:
            try:
                with self._timed("start"):
                    fork.session.end_fork(fork)
            except SessionDiedError:
                self._session = None

    def come_back(self) -> None:
        """Starts the process if it is not running.

        Raises:
            SetupError: it cannot be started.
        """
        self._ready()

    def close(self) -> None:
        """Ends the process and its forks."""
        for fork in self._forks:
            fork.sock.close()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _ready(self) -> Session:
        """The session after all cells so far; after a death the cells are run again, without those that killed it."""
        if self._session is not None:
            try:
                with self._timed("start"):
                    self._session.settle()
            except SessionDiedError:  # killed by an item's fork; that item has already lost its points
                self._session = None
        deaths = Counter[str]()
        while self._session is None:
            with self._timed("start"):
                session = self._host.session()
                for name, data in self._files.items():
                    session.put(name, data)
                session.seed(self._seed)
                self._waited = 0.0
            for built in self._ran:
                try:
                    self._run(session, built)
                except SessionDiedError as error:  # ran before, kills the process now
                    deaths[built.id] += 1
                    if error.reason is not Status.CRASHED or deaths[built.id] >= self._attempts:
                        self.dead[built.id] = error.reason
                        self._ran.remove(built)
                    break
            else:
                self._session = session
        return self._session

    def _run(self, session: Session, built: Built) -> CellRun:
        """Runs one cell within the time that is left."""
        begin, waited = time.monotonic(), self._waited
        unsure = built.id in self._unsure
        seconds = max(0.0, min(CELL_SECONDS, self.unsure_left if unsure else self._left))
        try:
            with self._timed("cells"):
                reply = session.run(built.source, built.id, seconds)
        finally:
            took = time.monotonic() - begin
            if took > _SHORT:
                self._waited = session.waited()
                took -= min(took, max(0.0, self._waited - waited))
            if unsure:
                self.unsure_left -= took / slowness()
            else:
                self._left -= took / slowness()
        raised, lost, absent = reply.get("raised"), reply.get("lost"), reply.get("absent")
        return CellRun(
            stdout=_text(reply.get("stdout")),
            stderr=_text(reply.get("stderr")),
            raised=None if raised is None else StudentError.of(raised, self._cells),
            lost=[_text(name)[:200] for name in lost[:100]] if type(lost) is list else None,
            absent=[call for entry in absent[:10] if (call := _call(entry))] if type(absent) is list else [],
        )


def _call(entry: Any) -> tuple[int, str, str] | None:
    """A call of something that is missing here, from an untrusted reply; None if it is invalid."""
    if type(entry) is not list or [type(part) for part in entry] != [int, str, str]:
        return None
    return entry[0], entry[1][:80], entry[2][:200]


def _text(value: Any) -> str:
    return value[:21_000] if type(value) is str else ""
