"""Fills our grades into a Canvas gradebook, which Canvas can import.

Canvas finds a column by the number at the end of its heading, `Homework 11 (12345)`, and a row by its first columns.
Only the cells that get a grade are changed, so an import changes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autograder.core.errors import ExportError
from autograder.core.text import printable
from autograder.export.assignments import Assignment, total
from autograder.export.csv_cells import csv_text, points_text
from autograder.export.grades import Grades
from autograder.export.options import Unfinished
from autograder.export.result import Exported, not_finished, not_in_gradebook, not_on_roster, without_submission
from autograder.export.roster import Roster, normal
from autograder.export.roster_match import Matching

_NUMBERED = re.compile(r"(.*\S)\s*\((\d+)\)", re.DOTALL)
_TOTALS = re.compile(r"(current|final|override) (score|points|grade|status)\b")
"""Columns that Canvas computes: `Assignments Current Points`, `Unposted Final Score`."""
_FIRST_COLUMNS = frozenset(
    "student/lastname/firstname/id/sis user id/sis login id/integration id/root account/section".split("/")
)


def canvas_file(
    grades: Grades,
    assignments: Sequence[Assignment],
    roster: Roster,
    matching: Matching,
    *,
    columns: Mapping[str, str],
    unfinished: Unfinished = Unfinished.LEAVE,
    scale: bool = False,
) -> Exported:
    """Fills the columns of the assignments.

    A cell stays unchanged if there is no submission, if the grade is left out, and if Canvas says that the student is
    excused (`EX`) or does not have the assignment (`N/A`).

    Args:
        columns: assignment id → heading, with or without its number; needed if no name of the assignment matches.
        unfinished: `LEAVE` or `INCLUDE`.
        scale: whether to scale grades to Canvas's points where they differ from ours.

    Raises:
        ExportError: the roster is not a Canvas gradebook; a column is missing, ambiguous or read-only; Canvas has
            different points and `scale` is false.
    """
    if not roster.is_canvas:
        raise ExportError(
            f"{roster.path} is not a Canvas gradebook: its first columns are not Student and ID. "
            "In Canvas: Grades, Export, Export Entire Gradebook."
        )
    rows = [list(row) for row in roster.rows]
    left_out, notes = not_on_roster(grades, assignments, matching), [*roster.notes, *matching.by_beginning]
    taken: dict[int, str] = {}
    written = 0
    for assignment in assignments:
        column = _column(roster, assignment, columns.get(assignment.id, ""))
        if column in taken:
            raise ExportError(
                f"{taken[column]} and {assignment.id} have the same column, {roster.header[column]!r}; "
                "choose another with --column."
            )
        taken[column] = assignment.id
        factor = _factor(roster, assignment, column, scale)
        if factor != 1.0:
            notes.append(f"{assignment.id}: scaled by {factor:.4g} to the points of {roster.header[column]!r}")
        notes += not_in_gradebook(assignment)
        for student, person in sorted(matching.rows.items()):
            found = total(grades, assignment, student)
            if found is None:
                continue
            row = rows[person.row]
            row += [""] * (column + 1 - len(row))
            kept = row[column].strip().upper()
            if found.waiting and unfinished is not Unfinished.INCLUDE:
                left_out.append(not_finished(student, assignment.id, found))
            elif kept in ("EX", "N/A"):
                what = "is excused from" if kept == "EX" else "does not have"
                notes.append(f"{printable(student)} {what} {roster.header[column]!r} in Canvas; the cell keeps {kept}")
            else:
                row[column] = points_text(found.final * factor)
                written += 1
    delimiter = roster.delimiter if roster.delimiter in ",;" else ","  # delimiters that Canvas can read
    text = csv_text([roster.header, *rows], delimiter, roster.newline)
    absent = without_submission(grades, assignments, roster, matching)
    return Exported(text, written, left_out, absent, tuple(notes), roster.marked)


def _column(roster: Roster, assignment: Assignment, heading_or_number: str) -> int:
    """The index of an assignment's column; staff may name its heading, with or without its number, or the number."""
    headings = {
        index: heading
        for index, heading in enumerate(roster.header)
        if normal(heading) not in _FIRST_COLUMNS and not _TOTALS.search(normal(heading))
    }
    names = (heading_or_number,) if heading_or_number else assignment.names
    normal_names = set(map(normal, names))
    found = []
    for index, heading in headings.items():
        numbered = _NUMBERED.fullmatch(heading.strip())
        title, number = numbered.groups() if numbered else (heading, "")
        if normal_names & {normal(heading), normal(title)} or (number and number == heading_or_number.strip()):
            found.append(index)
    if len(found) == 1:
        return found[0]
    fix = f"name one with --column '{assignment.id}=<heading>'"
    if found:
        seen = ", ".join(repr(headings[index]) for index in found)
        raise ExportError(f"{roster.path}: more than one column could be {assignment.id}: {seen}; {fix}.")
    seen = ", ".join(repr(printable(heading)) for heading in headings.values()) or "none"
    looked = " or ".join(map(repr, names))
    raise ExportError(
        f"{roster.path}: no column for {assignment.id} (looked for {looked}); it has {seen}. {fix}, "
        "or make the assignment in Canvas and export its gradebook again. --assignment chooses what is exported."
    )


def _factor(roster: Roster, assignment: Assignment, column: int, scale: bool) -> float:
    """The factor from our points to Canvas's."""
    row = next((row for row in roster.rows if row and "points possible" in row[0].casefold()), ())
    text = row[column].strip() if column < len(row) else ""
    heading = roster.header[column]
    if "read only" in text.casefold():
        raise ExportError(
            f"{roster.path}: Canvas computes the column {heading!r} itself; choose another with --column."
        )
    if not text:
        return 1.0
    readings = _readings(text)
    if not readings:
        raise ExportError(f"{roster.path}: {text!r} is not a valid number of points possible for {heading!r}.")
    if any(abs(possible - assignment.max_score) < 0.005 for possible in readings):  # Canvas keeps two decimals
        return 1.0
    if len(readings) > 1:
        raise ExportError(
            f"{roster.path}: {text!r} points possible for {heading!r} can mean {readings[0]:g} or {readings[1]:g}; "
            f"the gradebook has {assignment.max_score:g}. Write the number without separators."
        )
    [possible] = readings
    if not scale or not assignment.max_score or not possible:
        raise ExportError(
            f"Canvas has {possible:g} points for {heading!r}, the gradebook {assignment.max_score:g} for "
            f"{assignment.id}. Change the points in Canvas and export its gradebook again, or use --scale."
        )
    return possible / assignment.max_score


def _readings(text: str) -> list[float]:
    """Possible values of a number with commas or points, which languages use differently; empty if it is no number.

    The last separator is the decimal one. A single separator followed by three digits can also separate thousands.
    """
    if re.fullmatch(r"\d*(?:[.,]\d+)*", text) is None or not text:
        return []
    *before, last = re.split(r"[.,]", text)
    as_decimal = float("".join(before) + "." + last if before else last)
    return [as_decimal, float("".join(before) + last)] if len(before) == 1 and len(last) == 3 else [as_decimal]
