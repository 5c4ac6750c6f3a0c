"""Defines the platform's assignments: a homework with all its problems, or a single problem."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.core.errors import ExportError, SourceError
from autograder.course.config import Course, Homework
from autograder.course.problem import load_problem
from autograder.export.grades import Grades, Score
from autograder.export.options import Per


@dataclass(frozen=True)
class Assignment:
    """An assignment: the platform has one grade for it."""

    id: str
    """Homework or problem id."""
    names: tuple[str, ...]
    """Possible names on the platform; the first is the title."""
    problems: tuple[str, ...]
    """The problems that count, in order; without those missing from the gradebook."""
    max_score: float
    not_released: tuple[str, ...] = ()
    """Problems of the homework that are missing from the gradebook; they have no points yet."""


@dataclass(frozen=True)
class Total:
    """One student's points for one assignment."""

    scores: tuple[Score, ...]
    """Scores of the recorded problems; any other problem counts as 0."""
    max_score: float

    @property
    def score(self) -> float:
        """Points before curves and late penalties."""
        return sum(one.score for one in self.scores)

    @property
    def curve(self) -> float:
        """Points that curves add."""
        return sum(one.curve for one in self.scores)

    @property
    def penalty(self) -> float:
        """Points deducted for lateness."""
        return sum(one.penalty for one in self.scores)

    @property
    def final(self) -> float:
        """Points after curves and late penalties."""
        return sum(one.final for one in self.scores)

    @property
    def waiting(self) -> tuple[str, ...]:
        """`problem/item` of each item that needs manual grading."""
        return tuple(f"{one.problem}/{item}" for one in self.scores for item in one.waiting)


def total(grades: Grades, assignment: Assignment, student: str) -> Total | None:
    """A student's points for an assignment; None if none of its problems is recorded."""
    keys = [(student, problem) for problem in assignment.problems]
    found = tuple(grades.scores[key] for key in keys if key in grades.scores)
    return Total(found, assignment.max_score) if found else None


def chosen(course: Course, grades: Grades, names: Sequence[str], per: Per) -> list[Assignment]:
    """Selects the assignments to export.

    Args:
        names: homework and problem ids; if empty, everything with at least one submission.
        per: whether each homework or each of its problems is an assignment; a problem in `names` always is one.

    Raises:
        ExportError: an id is unknown, is missing from the gradebook, or there is nothing to export.
    """
    homeworks = {homework.id: homework for homework in course.homeworks}
    found: dict[tuple[str, str], Assignment] = {}
    begun = {problem for _, problem in grades.scores}
    for name in names or [h.id for h in course.homeworks if begun & set(h.problems)]:
        if name in homeworks and per is Per.HOMEWORK:
            found.setdefault(("homework", name), _homework(grades, homeworks[name]))
            continue
        problems = homeworks[name].problems if name in homeworks else (name,)
        for problem in problems:
            if problem in grades.items:
                found.setdefault(("problem", problem), _problem(course, grades, problem))
            elif name not in homeworks:
                raise _unknown(course, grades, name)
    if not found:
        what = f" for {', '.join(names)}" if names else ""
        raise ExportError(f"the gradebook has no submission{what} to export; run `autograder grade` first.")
    return list(found.values())


def _homework(grades: Grades, homework: Homework) -> Assignment:
    known = tuple(problem for problem in homework.problems if problem in grades.items)
    if not known:
        raise ExportError(
            f"the gradebook has no problem of homework {homework.id}; run `autograder release` and grade it first."
        )
    names = (homework.title, f"Homework {homework.id}", f"HW {homework.id}", f"HW{homework.id}", homework.id)
    missing = tuple(problem for problem in homework.problems if problem not in known)
    return Assignment(homework.id, names, known, sum(map(grades.max_score, known)), missing)


def _problem(course: Course, grades: Grades, problem: str) -> Assignment:
    try:
        title = load_problem(problem, course.root).title
    except SourceError:
        title = problem
    names = tuple(dict.fromkeys((title, problem, problem.replace("_", " "))))
    return Assignment(problem, names, (problem,), grades.max_score(problem))


def _unknown(course: Course, grades: Grades, name: str) -> ExportError:
    if name in course.problems:
        return ExportError(f"the gradebook does not have {name!r}; run `autograder release {name}` and grade it first.")
    known = [*(homework.id for homework in course.homeworks), *grades.items]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return ExportError(f"{name!r} is neither a homework nor a problem{hint}; choose one of {', '.join(known)}.")
