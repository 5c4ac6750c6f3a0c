"""Builds the feedback page of a student: which items earned points, which did not, and what to look at next.

One self-contained file: no scripts and no external resources (its content security policy forbids them), readable on a
phone, in dark mode and on paper. It shows the item messages, which name likely mistakes; it never shows hidden tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from autograder.core.counts import Counts
from autograder.core.flags import FlagKind
from autograder.core.html import style, template, with_code
from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.course.problem import Problem
from autograder.course.regrades import Regrade
from autograder.feedback.item import view_of

if TYPE_CHECKING:
    from autograder.submissions.metrics import MetricInWords

_OUTCOMES = {
    Outcome.MISSING: (
        "We found no notebook.",
        "Nothing was submitted under this problem's name. If you did submit a notebook, tell your teaching assistant.",
    ),
    Outcome.UNREADABLE: (
        "We could not open your notebook.",
        "The file is not a complete notebook; an upload or download may have been interrupted. Open it in Jupyter or "
        "Colab, save it, and submit it again.",
    ),
    Outcome.WRONG_NOTEBOOK: (
        "This seems to be the notebook of another problem.",
        "Check which file you uploaded, and submit the one with this problem's name.",
    ),
    Outcome.GRADER_ERROR: (
        "The autograder failed on your submission.",
        "This is not your fault and costs you no points. The course staff must grade it again.",
    ),
}

_LOG_IS: Mapping[str, str] = {FlagKind.NO_LOG: "was not submitted", FlagKind.LOG_UNUSABLE: "could not be used"}
"""Flag → description of the student's log."""


def feedback_html(log: GradedLog, problem: Problem, *, counts: str = "", regrades: Sequence[Regrade] = ()) -> str:
    """Builds the feedback page of one submission.

    Args:
        counts: how the score counts in the course, in sentences: curve and late penalty.
        regrades: the student's regrade requests about this problem.

    Returns:
        A complete HTML document, the same bytes for the same input.
    """
    outcome = _OUTCOMES.get(log.outcome)
    waiting = [item for item in log.items if item.status is Status.MANUAL]
    lost = [item for item in log.items if item.score < item.max_score and item.status is not Status.MANUAL]
    dropped = [item for item in log.items if item.is_dropped]
    tested = [item for item in log.items if not item.manual and not item.is_dropped]
    views = {item.id: view_of(item, problem, f"item-{number}") for number, item in enumerate(log.items, start=1)}
    open_points = sum(item.max_score - item.score for item in waiting)
    log_is = next((_LOG_IS[flag.kind] for flag in log.flags if flag.kind in _LOG_IS), "")
    sheet = style("page.css", "feedback.css")
    return template("feedback.html").render(
        title=problem.title,
        student=log.student,
        problem=problem.id,
        written="" if log_is or not problem.has_log else _date(log.created_at),
        log_is="" if outcome else log_is,
        untouched=log.outcome is Outcome.GRADED and all(item.status is Status.MISSING for item in log.items),
        counts=counts,
        score=f"{log.score:g}",
        maximum=f"{log.max_score:g}",
        waiting=f"{open_points:g}" if open_points else "",
        bar=_bar(log.score, open_points, log.max_score),
        tested=len(tested),
        right=sum(item.score >= item.max_score for item in tested),
        first=[views[item.id] for item in _in_order_of_gain(lost)],
        lost=[views[item.id] for item in lost],
        waits=[views[item.id] for item in waiting],
        done=[views[item.id] for item in log.items if item not in (*lost, *waiting, *dropped)],
        dropped=[views[item.id] for item in dropped],
        bonus=[views[item.id] for item in log.items if item.counts is Counts.BONUS],
        all_items=list(views.values()),
        names={item: view.anchor for item, view in views.items()},
        has_output=next((item.id for item in lost if item.output), ""),
        student_literal=repr(log.student),
        outcome=outcome,
        reason=with_code(_shared_message(log)) if outcome else "",
        repairs=[with_code(flag.message) for flag in log.flags if flag.kind == FlagKind.REPAIRED],
        failed=[with_code(flag.message) for flag in log.flags if flag.kind == FlagKind.FAILED_CELL],
        pictures=[with_code(flag.message) for flag in log.flags if flag.kind == FlagKind.PICTURE],
        regrades=[_regrade(one) for one in regrades],
        numbers=() if log_is or outcome else _numbers(log, problem),
        profile=log.profile,
        sheet=sheet,
    )


def _regrade(one: Regrade) -> tuple[str, str, Markup, Markup]:
    """Item, decision, request and reason."""
    decision = "not decided yet" if one.decision is None else str(one.decision)
    return one.item, decision, with_code(one.note), with_code(one.reason)


def _numbers(log: GradedLog, problem: Problem) -> tuple[MetricInWords, ...]:
    """The metrics in a log beside their expected ranges."""
    from autograder.course.metric_ranges import declared_ranges
    from autograder.submissions.metrics import metrics_in_words  # imports the students' package, and with it numpy

    return metrics_in_words(log.metrics, declared_ranges(problem), log.profile)


def _in_order_of_gain(lost: Sequence[ItemResult]) -> list[ItemResult]:
    """Sorts items by points to gain, most first, but an item that another one uses comes before it."""
    by_id = {item.id: item for item in lost}
    order: dict[str, ItemResult] = {}

    def add(item: ItemResult, above: frozenset[str]) -> None:
        for used in item.depends_on:
            if used in by_id and used not in above:
                add(by_id[used], above | {used})
        order.setdefault(item.id, item)

    for item in sorted(lost, key=lambda item: item.score - item.max_score):
        add(item, frozenset({item.id}))
    return list(order.values())


def _shared_message(log: GradedLog) -> str:
    """The message that all items share when the whole notebook could not be graded; empty if they differ."""
    messages = {result.message for result in log.items}
    return messages.pop() if len(messages) == 1 else ""


def _bar(score: float, waiting: float, maximum: float) -> tuple[str, str]:
    """Widths, in per cent, of the points earned and of the points that need manual grading."""
    if maximum <= 0:
        return "0", "0"
    return f"{100 * min(score / maximum, 1):.1f}", f"{100 * min(waiting / maximum, 1):.1f}"


def _date(created_at: str) -> str:
    try:
        when = datetime.fromisoformat(created_at).astimezone(UTC)
    except (ValueError, OverflowError):
        return created_at
    return f"{when.day} {when:%B %Y, %H:%M} UTC" if when.timestamp() else ""  # timestamp 0 stands for an unknown time
