"""Grades a folder of submissions, several side by side, and writes what came out, submission by submission.

Bytes go to whoever grades, results come back (`Crew`: processes of this machine, or a cluster). Only this process
touches files, the gradebook and the cache.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from autograder.cache import Cache
from autograder.course import Course, load_course, root_folder
from autograder.errors import CourseError, SetupError
from autograder.feedback import feedback_html
from autograder.gradebook import Record, Recordable, recording
from autograder.graders import Graders
from autograder.hand_in import hand_in_time
from autograder.journal import Journal
from autograder.late_note import late_note
from autograder.machine import RESERVE, free_memory, workers_that_fit
from autograder.printable import is_text
from autograder.problem import Problem, load_problem
from autograder.results import Graded, GradedLog, Grading, Outcome, Step
from autograder.run_tables import write_tables
from autograder.seed import grading_seed
from autograder.student_names import MARKUP
from autograder.submission import Submission, read_submission
from autograder.writing import write_atomically

_log = logging.getLogger("autograder")

AHEAD = 2
"""Submissions that are read and handed out for each worker, so that none waits for its next one."""


class Crew(Protocol):
    """Whoever grades submissions, some side by side."""

    @property
    def workers(self) -> int:
        """How many side by side."""

    def submit(
        self, problem_id: str, submission: Submission, findings: Mapping[str, Any] | None = None
    ) -> Future[Grading]:
        """Grades a submission as soon as there is room; the future may hold an `AutograderError`, no other."""


Progress = Callable[[Step], None]


def grade_folder(
    problem_id: str,
    submitted: Path,
    out: Path,
    *,
    workers: int | None = None,
    scheduler: str = "",
    crew: Crew | None = None,
    cache: bool = True,
    gradebook: bool = True,
    progress: Progress | None = None,
    root: Path | None = None,
) -> list[Graded]:
    """Grades `submitted/<student>/<problem>/<problem>.ipynb` of every student.

    Below `out` it writes `<student>/<problem>/{submission_log.json, <problem>.ipynb, feedback.html}` as each submission
    is done, and at the end its lines of `grades.csv` and `timings.csv`. Points that people gave in the form grader
    count. A gradebook that cannot be used is a warning (logger `autograder`): the files are written all the same. A
    batch that was cut off goes on where it was when it is started again.

    Args:
        problem_id: problem id.
        submitted: folder with one folder per student.
        out: where results go; made if missing.
        workers: submissions graded side by side; if not given one per core, fewer where memory is short (on a
            cluster: one per thread of its workers).
        scheduler: address of a Dask scheduler (`tcp://host:port`) whose workers grade; this machine if empty.
        crew: who grades, in place of `workers` and `scheduler`.
        cache: take over what earlier gradings found and what did not change since?
        gradebook: record the results in the course's gradebook?
        progress: told after each submission.
        root: the course's root folder; found if not given.

    Returns:
        one entry per student, by name.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: a folder that cannot be read or written, or nothing can be graded on this machine or cluster.
    """
    root = root or root_folder()
    problem = load_problem(problem_id, root)
    students = students_in(submitted, problem_id)
    _make_writable(out)
    course = _course(root)
    _warn_of_strangers(course, problem_id, students)
    seed = grading_seed(root)
    journal = Journal(out, problem, seed)
    done: dict[str, Graded] = {}
    with ExitStack() as stack:
        if crew is None:
            crew = stack.enter_context(crew_for([problem_id], len(students), workers, scheduler, root))
        known = stack.enter_context(Cache(root, problem, seed)) if cache else None
        record: Record | None = None
        hand_ins = _left(problem_id, students, submitted, journal, done)
        for submission, grading in grade_all(problem_id, hand_ins, crew, known):
            if record is None:  # opened while the first submissions are graded
                record = stack.enter_context(_recorder(root)) if gradebook else _unchanged
            student = str(submission.student)
            handed_in_at = hand_in_time(submitted / student / problem_id)
            log = record(grading, handed_in_at)
            _write(problem, log, grading.text, out, late_note(course, problem_id, student, handed_in_at))
            if log.outcome is not Outcome.GRADER_ERROR:  # a fault of ours is tried again
                journal.note(student, submission.digest, grading.seconds)
            done[student] = Graded(log, grading.seconds, grading.phases)
            if progress:
                progress(Step(len(done), len(students), done[student]))
    ordered = [done[student] for student in students]
    write_tables(out, problem_id, ordered)
    journal.finish()
    return ordered


def _left(
    problem_id: str, students: Iterable[str], submitted: Path, journal: Journal, done: dict[str, Graded]
) -> Iterator[Submission]:
    """Reads the submissions one after the other; those that an earlier run finished go straight to `done`."""
    for student in students:
        path = submitted / student / problem_id / f"{problem_id}.ipynb"
        submission = read_submission(path, student, submitted)
        graded = journal.done(student, submission.digest)
        if graded is None:
            yield submission
        else:
            done[student] = graded


def crew_for(
    problems: Sequence[str], submissions: int, workers: int | None, scheduler: str, root: Path
) -> AbstractContextManager[Crew]:
    """Who grades: the workers of a Dask cluster if a scheduler is named, else processes of this machine.

    Raises:
        SetupError: the cluster cannot be used.
    """
    if scheduler:
        from autograder.cluster import Cluster

        return Cluster(scheduler, problems, root, workers=workers)
    return Graders(problems, workers or workers_that_fit(submissions), root, submissions=submissions)


def _course(root: Path) -> Course | None:
    """The course, for due dates; None if `course.toml` cannot be used, which recording will complain about."""
    try:
        return load_course(root)
    except CourseError:
        return None


def _warn_of_strangers(course: Course | None, problem_id: str, students: Sequence[str]) -> None:
    """Says whose extension counts for nobody here: their name may be misspelt."""
    homework = "" if course is None or problem_id not in course.problems else course.homework_of(problem_id).id
    granted = {one.student for one in course.extensions if one.homework == homework} if course and homework else set()
    for student in sorted(granted - set(students)):
        _log.warning("course.toml gives %r more time for %s, and nobody of that name is here", student, homework)


def _unchanged(grading: Recordable, handed_in_at: datetime | None = None) -> GradedLog:
    return grading.log


@contextmanager
def _recorder(root: Path) -> Iterator[Record]:
    """Records in the gradebook while that works; the first failure ends recording and is told, grading goes on."""
    fault, recorded, left = "", 0, 0
    odd: list[str] = []

    def record(grading: Recordable, handed_in_at: datetime | None = None) -> GradedLog:
        nonlocal fault, recorded, left
        if MARKUP.intersection(grading.log.student):  # the form grader puts names into its pages as they are
            odd.append(grading.log.student)
            return grading.log
        if not fault:
            try:
                log = write(grading, handed_in_at)
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
    for name in odd:
        _log.warning(
            "%r cannot be a name in the gradebook and was left out there; rename the folder (`autograder intake` does)",
            name,
        )
    if fault:
        _log.warning("%d of %d results are not in the gradebook: %s", left, left + recorded, fault)
        _log.warning("All files are written; once that is mended, the same command fills the gradebook.")


def students_in(submitted: Path, problem_id: str) -> list[str]:
    """The students who have a folder, by name.

    Raises:
        SetupError: no such folder, nobody in it, or nobody in it has a folder for the problem.
    """
    if not submitted.is_dir():
        raise SetupError(f"{submitted} is no folder; --submitted wants one that holds a folder per student.")
    students = sorted(path.name for path in submitted.iterdir() if path.is_dir() and not path.name.startswith("."))
    odd = [name for name in students if not is_text(name)]
    if odd:
        raise SetupError(
            f"{submitted}: {len(odd)} folders have names that cannot be written into a table, the first is {odd[0]!a}; "
            "rename them (`autograder intake` does), then grade. Nothing was graded."
        )
    if not students:
        raise SetupError(
            f"{submitted} holds no student's folder; expected {submitted}/<student>/<problem>/<problem>.ipynb."
        )
    if not any((submitted / student / problem_id).exists() for student in students):
        raise SetupError(
            f"nobody in {submitted} has a folder {problem_id}; expected {submitted}/<student>/{problem_id}/"
            f"{problem_id}.ipynb.{_meant(submitted, problem_id, students)} Nothing was graded."
        )
    return students


def _meant(submitted: Path, problem_id: str, students: Sequence[str]) -> str:
    """What somebody may have meant who named a folder in which nobody has the problem."""
    if problem_id in students:
        return f" It looks like the folder of one student: name the one above it, {submitted.resolve().parent}."
    others = sorted({path.parent.name for path in submitted.glob("*/*/*.ipynb") if path.stem == path.parent.name})
    return f" It holds hand-ins for {', '.join(others[:9])}." if others else ""


def grade_all(
    problem_id: str, submissions: Iterable[Submission], crew: Crew, cache: Cache | None = None
) -> Iterator[tuple[Submission, Grading]]:
    """Grades many submissions side by side; yields each with its result as it is done.

    Few are read ahead, so that memory does not grow with the class. While memory is short, no further one is begun.

    Args:
        problem_id: problem id.
        submissions: what was handed in.
        crew: who grades.
        cache: what need not be graded again, open; everybody is graded if not given.
    """
    left = iter(submissions)
    running: dict[Future[Grading], Submission] = {}
    while True:
        while len(running) < AHEAD * crew.workers and not (running and free_memory() < RESERVE):
            submission = next(left, None)
            if submission is None:
                break
            known = cache.recall(submission) if cache else None
            if known is not None and known.grading is not None:
                yield submission, known.grading
            else:
                running[crew.submit(problem_id, submission, known.findings if known else None)] = submission
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            submission, grading = running.pop(future), future.result()
            if cache:
                cache.keep(submission, grading)
            yield submission, grading


def _write(problem: Problem, log: GradedLog, notebook: str, out: Path, late: str) -> None:
    folder = out / log.student / problem.id
    text = json.dumps(log.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / "submission_log.json", text)
    write_atomically(folder / f"{problem.id}.ipynb", notebook)
    write_atomically(folder / "feedback.html", feedback_html(log, problem, late=late))


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SetupError(f"{out} cannot be written ({error.strerror}); choose another folder with --out.") from error
