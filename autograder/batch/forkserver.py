"""The warm process of the trusted side: imports everything and loads every reference once; forks for each submission.

So grading one submission cannot affect the next, on the trusted side either: a test that fails half-way after changing
torch's global settings ends with its process. `local_pool` starts this process and sends it submissions. The host for
student code was forked from it before it learned anything of the course, so that both share the slow imports.
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
from collections.abc import Callable, Mapping
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
from autograder.course.remembered import recall, remember
from autograder.course.seed import SEED_VARIABLE, grading_seed
from autograder.sandbox.guest import syscalls
from autograder.sandbox.guest.confinement import die_with_parent
from autograder.sandbox.host import ISOLATION_VARIABLE, Host, HostGoneError
from autograder.submissions.reader import Submission

_T = TypeVar("_T")
_Refusal = tuple[SetupError | None]


@dataclass(frozen=True)
class Setup:
    """The configuration of a warm grader."""

    problems: tuple[str, ...]
    """Ids of problems that are loaded at the start; others can be requested later."""
    modules: tuple[str, ...]
    """Modules that the sandbox imports before any submission."""
    root: Path
    """The course's root folder."""
    seed: str
    """Of the grading run."""
    isolation: str
    """The isolation level; empty for the strongest (`autograder.sandbox.host.Host`)."""
    many: bool
    """Whether there are enough submissions that cheaper forks are worth half a second at the start."""
    environment: Mapping[str, str]
    """The environment variables; until now the process has had those of the host."""


