"""Records a batch in the gradebook; an unusable gradebook never stops the grading."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from autograder.core.errors import CourseError
from autograder.core.results import GradedLog
from autograder.gradebook.database import Record, Recordable, recording
from autograder.submissions.student_ids import MARKUP

_log = logging.getLogger("autograder")


def unchanged(grading: Recordable, submitted_at: datetime | None = None) -> GradedLog:
    """Records nothing."""
    return grading.log


@contextmanager
def recorder(root: Path) -> Iterator[Record]:
    """Yields a function that records in the gradebook; after a failure it stops recording and logs a warning."""
    fault, recorded, left = "", 0, 0
    invalid: list[str] = []

    def record(grading: Recordable, submitted_at: datetime | None = None) -> GradedLog:
        nonlocal fault, recorded, left
        if MARKUP.intersection(grading.log.student):  # the form grader does not escape names in its pages
            invalid.append(grading.log.student)
            return grading.log
        if not fault:
            try:
                log = write(grading, submitted_at)
                recorded += 1
                return log
            except CourseError as error:
                fault = str(error)
        left += 1
        return grading.log

    with ExitStack() as stack:
        try:
            write = stack.enter_context(recording(root))
        except CourseError as error:
            fault = str(error)
        yield record
    for name in invalid:
        _log.warning(
            "%r is not a valid name for the gradebook and is not in it; rename the folder (`autograder intake` does)",
            name,
        )
    if fault:
        _log.warning("%d of %d results are not in the gradebook: %s", left, left + recorded, fault)
        _log.warning("All files are written. Fix this, then run the same command again to fill the gradebook.")
