"""What the course platform calls an assignment: a homework with all its problems, or one problem of it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.core.errors import ExportError, SourceError
from autograder.course.config import Course, Homework
from autograder.course.problem import load_problem
from autograder.export.grades import Grades, Score
from autograder.export.options import Per


@dataclass(frozen=True)
class Assignment:
    """One thing that the course platform has one grade for."""

    id: str
    """Homework or problem id."""
    names: tuple[str, ...]
    """What it may be called on the platform; the first is the title to show."""
    problems: tuple[str, ...]
    """The problems that count, in order; those that the gradebook does not know are left out."""
    max_score: float
    not_released: tuple[str, ...] = ()
    """Problems of the homework that the gradebook does not know: they are worth nothing so far."""


@dataclass(frozen=True)
class Total:
    """What one student has for one assignment."""

    scores: tuple[Score, ...]
    """Of the problems that something was recorded for; a problem without counts as 0."""
    max_score: float

    @property
    def score(self) -> float:
        """Points before late penalties."""
        return sum(one.score for one in self.scores)

    @property
    def penalty(self) -> float:
        """Points that lateness costs."""
        return sum(one.penalty for one in self.scores)

    @property
    def final(self) -> float:
        """What counts."""
        return sum(one.final for one in self.scores)

    @property
    def waiting(self) -> tuple[str, ...]:
        """`problem/item` of what a person has yet to look at."""
        return tuple(f"{one.problem}/{item}" for one in self.scores for item in one.waiting)

    @property
    def handed_in_at(self) -> datetime | None:
        """The last hand-in."""
        return max((one.handed_in_at for one in self.scores if one.handed_in_at), default=None)

    @property
    def seconds_late(self) -> float:
        """Of the problem that was latest."""
        return max((one.seconds_late for one in self.scores), default=0.0)


def total(grades: Grades, assignment: Assignment, student: str) -> Total | None:
    """What a student has for an assignment; None if nothing was recorded for any of its problems."""
    scores = [grades.scores.get((student, problem)) for problem in assignment.problems]
    found = tuple(score for score in scores if score is not None)
    return Total(found, assignment.max_score) if found else None


def chosen(course: Course, grades: Grades, wanted: Sequence[str], per: Per) -> list[Assignment]:
    """The assignments to export.

    Args:
        course: its homeworks.
        grades: what is in the gradebook.
        wanted: homework and problem ids; if none, everything that somebody has a submission for.
        per: whether a homework is one assignment, or each of its problems is; a problem named in `wanted` always is.

    Raises:
        ExportError: an id is neither, the gradebook does not know it, or there is nothing to export.
    """
    homeworks = {homework.id: homework for homework in course.homeworks}
    found: dict[tuple[str, str], Assignment] = {}
    begun = {problem for _, problem in grades.scores}
    for name in wanted or [h.id for h in course.homeworks if begun & set(h.problems)]:
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
        what = f" for {', '.join(wanted)}" if wanted else ""
        raise ExportError(f"the gradebook has no submission{what} to export; run `autograder grade` first.")
    return list(found.values())


def _homework(grades: Grades, homework: Homework) -> Assignment:
    known = tuple(problem for problem in homework.problems if problem in grades.items)
    if not known:
        raise ExportError(
            f"the gradebook knows no problem of homework {homework.id}; run `autograder release` and grade it first."
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
        return ExportError(f"the gradebook does not know {name!r}; run `autograder release {name}` and grade it first.")
    known = [*(homework.id for homework in course.homeworks), *grades.items]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return ExportError(f"{name!r} is neither a homework nor a problem{hint}; there are {', '.join(known)}.")
