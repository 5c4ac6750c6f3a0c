"""Statistics of a class: points, outcomes and open manual grading; per item also why points were lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from autograder.core.counts import Counts
from autograder.core.results import ItemResult, Outcome, Status
from autograder.core.text import printable
from autograder.course.problem import Item, Problem
from autograder.course.variants import variants
from autograder.report.charts import Bar, Histogram, points_histogram, stacked
from autograder.report.load import Entry

MOST_MESSAGES = 5
"""Maximum number of other messages shown for one item."""
LONGEST_MESSAGE = 220

OUTCOME_WORDS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.GRADED: ("graded", "good"),
    Outcome.MISSING: ("no notebook", "rest"),
    Outcome.UNREADABLE: ("unreadable", "part"),
    Outcome.WRONG_NOTEBOOK: ("wrong notebook", "part"),
    Outcome.GRADER_ERROR: ("grader error", "bad"),
}
_HOW: Mapping[Status, tuple[str, str]] = {
    Status.PASSED: ("full marks", "good"),
    Status.PARTIAL: ("some points", "part"),
    Status.FAILED: ("no points", "bad"),
    Status.ERROR: ("stopped with an error", "error"),
    Status.CRASHED: ("crashed or out of memory", "crash"),
    Status.OUT_OF_MEMORY: ("crashed or out of memory", "crash"),
    Status.TIMEOUT: ("took too long", "slow"),
    Status.MISSING: ("not answered", "rest"),
    Status.MANUAL: ("needs manual grading", "wait"),
    Status.GRADER_ERROR: ("the test has an error", "error"),
}


@dataclass(frozen=True)
class Points:
    """The distribution of one kind of points over the class."""

    title: str
    most: float
    median: float
    mean: float
    best: int
    """Submissions with full marks."""
    none: int
    """Submissions with no points."""
    count: int
    chart: Histogram


@dataclass(frozen=True)
class Reason:
    """A message, and the students who got it."""

    text: str
    """The sentence that explains a misconception, or the first line of a message."""
    students: tuple[str, ...]
    name: str = ""
    """Name of the known misconception; empty for a plain message."""


@dataclass(frozen=True)
class ItemSummary:
    """Statistics of one item."""

    id: str
    kind: str
    most: float
    full: int
    """Submissions with full marks."""
    judged: int
    """Submissions whose item does not need manual grading."""
    waiting: int
    mean: float | None
    """Mean points of those submissions; None if there are none."""
    seconds: float | None
    """Median time of its test and its answers on per-student inputs; None if no table has it."""
    parts: tuple[tuple[str, int, str], ...]
    """Result in words, count, style class."""
    bar: tuple[Bar, ...]
    usual: str
    """The most frequent way to lose points; empty if all got full marks."""
    misconceptions: tuple[Reason, ...]
    """Known misconceptions, most frequent first."""
    messages: tuple[Reason, ...]
    """Other messages, most frequent first."""
    more_messages: int
    """Number of submissions whose message is not listed."""
    counts: Counts = Counts.NORMALLY


@dataclass(frozen=True)
class Scores:
    """Statistics of one problem."""

    submissions: int
    graded: int
    outcomes: tuple[tuple[str, int, str], ...]
    """Outcome in words, count, style class."""
    outcome_bar: tuple[Bar, ...]
    points: tuple[Points, ...]
    """Points from tests; if there are manual scores, then also manual points and the total."""
    manual_most: float
    """Maximum of the manual points."""
    waiting: int
    """Submissions of which a part needs manual grading."""
    waiting_items: tuple[str, ...]
    items: tuple[ItemSummary, ...]
    """Those that count."""
    dropped: tuple[str, ...] = ()
    """Ids of the items that count for no student."""


def summarise(problem: Problem, entries: Sequence[Entry]) -> Scores:
    """Statistics of one problem; distributions cover the submissions that could be graded."""
    graded = [entry for entry in entries if entry.log.outcome is Outcome.GRADED]
    outcomes = Counter(entry.log.outcome for entry in entries)
    shown = tuple((words, outcomes[one], tone) for one, (words, tone) in OUTCOME_WORDS.items() if outcomes[one])
    waiting = {item.id for entry in graded for item in entry.log.items if item.status is Status.MANUAL}
    return Scores(
        submissions=len(entries),
        graded=len(graded),
        outcomes=shown,
        outcome_bar=stacked(shown),
        points=_points(graded),
        manual_most=sum(item.worth for item in problem.items if item.kind != "code"),
        waiting=sum(any(item.status is Status.MANUAL for item in entry.log.items) for entry in graded),
        waiting_items=tuple(item.id for item in problem.items if item.id in waiting),
        items=tuple(_item(problem, item, graded) for item in problem.items if not item.is_dropped),
        dropped=tuple(item.id for item in problem.items if item.is_dropped),
    )


def _points(graded: Sequence[Entry]) -> tuple[Points, ...]:
    if not graded:
        return ()
    logs = [entry.log for entry in graded]
    most = max(log.auto_max_score for log in logs)
    found = [_spread("Points for tested items", [log.auto_score for log in logs], most)]
    read = [log for log in logs if not any(item.status is Status.MANUAL for item in log.items)]
    if any(item.manual and item.status is not Status.MISSING for log in read for item in log.items):
        most = max(log.max_score - log.auto_max_score for log in read)
        found.append(_spread("Points from manual grading", [log.score - log.auto_score for log in read], most))
        found.append(_spread("All points", [log.score for log in read], max(log.max_score for log in read)))
    return tuple(points for points in found if points.most > 0)


def _spread(title: str, points: Sequence[float], most: float) -> Points:
    return Points(
        title=title,
        most=most,
        median=median(points),
        mean=sum(points) / len(points),
        best=sum(point >= most for point in points),
        none=sum(point <= 0 for point in points),
        count=len(points),
        chart=points_histogram(points, most or 1.0),
    )


def _item(problem: Problem, item: Item, graded: Sequence[Entry]) -> ItemSummary:
    results = [(entry.student, result) for entry in graded for result in entry.log.items if result.id == item.id]
    judged = [result for _, result in results if result.status is not Status.MANUAL]
    ways = Counter(_way(result) for _, result in results)
    parts = tuple((words, ways[words, tone], tone) for words, tone in dict.fromkeys(_HOW.values()) if ways[words, tone])
    seconds = [entry.items[item.id] for entry in graded if item.id in entry.items]
    lost = [part for part in parts if part[0] not in ("full marks", "needs manual grading")]
    known, other = _reasons(problem, item, results)
    return ItemSummary(
        id=item.id,
        kind=item.kind,
        most=item.points,
        full=sum(result.score >= result.max_score for result in judged),
        judged=len(judged),
        waiting=len(results) - len(judged),
        mean=sum(result.score for result in judged) / len(judged) if judged else None,
        seconds=median(seconds) if seconds else None,
        parts=parts,
        bar=stacked(parts),
        usual=max(lost, key=lambda part: part[1])[0] if lost else "",
        misconceptions=known,
        messages=other[:MOST_MESSAGES],
        more_messages=sum(len(reason.students) for reason in other[MOST_MESSAGES:]),
        counts=item.counts,
    )


def _way(result: ItemResult) -> tuple[str, str]:
    """Classifies an item's result by its points, or by its status where that says more."""
    if result.status in (Status.PASSED, Status.PARTIAL, Status.FAILED):
        if result.score >= result.max_score:
            return _HOW[Status.PASSED]
        return _HOW[Status.PARTIAL if result.score > 0 else Status.FAILED]
    return _HOW[result.status]


def _reasons(
    problem: Problem, item: Item, results: Sequence[tuple[str, ItemResult]]
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Known misconceptions and other messages of the students who lost points."""
    sentences = {variant.slug: variant.text for variant in variants(problem, "wrong") if variant.item == item.id}
    known, other = defaultdict(list), defaultdict(list)
    for student, result in results:
        if result.manual or result.score >= result.max_score or result.status is Status.MISSING:
            continue
        for slug in result.misconceptions:
            known[slug].append(student)
        if not result.misconceptions:
            lines = result.message.strip().splitlines()  # later lines have numbers that differ between students
            other[lines[0].strip() if lines else ""].append(student)
    named = [
        Reason(sentences.get(slug, slug.replace("_", " ")), tuple(students), printable(slug))
        for slug, students in known.items()
    ]
    plain = [Reason(printable(text, LONGEST_MESSAGE), tuple(students)) for text, students in other.items()]
    return _ordered(named), _ordered(plain)


def _ordered(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda reason: (-len(reason.students), reason.text)))
