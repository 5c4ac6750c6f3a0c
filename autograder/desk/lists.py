"""Lists of answers to one question: found by words, out of line, with a second opinion asked for, in conflict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from autograder.core.text import counted
from autograder.desk.decisions import Saved
from autograder.desk.desk import Desk
from autograder.desk.question import Question
from autograder.gradebook.manual import ManualScore

_MOST_ROWS = 200
_BEGIN = 200
"""Characters shown of an answer."""
_LEAST_RESIDUAL = 0.5
"""Points by which a score must be out of line to be listed."""


class Row(NamedTuple):
    """An answer in a list."""

    ref: str
    said: str
    """What the list says of it."""
    begin: str
    """The begin of its text."""


def conflicts(desk: Desk, question: Question, grader: str) -> dict[str, ManualScore]:
    """Student → the form grader's score where it is not the desk's; without answers that this grader grades blind."""
    found = {one: given for (place, one), given in list(desk.recorder.conflicts.items()) if place == question.place}
    if not found:
        return {}
    blind = desk.queue.for_second(question, grader, desk.decisions.standing(question.place))
    return {one: given for one, given in found.items() if one not in blind and one in question.arranged().ref}


def opinions(desk: Desk, question: Question, grader: str) -> int:
    """The number of second opinions that a grader can give: others asked for them."""
    asked = desk.asked(question, desk.decisions.standing(question.place))
    return sum(by != grader for student, by in asked.items() if student in question.arranged().ref)


def rows(desk: Desk, question: Question, kind: str, words: str, grader: str) -> list[Row]:
    """A list for a grader. Answers that wait for this grader's second, blind grading tell no score.

    Args:
        desk: the desk.
        question: the question.
        kind: `second-look`, `opinions`, `conflicts`, or anything else for a search.
        words: what is searched.
        grader: who asks.
    """
    arranged, standing = question.arranged(), desk.decisions.standing(question.place)
    blind = set(desk.queue.for_second(question, grader, standing))
    if kind == "second-look":
        told = _out_of_line(question, {who: saved for who, saved in standing.items() if who not in blind})
    elif kind == "opinions":
        told = {
            student: f"asked by {by}" if by != grader else "asked by you: another grader gives it"
            for student, by in desk.asked(question, standing).items()
        }
    elif kind == "conflicts":
        told = {
            student: f"{_points(given.points)} in the form grader"
            for student, given in conflicts(desk, question, grader).items()
        }
    else:
        told = {student: _score(standing, student, blind) for student in desk.found(question, words, grader)}
    begins = {one.student: " ".join(one.text.split())[:_BEGIN] for one in arranged.answers}
    found = [Row(arranged.ref[student], said, begins[student]) for student, said in told.items() if student in begins]
    if kind != "second-look":
        found.sort()  # the order of students would tell who is who
    return found[:_MOST_ROWS]


def _out_of_line(question: Question, standing: Mapping[str, Saved]) -> dict[str, str]:
    """Student → how far the score is from those of similar answers, the largest distance first."""
    from autograder.desk.second_look import second_look

    arranged = question.arranged()
    scored = {who: float(saved.marks.score) for who, saved in standing.items() if saved.marks.score is not None}
    places = [place for place, answer in enumerate(arranged.answers) if answer.student in scored]
    students = [arranged.answers[place].student for place in places]
    scores = [scored[student] for student in students]
    told = {}
    for index, residual in second_look(arranged.kernel[places][:, places], scores)[: max(5, len(scores) // 10)]:
        if abs(residual) < _LEAST_RESIDUAL:
            break
        side = "above" if residual > 0 else "below"
        told[students[index]] = f"{_points(scores[index])}, {abs(residual):.1f} {side} similar answers"
    return told


def _score(standing: Mapping[str, Saved], student: str, blind: set[str]) -> str:
    saved = standing.get(student)
    if student in blind:
        return "graded by another grader; waits for your own grading"
    return "not graded" if saved is None or saved.marks.score is None else _points(saved.marks.score)


def _points(number: float | None) -> str:
    return "no points" if number is None else counted(f"{number:g}", "point")
