"""Exports one row for each student and problem, for readers and for your own programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from autograder.export.assignments import Assignment, Total
from autograder.export.csv_cells import csv_text, duration_text, escaped, moment_text, points_text
from autograder.export.grades import Grades
from autograder.export.options import Unfinished
from autograder.export.result import Exported, not_finished, not_on_roster, without_submission
from autograder.export.roster import Roster
from autograder.export.roster_match import Matching

HEADINGS = tuple("student,problem,score,max_score,curve,late_penalty,final,manual_grading,handed_in,late".split(","))


def plain_file(
    grades: Grades,
    assignments: Sequence[Assignment],
    *,
    zone: tzinfo | None,
    unfinished: Unfinished = Unfinished.LEAVE,
    roster: Roster | None = None,
    matching: Matching | None = None,
) -> Exported:
    """Exports all students in the gradebook, on the roster or not.

    `final` is empty while `manual_grading` names items that need manual grading, unless unfinished grades are included.
    `late` is in hours, minutes and seconds. With a roster and its matching, students who are not on it and students
    without a submission are reported.
    """
    rows: list[tuple[str, ...]] = [HEADINGS]
    left_out = []
    written = 0
    for problem in dict.fromkeys(problem for assignment in assignments for problem in assignment.problems):
        for account in grades.accounts:
            score = grades.scores.get((account.id, problem))
            who = (escaped(account.id), problem)
            if score is None:
                most = points_text(grades.max_score(problem))
                rows.append((*who, "0", most, "0", "0", "0", "nothing handed in", "", ""))
                continue
            is_shown = not score.waiting or unfinished is Unfinished.INCLUDE
            written += is_shown
            if not is_shown:
                left_out.append(not_finished(account.id, problem, Total((score,), score.max_score)))
            rows.append(
                (
                    *who,
                    *map(points_text, (score.score, score.max_score, score.curve, score.penalty)),
                    points_text(score.final) if is_shown else "",
                    f"waiting: {' '.join(score.waiting)}" if score.waiting else "done",
                    moment_text(score.submitted_at, zone),
                    duration_text(score.seconds_late) if score.submitted_at else "",
                )
            )
    if roster is None or matching is None:
        return Exported(csv_text(rows), written, left_out)
    left_out += not_on_roster(grades, assignments, matching)
    absent = without_submission(grades, assignments, roster, matching)
    return Exported(csv_text(rows), written, left_out, absent, (*roster.notes, *matching.by_beginning))
