"""Turns the error of a test into a verdict with a message that the student may read.

A message from the visible part of a test may show everything. One from the hidden part shows only its author's hint and
the place in the student's own cell, never a number, an input or a line of the test.
"""

from __future__ import annotations

import ast
import functools
import re
import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autograder.core.results import Status
from autograder.core.software import versions
from autograder.course.item_parts import weights_of
from autograder.course.problem import Item
from autograder.course.python_cells import syntax_tree
from autograder.grading.failed_cells import with_cause
from autograder.grading.mixed_types import whose_types
from autograder.sandbox.guest.wire import WireError
from autograder.sandbox.proxy import RemoteError
from autograder.sandbox.student_error import Line, StudentError
from homework.checks import CheckFailed, Part

if TYPE_CHECKING:
    from autograder.grading.cell_runner import CellRun
    from autograder.submissions.rebuild import Built

WRONG = (Status.PARTIAL, Status.FAILED, Status.ERROR)
"""Statuses of code that answered its test, and lost points."""
ANSWERED = (Status.PASSED, *WRONG)
"""Statuses of code that answered its test."""
_NOT_REACHED = "The test did not come to this part; what failed above is the reason."
_MOST = 1500
"""Maximum length of a message, in characters."""
_DEPEND_ON_VERSION = ("AttributeError", "ImportError", "ModuleNotFoundError", "TypeError")
"""Errors that a call raises if a library has another version than its caller expects."""


@dataclass(frozen=True)
class Verdict:
    """How an item's test ended."""

    status: Status
    message: str
    fraction: float = 0.0
    """Share of the points, 0 to 1."""
    fault: str = ""
    """What is wrong in the test itself, in words for staff; empty if nothing is known to be."""

    @property
    def first_line(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    def score(self, points: float) -> float:
        """The score of an item that is worth so many points."""
        return round(points * self.fraction, 6)

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain JSON."""
        record = {"status": str(self.status), "message": self.message, "fraction": self.fraction}
        return record | ({"fault": self.fault} if self.fault else {})

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> Verdict:
        """Reads what `as_json` made."""
        return Verdict(Status(record["status"]), record["message"], record["fraction"], record.get("fault", ""))


def verdict_of(
    item: Item, error: Exception | None, visible: Sequence[Part], hidden: Sequence[Part], *, quiet: bool = False
) -> Verdict:
    """The verdict on an item.

    Args:
        item: the item.
        error: what its test cell raised outside of the parts; None if it ran to its end.
        visible: results of the parts (`homework.checks.part`) whose messages may show everything.
        hidden: results of those that are described without values and the student's own words.
        quiet: whether `error` is described like a hidden part.
    """
    if error is not None:
        return _failure(item, error, quiet)
    failed = [
        (part.name, _failure(item, part.error, is_quiet))
        for parts, is_quiet in ((visible, False), (hidden, True))
        for part in parts
        if part.error is not None
    ]
    reached = {part.name for part in (*visible, *hidden)}
    left_out = {name: weight for name, weight in weights_of(item).items() if name not in reached}
    failed += [(name, Verdict(Status.FAILED, _NOT_REACHED)) for name in left_out]
    if not failed:
        return Verdict(Status.PASSED, "All checks passed.", 1.0)
    message = "\n".join(f"{name}: {verdict.message}" for name, verdict in failed)
    if len(message) > _MOST:  # so that every part is named
        message = "\n".join(f"{name}: {verdict.first_line}" for name, verdict in failed)
    message = message[:_MOST]
    passed, total = (
        sum(part.weight for part in (*visible, *hidden) if part.passed or every) for every in (False, True)
    )
    total += sum(left_out.values())
    return Verdict(Status.PARTIAL, message, passed / total) if passed else Verdict(failed[0][1].status, message)


def untested(item: Item, fault: str) -> Verdict:
    """The verdict when the test itself has an error: the student loses nothing."""
    message = f"The test of `{item.id}` has an error of its own. It is not your fault and costs you no points."
    return Verdict(Status.GRADER_ERROR, message, 1.0, fault)


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


def place_of(error: StudentError) -> str:
    """The kind and place of the student's error; without its text, which may hold a test's input."""
    if not error.lines:
        return _kind(error)
    _, number, function, text = error.lines[-1]
    return f"{_kind(error)} in `{function}`, line {number} of the cell" + (f": `{text}`" if text else "")


def _failure(item: Item, error: Exception, quiet: bool) -> Verdict:
    if isinstance(error, RemoteError):
        failed = _failed_in_process(item, error.error, quiet)
        return failed or _raised(item, error.error, error.given, quiet)
    if isinstance(error, CheckFailed):
        hint, detail = error.hint, "" if quiet else error.detail
        return Verdict(Status.FAILED, "\n".join(part for part in (hint, detail) if part)[:_MOST])
    if isinstance(error, AssertionError):
        line = "" if quiet else _line_of_test(item, error)
        said = str(error) if not quiet or str(error) in _texts(item) else ""  # a message made of values tells them
        text = said or f"A check of `{item.id}` failed" + (f": `{line}`" if line else ".")
        return Verdict(Status.FAILED, text[:_MOST])
    if isinstance(error, WireError):
        what = f"`{item.id}` returned or passed on a value that is not plain data, a tensor or an array"
        return Verdict(Status.ERROR, f"{what}." if quiet else f"{what} ({error}).")
    if isinstance(error, RuntimeError) and "does not require grad" in str(error):  # this text is torch's
        return Verdict(
            Status.FAILED,
            f"No gradient flows through `{item.id}`: look for detach(), .item(), .data, numpy or no_grad on the way "
            "from its arguments to its result.",
        )
    # the test could not use the returned value, e.g. a tuple where a tensor is expected
    return Verdict(
        Status.FAILED,
        f"What the test got from `{item.id}` could not be used ({type(error).__name__}); check the type and shape, "
        "and the number of results.",
    )


def hidden_check(item_id: str) -> str:
    """All that is said where a hidden check inside the student's process failed."""
    return f"A hidden check of `{item_id}` failed."


@functools.lru_cache(maxsize=256)
def _texts(item: Item) -> frozenset[str]:
    """The texts that an item's test has as a whole."""
    tree = syntax_tree(item.test.source) if item.test else None
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)) if tree else ()
    return frozenset(value for value in constants if isinstance(value, str))


