"""Records and writes the results of a batch, submission by submission: gradebook, files, journal.

If an error occurs with one submission, that submission's result says so. Only an error that concerns every submission
ends the batch: a full disk, a folder that cannot be written.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from autograder.batch.fault_files import keep_traceback
from autograder.batch.resume import Journal
from autograder.core.errors import AutograderError, traceback_of
from autograder.core.files import PathError, write_atomically
from autograder.core.results import Graded, GradedLog, Grading, Outcome
from autograder.course.config import Course
from autograder.course.problem import Problem
from autograder.course.regrades import Regrade
from autograder.feedback.page import feedback_html
from autograder.feedback.student_page import student_page
from autograder.gradebook.database import Record
from autograder.grading.failed import failed_grading
from autograder.submissions.class_folder import notebook_path
from autograder.submissions.reader import Submission
from autograder.submissions.timestamps import submission_time_or_warning

_log = logging.getLogger("autograder")


Add = Callable[[Submission, Grading], Graded]
"""Takes a result."""


class BatchResults:
    """The results of one batch.

    Args:
        problem: the problem.
        submitted: folder with one folder per student.
        out: folder of the results.
        course: for curve and late policy; None if it cannot be used.
        journal: records which submissions have all their files.
        record: records in the gradebook.
        regrades: the course's regrade requests.
    """

    def __init__(
        self,
        problem: Problem,
        submitted: Path,
        out: Path,
        course: Course | None,
        journal: Journal,
        record: Record,
        regrades: Sequence[Regrade] = (),
    ) -> None:
        self.done: dict[str, Graded] = {}
        """Student → result."""
        self._problem, self._submitted, self._out, self._course = problem, submitted, out, course
        self._journal = journal
        self._record = record
        self._regrades = regrades

    def add(self, submission: Submission, grading: Grading) -> Graded:
        """Records and writes a result.

        Raises:
            SetupError: no result of any submission can be written.
        """
        return self._kept(submission, lambda: self._put(submission, grading))

    def read(self, student: str, read: Callable[[], Submission], add: Add | None = None) -> Submission | None:
        """Reads a submission; None if it has a result already: from an earlier batch, or because reading it failed.

        Args:
            student: the student's id.
            read: reads the submission.
            add: takes the result of a submission that cannot be read; `self.add` if not given.

        Raises:
            SetupError: no result of any submission can be written.
        """
        unread = Submission(student)
        try:
            submission = read()
            graded = self._journal.done(student, submission.digest)
        except Exception as error:
            fault = failed_grading(self._problem, unread, error)
            (add or self.add)(unread, fault)
            return None
        if graded is None:
            return submission
        self.done[student] = graded
        return None

    def _kept(self, submission: Submission, put: Callable[[], Graded]) -> Graded:
        """Calls `put`; if it fails, the submission gets a failed result without any of the student's text."""
        try:
            graded = put()
        except Exception as error:
            if _concerns_all(error):
                raise
            graded = self._put_plainly(failed_grading(self._problem, submission, error))
        self.done[str(submission.student)] = graded
        return graded

    def _put(self, submission: Submission, grading: Grading) -> Graded:
        student = str(submission.student)
        submitted_at = submission_time_or_warning(
            notebook_path(self._submitted, student, self._problem.id).parent, _log
        )
        grading = keep_traceback(self._out, grading)
        log = self._record(grading, submitted_at)
        page = student_page(log, self._problem, self._course, submitted_at, self._regrades)
        self._write(log, grading.text)
        self._write_page(log, page)
        if log.outcome is not Outcome.GRADER_ERROR:  # an error of the autograder is retried
            self._journal.note(student, submission.digest, grading.seconds)
        return Graded(log, grading.seconds, grading.phases)

    def _put_plainly(self, grading: Grading) -> Graded:
        """Does as much of `_put` as possible after it failed; the tables get the result in any case."""
        with _as_far_as_possible(grading):
            grading = keep_traceback(self._out, grading)
        log = grading.log
        with _as_far_as_possible(grading):
            log = self._record(grading, None)
        with _as_far_as_possible(grading):
            self._write(log, grading.text)
        with _as_far_as_possible(grading):
            self._write_page(log, feedback_html(log, self._problem))
        return Graded(log, grading.seconds, grading.phases)

    def _folder(self, log: GradedLog) -> Path:
        return self._out / log.student / self._problem.id

    def _write(self, log: GradedLog, notebook: str) -> None:
        folder = self._folder(log)
        write_atomically(folder / "submission_log.json", log.as_text())
        write_atomically(folder / f"{self._problem.id}.ipynb", notebook)

    def _write_page(self, log: GradedLog, page: str) -> None:
        write_atomically(self._folder(log) / "feedback.html", page)


def _concerns_all(error: Exception) -> bool:
    """Whether every submission would fail with this error."""
    return isinstance(error, AutograderError) and not isinstance(error, PathError)


@contextlib.contextmanager
def _as_far_as_possible(grading: Grading) -> Iterator[None]:
    """Turns an error in the block into a warning, unless it concerns all submissions."""
    try:
        yield
    except Exception as error:
        if _concerns_all(error):
            raise
        said = traceback_of(error).splitlines()[-1]
        _log.warning("%s, %s: %s", grading.log.student, grading.log.problem, said)
