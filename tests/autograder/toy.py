"""The toy problem of the fixture course, and ways to hand in answers to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.core.notebook_io import notebook_text
from autograder.core.results import Grading
from autograder.course.problem import Problem, load_problem
from autograder.grading.grade import grade_submission
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission

ROOT = Path(__file__).parent / "fixture_course"

STANDARDIZE = "def standardize(x, eps=EPS):\n"
RIGHT_STANDARDIZE = STANDARDIZE + "    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)"
LINE = """class Line(nn.Module):
    def __init__(self, slope=1.0, intercept=0.0):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.intercept = nn.Parameter(torch.tensor(intercept))

    def forward(self, x):
        """


def toy() -> Problem:
    """The toy problem."""
    return load_problem("toy", ROOT)


def released() -> NotebookNode:
    """Its notebook as students get it."""
    return released_notebook(toy())


def solved(**answers: str) -> NotebookNode:
    """Its notebook with the solution filled in, some answers replaced."""
    return fill_in(released(), {**solution_answers(toy()), **answers})


def text(notebook: NotebookNode) -> bytes:
    """A notebook as the bytes of a file."""
    return notebook_text(notebook).encode()


def graded(notebook: NotebookNode | bytes, **options: Any) -> Grading:
    """The result of handing in a notebook."""
    data = notebook if isinstance(notebook, bytes) else text(notebook)
    return grade_submission("toy", Submission(**{"student": "ada", "notebook": data, **options}), root=ROOT)


def scores(grading: Grading) -> Mapping[str, float]:
    """Points by code item."""
    return {item.id: item.score for item in grading.log.items if not item.manual}


FULL = {"standardize": 12.0, "Line": 8.0}
