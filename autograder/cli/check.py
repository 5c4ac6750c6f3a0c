"""The self-test of a problem: checks that grading rejects wrong solutions and accepts right ones.

The solution must get full marks and give an answer on per-student inputs for each item. The untouched release must get
no points. Each known wrong solution must lose points on exactly its item. Each right alternative must lose none. All of
them are graded like a student's submission.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.batch.grade_folder import Progress, grade_all, worker_pool
from autograder.core.notebook_io import notebook_text
from autograder.core.results import GradedLog, Step
from autograder.course.config import root_folder
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.variants import variants
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission


@dataclass(frozen=True)
class CheckRow:
    """One line of the self-test's table."""

    problem: str
    variant: str
    """`solution`, `release`, `wrong/<item>/<slug>` or `right/<item>/<slug>`."""
    expected: str
    got: str
    ok: bool
    seconds: float


def check(
    problem_ids_: Sequence[str] | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    root: Path | None = None,
) -> list[CheckRow]:
    """Runs the self-test.

    Args:
        problem_ids_: problem ids; all that have a source if not given.
        workers: number of worker processes; one per core if not given.
        progress: called after each variant.
        root: the course's root folder; found if not given.
    """
    root = root or root_folder()
    problems = [load_problem(problem_id, root) for problem_id in problem_ids_ or problem_ids(root)]
    rows: list[CheckRow] = []
    plans = {problem.id: _notebooks(problem) for problem in problems}
    total = sum(len(plan) for plan in plans.values())
    with worker_pool([problem.id for problem in problems], total, workers, "", root) as pool:
        for problem in problems:
            plan = plans[problem.id]
            found = {}
            for submission, grading in grade_all(problem, plan, pool):
                variant = str(submission.student)
                found[variant] = _row(problem, variant, grading.log, grading.seconds)
                if progress:
                    progress(Step(len(rows) + len(found), total))
            rows += [found[str(submission.student)] for submission in plan]
    return rows


def _notebooks(problem: Problem) -> list[Submission]:
    """A submission for each variant, in the order of the table; the variant's name stands for the student."""
    released, solution = released_notebook(problem), solution_answers(problem)
    answers: dict[str, dict[str, str]] = {"solution": solution, "release": {}}
    for variant in [*variants(problem, "wrong"), *variants(problem, "right")]:
        answers[variant.name] = {**solution, variant.item: variant.source}
    return [
        Submission(name, f"{problem.id}.ipynb", notebook_text(fill_in(released, answer)).encode())
        for name, answer in answers.items()
    ]


def _row(problem: Problem, variant: str, log: GradedLog, seconds: float) -> CheckRow:
    lost = _lost(problem, log)
    code = [item.id for item in problem.items if item.kind == "code"]
    kind, _, rest = variant.partition("/")
    target = rest.partition("/")[0]
    wanted = {"solution": [], "right": [], "release": code, "wrong": [target]}[kind]
    expected = {
        "solution": "full marks",
        "right": "full marks",
        "release": "no points",
        "wrong": f"loses points on {target} only",
    }[kind]
    silent = [item for item in code if kind == "solution" and item not in log.answers]
    ok = lost == wanted and not silent and (kind != "release" or log.score == 0)
    got = "full marks" if not lost else f"loses points on {', '.join(lost)}"
    if kind == "release" and log.score == 0:
        got = "no points"
    if not ok:
        got += "; " + "; ".join(
            f"{item.id}: {item.message}" for item in log.items if item.id in set(lost) ^ set(wanted)
        )
    if silent:
        got += f"; the sandbox returns no answer on per-student inputs for {', '.join(silent)}"
    return CheckRow(problem.id, variant, expected, got[:600], ok, seconds)


def _lost(problem: Problem, log: GradedLog) -> list[str]:
    """The code items that did not get all their points."""
    return [item.id for item in problem.items if item.kind == "code" and log.item(item.id).score < item.points]


def failures(rows: Iterable[CheckRow]) -> list[CheckRow]:
    """The lines with another result than expected."""
    return [row for row in rows if not row.ok]
