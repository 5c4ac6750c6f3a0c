"""Prepares an inspection for showing: the terminal and the page show the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.core.results import ItemResult, Status
from autograder.core.text import counted, listed, printable
from autograder.inspect.inspection import ItemInspection, UsedCell, in_source
from autograder.inspect.instrument import Statement
from autograder.inspect.recorder import Call, Check
from autograder.inspect.subject import Subject
from autograder.inspect.values import Value
from autograder.sandbox.student_error import StudentError

_MOST_LINES = 200
_MOST_OUTPUT = 40
"""Lines of a cell's output that are shown."""


@dataclass(frozen=True)
class CodeLine:
    """A line of code and its number."""

    number: int
    text: str


@dataclass(frozen=True)
class CallView:
    """A call of the student's code."""

    function: str
    arguments: tuple[Value, ...]
    result: Value | None
    error: tuple[str, ...]
    printed: tuple[str, ...]


@dataclass(frozen=True)
class CheckView:
    """A check that did not pass."""

    where: str
    """Path and line in the source."""
    kind: str
    """`visible` or `hidden`, and the part."""
    fate: str
    """What happened, and whether grading met it."""
    code: tuple[CodeLine, ...]
    made: tuple[CodeLine, ...]
    """The lines above that made its inputs."""
    calls: tuple[CallView, ...]
    more_calls: int
    values: tuple[Value, ...]
    hint: str
    detail: str
    error: tuple[str, ...]


@dataclass(frozen=True)
class CellView:
    """A cell of the student's."""

    title: str
    code: tuple[CodeLine, ...]
    output: tuple[str, ...]
    error: tuple[str, ...]


@dataclass(frozen=True)
class ItemView:
    """An item."""

    id: str
    heading: str
    now: str
    """Score and status of grading it again."""
    recorded: str
    """Score and status in the records; empty if there is none."""
    is_other: bool
    """Whether the two scores differ."""
    by_hand: str
    """What a grader gave; empty if nothing."""
    message: str
    """What the student reads."""
    counts: str
    """How many checks passed and failed."""
    own: CellView | None
    """The item's cell; None for an item that is graded by hand."""
    others: tuple[CellView, ...]
    """The student's other cells that it needs."""
    given: str
    checks: tuple[CheckView, ...]
    skipped: tuple[str, ...]
    agreeing: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    """What may explain the result beside the checks."""
    way: str


@dataclass(frozen=True)
class InspectionView:
    """All that is shown of one submission."""

    student: str
    problem: str
    title: str
    recorded: str
    before: str
    notes: tuple[str, ...]
    items: tuple[ItemView, ...]

    @property
    def has_other_score(self) -> bool:
        """Whether an item has another score than was recorded."""
        return any(item.is_other for item in self.items)


def view_of(subject: Subject, inspections: Sequence[ItemInspection]) -> InspectionView:
    """Prepares the inspection of some items of a submission."""
    recorded, before = subject.recorded, subject.before
    return InspectionView(
        student=printable(subject.student),
        problem=subject.problem.id,
        title=subject.problem.title,
        recorded="" if recorded is None else f"{recorded.score:g} of {recorded.max_score:g} points, {recorded.outcome}",
        before="" if before is None else _before(subject, [one.item.id for one in inspections]),
        notes=subject.notes,
        items=tuple(item_view(subject, one) for one in inspections),
    )


def item_view(subject: Subject, one: ItemInspection) -> ItemView:
    """Prepares one item."""
    recorded = subject.recorded_item(one.item.id)
    is_tested = one.item.kind == "code"
    other = (
        is_tested
        and recorded is not None
        and not recorded.graded_by_hand
        and abs(recorded.score - one.result.score) > 1e-6
    )
    return ItemView(
        id=one.item.id,
        heading=subject.problem.heading(one.item.id),
        now=_points(one.result) if is_tested else "",
        recorded="" if recorded is None else _points(recorded),
        is_other=other,
        by_hand=_by_hand(recorded),
        message=_clean(one.result.message if is_tested else recorded.message if recorded else ""),
        counts=_counts(one) if one.checks else "",
        own=next((_cell(used) for used in one.cells if used.is_own), None),
        others=tuple(_cell(used) for used in one.cells if not used.is_own),
        given=listed(one.given, 12),
        checks=tuple(_check(subject, one, check) for check in one.failed),
        skipped=tuple(_skipped(subject, one)),
        agreeing=one.agreeing,
        remarks=tuple(map(_clean, one.remarks)),
        way=_way(one),
    )


def _points(result: ItemResult) -> str:
    return f"{result.score:g} of {result.max_score:g}, {result.status.replace('_', ' ')}"


def _by_hand(result: ItemResult | None) -> str:
    if result is None or not (result.graded_by_hand or result.comment):
        return ""
    given = f"{result.score:g} points by hand" if result.graded_by_hand else "a comment"
    return _clean(f"{given}: {result.comment}" if result.comment else given)


def _counts(one: ItemInspection) -> str:
    failed, passed = one.count("failed", "ended"), one.count("passed")
    counts = [f"{counted(passed, 'check')} passed", f"{failed} failed"]
    left = one.count("skipped", "not reached")
    return ", ".join([*counts, f"{left} could not run"] if left else counts)


def _way(one: ItemInspection) -> str:
    said = []
    if one.way.whole:
        said.append("all cells of the notebook were run, also those that no item seems to need")
    if one.way.stand_ins:
        said.append(
            f"the reference answered in place of the student's {listed(one.way.stand_ins, 6)}, which did not pass"
        )
    return "; ".join(said)


