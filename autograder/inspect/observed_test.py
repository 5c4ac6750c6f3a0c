"""Tests one item as grading does, and records each check, its inputs and what the student's code gave."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from autograder.course.problem import Item
from autograder.grading.item_test import ItemTest
from autograder.grading.notebook_run import NotebookRun
from autograder.inspect.instrument import Rewritten, rewrite
from autograder.inspect.random_use import NAME, SOURCE, RandomUse, States
from autograder.inspect.recorder import Check, Recorder
from autograder.inspect.values import Value, value_of
from autograder.sandbox.host import Fork
from autograder.sandbox.proxy import Handle, Link, RemoteError
from autograder.sandbox.student_error import StudentError

_Done = Callable[[Value | None, StudentError | None, str], None]


class ObservedTest(ItemTest):
    """The test of one item, observed.

    Args:
        item: the item.
        notebook: the student's notebook, run up to the item's test.
        stand_ins: functions of the student's in whose place the reference answers.
        strict: whether a failing check ends its part or the test, as in grading.
    """

    def __init__(self, item: Item, notebook: NotebookRun, *, stand_ins: Sequence[str], strict: bool) -> None:
        super().__init__(item, notebook, stand_ins=stand_ins)
        assert item.test is not None
        self._test: Rewritten = rewrite(item.test)
        self.recorder = Recorder(self._test, strict=strict)
        self.random_use = RandomUse()

    @property
    def checks(self) -> list[Check]:
        """The statements of the test, and what became of them."""
        return self.recorder.checks

    def make_link(self, fork: Fork, cells: Mapping[str, str]) -> Link:
        """A connection whose calls are recorded."""
        ours = self._notebook.exam.reference.names
        link = ObservedLink(fork.sock, cells=cells, called=self.recorder.called, ours=ours)
        link.random_use = self.random_use
        return link

    def run_visible(self, item: Item, names: dict[str, Any]) -> None:
        """Runs the visible part, rewritten."""
        self.recorder.put_into(names)
        exec(self._test.visible, names)

    def run_hidden(self, item: Item, names: dict[str, Any]) -> None:
        """Runs the hidden part, rewritten."""
        exec(self._test.hidden, names)


class ObservedLink(Link):
    """A connection that reports each call with its arguments and its result.

    Args:
        sock: as for `Link`.
        cells: as for `Link`.
        called: called before each call with the function's name and its arguments; returns what is called after it.
        ours: the reference's names, whose functions name the arguments.
    """

    def __init__(
        self,
        sock: Any,
        cells: Mapping[str, str],
        called: Callable[[str, Sequence[Value]], _Done],
        ours: Mapping[str, Any],
    ) -> None:
        super().__init__(sock, cells=cells)
        self._called = called
        self._ours = ours
        self._names: dict[int, str] = {}
        """Number of an object in the sandbox → how the test reaches it."""
        self.random_use = RandomUse()

    def get(self, of: int | None, name: str) -> Any:
        """See `Link.get`."""
        return self._named(super().get(of, name), f"{'student' if of is None else self._name(of)}.{name}")

    def index(self, of: int, key: Any) -> Any:
        """See `Link.index`."""
        return self._named(super().index(of, key), f"{self._name(of)}[{key!r}]")

    def call(self, of: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, always: bool = False) -> Any:
        """See `Link.call`."""
        function = self._name(of)
        self.listen()
        names = dict(enumerate(self._parameters(function)))
        values = [self._argument(one, names.get(n, f"argument {n + 1}")) for n, one in enumerate(args)]
        done = self._called(function, [*values, *(self._argument(one, name) for name, one in kwargs.items())])
        try:
            with self._watching_random_use(function):
                result = super().call(of, args, kwargs, always=always)
        except RemoteError as error:
            done(None, error.error, self.listen())
            raise
        self._named(result, f"{function}(...)")
        done(self._argument(result, "result"), None, self.listen())
        return result

    def define(self, names: Collection[str], sources: Sequence[str], uses: Sequence[str]) -> None:
        """See `Link.define`; also defines what tells the states of the random generators."""
        super().define({*names, NAME}, [*sources, SOURCE], uses)

    @contextlib.contextmanager
    def _watching_random_use(self, function: str) -> Iterator[None]:
        """Notes what the call in the block does to the global random generators, if it is not the test's own doing."""
        if isinstance(self._ours.get(function.removeprefix("student.").partition(".")[0]), types.ModuleType):
            yield
            return
        before = self._random_states()
        try:
            yield
        finally:
            if isinstance(sys.exception(), Exception | None):  # else the process has ended, or is late
                self.random_use.add(function, before, self._random_states())

    def _random_states(self) -> States | None:
        if not self.has_helpers:
            self.define((), (), ())
        try:
            watcher = number_of(super().get(None, NAME))
            return None if watcher is None else States.of(super().call(watcher, (), {}))
        except RemoteError:
            return None

    def _parameters(self, function: str) -> list[str]:
        """The names of a function's positional parameters, as the reference has them; empty if it has none."""
        try:
            parameters = inspect.signature(self._ours[function.removeprefix("student.")]).parameters.values()
        except (KeyError, TypeError, ValueError):
            return []
        return [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]

    def _argument(self, value: Any, name: str) -> Value:
        shown = value_of(value, name)
        number = number_of(value)
        return shown if number is None else Value("", name, shown.kind, self._names.get(number, shown.text))

    def _named(self, value: Any, name: str) -> Any:
        number = number_of(value)
        if number is not None:
            self._names.setdefault(number, name)
        return value

    def _name(self, number: int) -> str:
        return self._names.get(number, "an object on the student's side")


def number_of(value: Any) -> int | None:
    """The number of an object in the sandbox; None if the value is something else."""
    return object.__getattribute__(value, "_number") if isinstance(value, Handle) else None
