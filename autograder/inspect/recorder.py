"""Records what happens while a rewritten test cell runs (`autograder.inspect.instrument`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from autograder.grading.trusted_limits import ItemTimeoutError
from autograder.inspect.instrument import MAY, SAW, WATCH, Rewritten, Statement
from autograder.inspect.values import Value, is_data, rounding, value_of, where_they_differ
from autograder.sandbox.guest.wire import TooLateError
from autograder.sandbox.proxy import RemoteError
from autograder.sandbox.student_error import StudentError
from homework import checks

MOST_CALLS = 6
"""Calls of the student's code that are kept for one statement; of more, the first and the last."""
_MOST_NAMES = 12

Fate = Literal["passed", "failed", "ended", "skipped", "not reached"]
"""What became of a check; `ended`: the student's process ended in it."""


@dataclass(frozen=True)
class Call:
    """One call of the student's code."""

    function: str
    """As the test writes it, e.g. `student.Line(...)`."""
    arguments: tuple[Value, ...]
    result: Value | None
    """None: it raised an error or its process ended."""
    error: StudentError | None = None
    printed: str = ""


@dataclass
class Check:
    """A statement of a test cell, and what became of it."""

    statement: Statement
    part: str = ""
    """Name of the part that it belongs to; empty if none."""
    weight: float | None = None
    """The part's share of the points, relative to the other parts."""
    fate: Fate = "not reached"
    runs: int = 0
    failures: int = 0
    hint: str = ""
    """The first failure's message for students, or what the statement raised."""
    detail: str = ""
    """Where the first failure's values differ."""
    error: StudentError | None = None
    """The error of the student's code, if the first failure is one."""
    values: tuple[Value, ...] = ()
    """The operands of the first failure, or the names that it uses."""
    calls: tuple[Call, ...] = ()
    """The calls of the student's code on which the first failure depends, the latest last."""
    more_calls: int = 0
    """Number of further calls."""
    before: tuple[Statement, ...] = ()
    """The statements above that made its inputs."""
    lacks: tuple[str, ...] = ()
    """If it was skipped: names that a failed statement should have defined."""

    @property
    def is_bad(self) -> bool:
        """Whether it did not pass."""
        return self.fate in ("failed", "ended")