def _before(subject: Subject, items: Sequence[str]) -> str:
    """Another grading in the cache, in a sentence."""
    assert subject.before is not None
    scores = [f"{item.id} {item.score:g}" for item in subject.before.items if item.id in items]
    is_same = subject.recorded is not None and subject.recorded.notebook_sha256 == subject.before.notebook_sha256
    of = "the same notebook" if is_same else "another notebook"
    return f"The cache has a grading of {of}: {subject.before.score:g} points in all; {listed(scores, 12)}."


def _cell(used: UsedCell) -> CellView:
    run = used.run
    output = _output(run.stdout + run.stderr) if run else ()
    error = tuple(_error(run.raised)) if run and run.raised else ()
    return CellView(used.title, tuple(numbered(used.built.source)), output, error)


def numbered(source: str) -> Iterator[CodeLine]:
    """The lines of a text with their numbers, made printable; at most `_MOST_LINES`."""
    lines = source.rstrip("\n").split("\n")
    for number, line in enumerate(lines[:_MOST_LINES], 1):
        yield CodeLine(number, printable(line.expandtabs(4), 500))
    if len(lines) > _MOST_LINES:
        yield CodeLine(1 + _MOST_LINES, f"… ({len(lines)} lines)")


def _check(subject: Subject, one: ItemInspection, check: Check) -> CheckView:
    statement = check.statement
    line = one.first_line + statement.first
    return CheckView(
        where=in_source(subject.problem, line) if one.first_line else f"line {line} of the test",
        kind=_kind(one, check),
        fate=_fate(one, check),
        code=tuple(_lines(one, [statement])),
        made=tuple(_lines(one, check.before, whole=False)),
        calls=tuple(_call(call) for call in check.calls),
        more_calls=check.more_calls,
        values=check.values,
        hint=_clean(check.hint),
        detail=_clean(check.detail),
        error=tuple(_error(check.error)) if check.error else (),
    )


def _kind(one: ItemInspection, check: Check) -> str:
    which = "hidden" if check.statement.is_hidden else "visible"
    if check.weight is None:
        return f"{which}, outside of parts: a failure costs all points"
    weights = {other.part: other.weight for other in one.checks if other.weight is not None}
    total = sum(weights.values())
    points = one.item.points * check.weight / total
    return f"{which}, part {check.part!r}, weight {check.weight:g} of {total:g} ({points:.3g} points)"


def _fate(one: ItemInspection, check: Check) -> str:
    said = check.hint if check.fate == "ended" else "failed"
    if check.runs > 1:
        said += f", {check.failures} of {check.runs} times; the first is shown"
    if check.statement.number not in one.met:
        said += "; grading stopped before it, and an earlier failure may have changed its inputs"
    return said


def _skipped(subject: Subject, one: ItemInspection) -> Iterator[str]:
    for check in one.checks:
        if check.statement.is_check and check.fate == "skipped":
            where = f"{subject.problem.path.name}:{one.first_line + check.statement.first}"
            yield f"{where} needs {listed(check.lacks, 6)}, which a failed line should have made"


def _lines(one: ItemInspection, statements: Iterable[Statement], *, whole: bool = True) -> Iterator[CodeLine]:
    """The lines of some statements as they stand in the source; of definitions and blocks the heads if not `whole`."""
    assert one.item.test is not None
    lines = one.item.test.source.split("\n")
    for statement in statements:
        last = statement.last if whole else statement.head
        for number in range(statement.first, min(last, statement.first + _MOST_LINES) + 1):
            yield CodeLine(one.first_line + number, lines[number - 1])


def _call(call: Call) -> CallView:
    error = tuple(_error(call.error)) if call.error else ()
    return CallView(call.function, call.arguments, call.result, error, _output(call.printed))


def _output(text: str) -> tuple[str, ...]:
    """The first lines of what code printed."""
    lines = text.splitlines()
    shown = [printable(line, 300) for line in lines[:_MOST_OUTPUT]]
    return (*shown, f"… ({len(lines)} lines)") if len(lines) > _MOST_OUTPUT else tuple(shown)


def _error(error: StudentError) -> Iterator[str]:
    """A traceback through the student's cells; the innermost call last."""
    for line in error.lines:
        yield f"cell {line.cell}, line {line.number}, in {printable(line.function)}: {printable(line.text, 200)}"
    yield f"{error.kind}: {printable(error.detail, 1_000)}" if error.detail else error.kind


def _clean(text: str) -> str:
    """The text without control characters, line by line."""
    return "\n".join(printable(line, 1_000) for line in text.split("\n"))


def compared(old: ItemInspection, new: ItemInspection) -> tuple[str, ...]:
    """What a corrected answer changes, as sentences."""
    said = [f"score: {_points(old.result)} → {_points(new.result)}"]
    if old.checks and new.checks:
        said.append(f"checks: {_counts(old)} → {_counts(new)}")
    lines = {check.statement.number: check.statement.first + old.first_line for check in old.checks}
    bad_before = {check.statement.number for check in old.checks if check.is_bad}
    bad_now = {check.statement.number for check in new.checks if check.is_bad}
    for word, numbers in (
        ("passes now", {n for n in bad_before - bad_now if new.checks and new.checks[n].fate == "passed"}),
        ("still fails", bad_before & bad_now),
        ("fails only now", bad_now - bad_before),
    ):
        if numbers:
            places = [f"line {lines.get(n, new.checks[n].statement.first + new.first_line)}" for n in sorted(numbers)]
            said.append(f"{word}: {listed(places, 20)}")
    if old.result.status is Status.PASSED and new.result.status is Status.PASSED:
        said.append("both pass all checks")
    return tuple(said)
