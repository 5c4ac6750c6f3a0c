"""Prepares one graded item for the feedback page: status in words, and a hint."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from autograder.core import rubric_lines
from autograder.core.counts import Counts
from autograder.core.html import with_code
from autograder.core.results import DROPPED, STALE, ItemResult, Status
from autograder.core.rubric_lines import RubricLine
from autograder.core.text import counted
from autograder.course.item_parts import is_only_hidden
from autograder.course.problem import Item, Problem
from autograder.course.variants import misconception_text

_WORDS = {
    Status.PASSED: "Full marks",
    Status.PARTIAL: "Partly right",
    Status.FAILED: "Not right yet",
    Status.ERROR: "Stopped with an error",
    Status.TIMEOUT: "Took too long",
    Status.OUT_OF_MEMORY: "Ran out of memory",
    Status.CRASHED: "Crashed",
    Status.MISSING: "Nothing to grade",
    Status.MANUAL: "Needs manual grading",
    Status.GRADER_ERROR: "Not tested",
}

_DROPPED = "Dropped"

_TEST_CELL = "Run the test cell below your answer: where it fails, it names the likely mistake."
_ADVICE = {
    Status.PARTIAL: f"The other parts of the test pass. {_TEST_CELL}",
    Status.FAILED: f"{_TEST_CELL} If it passes, try inputs of your own: other shapes, negative and very large numbers.",
    Status.ERROR: "Restart the kernel and run the notebook from top to bottom. If the error does not appear there, "
    "grading lacks something that your machine has: tell your teaching assistant.",
    Status.TIMEOUT: "Run the test cell below your answer. If it hangs there, too: does every `while` condition "
    "become false, and does every recursion end? If it is only slow: use one operation on a whole tensor, not a "
    "loop over its elements.",
    Status.CRASHED: "Restart the kernel and run the test cell below your answer. If the kernel stops there, too, "
    "remove lines until it keeps running: the last line that you removed is the cause.",
    Status.OUT_OF_MEMORY: "Look for a tensor that is larger than needed; print the shapes where tensors broadcast.",
    Status.MISSING: "Start with the worked example in the text above the task. Then run the test cell below it "
    "and fix one message after the other.",
}


_HIDDEN = (
    "The test cell below your answer passes here: what fails is tested on other inputs. Try inputs of your own, other "
    "shapes, negative and very large numbers, and compare each with the formula in the text."
)
"""In place of `_TEST_CELL` where only hidden tests fail."""


@dataclass(frozen=True)
class ItemView:
    """One item in the form that the page's template uses."""

    anchor: str
    """Anchor name for the page's summary."""
    id: str
    heading: str
    """The heading above the item in the notebook; its id if there is none."""
    points: str
    """e.g. `3 of 4 points`."""
    gain: str
    """Points lost, e.g. `2 points`; empty if none, or while the item needs manual grading."""
    tone: str
    """`good`, `part`, `bad` or `wait`; selects colour and symbol."""
    words: str
    """The status in words."""
    misconceptions: tuple[Markup, ...]
    """The known mistake behind the answer, or those behind different parts of it."""
    message: Markup
    rubric: tuple[RubricLine, ...]
    """The rubric items by which the answer was graded."""
    comment: str
    """The grader's comment."""
    output: tuple[Markup, ...]
    """Compares the student's answer on the per-student inputs with the right one."""
    depends_on: tuple[str, ...]
    """Items to fix first."""
    advice: Markup
    """A hint at what to look at."""


def view_of(result: ItemResult, problem: Problem, anchor: str) -> ItemView:
    """The view of an item of a notebook that could be graded."""
    item = next((item for item in problem.items if item.id == result.id), None)
    by_hand = item is not None and item.kind != "code"
    is_done = result.score >= result.max_score or result.status is Status.MANUAL
    known = [misconception_text(problem, result.id, one) or one.replace("_", " ") for one in result.misconceptions]
    message, tests_agree = result.verdict, True
    words = _DROPPED if result.is_dropped else _WORDS[result.status]
    if by_hand and result.status in (Status.PASSED, Status.PARTIAL, Status.FAILED, Status.MANUAL):
        message = STALE if result.stale else ""
        words = words if result.status is Status.MANUAL or result.is_dropped else "Graded by hand"
    elif result.graded_by_hand:
        words = f"{words}; manual score"
        tests_agree = bool(message)
    elif result.status is Status.PASSED:
        message = ""
    missing = result.max_score - result.score
    rubric, comment = rubric_lines.read(result.comment)
    return ItemView(
        anchor=anchor,
        id=result.id,
        heading=problem.heading(result.id),
        points=_points(result),
        gain="" if is_done else counted(f"{missing:g}", "point"),
        tone=_tone(result),
        words=words,
        misconceptions=() if is_done else tuple(map(with_code, known)),
        message=with_code(DROPPED if result.is_dropped else message),
        rubric=rubric,
        comment=comment,
        output=() if is_done else tuple(with_code(line) for line in result.output),
        depends_on=() if is_done else result.depends_on,
        advice=with_code("" if is_done or by_hand or not tests_agree else _advice(result, item)),
    )


def _advice(result: ItemResult, item: Item | None) -> str:
    if result.status in (Status.PARTIAL, Status.FAILED) and item is not None and is_only_hidden(item, result.verdict):
        return f"The other parts of the test pass. {_HIDDEN}" if result.status is Status.PARTIAL else _HIDDEN
    return _ADVICE.get(result.status, "")


def _points(result: ItemResult) -> str:
    if result.is_dropped:
        return "no points"
    bonus = "bonus " if result.counts is Counts.BONUS else ""
    most = counted(f"{result.max_score:g}", f"{bonus}point")
    if result.status is not Status.MANUAL:
        return f"{result.score:g} of {most}"
    return f"{result.score:g} of {most} so far" if result.score else f"up to {most}"


def _tone(result: ItemResult) -> str:
    if result.is_dropped:
        return "wait"
    if result.status is Status.MANUAL:
        return "wait"
    if result.score >= result.max_score:
        return "good"
    return "part" if result.score > 0 else "bad"
