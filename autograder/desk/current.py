"""Checks that what people grade is worth what the source says, before they begin."""

from __future__ import annotations

from pathlib import Path

from autograder.core.errors import SetupError
from autograder.core.text import listed, printable
from autograder.gradebook.database import gradebook_path, opened
from autograder.gradebook.worth import differences, labels, require_agreement
from autograder.report.load import Run


def require_current(root: Path, run: Run) -> None:
    """Checks the logs of a class and the gradebook, if there is one.

    Raises:
        SetupError: a submission was graded with other points than those of the source.
        CourseError: the gradebook has other points, or cannot be used.
    """
    ours = labels(run.problem.items)
    for_whom: dict[str, list[str]] = {}
    for entry in run.entries:
        for what in differences(ours, labels(entry.log.items)):
            for_whom.setdefault(what, []).append(printable(entry.student, 40))
    if for_whom:
        what, students = next(iter(for_whom.items()))
        raise SetupError(
            f"{run.problem.id} was graded with other points than its source has now ({what}): {listed(students, 5)}. "
            f"Grade it again (`autograder grade {run.problem.id} --submitted ... --out ...`), then open the desk."
        )
    if gradebook_path(root).is_file():
        with opened(root) as gradebook:
            require_agreement(gradebook, run.problem)
