"""Runs one export: reads the gradebook and the roster, writes the file and a list of unmatched students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, assert_never

from autograder.core.errors import ExportError, SourceError
from autograder.core.text import printable
from autograder.course.config import Course, load_course, root_folder
from autograder.course.problem import load_problem
from autograder.export.assignments import Assignment, chosen
from autograder.export.canvas import canvas_file
from autograder.export.comments import comment_rows
from autograder.export.grades import Account, Grades, read_grades
from autograder.export.gradescope_csv import gradescope_file
from autograder.export.options import Form, Per, Unfinished
from autograder.export.plain import plain_file
from autograder.export.result import Exported, Written, refuse_unfinished, write_exported
from autograder.export.roster import read_roster
from autograder.export.roster_match import match
from autograder.gradebook.database import opened
from autograder.gradebook.tested import changed_tests
from autograder.gradebook.worth import require_agreement

SHOWN = 20
"""Maximum number of students named on the terminal; the list names all."""


@dataclass(frozen=True)
class Request:
    """The options of an export."""

    form: Form
    to: Path
    """The file to write."""
    roster: Path | None = None
    """The platform's list of students; Canvas and Gradescope need one."""
    assignments: Sequence[str] = ()
    """Homework and problem ids; if empty, all with submissions."""
    per: Per = Per.HOMEWORK
    columns: Mapping[str, str] = field(default_factory=dict)
    """Canvas: assignment id → heading of its column."""
    by: str = ""
    """The roster's heading that identifies students; if empty, all known ones."""
    unfinished: Unfinished = Unfinished.LEAVE
    scale: bool = False
    """Canvas: whether to scale grades to Canvas's points."""
    students: Sequence[str] = ()
    """Ids in the gradebook; if empty, all students."""


@dataclass(frozen=True)
class Done:
    """The result of an export."""

    path: Path
    exported: Exported
    beside: Written
    """The files beside it."""

    @property
    def complete(self) -> bool:
        """Whether every requested grade is in the file."""
        return not self.exported.left_out

    def messages(self) -> list[str]:
        """Messages for staff, line by line; safe to print."""
        left = [f"{printable(one.student)}, {one.assignment}: {one.why}" for one in self.exported.left_out]
        absent = [f"{person.label}, {assignment}: no submission" for person, assignment in self.exported.absent]
        return [*self.exported.notes, *_first("left out: ", left), *_first("on the roster: ", absent)]


def export(request: Request, root: Path | None = None, gradebook: Any = None) -> Done:
    """Exports grades.

    Args:
        gradebook: nbgrader's `Gradebook`, open; the course's own if not given.

    Raises:
        CourseError: `course.toml` or the gradebook cannot be used, or the gradebook has scores for other points than
            those of the source.
        ExportError: the roster cannot be used, or it is unclear where the grades belong; nothing was written.
        SetupError: the folder cannot be written.
    """
    course = load_course(root or root_folder())
    with opened(course.root) if gradebook is None else nullcontext(gradebook) as source:
        grades = read_grades(source, course)
        warnings = _checked(source, request, course, grades)
    exported = _exported(request, course, grades)
    exported = replace(exported, notes=(*warnings, *exported.notes))
    return Done(request.to, exported, write_exported(request.to, exported))


def _checked(gradebook: Any, request: Request, course: Course, grades: Grades) -> list[str]:
    """Refuses scores that were given with other points than the source has now; warns of those of other tests."""
    per = Per.PROBLEM if request.form is Form.PLAIN else request.per
    names = {problem for one in chosen(course, grades, request.assignments, per) for problem in one.problems}
    warnings = []
    for name in sorted(names):
        with suppress(SourceError):  # a problem whose source is gone has the gradebook's points
            problem = load_problem(name, course.root)
            require_agreement(gradebook, problem)
            warnings.append(changed_tests(gradebook, problem))
    return [warning for warning in warnings if warning]


def _exported(request: Request, course: Course, grades: Grades) -> Exported:
    per = Per.PROBLEM if request.form is Form.PLAIN else request.per
    assignments = chosen(course, grades, request.assignments, per)
    accounts = grades.accounts
    unknown = sorted(set(request.students) - {account.id for account in accounts})
    if unknown:
        raise ExportError(f"the gradebook does not have {', '.join(map(repr, unknown))}.")
    if request.students:
        grades = replace(grades, accounts=tuple(one for one in accounts if one.id in request.students))
    if request.unfinished is Unfinished.REFUSE:
        refuse_unfinished(grades, assignments)
    exported = _file(request, grades, accounts, assignments, course.homeworks[0].due.tzinfo)
    return replace(exported, comments=comment_rows(grades, assignments, course))


def _file(
    request: Request,
    grades: Grades,
    accounts: Sequence[Account],
    assignments: Sequence[Assignment],
    zone: tzinfo | None,
) -> Exported:
    """The file in its format; `accounts` are all students, `grades` has only those to export."""
    form = request.form
    if request.roster is None:
        if form is not Form.PLAIN:
            raise ExportError(f"an export for {form} needs --roster, the list of students downloaded from it.")
        return plain_file(grades, assignments, zone=zone, unfinished=request.unfinished)
    if request.to.exists() and request.to.samefile(request.roster):
        raise ExportError(f"{request.to} is the roster itself; choose another file with --to.")
    roster = read_roster(request.roster, request.by)
    matching = match(accounts, roster, request.by)  # all students, so that two who fit one row are found
    if request.students:
        rows = {student: person for student, person in matching.rows.items() if student in request.students}
        matching = replace(matching, rows=rows)
        roster = replace(roster, people=tuple(person for person in roster.people if person in rows.values()))
    if form is Form.PLAIN:
        return plain_file(
            grades, assignments, zone=zone, unfinished=request.unfinished, roster=roster, matching=matching
        )
    if form is Form.GRADESCOPE:
        if len(assignments) > 1:
            names = ", ".join(assignment.id for assignment in assignments)
            raise ExportError(f"Gradescope has one file for each assignment; choose one with --assignment: {names}.")
        return gradescope_file(grades, assignments[0], roster, matching, zone=zone, unfinished=request.unfinished)
    if form is not Form.CANVAS:
        assert_never(form)
    return canvas_file(
        grades,
        assignments,
        roster,
        matching,
        columns=request.columns,
        unfinished=request.unfinished,
        scale=request.scale,
    )


def columns_of(pairs: Sequence[str]) -> dict[str, str]:
    """Parses `ID=HEADING` pairs.

    Raises:
        ExportError: a pair has another form.
    """
    columns = {}
    for pair in pairs:
        name, equals, heading = pair.partition("=")
        if not (name.strip() and equals and heading.strip()):
            raise ExportError(f"--column {pair!r} is not of the form <homework or problem id>=<heading in Canvas>.")
        columns[name.strip()] = heading.strip()
    return columns


def _first(label: str, lines: Sequence[str]) -> list[str]:
    shown = [label + line for line in lines[:SHOWN]]
    return [*shown, f"{label}{len(lines) - SHOWN} more"] if len(lines) > SHOWN else shown
