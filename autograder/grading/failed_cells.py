"""Says which of a notebook's cells failed, where, and why: often the true cause of an item's failure further down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autograder.core.flags import Flag, FlagKind
from autograder.core.text import listed, printable
from autograder.grading.cell_runner import CellRun
from autograder.sandbox.student_error import MODULE, StudentError
from autograder.submissions.rebuild import Built

_MOST = 10
"""Maximum number of flags."""
_NO_GPU = "there is no GPU where homework is graded"
_NO_NETWORK = "there is no network where homework is graded"
_NETWORK_ERRORS = ("URLError", "gaierror", "ConnectionError", "urlopen error", "Failed to resolve", "name resolution")


def failed_cells(cells: Sequence[Built], runs: Mapping[str, CellRun]) -> list[Flag]:
    """A flag for each cell that failed or asked for something that is missing where homework is graded, in order."""
    flags = []
    for built in cells:
        run = runs.get(built.id)
        if run is not None:
            flags += [Flag(FlagKind.FAILED_CELL, message) for message in failures(built, run)]
    return flags[:_MOST]


def failures(built: Built, run: CellRun) -> list[str]:
    """What failed in a cell, as sentences; first what failed first."""
    where = _name(built)
    said = [f"`{function}` failed at line {line} of {where}: {why}; {_rest(run)}" for line, function, why in run.absent]
    if run.raised is not None:
        error = run.raised
        line, text = _statement(built, error)
        what = f"`{text}`" if text else "a statement"
        place = f" at line {line} of {where}" if line else f" in {where}"
        outcome = f"ended the cell{place}" if error.kind == "SystemExit" else f"failed{place}: {_reason(error, text)}"
        said.append(f"{what} {outcome}; {_rest(run)}")
    return said


def cause_of(name: str, cells: Sequence[Built], runs: Mapping[str, CellRun]) -> str:
    """The sentence about the first failed cell that would have defined a variable; empty if there is none.

    A cell that could not be parsed counts as defining every variable.

    Args:
        name: the variable; an empty text stands for any.
        cells: the cells in order.
        runs: cell id → its run.
    """
    for built in cells:
        run = runs.get(built.id)
        if (
            run is not None
            and run.raised is not None
            and (run.lost is None or (run.lost if not name else name in run.lost))
        ):
            return failures(built, run)[-1]
    return ""


def _name(built: Built) -> str:
    if built.role == "answer" and built.cell is not None:
        return f"the cell of `{built.cell.grade_id}`"
    number = built.id.removeprefix("free-")
    return f"cell {int(number) + 1}" if built.role == "free" and number.isdigit() else f"the given cell `{built.id}`"


def _rest(run: CellRun) -> str:
    if run.lost is None:
        return "nothing of the cell was run."
    if run.lost:
        return f"not defined because of it: {listed([f'`{name}`' for name in run.lost], 5)}."
    is_ended = run.raised is not None and run.raised.kind == "SystemExit"
    return "nothing that is needed stood below." if is_ended else "the rest of the cell was run."


def _statement(built: Built, error: StudentError) -> tuple[int, str]:
    """Line and text of the statement of the cell that raised; 0 if unknown."""
    own = ((line, text) for cell, line, function, text in error.lines if (cell, function) == (built.id, MODULE))
    line, text = next(own, (0, ""))
    return line, text.strip()[:100]


def _reason(error: StudentError, text: str) -> str:
    message = printable(" ".join(error.detail.split()), 200)
    if "cuda" in f"{text} {message}".lower():
        return _NO_GPU
    if any(name in f"{error.kind} {message}" for name in _NETWORK_ERRORS):
        return _NO_NETWORK
    return f"{error.kind}: {message}" if message else error.kind


_UNDEFINED = re.compile(r"name '(\w+)' is not defined")


def with_cause(message: str, cells: Sequence[Built], runs: Mapping[str, CellRun]) -> str:
    """Adds to a message about an undefined name why the name is not defined, if a failed cell is the reason."""
    if "NameError" not in message:
        return message
    found = _UNDEFINED.search(message)
    cause = cause_of(found[1] if found else "", cells, runs)
    return f"{message}\nThe first cause is further up: {cause}" if cause else message
