"""Grades a folder of submissions, several side by side, and writes what came out, submission by submission.

One submission is one task of a `concurrent.futures.Executor`: bytes in, results out. Only this process writes files.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.course import root_folder
from autograder.errors import SetupError
from autograder.feedback import feedback_html
from autograder.grading import Grading, failed_grading, grade_file
from autograder.problem import Problem, load_problem
from autograder.release import notebook_text, write_atomically
from autograder.student_side.worker import die_with_parent

Progress = Callable[[int, int], None]
"""Called as (submissions done, submissions in all)."""


@dataclass(frozen=True)
class BatchRow:
    """One line of `grades.csv`, and what else a table wants to show."""

    student: str
    problem: str
    score: float
    max_score: float
    status: str
    """`graded`, or why it could not be graded (`autograder.results.Outcome`)."""
    auto_score: float
    auto_max_score: float
    seconds: float


def grade_folder(
    problem_id: str,
    submitted: Path,
    out: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    root: Path | None = None,
) -> list[BatchRow]:
    """Grades `submitted/<student>/<problem>/<problem>.ipynb` of every student.

    Below `out` it writes `<student>/<problem>/{submission_log.json, <problem>.ipynb, feedback.html}` as each submission
    is done, and at the end `grades.csv` and `timings.csv`.

    Args:
        problem_id: problem id.
        submitted: folder with one folder per student.
        out: where results go; made if missing.
        workers: processes side by side; one per core if not given.
        progress: told after each submission.
        root: the course's root folder; found if not given.

    Returns:
        one row per student, by name.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: a folder that cannot be read or written.
    """
    root = root or root_folder()
    problem = load_problem(problem_id, root)
    students = students_in(submitted)
    _make_writable(out)
    rows: dict[str, BatchRow] = {}
    notebooks = {student: submitted / student / problem_id / f"{problem_id}.ipynb" for student in students}
    for student, grading in grade_all(problem_id, notebooks, workers=workers, root=root):
        _write(problem, student, grading, out)
        rows[student] = _row(student, grading)
        if progress:
            progress(len(rows), len(students))
    ordered = [rows[student] for student in students]
    write_atomically(out / "grades.csv", _csv(ordered, ("student", "problem", "score", "max_score", "status")))
    write_atomically(out / "timings.csv", _csv(ordered, ("student", "problem", "seconds")))
    return ordered


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
    problem_id: str, notebooks: dict[str, Path], *, workers: int | None = None, root: Path | None = None
) -> Iterator[tuple[str, Grading]]:
    """Grades many notebooks side by side; yields (key, result) as each is done.

    A submission on which the grader itself fails, or whose worker dies, gets a result that says so; the others go on.

    Args:
        problem_id: problem id.
        notebooks: key (the student's id) → path.
        workers: processes side by side; one per core, and never more than submissions, if not given.
        root: the course's root folder.
    """
    workers = min(workers or os.cpu_count() or 1, max(1, len(notebooks)))
    left = dict(notebooks)
    with _pool(workers) as pool:
        try:
            yield from _collect(pool, problem_id, notebooks, root, left)
        except BrokenProcessPool:
            pass
    for key, path in list(left.items()):  # a worker died: those without a result are tried again, one process each
        with _pool(1) as pool:
            try:
                yield from _collect(pool, problem_id, {key: path}, root, left)
            except BrokenProcessPool:
                yield key, failed_grading(load_problem(problem_id, root), key, "the grading process died twice")


def _collect(
    pool: Executor, problem_id: str, notebooks: dict[str, Path], root: Path | None, left: dict[str, Path]
) -> Iterator[tuple[str, Grading]]:
    futures: dict[Future[Grading], str] = {
        pool.submit(_task, problem_id, path, key, root): key for key, path in notebooks.items()
    }
    for future in as_completed(futures):
        grading = future.result()
        del left[futures[future]]
        yield futures[future], grading


def _task(problem_id: str, path: Path, student: str, root: Path | None) -> Grading:
    """One submission, in a worker process; a fault of ours is a result too."""
    try:
        return grade_file(problem_id, path, student=student, root=root)
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


def _write(problem: Problem, student: str, grading: Grading, out: Path) -> None:
    folder = out / student / problem.id
    log = json.dumps(grading.log.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / "submission_log.json", log)
    write_atomically(folder / f"{problem.id}.ipynb", notebook_text(grading.notebook))
    write_atomically(folder / "feedback.html", feedback_html(grading.log, problem))


def _row(student: str, grading: Grading) -> BatchRow:
    log = grading.log
    return BatchRow(
        student=student,
        problem=log.problem,
        score=log.score,
        max_score=log.max_score,
        status=str(log.outcome),
        auto_score=log.auto_score,
        auto_max_score=log.auto_max_score,
        seconds=grading.seconds,
    )


def _csv(rows: list[BatchRow], columns: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(getattr(row, column)) for column in columns] for row in rows)
    return text.getvalue()


def _plain(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else value


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SetupError(f"{out} cannot be written ({error.strerror}); choose another folder with --out.") from error
