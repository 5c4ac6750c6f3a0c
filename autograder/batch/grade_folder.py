"""Grades a folder of submissions in parallel and writes the results, submission by submission.

A worker pool (processes of this machine, or a cluster) receives submissions as bytes and returns results. Only this
process uses files, the gradebook and the cache.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from autograder.batch.changes import Changes, compare
from autograder.batch.earlier import earlier_logs
from autograder.batch.held import HeldResults
from autograder.batch.local_pool import LocalPool
from autograder.batch.result_cache import Cache
from autograder.batch.results import Add, BatchResults
from autograder.batch.resume import Journal
from autograder.batch.runs import busy, keep_run
from autograder.batch.submitted_folder import note_submitted
from autograder.batch.tables import graded_students, write_tables
from autograder.core.errors import AutograderError, CourseError, SetupError
from autograder.core.machine import RESERVE, free_memory, workers_that_fit
from autograder.core.results import Graded, GradedLog, Grading, Step
from autograder.core.student_key import spellings, student_key
from autograder.course.config import Course, load_course, root_folder
from autograder.course.problem import Problem, load_problem
from autograder.course.regrades import regrades_or_warning
from autograder.course.seed import grading_seed
from autograder.gradebook.database import Record, Recordable, manual_points, with_manual_points
from autograder.gradebook.recorder import recorder, unchanged
from autograder.grading.failed import failed_grading
from autograder.submissions.class_folder import notebook_path, students_in
from autograder.submissions.reader import Submission, read_submission

_log = logging.getLogger("autograder")

AHEAD = 2
"""Number of submissions that are read and sent per worker, so that no worker waits for its next one."""


class WorkerPool(Protocol):
    """A worker pool that grades submissions in parallel."""

    @property
    def workers(self) -> int:
        """Number of submissions graded in parallel."""

    def submit(
        self, problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None = None
    ) -> Future[Grading]:
        """Grades a submission as soon as a worker is free; the future's only error is `AutograderError`."""


Progress = Callable[[Step], None]
Confirm = Callable[[Changes], bool]
"""Decides whether results that change earlier ones are written."""


def grade_folder(
    problem_id: str,
    submitted: Path,
    out: Path,
    *,
    workers: int | None = None,
    scheduler: str = "",
    pool: WorkerPool | None = None,
    cache: bool = True,
    gradebook: bool = True,
    progress: Progress | None = None,
    confirm: Confirm | None = None,
    prepare: Callable[[], None] | None = None,
    dry_run: bool = False,
    root: Path | None = None,
) -> list[Graded]:
    """Grades `submitted/<student>/<problem>/<problem>.ipynb` of every student.

    Below `out` it writes `<student>/<problem>/{submission_log.json, <problem>.ipynb, feedback.html}` as each submission
    is done, and at the end its lines of `grades.csv` and `timings.csv`. Manual scores from the form grader count. If
    the gradebook cannot be used, a warning (logger `autograder`) says so and the files are still written. A batch that
    was interrupted continues when it is started again. An error in one submission is that submission's result
    (`Outcome.GRADER_ERROR`); the traceback is kept in `out/errors/`.

    Args:
        problem_id: problem id.
        submitted: folder with one folder per student.
        out: folder of the results; created if missing.
        workers: submissions graded in parallel; if not given one per core, fewer if memory is short (on a cluster: one
            per thread of its workers).
        scheduler: address of a Dask scheduler (`tcp://host:port`) whose workers grade; this machine if empty.
        pool: the worker pool, in place of `workers` and `scheduler`.
        cache: whether to use cached results of earlier gradings.
        gradebook: whether to record the results in the course's gradebook.
        progress: called after each submission.
        confirm: called before earlier results in `out` are overwritten, with what changes; results are written only if
            it returns True. Not called where there are no earlier results.
        prepare: called before the first result is written; if it raises, nothing is written.
        dry_run: whether to write nothing, whatever `confirm` returns.
        root: the course's root folder; found if not given.

    Returns:
        One entry per student, by name; if nothing was written, without manual scores.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: a folder cannot be read or written, another batch of this problem is writing into `out`, or nothing
            can be graded on this machine or cluster.
    """
    root = root or root_folder()
    problem = load_problem(problem_id, root)
    students = students_in(submitted, problem_id)
    if not dry_run:
        _make_writable(out)
    course = _course(root)
    _warn_of_strangers(course, problem_id, students)
    seed = grading_seed(root)
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(busy(problem_id, out))
        journal = Journal(out, problem, seed)
        earlier = _earlier(out, problem_id, students, journal)
        held = stack.enter_context(HeldResults()) if dry_run or (confirm and earlier.found) else None

        def begin() -> None:
            """The last steps before results are written."""
            if earlier.logs and not journal.students:
                _keep(root, out, problem_id, gradebook)
            if prepare:
                prepare()
            note_submitted(out, problem_id, submitted)
            journal.begin()

        if held is None:
            begin()
        if pool is None:
            pool = stack.enter_context(worker_pool([problem_id], len(students), workers, scheduler, root))
        known = stack.enter_context(Cache(root, problem, seed)) if cache else None
        record = _when_needed(lambda: stack.enter_context(recorder(root))) if gradebook else unchanged
        results = BatchResults(problem, submitted, out, course, journal, record, regrades_or_warning(root))
        add = results.add if held is None else held.add
        submissions = _left(problem_id, students, submitted, results, add)
        for submission, grading in grade_all(problem, submissions, pool, known):
            graded = add(submission, grading)
            if progress:
                progress(Step(len(results.done) + (0 if held is None else len(held.logs)), len(students), graded))
        if held is not None:
            changes = _changes(problem_id, root, earlier, held, gradebook)
            agreed = confirm(changes) if confirm and earlier.found else True
            if dry_run or not agreed:
                return [Graded(log, 0.0) for _, log in sorted(held.logs.items())]
            begin()
            for submission, grading in held.whole():
                results.add(submission, grading)
        ordered = [results.done[student] for student in students]
        write_tables(out, problem_id, ordered)
        journal.finish()
    return ordered


