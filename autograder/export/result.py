"""The result of an export: the file, the grades it leaves out, and the list of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import ExportError
from autograder.core.files import write_atomically
from autograder.core.text import listed
from autograder.export.assignments import Assignment, Total, total
from autograder.export.comments import COMMENTS
from autograder.export.comments import HEADINGS as COMMENT_HEADINGS
from autograder.export.csv_cells import csv_text, escaped, points_text
from autograder.export.grades import Grades
from autograder.export.roster import Person, Roster
from autograder.export.roster_match import Matching

UNMATCHED = ".unmatched.csv"
"""Suffix of the list, after the complete name of the file."""
_HEADINGS = ("in", "student", "assignment", "score", "max_score", "curve", "late_penalty", "final", "why")


@dataclass(frozen=True)
class LeftOut:
    """A grade that is in the gradebook but not in the file."""

    student: str
    assignment: str
    total: Total
    why: str


@dataclass(frozen=True)
class Exported:
    """An exported file that is not written yet."""

    text: str
    written: int
    """Number of grades in it."""
    left_out: Sequence[LeftOut]
    absent: Sequence[tuple[Person, str]] = ()
    """Students on the roster without a submission, each with the assignment."""
    notes: tuple[str, ...] = ()
    """Remarks for staff."""
    marked: bool = False
    """Whether the file begins with a UTF-8 byte order mark."""
    comments: Sequence[tuple[str, ...]] = ()
    """Rows of the file with what graders wrote (`comments.comment_rows`)."""


@dataclass(frozen=True)
class Written:
    """The files beside an exported file."""

    unmatched: Path | None
    """The list of students who are left out or without a submission; None if there are none."""
    comments: Path | None
    """What graders wrote; None if they wrote nothing."""


def not_finished(student: str, assignment: str, found: Total) -> LeftOut:
    """A grade that is left out because items need manual grading."""
    return LeftOut(student, assignment, found, f"needs manual grading: {', '.join(found.waiting)}")


def not_in_gradebook(assignment: Assignment) -> list[str]:
    """A remark for staff about the problems of an assignment that are missing from the gradebook, if there are any."""
    missing = ", ".join(assignment.not_released)
    return [f"{assignment.id}: not in the gradebook: {missing}"] if missing else []


def refuse_unfinished(grades: Grades, assignments: Iterable[Assignment]) -> None:
    """Checks that every grade is finished.

    Raises:
        ExportError: a grade is not.
    """
    waiting = [
        f"{account.id} ({assignment.id})"
        for assignment in assignments
        for account in grades.accounts
        if (found := total(grades, assignment, account.id)) and found.waiting
    ]
    if waiting:
        raise ExportError(
            f"nothing was exported; these need manual grading: {listed(list(map(repr, waiting)), 10)}. "
            "Grade them in the form grader, or export with --unfinished leave or include."
        )


def not_on_roster(grades: Grades, assignments: Iterable[Assignment], matching: Matching) -> list[LeftOut]:
    """The grades of students who are not on the roster."""
    return [
        LeftOut(account.id, assignment.id, found, matching.refused[account.id])
        for assignment in assignments
        for account in grades.accounts
        if account.id in matching.refused and (found := total(grades, assignment, account.id))
    ]


def without_submission(
    grades: Grades, assignments: Iterable[Assignment], roster: Roster, matching: Matching
) -> list[tuple[Person, str]]:
    """Students on the roster without a recorded submission, by assignment."""
    account_of = {person: student for student, person in matching.rows.items()}
    return [
        (person, assignment.id)
        for assignment in assignments
        for person in roster.people
        if person.is_student and (person not in account_of or total(grades, assignment, account_of[person]) is None)
    ]


def write_exported(to: Path, exported: Exported) -> Written:
    """Writes the file; beside it a list of missing grades and submissions, and what graders wrote, if there is any.

    Outdated files of an earlier export are removed.

    Raises:
        SetupError: the folder cannot be written.
    """
    write_atomically(to, ("\ufeff" if exported.marked else "") + exported.text)
    rows: list[tuple[str, ...]] = []
    for one in exported.left_out:
        numbers = (one.total.score, one.total.max_score, one.total.curve, one.total.penalty, one.total.final)
        points = map(points_text, numbers)
        rows.append(("gradebook", escaped(one.student), one.assignment, *points, escaped(one.why)))
    for person, assignment in exported.absent:
        rows.append(("roster", escaped(person.label), assignment, "", "", "", "", "", "no submission"))
    return Written(
        _written_beside(to, UNMATCHED, _HEADINGS, rows),
        _written_beside(to, COMMENTS, COMMENT_HEADINGS, exported.comments),
    )


def _written_beside(to: Path, suffix: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Path | None:
    """Writes a table beside the file and returns its path; without rows, removes that of an earlier export."""
    path = to.with_name(to.name + suffix)
    if rows:
        write_atomically(path, csv_text([headings, *rows]))
        return path
    if path.is_file() and path.read_bytes().startswith(",".join(headings).encode()):
        path.unlink()
    return None
