"""The trusted side's warm process: everything imported and every reference loaded once; each submission gets a fork.

So no submission's grading can leave anything behind for the next, on our side either: a test that fails half-way, with
torch's global settings changed, ends with its process. `local_pool` starts this process and asks it. What takes
long to import is imported while the host for student code starts.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe, reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import autograder.core.fast_imports  # noqa: F401  (acts before anything imports jsonschema)
from autograder.batch.prefork import Relay
from autograder.core.errors import AutograderError, SetupError, SourceError
from autograder.core.results import Grading
from autograder.core.software import software
from autograder.course.seed import SEED_VARIABLE
from autograder.sandbox.guest import syscalls
from autograder.sandbox.guest.confinement import die_with_parent
from autograder.sandbox.host import ISOLATION_VARIABLE, Host, HostGoneError
from autograder.submissions.reader import Submission

_T = TypeVar("_T")
_Refusal = tuple[SetupError | None]


@dataclass(frozen=True)
class Setup:
    """What a warm grader is made for."""

    problems: tuple[str, ...]
    """Ids of problems that will be asked for; others may be, too."""
    modules: tuple[str, ...]
    """What to import on the students' side before any submission."""
    root: Path
    """The course's root folder."""
    seed: str
    """Of the grading run."""
    isolation: str
    """The isolation level to use; empty for the strongest (`autograder.sandbox.host.Host`)."""
    many: bool
    """Are there enough submissions that cheaper forks are worth half a second at the start?"""


