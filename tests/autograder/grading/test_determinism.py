"""The same submission gets the same log, bit by bit, however often and however busy the machine is."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem, problem_ids
from autograder.grading.grade import grade_submission
from autograder.release.fill import solved_notebook
from autograder.submissions.reader import Submission
from tests.autograder.toy import ROOT as TOY
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def _burn() -> None:
    while True:
        sum(range(100_000))


@pytest.fixture
def busy() -> Iterator[None]:
    """Other work on all cores."""
    burners = [multiprocessing.get_context("spawn").Process(target=_burn, daemon=True) for _ in range(4)]
    for burner in burners:
        burner.start()
    yield
    for burner in burners:
        burner.kill()
        burner.join()


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("problem", "root"), [("toy", TOY), *((problem, ROOT) for problem in problem_ids(ROOT))])
def test_twenty_repetitions_under_load(problem: str, root: Path) -> None:
    source = load_problem(problem, root)
    data = notebook_text(solved_notebook(source)).encode()
    submission = Submission("ada", notebook=data)
    logs = {json.dumps(grade_submission(problem, submission, root=root).log.as_json()) for _ in range(20)}
    assert len(logs) == 1
    grades = json.loads(logs.pop())["grades"]
    assert grades["auto_score"] == grades["auto_max_score"]
