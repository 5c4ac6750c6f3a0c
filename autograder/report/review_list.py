"""Lists the submissions that need review, with reasons; also flags and grading times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy

from autograder.core.flags import DESCRIPTIONS, NEEDS_REVIEW, ROUTINE, FlagKind
from autograder.core.results import PHASES, Outcome, Status
from autograder.core.text import listed, printable
from autograder.report.duplicates import Copies
from autograder.report.load import Entry
from autograder.report.metrics import Measured

MOST_SLOW = 10
"""Number of slowest submissions shown."""
MOST_FLAG_MESSAGES = 8
"""Maximum number of different messages shown for one kind of flag."""

_FAILED: Mapping[Status, str] = {
    Status.TIMEOUT: "took too long",
    Status.CRASHED: "crashed",
    Status.OUT_OF_MEMORY: "ran out of memory",
}


@dataclass(frozen=True)
class Because:
    """One reason to review a submission."""

    text: str
    tone: str
    """`bad`, `part` or `wait`, in this order."""


@dataclass(frozen=True)
class ReviewEntry:
    """A submission that needs review."""

    student: str
    reasons: tuple[Because, ...]


@dataclass(frozen=True)
class FlagMessage:
    """A message of one kind of flag, and its students."""

    text: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class FlagGroup:
    """All flags of one kind."""

    kind: str
    words: str
    students: int
    messages: tuple[FlagMessage, ...]
    """Most frequent first."""
    more: int
    """Number of further messages."""
    routine: bool


@dataclass(frozen=True)
class Slow:
    """A submission whose grading took long."""

    student: str
    seconds: float
    mostly: str
    """The longest phase and its seconds; empty if unknown."""


@dataclass(frozen=True)
class Times:
    """Statistics of the grading time."""

    count: int
    """Number of submissions with a measured time, without those from the cache."""
    cached: int
    median: float
    most_of_all: float
    """The 95th percentile in seconds."""
    total: float
    phases: tuple[tuple[str, float], ...]
    """Phase and its median seconds."""
    slowest: tuple[Slow, ...]


def review_list(entries: Sequence[Entry], measures: Measured, copies: Copies) -> tuple[ReviewEntry, ...]:
    """The submissions that need review, most urgent first."""
    reasons: dict[str, list[Because]] = defaultdict(list)
    for entry in entries:
        reasons[entry.student] += _of_grading(entry)
    for students in copies.same_files:
        for student in students:
            reasons[student].append(Because(f"the same file as {_others(students, student)}", "bad"))
    for group in copies.groups:
        for student in group.students:
            reasons[student].append(Because(f"work similar to {_others(group.students, student)}", "part"))
    for student, unexpected in measures.unexpected.items():
        reasons[student].append(Because(f"unexpected number: {listed(unexpected, 1)}", "wait"))
    ranked = {student: tuple(sorted(found, key=_urgency)) for student, found in reasons.items() if found}
    to_review = [ReviewEntry(student, found) for student, found in ranked.items()]
    return tuple(sorted(to_review, key=lambda one: (_urgency(one.reasons[0]), -len(one.reasons), one.student)))


def flag_groups(entries: Iterable[Entry]) -> tuple[FlagGroup, ...]:
    """The flags of a class by kind; routine kinds last."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        for flag in entry.log.flags:
            found[flag.kind][" ".join(flag.message.split())].append(entry.student)
    kinds = []
    for kind, messages in found.items():
        ordered = sorted(messages.items(), key=lambda message: (-len(message[1]), message[0]))
        shown = tuple(
            FlagMessage(printable(text, 220), tuple(dict.fromkeys(students)))
            for text, students in ordered[:MOST_FLAG_MESSAGES]
        )
        count = len({student for students in messages.values() for student in students})
        words = DESCRIPTIONS.get(kind, printable(kind.replace("_", " "), 60))
        kinds.append(FlagGroup(printable(kind, 60), words, count, shown, len(ordered) - len(shown), kind in ROUTINE))
    return tuple(
        sorted(kinds, key=lambda kind: (kind.routine, kind.kind not in NEEDS_REVIEW, -kind.students, kind.kind))
    )


def times(entries: Iterable[Entry]) -> Times | None:
    """Statistics of the grading time, of submissions that could be graded; None if no table has times."""
    timed = [entry for entry in entries if entry.seconds is not None and entry.log.outcome is Outcome.GRADED]
    fresh = [entry for entry in timed if not entry.cached]
    if not timed:
        return None
    if not fresh:
        return Times(0, len(timed), 0.0, 0.0, 0.0, (), ())
    slowest = [Slow(entry.student, entry.seconds or 0.0, _mostly(entry)) for entry in fresh]
    slowest.sort(key=lambda slow: (-slow.seconds, slow.student))
    seconds = [slow.seconds for slow in reversed(slowest)]
    phases = {phase: [entry.phases[phase] for entry in fresh if phase in entry.phases] for phase in PHASES}
    return Times(
        count=len(fresh),
        cached=len(timed) - len(fresh),
        median=median(seconds),
        most_of_all=float(numpy.quantile(seconds, 0.95, method="lower")),
        total=sum(seconds),
        phases=tuple((phase, median(numbers)) for phase, numbers in phases.items() if numbers),
        slowest=tuple(slowest[:MOST_SLOW]),
    )


def _of_grading(entry: Entry) -> list[Because]:
    """The reasons in one log."""
    log = entry.log
    if log.outcome is Outcome.GRADER_ERROR:
        return [Because("grader error: grade it again", "bad")]
    if log.outcome is not Outcome.GRADED:
        return [Because(DESCRIPTIONS[log.outcome], "wait" if log.outcome is Outcome.MISSING else "part")]
    found = [Because("a test has an error of its own: fix it and grade again", "bad")] if log.test_faults else []
    for status, words in _FAILED.items():
        if items := [item.id for item in log.items if item.status is status]:
            found.append(Because(f"{listed(items, 2)} {words}", "part"))
    for kind in NEEDS_REVIEW:
        if log.has(kind):
            found.append(Because(DESCRIPTIONS[kind], "bad" if kind == FlagKind.LOG_TAMPERED else "part"))
    failed = any(item.status is Status.ERROR for item in log.items)
    if failed and log.has(FlagKind.FAILED_CELL):
        found.append(Because("points lost, and a cell failed while it was graded", "part"))
    answered = any(item.status is not Status.MISSING for item in log.items if not item.manual)
    if log.auto_score <= 0 < log.auto_max_score:
        found.append(Because("no point from any test" if answered else "no code was written", "wait"))
    return found


def _others(students: Sequence[str], student: str) -> str:
    return listed([printable(other, 40) for other in students if other != student], 1)


def _urgency(because: Because) -> int:
    return ("bad", "part", "wait").index(because.tone)


def _mostly(entry: Entry) -> str:
    phase = max(entry.phases, key=entry.phases.__getitem__, default="")
    return f"{phase} {entry.phases[phase]:.1f} s" if phase else ""