def _keep(root: Path, out: Path, problem_id: str, gradebook: bool) -> None:
    """Keeps the run before; without the gradebook's rows if it cannot be used, of which recording warns."""
    try:
        keep_run(root, out, problem_id, gradebook=gradebook)
    except CourseError:
        keep_run(root, out, problem_id, gradebook=False)


@dataclass(frozen=True)
class _Earlier:
    """The results of an earlier batch in the folder."""

    logs: Mapping[str, GradedLog]
    """Of the students who are graded now."""
    gone: tuple[str, ...]
    """Students with a result, but without a submission."""

    @property
    def found(self) -> bool:
        return bool(self.logs or self.gone)


def _earlier(out: Path, problem_id: str, students: Sequence[str], journal: Journal) -> _Earlier:
    """The results that this batch overwrites; what it wrote itself before an interruption is not among them."""
    now = set(students)
    gone = tuple(earlier_logs(out, [one for one in graded_students(out, problem_id) if one not in now], problem_id))
    left = [student for student in students if student not in journal.students]
    return _Earlier(earlier_logs(out, left, problem_id), gone)


def _changes(problem_id: str, root: Path, earlier: _Earlier, held: HeldResults, gradebook: bool) -> Changes:
    """What changes if the held results are written."""
    after = dict(held.logs)
    if gradebook:
        try:
            given = manual_points(root, problem_id)
            after = {student: with_manual_points(log, given(student)) for student, log in after.items()}
        except CourseError as error:  # then the results that are written have no manual scores either
            _log.warning("the table below is without manual scores: %s", error)
    return compare(earlier.logs, after, earlier.gone)


def _left(
    problem_id: str, students: Iterable[str], submitted: Path, results: BatchResults, add: Add
) -> Iterator[Submission]:
    """Reads the submissions one by one, except those that have a result already."""
    for student in students:
        path = notebook_path(submitted, student, problem_id)
        submission = results.read(student, functools.partial(read_submission, path, student, submitted), add)
        if submission is not None:
            yield submission


def _when_needed(opened: Callable[[], Record]) -> Record:
    """Opens the gradebook at the first result, while other submissions are graded."""
    found: list[Record] = []

    def record(grading: Recordable, submitted_at: datetime | None = None) -> GradedLog:
        if not found:
            found.append(opened())
        return found[0](grading, submitted_at)

    return record


def worker_pool(
    problems: Sequence[str], submissions: int, workers: int | None, scheduler: str, root: Path
) -> AbstractContextManager[WorkerPool]:
    """The worker pool: a Dask cluster if a scheduler is named, else processes of this machine.

    Raises:
        SetupError: the cluster cannot be used.
    """
    if scheduler:
        from autograder.batch.dask_backend import Cluster

        return Cluster(scheduler, problems, root, workers=workers)
    return LocalPool(problems, workers or workers_that_fit(submissions), root, submissions=submissions)


def _course(root: Path) -> Course | None:
    """The course, for due dates; None if `course.toml` cannot be used, which recording reports."""
    try:
        return load_course(root)
    except CourseError:
        return None


def _warn_of_strangers(course: Course | None, problem_id: str, students: Sequence[str]) -> None:
    """Warns of extensions for students without a submission folder: the name may be misspelt."""
    homework = "" if course is None or problem_id not in course.problems else course.homework_of(problem_id).id
    granted = {one.student for one in course.extensions if one.homework == homework} if course and homework else set()
    known = spellings(students)
    for student in sorted(student for student in granted if student_key(student) not in known):
        _log.warning(
            "course.toml gives %r an extension for homework %s, but there is no submission folder of that name",
            student,
            homework,
        )


def grade_all(
    problem: Problem, submissions: Iterable[Submission], pool: WorkerPool, cache: Cache | None = None
) -> Iterator[tuple[Submission, Grading]]:
    """Grades many submissions in parallel; yields each with its result as it is done.

    Only a few are read ahead, so that memory does not grow with the class. While memory is short, no further one is
    started.

    Args:
        problem: the problem.
        submissions: the submissions.
        pool: the worker pool.
        cache: cached results, open; everything is graded if not given.
    """
    left = iter(submissions)
    running: dict[Future[Grading], Submission] = {}
    while True:
        while len(running) < AHEAD * pool.workers and not (running and free_memory() < RESERVE):
            submission = next(left, None)
            if submission is None:
                break
            known = cache.find(submission) if cache else None
            if known is not None and known.grading is not None:
                yield submission, known.grading
            else:
                running[pool.submit(problem.id, submission, known.cached_items if known else None)] = submission
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            submission = running.pop(future)
            grading = _result(future, problem, submission)
            if cache:
                cache.keep(submission, grading)
            yield submission, grading


def _result(future: Future[Grading], problem: Problem, submission: Submission) -> Grading:
    try:
        return future.result()
    except AutograderError:
        raise
    except Exception as error:
        return failed_grading(problem, submission, error)


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SetupError(f"{out} cannot be written ({error.strerror}); choose another folder with --out.") from error
