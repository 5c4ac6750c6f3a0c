"""Tries the tests of an imported problem on its own solution, in the sandbox, before anything is written."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import AutograderError
from autograder.core.notebook_io import notebook_text
from autograder.core.results import ItemResult, Status
from autograder.course.new_problem import new_course, write_all
from autograder.course.problem import load_problem
from autograder.course.problem_files import files_folder, write_files
from autograder.grading.grade import grade_submission, host_for
from autograder.grading.reference import beside
from autograder.imports.original import Original
from autograder.imports.plan import Answer, Plan
from autograder.imports.soundness import Reason
from autograder.imports.source import Written, written_source
from autograder.release.fill import solved_notebook
from autograder.submissions.reader import Submission

_MOST_ROUNDS = 8
_LONGEST = 200
"""Characters of a message that the report quotes."""


@dataclass(frozen=True)
class Tried:
    """A plan whose tests accept the problem's own solution, and what it becomes."""

    plan: Plan
    written: Written
    fault: str = ""
    """Why the tests could not be tried; empty if they were."""


def tried_plan(cells: Sequence[Original], problem_id: str, title: str, root: Path, files: Mapping[str, bytes]) -> Tried:
    """Plans an import. A test that fails on the solution outside the student's process runs inside it instead.

    Where it fails inside too, a person grades the item.

    Args:
        cells: the cells of the original.
        problem_id: the new problem.
        title: its title, if the notebook has none.
        root: the course's root folder.
        files: path → content, of the files beside the notebook.

    Raises:
        SourceError: a cell cannot be used.
    """
    known: dict[int, Reason] = {}
    for _ in range(_MOST_ROUNDS):
        with beside(files):  # tests may import from them
            plan = Plan(cells, known)
        written = written_source(plan, title)
        try:
            failed = _failed(written.text, problem_id, root, files)
        except AutograderError as error:
            return Tried(plan, written, str(error))
        answers = {answer.item: answer for answer in plan.answers if answer.is_code}
        if not failed:
            break
        for result in failed:
            known |= _reasons(answers[result.id], result)
    return Tried(plan, written)


def _reasons(answer: Answer, result: ItemResult) -> dict[int, Reason]:
    said = textwrap.shorten(result.message, _LONGEST, placeholder=" ...")
    inside = answer.is_in_process
    why = f"{'inside' if inside else 'outside'} the student's process it fails on the solution ({said})"
    fix = "see why the solution fails here" if inside else "test plain values that a function returns"
    numbers = [test.number for test in answer.tests if test.points > 0]
    return dict.fromkeys(numbers, Reason(why, fix, by_hand=inside))


def _failed(text: str, problem_id: str, root: Path, files: Mapping[str, bytes]) -> list[ItemResult]:
    """The results of the items whose tests fail on the solution.

    Raises:
        AutograderError: the solution cannot be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        write_all({course / "solutions" / f"{problem_id}.py": text} | new_course(course, [problem_id], "1"))
        write_files(files, files_folder(problem_id, course))
        problem = load_problem(problem_id, course)
        if not any(item.kind == "code" for item in problem.items):
            return []
        solution = Submission("solution", notebook=notebook_text(solved_notebook(problem)).encode())
        log = grade_submission(problem_id, solution, root=course, host=host_for(problem, root)).log
        return [one for one in log.items if not one.manual and one.status is not Status.PASSED]
