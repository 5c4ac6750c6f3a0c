"""Results of submissions that could not be graded: no points for any item, and the reason at each."""

from __future__ import annotations

import functools
import platform
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from nbformat.v4 import new_markdown_cell

from autograder.core.errors import traceback_of
from autograder.core.flags import Flag
from autograder.core.notebook_io import graded_text
from autograder.core.plain_markdown import plain_markdown
from autograder.core.results import GradedLog, Grading, ItemResult, Outcome, Status
from autograder.core.text import well_formed
from autograder.course.problem import Problem
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission, UnusableError

ANONYMOUS = "anonymous"


def failed_grading(problem: Problem, submission: Submission, fault: str | BaseException) -> Grading:
    """The result of a submission that failed because of an error of the grader; staff must look at it.

    Args:
        problem: the problem.
        submission: the submission.
        fault: the reason in words for the student, or the error. Of an error the student sees only the type: its text
            and traceback (`Grading.traceback`) may quote a hidden test.
    """
    reason, traceback = (fault, "") if isinstance(fault, str) else (type(fault).__name__, traceback_of(fault))
    message = f"The autograder failed on this submission ({reason}). This is not your fault; staff must grade it again."
    grading = ungraded(problem, submission, UnusableError(Outcome.GRADER_ERROR, message))
    return replace(grading, traceback=traceback)


def ungraded(problem: Problem, submission: Submission, error: UnusableError) -> Grading:
    """The result of a submission that cannot be graded; its notebook is the release."""
    message = well_formed(str(error))
    log = GradedLog(
        problem=problem.id,
        student=ANONYMOUS if submission.student is None else well_formed(submission.student),
        created_at=rfc3339(submission.submitted_at),
        profile="grade",
        environment=environment(),
        answers={},
        metrics={},
        code={},
        notebook_sha256=submission.notebook_sha256,
        outcome=error.outcome,
        items=tuple(
            ItemResult(item.id, 0.0, item.points, Status.MISSING, message, manual=item.kind != "code").counted(
                item.counts
            )
            for item in problem.items
        ),
        flags=(Flag(str(error.outcome), message),),
    )
    notebook = released_notebook(problem)
    said = plain_markdown(message)  # the message may contain the student's file names
    notebook.cells.insert(0, new_markdown_cell(f"**This submission could not be graded.** {said}", id="not-graded"))
    return Grading(log, graded_text(notebook))


@functools.cache
def environment() -> dict[str, str]:
    """The grading environment in the format of the log."""
    from homework.hand_in.log import WITHOUT_TORCH

    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = WITHOUT_TORCH
    return {"python": platform.python_version(), "torch": torch, "device": "cpu"}


def rfc3339(moment: datetime | None) -> str:
    """Formats a time in UTC to the second; an unknown time is the epoch, so that equal input gives equal bytes."""
    return (moment or datetime.fromtimestamp(0, UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
