"""Turns the error of a test into a verdict with a message that the student may read.

A message from the visible part of a test may show everything. One from the hidden part shows only its author's hint and
the place in the student's own cell, never a number, an input or a line of the test.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.core.results import Status
from autograder.core.software import versions
from autograder.course.markers import HIDDEN, region_lines
from autograder.course.problem import Item
from autograder.grading.failed_cells import with_cause
from autograder.grading.mixed_types import whose_types
from autograder.sandbox.guest.wire import ClosedError, WireError
from autograder.sandbox.proxy import RemoteError
from autograder.sandbox.student_error import Line, StudentError
from homework.checks import CheckFailed, Part

if TYPE_CHECKING:
    from autograder.grading.cell_runner import CellRun
    from autograder.submissions.rebuild import Built

_MOST = 1500
"""Maximum length of a message, in characters."""
_DEPEND_ON_VERSION = ("AttributeError", "ImportError", "ModuleNotFoundError", "TypeError")
"""Errors that a call raises if a library has another version than its caller expects."""
_IN_LOG = "the full message is in your `submission_log.json`, among the answers."


@dataclass(frozen=True)
class Verdict:
    """How an item's test ended."""

    status: Status
    message: str
    fraction: float = 0.0
    """Share of the points, 0 to 1."""


def verdict_of(item: Item, error: Exception | None, parts: Sequence[Part], *, quiet: bool = False) -> Verdict:
    """The verdict on an item.

    Args:
        item: the item.
        error: what its test cell raised; None if it ran to its end.
        parts: results of the cell's parts (`homework.checks.part`).
        quiet: whether visible parts are described like hidden ones, without values and the student's own words.
    """
    failed = [part for part in parts if not part.passed]
    if error is None and not failed:
        return Verdict(Status.PASSED, "All checks passed.", 1.0)
    if error is not None:
        return _failure(item, error, quiet)
    passed_weight = sum(part.weight for part in parts if part.passed)
    assert failed[0].error is not None
    first = _failure(item, failed[0].error, quiet)
    lines = [f"{part.name}: {_failure(item, part.error, quiet).message}" for part in failed if part.error is not None]
    message = "\n".join(lines)[:_MOST]
    if passed_weight == 0:
        return Verdict(first.status, message)
    return Verdict(Status.PARTIAL, message, passed_weight / sum(part.weight for part in parts))


def dead(item: Item, reason: Status, doing: str) -> Verdict:
    """The verdict when the student's process crashed or did not answer in time."""
    if reason is Status.TIMEOUT:
        return Verdict(
            Status.TIMEOUT,
            f"`{item.id}` did not finish in time while {doing}: look for an endless loop or unnecessary work.",
        )
    return Verdict(
        Status.CRASHED,
        f"The Python process of `{item.id}` ended while {doing}: look for exit(), a segmentation fault or far too much "
        "memory.",
    )


def broken_cell(item: Item, error: StudentError, cells: Sequence[Built], runs: Mapping[str, CellRun]) -> Verdict:
    """The verdict when the item's own cell raised an error and so does not define the item.

    Args:
        item: the item.
        error: the error.
        cells: the other cells that were run, in order.
        runs: cell id → its run.
    """
    status = Status.OUT_OF_MEMORY if error.out_of_memory else Status.ERROR
    where = f" in line {error.lines[-1].number}" if error.lines else ""
    text = f": {error.lines[-1].text}" if error.lines and error.lines[-1].text else ""
    message = f"The cell of `{item.id}` could not be run: {_kind(error)}{where}{text}\n{error.detail}"
    return Verdict(status, with_cause(message, cells, runs)[:_MOST])


