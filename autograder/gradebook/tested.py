"""With which tests each recorded submission was graded, and whether the source has others now."""

from __future__ import annotations

from typing import Any

from autograder.core.results import GradedLog
from autograder.core.text import listed, printable
from autograder.course.digests_of_tests import changed_items, digests
from autograder.course.problem import Problem
from autograder.gradebook.own_tables import TESTED_WITH, note, noted


def note_tests(gradebook: Any, log: GradedLog) -> None:
    """Notes the tests with which a submission was graded; the caller commits."""
    note(gradebook, TESTED_WITH, log.problem, {log.student: digests(log.items)})


def tested_with(gradebook: Any, problem_id: str) -> dict[str, dict[str, str]]:
    """Student → item id → digest of the test; of earlier versions, none."""
    return noted(gradebook, TESTED_WITH, problem_id)


def changed_tests(gradebook: Any, problem: Problem) -> str:
    """That submissions were graded with other tests than the source has now, and what to do; empty if not."""
    old = {
        student: found
        for student, tested in tested_with(gradebook, problem.id).items()
        if (found := changed_items(problem, tested))
    }
    if not old:
        return ""
    items = [item.id for item in problem.items if any(item.id in found for found in old.values())]
    names = listed([printable(student, 40) for student in sorted(old)], 5)
    submissions = "1 submission was" if len(old) == 1 else f"{len(old)} submissions were"
    return (
        f"the tests of {listed(items, 6)} in the source of {problem.id} changed since {submissions} graded ({names}): "
        f"these scores are those of the earlier tests. Grade {problem.id} again (`autograder grade {problem.id} "
        "--submitted ... --out ...`), then repeat this."
    )
