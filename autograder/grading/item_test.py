"""Tests one item against a fork of the student's process, in two steps.

The first step runs the visible part of the test cell, the second the hidden part. All first steps of a notebook, and
the questions on per-student inputs, come before any second step. So nothing that is shown of the student's process
(texts, values, the cells' output) can tell a hidden input: it was said before the process knew one.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograder.core.results import Status
from autograder.course.problem import Item
from autograder.grading.author_fault import AuthorFaultError, author_fault
from autograder.grading.failed_cells import with_cause
from autograder.grading.in_process import RUN
from autograder.grading.notebook_run import NotebookRun
from autograder.grading.random_states import RandomStates
from autograder.grading.reference import Reference, beside, run_hidden_part, run_visible_part
from autograder.grading.trusted_limits import ItemTimeoutError, TrustedLimits
from autograder.grading.verdict import Verdict, dead, untested, verdict_of
from autograder.sandbox.guest.server import seed_everything
from autograder.sandbox.guest.wire import ClosedError, TooLateError
from autograder.sandbox.host import Fork, SessionDiedError
from autograder.sandbox.patience import Patience
from autograder.sandbox.proxy import Link, NotebookState, Student
from homework.checks import Part, recording

_EXTRA_CPU = 11.0
"""Seconds of CPU time that a fork may take in addition to an item's limit, which ends it first."""


class ForkLostError(Exception):
    """The fork ended while it, or others, waited for the second step: so others may be the reason."""


