"""Lists what graders wrote: the comment and the rubric items of each item, in a file beside the grades.

It is a file of its own because Canvas's gradebook import takes no comments and Gradescope's download has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autograder.core import rubric_lines
from autograder.core.errors import SourceError
from autograder.core.rubric_lines import RubricLine
from autograder.course.config import Course
from autograder.course.problem import Problem, load_problem
from autograder.export.assignments import Assignment
from autograder.export.csv_cells import escaped, points_text
from autograder.export.grades import Grades, Score

COMMENTS = ".comments.csv"
"""Suffix of the file, after the complete name of the file with the grades."""
HEADINGS = ("student", "problem", "item", "title", "points", "max_points", "rubric_met", "rubric_not_met", "comment")


def comment_rows(grades: Grades, assignments: Iterable[Assignment], course: Course) -> list[tuple[str, ...]]:
    """One row for each item on which a grader wrote a comment or used the rubric, by problem and student."""
    rows = []
    for problem_id in dict.fromkeys(problem for assignment in assignments for problem in assignment.problems):
        worth = dict(grades.items[problem_id])
        try:
            problem = load_problem(problem_id, course.root)
        except SourceError:
            problem = None
        for account in grades.accounts:
            score = grades.scores.get((account.id, problem_id))
            if score is not None:
                rows += [_row(score, item, text, worth[item], problem) for item, text in score.comments]
    return rows


def _row(score: Score, item: str, text: str, worth: float, problem: Problem | None) -> tuple[str, ...]:
    lines, comment = rubric_lines.read(text)
    return (
        escaped(score.student),
        score.problem,
        item,
        escaped(problem.heading(item) if problem else item),
        "" if item in score.waiting else points_text(dict(score.points)[item]),
        points_text(worth),
        _listed([line for line in lines if line.met]),
        _listed([line for line in lines if not line.met]),
        escaped(comment),
    )


def _listed(lines: Sequence[RubricLine]) -> str:
    return escaped("; ".join(f"{line.text} ({line.points:g})" for line in lines))