def main(fd: int) -> None:
    """Serves the socket with number `fd`; its first message is the `Setup`.

    Answers `None` when everything is imported and the solutions are graded, or an exception. Then, for each
    `("grade", slot, problem)` with a file descriptor, a fork serves one submission on that descriptor;
    `("kill", slot, problem)` ends such a process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks; when they go, the socket closes
    control = Connection(fd)
    setup: Setup = control.recv()
    os.environ[SEED_VARIABLE] = setup.seed
    if setup.isolation:
        os.environ[ISOLATION_VARIABLE] = setup.isolation
    try:
        grader = _WarmGrader(setup)
    except Exception as error:
        control.send(_sendable(error))
        return
    control.send(None)
    grader.serve(control)


class _WarmGrader:
    def __init__(self, setup: Setup) -> None:
        self._root = setup.root
        self._many = setup.many
        self._host = Host(setup.modules, huge_pages=setup.many)
        self._hosts: dict[int, Host] = {}
        """By slot: a clone of the host, so that nobody waits for somebody else's submission."""
        self._relays: dict[int, Relay] = {}
        """By slot: the forks that grade."""
        self._loaded: dict[str, SetupError | None] = {}
        """Problems that were loaded, by id, and what is wrong with their source."""
        self._rehearsed: dict[str, SetupError | None] = {}
        """Problems whose solution was graded, by id, and why nobody can be graded after it."""
        with _meanwhile(self._host.start):  # torch is imported twice, side by side
            import torch

            import autograder.grading.grade
            import autograder.grading.preflight  # noqa: F401

            torch.set_num_threads(1)
            software()
            for problem_id in setup.problems:
                self._load(problem_id)
        if threading.active_count() > 1:
            raise SetupError("the warm grader runs threads, so it cannot fork; please report this")
        self._walls = self._in_fork(lambda host: _refusal(lambda: _try_walls(host, setup.root)))
        for problem_id in setup.problems:
            self._rehearse(problem_id)
        self._freeze()

    def _in_fork(self, action: Callable[[Host], _T]) -> Callable[[], _T | None]:
        """Begins an action in a fork, with a host of its own; the answer waits for what it returns (None: it died)."""
        ours, theirs = Pipe()
        host = self._host.clone()  # here: only the process that started the host can tell whether it runs
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                die_with_parent()
                theirs.send(action(host))
                status = 0
            finally:
                os._exit(status)
        theirs.close()

        def wait() -> _T | None:
            result = None
            with contextlib.suppress(EOFError):
                result = ours.recv()
            os.waitpid(pid, 0)
            host.close()
            return result

        return functools.cache(wait)

    def serve(self, control: Connection) -> None:
        """Forks for each question until the other side is gone."""
        while True:
            try:
                what, slot, problem_id = control.recv()
            except EOFError:
                break
            relay = self._relays.setdefault(slot, Relay())
            if what == "kill":
                relay.kill()
                continue
            handle = reduction.recv_handle(control)
            if not relay.finish():  # nobody knows what the last one left there
                self._hosts.pop(slot).close()
            if problem_id not in self._rehearsed:
                self._rehearse(problem_id)
                self._freeze()
            refusal = self._rehearsed[problem_id]
            if slot not in self._hosts:
                self._hosts[slot] = self._host.clone()
            serve = functools.partial(self._serve_one, control, self._hosts[slot], problem_id, refusal)
            relay.begin(handle, problem_id, serve)
        for relay in self._relays.values():
            relay.close()
        self._host.close()

    def _load(self, problem_id: str) -> SetupError | None:
        """Loads a problem, so that each fork has all of it. What is wrong with it, or None."""
        from autograder.course.problem import load_problem
        from autograder.grading.preflight import load

        if problem_id not in self._loaded:
            (self._loaded[problem_id],) = _refusal(lambda: load(load_problem(problem_id, self._root)))
        return self._loaded[problem_id]

    def _rehearse(self, problem_id: str) -> None:
        """Loads a problem and grades its solution."""
        self._rehearsed[problem_id] = self._load(problem_id) or self._rehearsal(problem_id)

    def _freeze(self) -> None:
        """Makes forks cheap, of all that is here now."""
        gc.collect()
        gc.freeze()  # else the first collection in each fork would touch, and so copy, all of it
        if self._many:
            with contextlib.suppress(OSError):
                syscalls.use_huge_pages()

    def _rehearsal(self, problem_id: str) -> SetupError | None:
        """Rehearses in a fork, since tests may leave something behind; then imports what the fork had to import.

        Meanwhile the walls are tried in another one; nothing of a student's runs before both have ended well.
        """
        from autograder.course.problem import load_problem
        from autograder.grading.preflight import rehearse

        before = set(sys.modules)

        def rehearsal(host: Host) -> tuple[_Refusal, list[str]]:
            refusal = _refusal(lambda: rehearse(load_problem(problem_id, self._root), host))
            return refusal, [name for name in sys.modules if name not in before]

        told = self._in_fork(rehearsal)()
        walls = self._walls()
        if told is None or walls is None:
            return SetupError(f"a process died while the walls and the solution of {problem_id!r} were tried")
        (refusal,), modules = told
        for name in modules:
            with contextlib.suppress(Exception):  # what cannot be imported by its name is imported by each fork again
                importlib.import_module(name)
        return walls[0] or refusal

    def _serve_one(
        self, control: Connection, host: Host, problem_id: str, refusal: SetupError | None, connection: Connection
    ) -> None:
        """Grades one submission in this process, a fresh fork; what it raises ends the process.

        Raises:
            HostGoneError: the submission is to be graded once more, with another host.
        """
        control.close()
        submission, findings = connection.recv()
        connection.send(refusal or _graded(problem_id, submission, findings, self._root, host))
        host.settle()


def _graded(
    problem_id: str, submission: Submission, findings: Mapping[str, Any] | None, root: Path, host: Host
) -> Grading | SetupError:
    """The grading, or the `SetupError` that ends the batch; any other fault of ours is a result that says so."""
    from autograder.course.problem import load_problem
    from autograder.grading.failed import failed_grading
    from autograder.grading.grade import grade_or_say_why

    try:
        return grade_or_say_why(problem_id, submission, root=root, host=host, findings=findings)
    except HostGoneError:
        raise  # this process ends, and the submission is graded once more, with another host
    except SetupError as error:
        return error
    except SourceError as error:  # the solution got full marks here, so this is about one submission
        return failed_grading(load_problem(problem_id, root), submission, error)


def _refusal(action: Callable[[], object]) -> _Refusal:
    """Why an action says that nothing can be graded here, or None; in a tuple, so that it differs from no answer."""
    try:
        action()
    except Exception as error:
        return (_sendable(error),)
    return (None,)


def _try_walls(host: Host, root: Path) -> None:
    from autograder.sandbox.probes import insist

    insist(host, root)


@contextlib.contextmanager
def _meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Runs an action beside the block; what it raises is raised at the end of the block."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _sendable(error: Exception) -> SetupError:
    """The error as one that ends the batch with its message."""
    return SetupError(str(error) if isinstance(error, AutograderError) else f"grading cannot start: {error!r}")