def _line_of_test(item: Item, error: Exception) -> str:
    """The line of the item's test that raised an error; empty if it is not known."""
    file = f"<{item.test.grade_id}>" if item.test else ""
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] or "" if lines else ""


def _failed_in_process(item: Item, error: StudentError, quiet: bool) -> Verdict | None:
    """The verdict where a line of a test inside the student's process failed; None where the student's code raised."""
    if item.test is None or not item.is_in_process:
        return None
    if quiet:  # in any case: the process knows the checks' text, and could tell it by how it fails
        return Verdict(Status.FAILED, hidden_check(item.id))
    if error.out_of_memory or error.kind == "NotImplementedError":
        return None
    if any(line.cell != item.test.id for line in error.lines):
        return None
    line = f"line {error.lines[-1].number} of the test: `{error.lines[-1].text}`" if error.lines else "the test"
    why = "" if error.kind == "AssertionError" else f" ({_kind(error)})"
    return Verdict(Status.FAILED, f"A check failed{why} in {line}\n{error.detail}".rstrip()[:_MOST])


def _raised(item: Item, error: StudentError, given: Collection[str], quiet: bool) -> Verdict:
    if error.out_of_memory:
        return Verdict(Status.OUT_OF_MEMORY, f"`{item.id}` asked for more memory than a submission may use.")
    if error.kind == "NotImplementedError":
        *callers, last = error.lines or [Line("", 0, "", "")]
        if last.cell != item.cell.id and any(caller.cell == item.cell.id for caller in callers):
            what = "a function" if quiet else f"`{last.function}`"  # which one could tell a hidden test's input
            why = f"`{item.id}` calls {what}, which is not answered yet: it raises NotImplementedError."
            return Verdict(Status.ERROR, why)
        return Verdict(Status.MISSING, f"Not answered yet: `{item.id}` raises NotImplementedError.")
    shown = _inside(error, item.cell.id) if quiet else error
    message = f"Your code raised {place_of(shown)}"
    if not quiet and error.detail:
        message += f"\n{error.detail}"
    whose = "" if quiet else whose_types(error.detail, given)
    if whose:
        message += f"\n{whose}"
    of_library = error.kind != "AttributeError" or re.match(r"module |('|type object ')Tensor'", error.detail)
    if error.kind in _DEPEND_ON_VERSION and of_library:
        message += f"\nHomework is graded with {versions()}; another version may behave differently."
    if error.kind == "NameError":
        message += "\nGrading does not run the notebook's own cells that install, train, plot or write the log."
    return Verdict(Status.ERROR, message[:_MOST])


def _inside(error: StudentError, cell: str) -> StudentError:
    """The error as this cell sees it; from which other cell a hidden test's error comes could tell its input."""
    return replace(error, lines=tuple(line for line in error.lines if line.cell == cell))


def _kind(error: StudentError) -> str:
    return error.kind if error.kind != "Exception" else "an exception"
