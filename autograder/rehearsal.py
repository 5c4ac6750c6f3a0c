"""Before anybody is graded, the solution is: where it does not get full marks, no student's grade can be trusted.

A machine on which a library gives other numbers, or is too slow for a time limit, is found before it costs a student
points. And whatever is loaded lazily is loaded then, once, and not by each submission.
"""

from __future__ import annotations

from autograder.errors import SetupError
from autograder.filled import fill_in, solution_answers
from autograder.problem import Problem
from autograder.release import notebook_text, released_notebook
from autograder.sandbox import Host
from autograder.submission import Submission


def rehearse(problem: Problem, host: Host) -> None:
    """Loads a problem's reference and known wrong solutions, and grades its solution as if a student had handed it in.

    Raises:
        SourceError: a fault in the source.
        SetupError: the solution does not get full marks on this machine.
    """
    from autograder import misconceptions
    from autograder.grading import grade_submission
    from autograder.reference import forget, reference

    text = notebook_text(fill_in(released_notebook(problem), solution_answers(problem)))
    rehearsed = Submission("rehearsal", notebook=text.encode())
    log = grade_submission(problem.id, rehearsed, root=problem.path.parent.parent, host=host).log
    lost = [item for item in log.items if not item.manual and item.score < item.max_score]
    if lost:
        raise SetupError(
            f"nobody was graded, because on this machine the solution of {problem.id!r} itself gets "
            f"{log.auto_score:g} of {log.auto_max_score:g} points ({lost[0].id}: {lost[0].status}, {lost[0].message}). "
            f"Run `autograder check {problem.id}` and mend the source or the installed libraries."
        )
    forget(problem)  # nothing that the rehearsal may have changed stays
    misconceptions.load(reference(problem))
