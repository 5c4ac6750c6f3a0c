"""Grades a folder of submissions, several side by side, and writes what came out, submission by submission.

One submission is one task of a `concurrent.futures.Executor`: bytes in, results out. Only this process writes files.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from nbformat import NotebookNode

from autograder.course import root_folder
from autograder.errors import CourseError, SetupError
from autograder.feedback import feedback_html
from autograder.gradebook import Record, Recordable, recording
from autograder.grading import Grading, failed_grading, grade_file
from autograder.hand_in import hand_in_time
from autograder.intake import MARKUP
from autograder.journal import Journal, digest_of
from autograder.problem import Problem, load_problem
from autograder.release import notebook_text, write_atomically
from autograder.results import Graded, GradedLog, Outcome
from autograder.seed import grading_seed
from autograder.student_side.confinement import die_with_parent
from autograder.submission import LOG_NAME

_log = logging.getLogger("autograder")

Progress = Callable[[int, int], None]
"""Called as (submissions done, submissions in all)."""


def grade_folder(
    problem_id: str,
    submitted: Path,
    out: Path,
    *,
    workers: int | None = None,
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
        workers: processes side by side; one per core if not given.
        gradebook: record the results in the course's gradebook?
        progress: told after each submission.
        root: the course's root folder; found if not given.

    Returns:
        one entry per student, by name.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: a folder that cannot be read or written.
    """
    root = root or root_folder()
    problem = load_problem(problem_id, root)
    students = students_in(submitted)
    _make_writable(out)
    notebooks = {student: submitted / student / problem_id / f"{problem_id}.ipynb" for student in students}
    digests = {student: digest_of(path, path.with_name(LOG_NAME)) for student, path in notebooks.items()}
    journal = Journal(out, problem, grading_seed(root))
    done = {student: graded for student in students if (graded := journal.done(student, digests[student]))}
    left = {student: path for student, path in notebooks.items() if student not in done}
    with ExitStack() as stack:
        record = stack.enter_context(_recorder(root)) if gradebook else _unchanged
        for student, grading in grade_all(problem_id, left, workers=workers, root=root, submitted=submitted):
            log = record(grading, hand_in_time(notebooks[student].parent))
            _write(problem, log, grading.notebook, out)
            if log.outcome is not Outcome.GRADER_ERROR:  # a fault of ours is tried again
                journal.note(student, digests[student], grading.seconds)
            done[student] = Graded(log, grading.seconds)
            if progress:
                progress(len(done), len(students))
    ordered = [done[student] for student in students]
    _write_table(out / "grades.csv", problem_id, [_grade_row(one.log) for one in ordered])
    _write_table(out / "timings.csv", problem_id, [_timing_row(one) for one in ordered])
    journal.finish()
    return ordered


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


def students_in(submitted: Path) -> list[str]:
    """The students who have a folder, by name.

    Raises:
        SetupError: no such folder, or nobody in it.
    """
    if not submitted.is_dir():
        raise SetupError(f"{submitted} is no folder; --submitted wants one that holds a folder per student.")
    students = sorted(path.name for path in submitted.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not students:
        raise SetupError(
            f"{submitted} holds no student's folder; expected {submitted}/<student>/<problem>/<problem>.ipynb."
        )
    return students


def grade_all(
    problem_id: str,
    notebooks: dict[str, Path],
    *,
    workers: int | None = None,
    root: Path | None = None,
    submitted: Path | None = None,
) -> Iterator[tuple[str, Grading]]:
    """Grades many notebooks side by side; yields (key, result) as each is done.

    A submission on which the grader itself fails, or whose worker dies, gets a result that says so; the others go on.

    Args:
        problem_id: problem id.
        notebooks: key (the student's id) → path.
        workers: processes side by side; one per core, and never more than submissions, if not given.
        root: the course's root folder.
        submitted: the folder that holds the hand-ins, below which no link is followed.
    """
    workers = min(workers or os.cpu_count() or 1, max(1, len(notebooks)))
    left = dict(notebooks)
    task = partial(_task, problem_id, root=root, submitted=submitted)
    with _pool(workers) as pool:
        try:
            yield from _collect(pool, task, notebooks, left)
        except BrokenProcessPool:
            pass
    for key, path in list(left.items()):  # a worker died: those without a result are tried again, one process each
        with _pool(1) as pool:
            try:
                yield from _collect(pool, task, {key: path}, left)
            except BrokenProcessPool:
                yield key, failed_grading(load_problem(problem_id, root), key, "the grading process died twice")


def _collect(
    pool: Executor, task: Callable[[Path, str], Grading], notebooks: dict[str, Path], left: dict[str, Path]
) -> Iterator[tuple[str, Grading]]:
    futures: dict[Future[Grading], str] = {pool.submit(task, path, key): key for key, path in notebooks.items()}
    for future in as_completed(futures):
        grading = future.result()
        del left[futures[future]]
        yield futures[future], grading


def _task(problem_id: str, path: Path, student: str, *, root: Path | None, submitted: Path | None) -> Grading:
    """One submission, in a worker process; a fault of ours is a result too."""
    try:
        return grade_file(problem_id, path, student=student, root=root, submitted=submitted)
    except SetupError:
        raise
    except Exception as error:
        return failed_grading(load_problem(problem_id, root), student, f"{type(error).__name__}: {error}")


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes: a forked copy of this one could inherit a lock or a thread pool of torch's."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=die_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _write(problem: Problem, log: GradedLog, notebook: NotebookNode, out: Path) -> None:
    folder = out / log.student / problem.id
    text = json.dumps(log.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / "submission_log.json", text)
    write_atomically(folder / f"{problem.id}.ipynb", notebook_text(notebook))
    write_atomically(folder / "feedback.html", feedback_html(log, problem))


def _grade_row(log: GradedLog) -> dict[str, str]:
    return {
        "student": log.student,
        "problem": log.problem,
        "score": f"{log.score:.6g}",
        "max_score": f"{log.max_score:.6g}",
        "status": str(log.outcome),
    }


def _timing_row(graded: Graded) -> dict[str, str]:
    return {"student": graded.log.student, "problem": graded.log.problem, "seconds": f"{graded.seconds:.6g}"}


def _write_table(path: Path, problem: str, rows: list[dict[str, str]]) -> None:
    """Writes one line per submission; lines of other problems that an earlier run left there stay."""
    columns = list(rows[0])
    kept = [row for row in _read_table(path, columns) if row["problem"] != problem]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(kept + rows, key=lambda row: (row["problem"], row["student"])))
    write_atomically(path, text.getvalue())


def _read_table(path: Path, columns: list[str]) -> list[dict[str, str]]:
    """The lines of an earlier table; none if there is no such file, or it has other columns."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader(file)
        return [row for row in reader if list(row) == columns and None not in row.values()]


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SetupError(f"{out} cannot be written ({error.strerror}); choose another folder with --out.") from error