class Recorder:
    """Records one run of a rewritten test.

    Args:
        test: the rewritten test.
        strict: whether a failure ends the part or the cell, as in grading.
    """

    def __init__(self, test: Rewritten, *, strict: bool) -> None:
        self._test = test
        self._strict = strict
        self.checks = [Check(statement) for statement in test.statements]
        """By statement."""
        self._open: list[_Watched] = []
        self._part: tuple[str, float] | None = None
        self._lost: set[str] = set()
        self._told: list[BaseException] = []
        """Errors that are recorded already."""
        self._made: dict[str, list[Call]] = {}
        """Name → the calls of the student's code that made its value."""

    def names(self) -> dict[str, Any]:
        """The names that the rewritten cell calls."""
        return {MAY: self._may, WATCH: self._watch, SAW: self._saw}

    def put_into(self, names: dict[str, Any]) -> None:
        """Adds its functions to a test's namespace, and replaces `part`."""
        names.update(self.names())
        for name, value in names.items():
            if value is checks.part:
                names[name] = self._named_part

    def called(
        self, function: str, arguments: Sequence[Value]
    ) -> Callable[[Value | None, StudentError | None, str], None]:
        """Notes that the student's code is called; returns what to call with its result, error and prints."""
        if not self._open:
            return lambda result, error, printed: None
        watched = self._open[-1]
        position = watched.begun(Call(function, tuple(arguments), None))
        return lambda *end: watched.ended(position, Call(function, tuple(arguments), *end))

    @contextlib.contextmanager
    def _named_part(self, name: str, weight: float = 1.0) -> Iterator[None]:
        before, self._part = self._part, (name, weight)
        try:
            with checks.part(name, weight):
                yield
        finally:
            self._part = before

    def _may(self, number: int) -> bool:
        statement = self._test.statements[number]
        lacks = statement.uses & self._lost
        if not lacks:
            return True
        check = self.checks[number]
        self._place(check)
        if check.fate == "not reached":
            check.fate, check.lacks = "skipped", tuple(sorted(lacks))
        self._lost |= statement.binds
        return False

    def _watch(self, number: int) -> _Watched:
        return _Watched(self, self.checks[number])

    def _saw(self, number: int, role: str, text: str, value: Any) -> Any:
        if self._open and self._open[-1].check.statement.number == number:
            self._open[-1].seen.append((role, text, value))
        return value

    def _place(self, check: Check) -> None:
        if self._part is not None:
            check.part, check.weight = self._part

    def enter(self, watched: _Watched) -> None:
        """Begins a statement."""
        self._place(watched.check)
        watched.check.runs += 1
        self._open.append(watched)

    def leave(self, watched: _Watched, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Ends a statement; returns whether its error is swallowed."""
        self._open.remove(watched)
        check = watched.check
        if error is None:
            self._lost -= check.statement.binds
            if check.fate == "not reached":
                check.fate = "passed"
        elif any(error is one for one in self._told):
            check.fate = check.fate if check.statement.is_check else "passed"  # the statement inside has it
        else:
            self._told.append(error)
            check.failures += 1
            if check.failures == 1 or not check.is_bad:
                self._note_failure(watched, error, trace)
        if not check.statement.is_entered:
            self._made |= {name: [*watched.calls] or self._made.get(name, []) for name in check.statement.binds}
        if self._open:
            self._open[-1].inherit(watched)
        if error is None:
            return False
        self._lost |= check.statement.binds
        return isinstance(error, Exception) and not self._strict

    def _note_failure(self, watched: _Watched, error: BaseException, trace: TracebackType | None) -> None:
        check = watched.check
        check.fate = "failed" if isinstance(error, Exception) else "ended"
        check.hint, check.detail, check.error = _said(error)
        got, expected = ([value for one, _, value in watched.seen if one == role] for role in ("got", "expected"))
        if isinstance(error, AssertionError) and got and expected:
            where = check.detail or where_they_differ(got[0], expected[0])
            check.detail = "\n".join(filter(None, (where, rounding(got[0], expected[0]))))
        seen = [value_of(value, text, role) for role, text, value in watched.seen if role or is_data(value)]
        check.values = tuple(seen) or self._variables(check.statement, trace)
        check.before = tuple(makers(self._test.statements, check.statement))
        names = [name for one in check.before if not one.is_entered for name in sorted(one.binds)]
        earlier = [call for name in names for call in self._made.get(name, ())]
        calls = list(dict.fromkeys([*earlier, *watched.calls]))
        check.more_calls = max(0, len(calls) - MOST_CALLS) + watched.dropped
        check.calls = tuple(calls[-MOST_CALLS:])

    @staticmethod
    def _variables(statement: Statement, trace: TracebackType | None) -> tuple[Value, ...]:
        if trace is None:
            return ()
        frame = trace.tb_frame
        there = {**frame.f_globals, **frame.f_locals}
        names = [name for name in sorted(statement.uses) if name in there and is_data(there[name])]
        shown = [name for name in names if name not in ("student", "reference")]
        return tuple(value_of(there[name], name) for name in shown[:_MOST_NAMES])


@dataclass
class _Watched:
    """One run of a statement; a context manager."""

    recorder: Recorder
    check: Check
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    dropped: int = 0

    def __enter__(self) -> None:
        self.recorder.enter(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return self.recorder.leave(self, error, trace)

    def begun(self, call: Call) -> int:
        """Adds a call, which has not returned yet; returns its position."""
        if len(self.calls) >= MOST_CALLS:
            self.calls.pop(MOST_CALLS // 2)
            self.dropped += 1
        self.calls.append(call)
        return len(self.calls) - 1

    def ended(self, position: int, call: Call) -> None:
        """Adds what the call returned or raised."""
        if position < len(self.calls):
            self.calls[position] = call

    def inherit(self, inner: _Watched) -> None:
        """Takes over the calls of a statement inside this one."""
        for call in inner.calls:
            self.begun(call)
        self.dropped += inner.dropped


def makers(statements: Sequence[Statement], check: Statement) -> list[Statement]:
    """The statements above a check that made what it uses, and the heads of the loops and blocks around them.

    The latest statement that binds a name counts, and earlier ones only if it uses the old value.
    """
    wanted = set(check.uses)
    found: list[Statement] = []
    for one in reversed(statements[: check.number]):
        if one.is_entered:
            if one.first <= check.first <= one.last or any(one.first <= inner.first <= one.last for inner in found):
                found.append(one)
                wanted |= one.uses
        elif not one.is_check and one.binds & wanted:
            found.append(one)
            wanted -= one.binds - one.uses
            wanted |= one.uses
    return found[::-1]


def _said(error: BaseException) -> tuple[str, str, StudentError | None]:
    """The message for students, the difference, and the error of the student's code."""
    if isinstance(error, RemoteError):
        return "the student's code raised an error", "", error.error
    if isinstance(error, checks.CheckFailed):
        return error.hint, error.detail, None
    if isinstance(error, AssertionError):
        return str(error) or "the assertion is false", "", None
    if isinstance(error, TooLateError | ItemTimeoutError):
        return "the time limit ran out in this statement", "", None
    if not isinstance(error, Exception):
        return "the student's process ended in this statement", "", None
    return f"the test could not use the result: {type(error).__name__}: {error}"[:1000], "", None
