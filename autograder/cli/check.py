"""The self-test of a problem: checks that grading rejects wrong solutions and accepts right ones.

The solution must get full marks and give an answer on per-student inputs for each item. The untouched release must get
no points. Each known wrong solution must lose points on exactly its item, and must not be taken for another one. Each
right alternative must lose none. All of them are graded like a student's submission.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.batch.grade_folder import Progress, grade_all, worker_pool
from autograder.batch.mutant_check import Tried, check_mutants
from autograder.core.machine import cores
from autograder.core.notebook_io import notebook_text
from autograder.core.results import GradedLog, Step
from autograder.course.config import root_folder
from autograder.course.name_analysis import defines
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.variants import Variant, variants
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.release.promises import unchecked_promises
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
    """Runs the self-test of these problems; of all that have a source if none are named."""
    root = root or root_folder()
    problems = _problems(problem_ids_, root)
    submissions = {problem.id: _submissions(problem) for problem in problems}
    total = sum(map(len, submissions.values()))
    rows: list[CheckRow] = []
    with worker_pool(list(submissions), total, workers, "", root) as pool:
        for problem in problems:
            nameless = {one.name for one in variants(problem, "wrong") if not _answers(problem, one)}
            found = {}
            for submission, grading in grade_all(problem, submissions[problem.id], pool):
                variant = str(submission.student)
                found[variant] = _row(problem, variant, grading.log, grading.seconds)
                if variant in nameless:
                    why = "it does not define its item, and so proves nothing"
                    found[variant] = replace(found[variant], ok=False, got=why)
                if progress:
                    progress(Step(len(rows) + len(found), total))
            rows += [found[str(submission.student)] for submission in submissions[problem.id]]
    return rows


def promises_without_a_check(problem_ids_: Sequence[str] | None = None, root: Path | None = None) -> list[str]:
    """One sentence for each promise in an answer's docstring that its test does not seem to check."""
    return [
        f"{problem.id} {item}: the docstring promises {promise}; no line of its test seems to check that"
        for problem in _problems(problem_ids_, root or root_folder())
        for item, promise in unchecked_promises(problem)
    ]


def unproven(problem_ids_: Sequence[str] | None = None, root: Path | None = None) -> list[str]:
    """One sentence for each problem, or item, about whose tests the self-test proves nothing: it has no variants."""
    return [
        sentence
        for problem in _problems(problem_ids_, root or root_folder())
        for sentence in _without_variants(problem)
    ]


def _without_variants(problem: Problem) -> list[str]:
    wrong, right = ({one.item for one in variants(problem, kind)} for kind in ("wrong", "right"))
    code = [item.id for item in problem.items if item.kind == "code" and not item.is_dropped]
    where = f"write some in solutions/variants/{problem.id}; see CONTRIBUTING"
    if code and not wrong and not right:
        return [
            f"{problem.id}: nothing is proven about its tests, since it has no wrong and no right variants; {where}"
        ]
    return [
        f"{problem.id} {item}: it is not proven that its test {does}, since it has no {kind} variants; {where}"
        for item in code
        for known, kind, does in ((wrong, "wrong", "rejects anything wrong"), (right, "right", "accepts other answers"))
        if item not in known
    ]


def check_rewritten(
    problem_ids_: Sequence[str] | None = None,
    *,
    workers: int | None = None,
    items: Sequence[str] | None = None,
    sample: int = 0,
    progress: Progress | None = None,
    root: Path | None = None,
) -> list[Tried]:
    """Grades mutants and rewritings of the right answers (`autograder.batch.mutant_check`)."""
    return check_mutants(
        _problems(problem_ids_, root or root_folder()),
        workers=workers or cores(),
        items=items,
        sample=sample,
        tick=lambda done, total: progress(Step(done, total)) if progress else None,
    )


def _answers(problem: Problem, variant: Variant) -> bool:
    """Whether a variant defines the item that it answers."""
    return not problem.item(variant.item).has_name or defines(variant.source, variant.item)


def _problems(ids: Sequence[str] | None, root: Path) -> list[Problem]:
    """The problems of these ids; all that have a source if none are named."""
    return [load_problem(problem_id, root) for problem_id in ids or problem_ids(root)]


def _submissions(problem: Problem) -> list[Submission]:
    """A submission for each variant, in the order of the table; the variant's name stands for the student."""
    released, solution = released_notebook(problem), solution_answers(problem)
    answers: dict[str, dict[str, str]] = {"solution": solution, "release": {}}
    for variant in [*variants(problem, "wrong"), *variants(problem, "right")]:
        if problem.item(variant.item).is_dropped:  # its score says nothing
            continue
        answers[variant.name] = {**solution, variant.item: variant.source}
    return [
        Submission(name, f"{problem.id}.ipynb", notebook_text(fill_in(released, answer)).encode())
        for name, answer in answers.items()
    ]


def _row(problem: Problem, variant: str, log: GradedLog, seconds: float) -> CheckRow:
    code = [item for item in problem.items if item.kind == "code" and not item.is_dropped]
    kind, _, rest = variant.partition("/")
    target = rest.partition("/")[0]
    expected_losses, expected = {
        "solution": ([], "full marks"),
        "right": ([], "full marks"),
        "release": ([item.id for item in code], "no points"),
        "wrong": ([target], f"loses points on {target} only"),
    }[kind]
    losses = [item.id for item in code if log.item(item.id).score < item.points]
    asked = code if kind == "solution" and problem.has_answers else []
    unanswered = [item.id for item in asked if item.id not in log.answers and not (item.is_value or item.is_in_process)]
    named = log.item(target).misconception if kind == "wrong" else ""
    mistaken = named not in ("", rest.partition("/")[2])
    ok = (
        losses == expected_losses
        and not log.test_faults
        and not unanswered
        and not mistaken
        and (kind != "release" or log.score == 0)
    )
    got = f"loses points on {', '.join(losses)}" if losses else "full marks"
    if kind == "release" and log.score == 0:
        got = "no points"
    if not ok:
        differing = set(losses) ^ set(expected_losses)
        got += "; " + "; ".join(f"{item.id}: {item.message}" for item in log.items if item.id in differing)
    if log.test_faults:
        got += "; " + " ".join(log.test_faults)
    if mistaken:
        got += f"; taken for the known wrong solution {named}"
    if unanswered:
        got += f"; the sandbox returns no answer on per-student inputs for {', '.join(unanswered)}"
    return CheckRow(problem.id, variant, expected, got[:600], ok, seconds)


def failures(rows: Iterable[CheckRow]) -> list[CheckRow]:
    """The lines with another result than expected."""
    return [row for row in rows if not row.ok]