class ItemTest:
    """The test of one item, to which all other graded functions are right.

    Args:
        item: the item.
        notebook: the student's notebook, run up to the item's test.
        stand_ins: functions of the student's in whose place the reference answers.
        quiet: whether nothing that the student's process says is shown.
        said: results of the visible parts, from before the process knew a hidden input, which are shown then.
    """

    def __init__(
        self,
        item: Item,
        notebook: NotebookRun,
        *,
        stand_ins: Sequence[str] = (),
        quiet: bool = False,
        said: Sequence[Part] = (),
    ) -> None:
        self._item = item
        self._notebook = notebook
        self._stand_ins = stand_ins
        self._quiet = quiet
        self._said = said
        self._seconds = notebook.exam.seconds_for(item)
        self._limits = TrustedLimits(self._seconds + 1.0, notebook.exam.memory)
        self.visible: list[Part] = []
        """Results of the visible parts; empty if the process was lost in one."""
        self._hidden: list[Part] = []
        self._names: dict[str, Any] = {}
        self._state = NotebookState()
        self._random: RandomStates | None = None
        self._fork: Fork | None = None
        self._link: Link | None = None
        self._patience: Patience | None = None
        assert item.test is not None
        self.key = notebook.state(item.id, item.seconds, item.test.source, list(stand_ins), quiet)
        """Digest of everything that the verdict depends on."""

    def run(self) -> Verdict:
        """Runs both parts, one right after the other."""
        try:
            return self.begin() or self.finish()
        except ForkLostError:
            return dead(self._item, Status.CRASHED, "it was tested")

    def begin(self) -> Verdict | None:
        """Forks the process and runs the visible part; returns the verdict if that is final.

        Raises:
            ForkLostError: the process ended while other forks waited, with which it shares the memory.
        """
        try:
            self._fork = self._notebook.process.fork(self._seconds + _EXTRA_CPU)
        except SessionDiedError as error:
            return dead(self._item, error.reason, "its test began")
        self._link = self.make_link(self._fork, self._notebook.sources)
        self._link.watches_modules = self._notebook.exam.problem.imports_homework
        self._link.watches_arguments = self._link.watches_modules or self._item.watches_arguments
        self._patience = self._fork.session.patience(self._seconds)
        self._link.wait_until(self._patience)
        try:
            return self._step(self._run_visible_part)
        except ForkLostError:
            self.visible.clear()
            raise

    def finish(self) -> Verdict:
        """Runs the hidden part, if `begin` returned no verdict.

        Raises:
            ForkLostError: the process has ended since, or ended while other forks waited.
        """
        assert self._fork is not None and self._link is not None and self._patience is not None
        self._patience.resume()
        if not (self._notebook.process.wake(self._fork) and self._link.is_there()):
            self.close()
            raise ForkLostError
        verdict = self._step(self._run_hidden_part) or self._verdict(None)
        self.close()
        return verdict

    def make_link(self, fork: Fork, cells: Mapping[str, str]) -> Link:
        """Connects to the fork; a subclass may observe the calls."""
        return Link(fork.sock, cells=cells)

    def run_visible(self, item: Item, names: dict[str, Any]) -> None:
        """Runs the visible part of the test cell; a subclass may observe it."""
        run_visible_part(item, names)

    def run_hidden(self, item: Item, names: dict[str, Any]) -> None:
        """Runs the hidden part of the test cell; a subclass may observe it."""
        run_hidden_part(item, names)

    def close(self) -> None:
        """Ends the fork, and frees what the test made."""
        self._names, self._link = {}, None
        if self._fork is not None:
            self._notebook.process.end_fork(self._fork)
            self._fork = None

    def _step(self, run: Callable[[], Verdict | None]) -> Verdict | None:
        """Runs a step within the limits; returns the verdict if that is final, and ends the fork then.

        Raises:
            ForkLostError: the process ended while other forks waited.
        """
        assert self._patience is not None and self._fork is not None
        process = self._notebook.process
        verdict: Verdict | None
        is_lost = False
        try:
            with (
                self._notebook.exam.times.timed("tests"),
                beside(self._notebook.exam.problem.files),
                self._limits.applied(),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                verdict = run()
        except (TooLateError, ItemTimeoutError):
            verdict = dead(self._item, Status.TIMEOUT, f"it was tested ({self._seconds:.3g} s)")
        except ClosedError:
            verdict = dead(self._item, Status.CRASHED, "it was tested")
            # code that knows that it was wrong gets no second attempt
            is_lost = all(part.passed for part in self._hidden) and process.has_forks(
                self._fork.session, but=self._fork
            )
        if verdict is None:
            self._patience.pause()
            return None
        self.close()
        if verdict.status is Status.CRASHED:
            process.come_back()  # raises if the host is gone, which is not the student's fault
        if is_lost:
            raise ForkLostError
        return verdict

    def _run_visible_part(self) -> Verdict | None:
        assert self._link is not None
        item, reference = self._item, self._notebook.exam.reference
        functions = reference.functions(item)
        error = caught(lambda: self._prepare({name: functions[name] for name in self._stand_ins}))
        if error is not None:
            return self._verdict(error, quiet=True)
        self._names = reference.test_names(Student(self._link, functions)) | {RUN: self._run_in_process}
        with self._recorded(self.visible):
            error = caught(lambda: self.run_visible(item, self._names))
        self._random = RandomStates()
        return None if error is None else self._verdict(error)

    def _run_hidden_part(self) -> Verdict | None:
        assert self._random is not None
        self._random.restore()
        with self._recorded(self._hidden):
            error = caught(lambda: self.run_hidden(self._item, self._names))
        return None if error is None else self._verdict(error, quiet=True)

    def _run_in_process(self, source: str) -> bool:
        """Runs a statement of the test inside the student's process, see `grading.in_process`."""
        assert self._link is not None and self._item.test is not None
        self._link.run(source, self._item.test.id)
        return True

    def _prepare(self, stand_ins: dict[str, Callable[..., Any]]) -> None:
        """Prepares both sides; raises what the student's process makes of that."""
        assert self._link is not None
        self._state = self._link.state()
        define_helpers(self._link, self._notebook.exam.reference)
        for name, function in stand_ins.items():
            self._link.replace(name, function)
        seed = self._notebook.exam.seed_for(self._item.id)
        self._link.seed(seed)
        seed_everything(seed)

    @contextlib.contextmanager
    def _recorded(self, parts: list[Part]) -> Iterator[None]:
        """Runs the block with the notebook's settings of torch; collects the results of its parts."""
        with self._state.applied(), recording() as found:
            try:
                yield
            finally:
                parts += [part._replace(error=self._own_fault(part.error) or part.error) for part in found]
                for part in found:
                    if part.error is not None:  # the frames hold the values that were tested
                        part.error.__traceback__ = part.error.__context__ = part.error.__cause__ = None

    def _own_fault(self, error: Exception | None) -> AuthorFaultError | None:
        return None if error is None else author_fault(error, self._notebook.exam.problem, self._item)

    def _verdict(self, error: Exception | None, *, quiet: bool = False) -> Verdict:
        """The verdict after an error, or after the end of the cell; `quiet`: the error's words are not shown."""
        errors = [self._own_fault(error), *(part.error for part in (*self.visible, *self._hidden))]
        if fault := next((one for one in errors if isinstance(one, AuthorFaultError)), None):
            return untested(self._item, str(fault))
        if not self._quiet:
            verdict = verdict_of(self._item, error, self.visible, self._hidden, quiet=quiet)
        elif self._said:
            verdict = verdict_of(self._item, error, self._said, self._hidden, quiet=True)
        else:
            verdict = verdict_of(self._item, error, (), (*self.visible, *self._hidden), quiet=True)
        if self._quiet or verdict.status is Status.PASSED:
            return verdict
        message = with_cause(verdict.message, self._notebook.cells, self._notebook.runs)
        return replace(verdict, message="\n".join(filter(None, (message, self._state.warning))))


def quiet_verdict(
    item: Item, notebook: NotebookRun, *, stand_ins: Sequence[str] = (), said: Sequence[Part] = ()
) -> Verdict:
    """The verdict on an item of a notebook that may know hidden inputs: its words are not shown, see `ItemTest`."""
    early = notebook.before_test(item, quiet=True)
    if early is not None:
        return early
    test = ItemTest(item, notebook, stand_ins=stand_ins, quiet=True, said=said)
    known = notebook.exam.cache.get(test.key)
    if known is not None:
        return Verdict.from_json(known)
    verdict = test.run()
    notebook.exam.cache.keep(test.key, verdict.as_json(), verdict.status)
    return verdict


def define_helpers(link: Link, reference: Reference) -> None:
    """Gives the student's process the helpers of the tests, once."""
    helpers = reference.helpers
    if helpers.names and not link.has_helpers:
        link.define(helpers.names, helpers.sources, helpers.uses)


def caught(action: Callable[[], Any]) -> Exception | None:
    """Returns what the action raised; a closed or late link is left to the caller."""
    try:
        action()
    except Exception as error:
        return error
    except BaseException as error:
        pytest = sys.modules.get("_pytest.outcomes")  # of a test that uses e.g. `pytest.raises`
        if pytest is None or not isinstance(error, pytest.OutcomeException):
            raise
        return AssertionError(str(error)).with_traceback(error.__traceback__)
    return None
