"""A graded toy class: `ada` made a mistake in both items, `bob` made none, `cat` submitted no notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.batch.grade_folder import grade_folder
from autograder.grading.grade import grade_submission
from autograder.inspect.subject import Subject, find_subject
from tests.autograder.toy import LINE, STANDARDIZE, solved, submit
from tests.autograder.warm_host import warm_host

UNBIASED = STANDARDIZE + '    print("shape", tuple(x.shape))\n    return (x - x.mean(0)) / torch.sqrt(x.var(0) + eps)'
NO_SLOPE = LINE + "return self.intercept + x"


class OneByOne:
    """A pool that grades in this process."""

    workers = 1

    def __init__(self, root: Path) -> None:
        self._root = root

    def submit(self, problem_id, submission, cached_items=None):  # type: ignore[no-untyped-def]
        """Grades at once."""
        from concurrent.futures import Future

        done = Future()  # type: ignore[var-annotated]
        done.set_result(grade_submission(problem_id, submission, root=self._root, host=warm_host()))
        return done


def grade_class(course: Path, out: Path) -> None:
    """Grades the class in `course/submissions`."""
    grade_folder("toy", course / "submissions", out, pool=OneByOne(course), gradebook=False, root=course)


@pytest.fixture
def out(course: Path) -> Path:
    """The folder of results."""
    submissions = course / "submissions"
    submit(submissions, "ada", solved(standardize=UNBIASED, Line=NO_SLOPE))
    submit(submissions, "bob", solved())
    submit(submissions, "cat", b"{")
    grade_class(course, course / "graded")
    return course / "graded"


@pytest.fixture
def ada(course: Path, out: Path) -> Subject:
    """Ada's submission and its grading."""
    return find_subject("toy", "ada", out, None, course)