def not_answered(error: BaseException, verdict: Verdict) -> str:
    """Why there is no answer on per-student inputs, as a sentence; empty if the verdict already says it.

    Args:
        error: the error raised while asking for the answer.
        verdict: the verdict on the item.
    """
    if isinstance(error, RemoteError):
        where = _where(error.error)
        if where in verdict.message:
            is_said = error.error.detail in verdict.message
            return "" if is_said else f"On your per-student inputs the same happens; {_IN_LOG}"
        return f"On your per-student inputs your code raises {where[:_MOST]}; {_IN_LOG}"
    if isinstance(error, ClosedError):
        return "On your per-student inputs the Python process of your code ended."
    if not isinstance(error, Exception):
        return "On your per-student inputs your code did not finish in time."
    return (
        "On your per-student inputs your result could not be used: check its type, its shape, the number of its parts, "
        "and whether a gradient flows through it."
    )


def _failure(item: Item, error: Exception, quiet: bool) -> Verdict:
    hidden = quiet or _is_hidden(item, error)
    if isinstance(error, RemoteError):
        return _raised(item, error.error, error.given, hidden)
    if isinstance(error, CheckFailed):
        hint, detail = error.hint, "" if hidden else error.detail
        return Verdict(Status.FAILED, "\n".join(part for part in (hint, detail) if part)[:_MOST])
    if isinstance(error, AssertionError):
        text = str(error) or f"A check of `{item.id}` failed."
        return Verdict(Status.FAILED, text[:_MOST])
    if isinstance(error, WireError):
        what = f"`{item.id}` returned or passed on a value that is not plain data, a tensor or an array"
        return Verdict(Status.ERROR, f"{what}." if hidden else f"{what} ({error}).")
    if isinstance(error, RuntimeError) and "does not require grad" in str(error):  # this text is torch's
        return Verdict(
            Status.FAILED,
            f"No gradient flows through `{item.id}`: look for detach(), .item(), .data, numpy or no_grad on the way "
            "from its arguments to its result.",
        )
    # the test could not use the returned value, e.g. a tuple where a tensor is expected
    return Verdict(
        Status.FAILED,
        f"What `{item.id}` returned could not be used ({type(error).__name__}); check type, shape and number of "
        "its results.",
    )


def _raised(item: Item, error: StudentError, given: Collection[str], hidden: bool) -> Verdict:
    if error.out_of_memory:
        return Verdict(Status.OUT_OF_MEMORY, f"`{item.id}` asked for more memory than a submission may use.")
    if error.kind == "NotImplementedError":
        *callers, last = error.lines or [Line("", 0, "", "")]
        if last.cell != item.cell.id and any(caller.cell == item.cell.id for caller in callers):
            why = f"`{item.id}` calls `{last.function}`, which is not answered yet: it raises NotImplementedError."
            return Verdict(Status.ERROR, why)
        return Verdict(Status.MISSING, f"Not answered yet: `{item.id}` raises NotImplementedError.")
    message = f"Your code raised {_where(error)}"
    if not hidden and error.detail:
        message += f"\n{error.detail}"
    whose = whose_types(error.detail, given)
    if whose:
        message += f"\n{whose}"
    of_library = error.kind != "AttributeError" or re.match(r"module |('|type object ')Tensor'", error.detail)
    if error.kind in _DEPEND_ON_VERSION and of_library:
        message += f"\nHomework is graded with {versions()}; another version may behave differently."
    if error.kind == "NameError":
        message += "\nGrading does not run the notebook's own cells that install, train, plot or write the log."
    return Verdict(Status.ERROR, message[:_MOST])


def _where(error: StudentError) -> str:
    """The kind and place of the student's error; without its text, which may hold a test's input."""
    if not error.lines:
        return _kind(error)
    _, number, function, text = error.lines[-1]
    return f"{_kind(error)} in `{function}`, line {number} of the cell" + (f": `{text}`" if text else "")


def _kind(error: StudentError) -> str:
    return error.kind if error.kind != "Exception" else "an exception"


def _is_hidden(item: Item, error: Exception) -> bool:
    """Whether the failing statement is inside the test cell's hidden part; true if unclear."""
    if item.test is None:
        return True
    lines = region_lines(item.test.source, HIDDEN)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == f"<{item.test.grade_id}>"
    ]
    return not frames or any(frame.lineno in lines for frame in frames)
