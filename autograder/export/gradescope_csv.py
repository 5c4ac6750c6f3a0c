"""Exports the grades of one assignment in the format of Gradescope's own export ("Download Grades").

Spreadsheets and scripts for Gradescope's files read ours too. The total is after curve and late penalty; the columns of
the items are before them.
"""

from __future__ import annotations

from datetime import tzinfo

from autograder.export.assignments import Assignment, Total, total
from autograder.export.csv_cells import csv_text, duration_text, escaped, moment_text, points_text
from autograder.export.grades import Grades
from autograder.export.options import Unfinished
from autograder.export.result import Exported, not_finished, not_in_gradebook, not_on_roster, without_submission
from autograder.export.roster import Roster
from autograder.export.roster_match import Matching

_HEADINGS = tuple(
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
    "Lateness (H:M:S),View Count,Submission Count".split(",")
)
_MOMENT = "%Y-%m-%d %H:%M:%S %z"


def gradescope_file(
    grades: Grades,
    assignment: Assignment,
    roster: Roster,
    matching: Matching,
    *,
    zone: tzinfo | None,
    unfinished: Unfinished = Unfinished.LEAVE,
) -> Exported:
    """One row for each student on the roster, in its order.

    `Status` is `Graded`, `Missing`, or `Ungraded` while an item needs manual grading; then `Total Score` is empty,
    unless unfinished grades are included. `Submission ID` and `View Count` belong to Gradescope and stay empty.
    """
    questions = _questions(grades, assignment)
    rows: list[tuple[str, ...]] = [(*_HEADINGS, *questions.values())]
    left_out = not_on_roster(grades, [assignment], matching)
    account_of = {person: student for student, person in matching.rows.items()}
    written = 0
    for person in roster.people:
        if not person.is_student:
            continue
        student = account_of.get(person, "")
        found = total(grades, assignment, student)
        who = map(escaped, (person.first_name, person.last_name, person.sid, person.email, person.section))
        is_shown = found is not None and (not found.waiting or unfinished is Unfinished.INCLUDE)
        rows.append((*who, *_grade(assignment, found, is_shown, zone), *_points(found, questions)))
        written += is_shown
        if found and not is_shown:
            left_out.append(not_finished(student, assignment.id, found))
    absent = without_submission(grades, [assignment], roster, matching)
    notes = (*roster.notes, *matching.by_beginning, *not_in_gradebook(assignment))
    return Exported(csv_text(rows), written, left_out, absent, notes)


def _questions(grades: Grades, assignment: Assignment) -> dict[tuple[str, str], str]:
    """(Problem, item) → heading, numbered like Gradescope's questions and their parts."""
    headings = {}
    for number, problem in enumerate(assignment.problems, 1):
        for part, (item, most) in enumerate(grades.items[problem], 1):
            place, name = (f"{number}.{part}", f"{problem} {item}") if len(assignment.problems) > 1 else (part, item)
            headings[problem, item] = f"{place}: {name} ({most!r} pts)"
    return headings


def _grade(assignment: Assignment, found: Total | None, is_shown: bool, zone: tzinfo | None) -> tuple[str, ...]:
    most = points_text(assignment.max_score)
    if found is None:
        return ("", most, "Missing", "", "", "", "", "0")
    submitted_at = max((score.submitted_at for score in found.scores if score.submitted_at), default=None)
    return (
        points_text(found.final) if is_shown else "",
        most,
        "Ungraded" if found.waiting else "Graded",
        "",
        moment_text(submitted_at, zone, _MOMENT),
        duration_text(max(score.seconds_late for score in found.scores)) if submitted_at else "",
        "",
        "1",
    )


def _points(found: Total | None, questions: dict[tuple[str, str], str]) -> tuple[str, ...]:
    """Points of each item; empty without a submission and for items that need manual grading."""
    known: dict[tuple[str, str], str] = {}
    for score in found.scores if found else ():
        for item, points in score.points:
            known[score.problem, item] = "" if item in score.waiting else points_text(points)
    return tuple(known.get(question, "") for question in questions)