def main(fd: int, forked: Mapping[str, Any]) -> None:
    """Serves the socket with number `fd`; its first message is the `Setup`.

    Args:
        fd: the socket's file descriptor.
        forked: the host that was forked before; see `autograder.sandbox.launch.HostFolder.beside`.

    Replies `None` when everything is imported and the solutions are graded, or an exception. Then, for each
    `("grade", slot, problem)` with a file descriptor, a fork serves one submission on that descriptor;
    `("kill", slot, problem)` ends such a process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C; when it ends, the socket closes
    control = Connection(fd)
    setup: Setup = control.recv()
    os.environ.clear()
    os.environ.update(setup.environment)
    os.environ[SEED_VARIABLE] = setup.seed
    if setup.isolation:
        os.environ[ISOLATION_VARIABLE] = setup.isolation
    try:
        grader = _WarmGrader(setup, forked)
    except Exception as error:
        control.send(_sendable(error))
        return
    control.send(None)
    grader.serve(control)


class _WarmGrader:
    def __init__(self, setup: Setup, forked: Mapping[str, Any]) -> None:
        self._root = setup.root
        self._many = setup.many
        self._host = Host(setup.modules, huge_pages=setup.many)
        self._host.adopt(forked)
        self._hosts: dict[int, Host] = {}
        """Slot → a clone of the host, so that no submission waits for another one."""
        self._relays: dict[int, Relay] = {}
        """Slot → the forks that grade."""
        self._loaded: dict[str, SetupError | None] = {}
        """Problem id → None, or the error in the problem's source, for problems that were loaded."""
        self._preflight: dict[str, SetupError | None] = {}
        """Problem id → None, or why nothing can be graded, for problems whose solution was graded."""
        import autograder.grading.grade
        import autograder.grading.preflight  # noqa: F401
        from homework.lazy_torch import torch, when_imported

        when_imported(lambda: torch.set_num_threads(1), "threads")
        software()
        for problem_id in setup.problems:
            self._load(problem_id)
        if threading.active_count() > 1:
            raise SetupError("the warm grader runs threads, so it cannot fork; please report this")
        self._sandbox_error = self._in_fork(lambda host: _refusal(lambda: _test_sandbox(host, setup.root)))
        for problem_id in setup.problems:
            self._run_preflight(problem_id)
        self._freeze()

    def _in_fork(self, action: Callable[[Host], _T]) -> Callable[[], _T | None]:
        """Starts an action in a fork with its own host; the returned function waits for its result (None: it died)."""
        ours, theirs = Pipe()
        host = self._host.clone()  # not in the fork: only the process that started the host can tell whether it runs
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
        """Forks for each request until the socket is closed."""
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
            if not relay.finish():  # a fork that died may have left the host in any state
                self._hosts.pop(slot).close()
            if problem_id not in self._preflight:
                self._run_preflight(problem_id)
                self._freeze()
            refusal = self._preflight[problem_id]
            if slot not in self._hosts:
                self._hosts[slot] = self._host.clone()
            serve = functools.partial(self._serve_one, control, self._hosts[slot], problem_id, refusal)
            relay.begin(handle, problem_id, serve)
        for relay in self._relays.values():
            relay.close()
        self._host.close()

    def _load(self, problem_id: str) -> SetupError | None:
        """Loads a problem, so that each fork has it; returns the error in its source, or None."""
        from autograder.course.problem import load_problem
        from autograder.grading.preflight import load

        if problem_id not in self._loaded:
            (self._loaded[problem_id],) = _refusal(lambda: load(load_problem(problem_id, self._root), many=self._many))
        return self._loaded[problem_id]

    def _run_preflight(self, problem_id: str) -> None:
        """Loads a problem and grades its solution."""
        self._preflight[problem_id] = self._load(problem_id) or self._preflight_error(problem_id)

    def _freeze(self) -> None:
        """Makes forks cheap: forks share all objects that exist now."""
        gc.collect()
        gc.freeze()  # otherwise the first collection in each fork would touch, and so copy, all of them
        if self._many:
            with contextlib.suppress(OSError):
                syscalls.use_huge_pages()

    def _preflight_error(self, problem_id: str) -> SetupError | None:
        """Grades the solution in a fork, since tests may have side effects; then imports what the fork imported.

        Meanwhile another fork tests the sandbox. No student code runs before both have succeeded, now or earlier on an
        unchanged machine with an unchanged source.
        """
        from autograder.course.problem import load_problem
        from autograder.grading.preflight import run_preflight

        problem = load_problem(problem_id, self._root)
        conditions = ("preflight", problem_id, problem.sha256, grading_seed(self._root), self._host.level)
        modules = recall(self._root, *conditions)
        before = set(sys.modules)

        def preflight(host: Host) -> tuple[_Refusal, list[str]]:
            refusal = _refusal(lambda: run_preflight(problem, host))
            return refusal, [name for name in sys.modules if name not in before]

        told = self._in_fork(preflight)() if modules is None else ((None,), modules)
        sandbox_error = self._sandbox_error()
        if told is None or sandbox_error is None:
            return SetupError(
                f"a process ended during the preflight check of the sandbox and of {problem_id!r}; run it again"
            )
        (refusal,), names = told
        if refusal is None and modules is None:
            remember(self._root, names, *conditions)
        for name in names:
            with contextlib.suppress(Exception):  # modules that cannot be imported by name are imported by each fork
                importlib.import_module(name)
        return sandbox_error[0] or refusal

    def _serve_one(
        self, control: Connection, host: Host, problem_id: str, refusal: SetupError | None, connection: Connection
    ) -> None:
        """Grades one submission in this process, which was just forked; an error ends the process.

        Raises:
            HostGoneError: the submission must be graded again, with another host.
        """
        control.close()
        submission, cached_items = connection.recv()
        connection.send(refusal or _graded(problem_id, submission, cached_items, self._root, host))
        host.settle()


def _graded(
    problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None, root: Path, host: Host
) -> Grading | SetupError:
    """The grading, or the `SetupError` that ends the batch; any other error of the autograder becomes a result."""
    from autograder.course.problem import load_problem
    from autograder.grading.failed import failed_grading
    from autograder.grading.grade import grade_or_say_why

    try:
        return grade_or_say_why(problem_id, submission, root=root, host=host, cached_items=cached_items)
    except HostGoneError:
        raise  # this process ends; the submission is graded again with another host
    except SetupError as error:
        return error
    except SourceError as error:  # the solution got full marks here, so this concerns one submission only
        return failed_grading(load_problem(problem_id, root), submission, error)


def _refusal(action: Callable[[], object]) -> _Refusal:
    """The error of an action, or None; in a tuple, which differs from None for a fork that died."""
    try:
        action()
    except Exception as error:
        return (_sendable(error),)
    return (None,)


def _test_sandbox(host: Host, root: Path) -> None:
    from autograder.sandbox.probes import ensure_confinement

    ensure_confinement(host, root)


def _sendable(error: Exception) -> SetupError:
    """Converts an error to one that ends the batch with its message."""
    return SetupError(str(error) if isinstance(error, AutograderError) else f"grading cannot start: {error!r}")
