"""What graders see beside an answer: the question, the model answer, the student's own numbers."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from autograder.desk.question import Question
from autograder.desk.shown_text import shown_code, shown_markdown
from autograder.release.fill import solution_answers


def task_of(question: Question) -> str:
    """The question as students read it: the text cell above the answer."""
    cells = question.answers.problem.cells
    place = next(number for number, cell in enumerate(cells) if cell is question.item.cell)
    above = (cell.source for cell in reversed(cells[:place]) if cell.cell_type == "markdown" and not cell.grade_id)
    return next(above, "")


def model_answer(question: Question) -> Markup:
    """The answer of the solution."""
    text = solution_answers(question.answers.problem)[question.item.id]
    return shown_code(text) if question.is_code else shown_markdown(text, {})


def numbers(question: Question, student: str) -> Any:
    """The student's own measurements, each with the expected range."""
    from autograder.course.metric_ranges import declared_ranges
    from autograder.submissions.metrics import metrics_in_words  # imports numpy

    log = question.answers.logs[student]
    return metrics_in_words(log.metrics, declared_ranges(question.answers.problem), log.profile)
