"""Checks that what people grade is worth what the source says, before they begin."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from autograder.core.errors import CourseError, SetupError
from autograder.core.text import listed, printable
from autograder.gradebook.database import opened
from autograder.gradebook.worth import differences, disagreement, labels
from autograder.report.load import Run


def require_current(root: Path, run: Run) -> None:
    """Checks the logs of a class and the gradebook, if there is one.

    Raises:
        SetupError: a submission was graded with other points than those of the source, or the gradebook has others.
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
    said = ""
    with suppress(CourseError), opened(root) as gradebook:  # without a gradebook, decisions wait in the database
        said = disagreement(gradebook, run.problem)
    if said:
        raise SetupError(said)
