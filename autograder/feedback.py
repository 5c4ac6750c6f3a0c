"""The page a student gets back: what earned points, what did not, and what to look at next.

One self-contained file: no scripts, nothing loaded from anywhere (its content security policy says so), readable on a
phone, in the dark and on paper. It shows the item messages, which name likely mistakes; hidden tests never reach it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from autograder.pages import style, template, with_code
from autograder.problem import Item, Problem
from autograder.results import GradedLog, ItemResult, Outcome, Status
from autograder.variants import misconception_text

_WORDS = {
    Status.PASSED: "Full marks",
    Status.PARTIAL: "Partly right",
    Status.FAILED: "Not right yet",
    Status.ERROR: "Stopped with an error",
    Status.TIMEOUT: "Took too long",
    Status.OUT_OF_MEMORY: "Ran out of memory",
    Status.CRASHED: "Ended the program",
    Status.MISSING: "Nothing to grade",
    Status.MANUAL: "Waits for a person",
}

_ADVICE = {
    Status.PARTIAL: "The other parts of the test pass.",
    Status.FAILED: "Does the test cell in your notebook pass? Then try inputs of your own: other shapes, negative and "
    "very large numbers.",
    Status.ERROR: "Restart the kernel and run the notebook from top to bottom; the error shows up there, too.",
    Status.OUT_OF_MEMORY: "Look for a tensor that is larger than it needs to be; print shapes where you broadcast.",
}

_OUTCOMES = {
    Outcome.MISSING: (
        "We found no notebook.",
        "Nothing was handed in under this problem's name. If you did hand something in, tell your teaching assistant.",
    ),
    Outcome.UNREADABLE: (
        "We could not open your notebook.",
        "The file is no complete notebook; the upload or the download may have broken off. Open it in Jupyter or "
        "Colab, save it, and hand it in again.",
    ),
    Outcome.WRONG_NOTEBOOK: (
        "This seems to be the notebook of another problem.",
        "Check which file you uploaded, and hand in the one with this problem's name.",
    ),
    Outcome.GRADER_ERROR: (
        "Grading went wrong on our side.",
        "This is not your fault and costs you nothing. The teaching assistants have been told and will grade it again.",
    ),
}


@dataclass(frozen=True)
class ItemView:
    """One item as the page shows it."""

    id: str
    heading: str
    """The heading under which the item stands in the notebook; empty if there is none."""
    kind: str
    points: str
    """e.g. `3 of 4 points`."""
    tone: str
    """`good`, `part`, `bad` or `wait`: colour and mark."""
    words: str
    """The status in words."""
    message: Markup
    misconception: Markup
    advice: str


def feedback_html(log: GradedLog, problem: Problem) -> str:
    """The feedback page of one submission.

    Args:
        log: what grading found.
        problem: the problem, for its title and headings.

    Returns:
        A complete HTML document, the same bytes for the same input.
    """
    outcome = _OUTCOMES.get(log.outcome)
    items = [_view(result, problem, alone=outcome is None) for result in log.items]
    waiting = sum(item.max_score for item in log.items if item.status is Status.MANUAL)
    sheet = style("page.css", "feedback.css")
    return template("feedback.html").render(
        title=problem.title,
        student=log.student,
        problem=problem.id,
        graded=_date(log.created_at),
        score=f"{log.score:g}",
        maximum=f"{log.max_score:g}",
        waiting=f"{waiting:g}" if waiting else "",
        bar=_bar(log.score, waiting, log.max_score),
        items=items,
        outcome=outcome,
        reason=with_code(_shared_message(log)) if outcome else "",
        repairs=[with_code(flag.message) for flag in log.flags if flag.kind == "repaired"],
        style=sheet.text,
        style_hash=sheet.hash,
    )


def _view(result: ItemResult, problem: Problem, *, alone: bool) -> ItemView:
    """The item; not `alone` when the notebook as a whole could not be graded and the page says so at its top."""
    item = next((item for item in problem.items if item.id == result.id), None)
    known = misconception_text(problem, result.id, result.misconception) or result.misconception.replace("_", " ")
    kind = item.kind if item else "code"
    words = _WORDS[result.status]
    if kind != "code" and result.status in (Status.PASSED, Status.PARTIAL, Status.FAILED):
        words = "Read by a person"
    return ItemView(
        id=result.id,
        heading=_heading(problem, item) if item else "",
        kind=kind,
        points=_points(result),
        tone=_tone(result),
        words=words,
        message=with_code(result.message if alone and result.status is not Status.MANUAL else ""),
        misconception=with_code(known),
        advice=_ADVICE.get(result.status, "") if alone and kind == "code" and not known else "",
    )


def _shared_message(log: GradedLog) -> str:
    """What all items say, when the notebook as a whole could not be graded; empty if they differ."""
    messages = {result.message for result in log.items}
    return messages.pop() if len(messages) == 1 else ""


def _points(result: ItemResult) -> str:
    noun = "point" if result.max_score == 1 else "points"
    earned = "up to" if result.status is Status.MANUAL else f"{result.score:g} of"
    return f"{earned} {result.max_score:g} {noun}"


def _tone(result: ItemResult) -> str:
    if result.status is Status.MANUAL:
        return "wait"
    if result.score >= result.max_score:
        return "good"
    return "part" if result.score > 0 else "bad"


def _heading(problem: Problem, item: Item) -> str:
    """The last heading above the item's cell."""
    heading = ""
    for cell in problem.cells:
        if cell is item.cell:
            break
        if cell.cell_type == "markdown":
            found = re.findall(r"^#{2,6}\s+(.+)$", cell.source, flags=re.MULTILINE)
            heading = found[-1].strip() if found else heading
    return heading.replace("`", "")


def _bar(score: float, waiting: float, maximum: float) -> tuple[str, str]:
    """Widths, in per cent, of what is earned and of what waits for a person."""
    if maximum <= 0:
        return "0", "0"
    return f"{100 * min(score / maximum, 1):.1f}", f"{100 * min(waiting / maximum, 1):.1f}"


def _date(created_at: str) -> str:
    try:
        when = datetime.fromisoformat(created_at)
    except ValueError:
        return created_at
    return f"{when.day} {when:%B %Y, %H:%M} UTC"
