"""Two mistakes in one answer: each failing part is named, and each known mistake."""

from __future__ import annotations

import pytest

from autograder.core.results import GradedLog, Status
from autograder.course.problem import Problem, load_problem
from autograder.feedback.page import feedback_html
from autograder.grading.grade import grade_submission
from autograder.grading.verdict import verdict_of
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from homework.checks import CheckFailed, Part
from tests.autograder.toy import LINE, course_copy, text, toy

pytestmark = pytest.mark.kernel

# The test of `Line` in two parts, and per-student inputs that ask about the same two things.
TWO_PARTS = {
    "steep = student.Line(slope=-3.0, intercept=0.5)\npoints = torch.linspace(-2.0, 2.0, 9)\n"
    'assert close(steep(points), -3.0 * points + 0.5, "wrong for a negative slope")\n'
    "steep(points + 1.0).sum().backward()\n"
    'assert close(steep.slope.grad, 9.0, "the gradient of the slope is the sum of x")\n'
    'assert close(steep.intercept.grad, 9.0, "the gradient of the intercept is the number of points")\n': (
        "points = torch.linspace(-2.0, 2.0, 9)\n"
        'with part("a negative slope"):\n'
        '    assert close(student.Line(-7.25, 0.0)(points), -7.25 * points, "is the sign lost?")\n'
        'with part("the intercept", 3):\n'
        '    assert close(student.Line(0.125, 8.75)(points), 0.125 * points + 8.75, "is the intercept added?")\n'
        'with part("no slope"):\n'
        '    assert close(student.Line(0.0, 0.0)(points), 0 * points, "is something else added?")\n'
    ),
    'assert close(line(torch.tensor([0.0, 3.0])), [1.0, 7.0], "slope and intercept swapped?")\n': "",
    "return student.Line(slope=1.5, intercept=-0.5)(d.normal(3))": (
        'x = d.normal(3)\n        return {"falling": student.Line(-1.5, 0.0)(x), "shifted": student.Line(0.5, 1.25)(x)}'
    ),
}
NEITHER = LINE + "return self.slope.abs() * x"


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """The toy problem with the test of `Line` in two parts."""
    return load_problem("toy", course_copy(tmp_path_factory.mktemp("two") / "root", TWO_PARTS))


def graded(problem: Problem, line: str) -> GradedLog:
    """The log of a student with this `Line`."""
    notebook = fill_in(released_notebook(problem), {**solution_answers(problem), "Line": line})
    return grade_submission(
        "toy", Submission(student="ada", notebook=text(notebook)), root=problem.path.parent.parent
    ).log


def test_two_failing_parts_and_the_known_mistakes_behind_them_are_named(problem: Problem) -> None:
    log = graded(problem, NEITHER)
    line = log.item("Line")
    assert (line.score, line.status) == (1.6, Status.PARTIAL)
    assert line.message == "a negative slope: is the sign lost?\nthe intercept: is the intercept added?"
    assert line.misconception == "" and line.misconceptions == ("absolute_slope", "no_intercept")
    assert GradedLog.from_json(log.as_json()).item("Line").part_misconceptions == line.part_misconceptions
    page = feedback_html(log, problem)
    for words in (
        "a negative slope: is the sign lost?",
        "the intercept: is the intercept added?",
        "<strong>What seems to have happened:</strong> you used the absolute value of the slope",
        "<strong>And another mistake:</strong> you forgot the intercept",
    ):
        assert words in page, words
    assert not any(secret in page for secret in ("7.25", "8.75", "0.125"))


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("return self.slope.abs() * x + self.intercept", ("absolute_slope",)),
        ("return self.slope.abs() * x + 2 * self.intercept", ()),
        ("return self.slope * x", ("no_intercept",)),
        ("return 2 * self.slope * x + 2 * self.intercept", ()),
    ],
)
def test_one_known_mistake_is_named_alone_and_beside_an_unknown_one_not_at_all(
    problem: Problem, line: str, known: tuple[str, ...]
) -> None:
    assert graded(problem, LINE + line).item("Line").misconceptions == known


def test_all_failing_parts_are_named_where_their_messages_are_long() -> None:
    parts = [Part(f"part {number}", 1.0, False, CheckFailed(f"hint {number}", "got 1\n" * 100)) for number in range(9)]
    message = verdict_of(toy().item("Line"), None, parts, ()).message
    assert all(f"part {number}: hint {number}" in message for number in range(9)) and "got" not in message
