"""Grading processes on this machine: a worker pool over one warm process that forks for each submission.

If a grading process dies, its submission is graded once more; if it dies again, the submission gets a result that says
so. No other submission is affected.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograder.batch import forkserver
from autograder.batch.forkserver import Setup
from autograder.core.errors import AutograderError, SetupError
from autograder.core.machine import stretched
from autograder.core.results import Grading
from autograder.course.cell_selection import DYNAMO, warm_modules
from autograder.course.problem import load_problem
from autograder.course.seed import grading_seed
from autograder.grading.failed import failed_grading
from autograder.grading.limits import seconds_at_most
from autograder.sandbox.host import candidates, wanted_level
from autograder.sandbox.launch import HostFolder
from autograder.sandbox.limits import SessionLimits
from autograder.submissions.reader import Submission

START_SECONDS = 300.0
"""Seconds for the warm process to import everything on a cold, busy machine; grading the solutions is extra."""

MANY = 60
"""From this number of submissions on, cheaper forks are worth a slower start."""


class GraderDiedError(Exception):
    """A grading process ended without a reply."""


class LocalPool:
    """Grades submissions in parallel; a context manager.

    Args:
        problems: ids of the problems that will be graded.
        workers: number of submissions in parallel.
        root: the course's root folder.
        submissions: approximate number of submissions.
        seed: of the grading run; the course's own if not given.
        isolation: the isolation level; that of `$AUTOGRADER_ISOLATION` if not given.
    """

    def __init__(
        self,
        problems: Sequence[str],
        workers: int,
        root: Path,
        *,
        submissions: int = MANY,
        seed: str = "",
        isolation: str | None = None,
    ) -> None:
        self.workers = workers
        """Number of submissions graded in parallel."""
        named = wanted_level() if isolation is None else isolation
        self._problems = tuple(problems)
        self._root = root
        self._seed = seed or grading_seed(root)
        self._isolation = named
        self._many = submissions >= MANY
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: HostFolder | None = None
        self._control: Connection | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(workers):
            self._slots.put(slot)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="grader")

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(
        self, problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None = None
    ) -> Future[Grading]:
        """Grades a submission as soon as a worker is free; the future's only error is `AutograderError`."""
        return self._pool.submit(self.grade, problem_id, submission, cached_items)

    def grade(self, problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None = None) -> Grading:
        """Grades a submission; waits while all workers are busy.

        Raises:
            SetupError: nothing can be graded on this machine.
            SourceError: unknown problem, or a fault in its source.
        """
        fault: str | Exception = "the grading process ended unexpectedly in both attempts"
        slot = self._slots.get()
        try:
            for _ in range(2):
                with contextlib.suppress(GraderDiedError):
                    return self._ask(slot, problem_id, submission, cached_items)
        except AutograderError:
            raise
        except Exception as error:  # a reply that cannot be read
            fault = error
        finally:
            self._slots.put(slot)
        return failed_grading(load_problem(problem_id, self._root), submission, fault)

    def close(self) -> None:
        """Ends all processes; submissions that have not started are not graded."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            self._end()
        self._pool.shutdown(wait=True)

    def _ask(
        self, slot: int, problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None
    ) -> Grading:
        ours, theirs = socket.socketpair()
        try:
            with self._lock:
                control = self._started()
                control.send(("grade", slot, problem_id))
                reduction.send_handle(control, theirs.fileno(), None)
            theirs.close()
            with Connection(ours.detach()) as connection:
                connection.send((submission, cached_items))
                if not _answers(connection, seconds_at_most(load_problem(problem_id, self._root))):
                    with self._lock:
                        self._started().send(("kill", slot, problem_id))
                    raise GraderDiedError
                answer = connection.recv()
        except (EOFError, OSError) as error:
            raise GraderDiedError from error
        finally:
            ours.close()
            theirs.close()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Grading)
        return answer

    def _started(self) -> Connection:
        """The connection to the warm process, which is started if needed. The caller must hold the lock."""
        if self._closed:
            raise GraderDiedError
        if self._process is not None and self._process.poll() is None:
            assert self._control is not None
            return self._control
        self._end()
        levels = candidates(self._isolation)
        problems = [load_problem(problem, self._root) for problem in self._problems]
        modules = warm_modules(problems)
        if self._many and "torch" in modules:  # in a large class some submission will use it
            modules = (*modules, DYNAMO)
        self._folder = HostFolder.make(SessionLimits())
        self._process, self._control = self._folder.beside(modules, levels, forkserver.__name__, huge_pages=self._many)
        variables = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        self._control.send(
            Setup(self._problems, modules, self._root, self._seed, self._isolation, self._many, variables)
        )
        try:
            seconds = START_SECONDS + sum(seconds_at_most(problem) for problem in problems)
            refusal = (
                self._control.recv()
                if _answers(self._control, seconds)
                else SetupError("the grading process took too long to start")
            )
        except EOFError:
            refusal = SetupError("the grading process ended while it started; its output is above.")
        if refusal is not None:
            self._end()
            raise refusal
        return self._control

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.remove()
            self._folder = None


def _answers(connection: Connection, seconds: float) -> bool:
    """Whether there is an answer within the time, which is longer on a busy machine."""
    begin, left = time.monotonic(), seconds
    while not connection.poll(left):
        left = stretched(seconds) - (time.monotonic() - begin)
        if left <= 0:
            return False
    return True
