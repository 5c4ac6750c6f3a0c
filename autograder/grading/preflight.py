"""Grades the solution before any student: if it does not get full marks, no student's grade can be trusted.

This detects a machine whose libraries give other numbers, or that is too slow for a time limit, before it costs
students points.
"""

from __future__ import annotations

from autograder.core.errors import SetupError, SourceError
from autograder.core.notebook_io import notebook_text
from autograder.core.results import ItemResult, Status
from autograder.course.problem import Problem
from autograder.release.fill import solved_notebook
from autograder.sandbox.host import Host
from autograder.submissions.reader import Submission, read_cells


def load(problem: Problem, *, many: bool) -> None:
    """Prepares the process: runs the problem's reference and builds one executed notebook.

    Args:
        problem: the problem.
        many: whether many submissions follow, so that all known wrong solutions are read too, which takes seconds.

    Raises:
        SourceError: a fault in the source.
    """
    from autograder.grading import misconceptions
    from autograder.grading.executed_notebook import executed_notebook
    from autograder.grading.failed import environment
    from autograder.grading.reference import prepare_test, reference
    from autograder.submissions.log import read_log
    from autograder.submissions.rebuild import rebuild

    ours = reference(problem)
    if many:
        misconceptions.load(ours)
    for item in problem.items:
        prepare_test(item)
    read_log(b"{}", problem.id)
    environment()
    results = {item.id: ItemResult(item.id, 0.0, item.points, Status.MISSING, "") for item in problem.items}
    executed_notebook(problem, rebuild(problem, read_cells(_solution(problem), problem.id)), {}, results)


def run_preflight(problem: Problem, host: Host) -> None:
    """Grades the solution of a problem like a submission.

    Raises:
        SourceError: a fault in the source.
        SetupError: the solution does not get full marks on this machine.
    """
    from autograder.grading.grade import grade_submission

    solution = Submission("preflight", notebook=_solution(problem))
    log = grade_submission(problem.id, solution, root=problem.path.parent.parent, host=host).log
    if faults := log.test_faults:
        raise SourceError(f"nothing was graded: {' '.join(faults)}")
    lost = [item for item in log.items if not item.manual and item.score < item.max_score]
    if lost:
        raise SetupError(
            f"nothing was graded, because on this machine the solution of {problem.id!r} gets only "
            f"{log.auto_score:g} of {log.auto_max_score:g} points ({lost[0].id}: {lost[0].status}, {lost[0].message}). "
            f"Fix the solution or its test in {problem.path}, or the installed libraries, then run "
            f"`autograder check {problem.id}`."
        )


def _solution(problem: Problem) -> bytes:
    return notebook_text(solved_notebook(problem)).encode()
