"""The runs of a problem in a results' folder: keeps the present one, compares two, goes back to an earlier one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.batch.earlier import class_logs, earlier_logs
from autograder.batch.run_store import Run, RunStore, Why
from autograder.batch.tables import timing_rows, write_grades
from autograder.core.errors import SetupError
from autograder.core.files import write_atomically, write_bytes
from autograder.core.locks import locked
from autograder.core.results import GradedLog
from autograder.core.text import is_text
from autograder.course.config import course_folder, load_course
from autograder.course.problem import Problem, load_problem
from autograder.course.regrades import of_student, regrades_or_warning
from autograder.feedback.student_page import student_page
from autograder.gradebook.database import apply_log_worth, gradebook_path, opened, with_points
from autograder.gradebook.rows import class_rows
from autograder.gradebook.snapshot import restore, snapshot
from autograder.submissions.reader import LOG_NAME

NOW = "now"
"""Name of the present state, in place of a run's id."""
_RECORDED = "recorded.ipynb"
"""Name of the notebook that the form grader shows, among a run's files."""


@dataclass(frozen=True)
class Undone:
    """What `undo` did."""

    to: Run
    """The run that is there again."""
    kept: Run
    """The state before, kept as a run."""
    before: Mapping[str, GradedLog]
    after: Mapping[str, GradedLog]
    removed: tuple[str, ...]
    """Students whose results were not in the earlier run."""
    notes: tuple[str, ...]
    """Sentences on what is otherwise than in the earlier run."""


def keep_run(
    root: Path, out: Path, problem_id: str, why: Why = Why.GRADED_AGAIN, *, gradebook: bool = True
) -> Run | None:
    """Keeps the present results of a problem; None if there are none.

    Args:
        root: the course's root folder.
        out: the results' folder.
        problem_id: the problem.
        why: why they are kept.
        gradebook: whether to keep the gradebook's rows, too.

    Raises:
        SetupError: the run cannot be written.
        CourseError: the gradebook is locked or damaged.
    """
    listed = sorted(class_logs(out, problem_id))
    students = [name for name in sorted(os.listdir(out)) if is_text(name) and not name.startswith(".")]
    files = {student: found for student in students if (found := _files(root, out, problem_id, student))}
    if not files:
        return None
    rows = None
    if gradebook and gradebook_path(root).is_file():
        with opened(root) as book:
            rows = snapshot(book, problem_id)
    return RunStore(out).save(
        problem_id, why, files, listed=listed, gradebook=rows, timings=timing_rows(out, problem_id)
    )


def logs_of(out: Path, problem_id: str, run_id: str) -> dict[str, GradedLog]:
    """Student → log of a run, or of the present state (`now`).

    Raises:
        SetupError: no such run, or a file of it is damaged.
    """
    if run_id == NOW:
        return class_logs(out, problem_id)
    store = RunStore(out)
    run = store.run(run_id)
    return {student: log for student, log in store.logs(run).items() if student in run.listed}


def busy(problem_id: str, out: Path) -> AbstractContextManager[None]:
    """Keeps other commands from writing the results of a problem.

    Raises:
        SetupError: another one is writing them.
    """
    message = (
        f"another `autograder grade {problem_id}` is writing into {out}: wait until it has ended, or choose another "
        "folder with --out. Nothing was graded."
    )
    return locked(out / f".running-{problem_id}.lock", message)


def target(out: Path, problem_id: str, run_id: str = "") -> Run:
    """The run to which `undo` goes: the one before the latest grading if no id is given.

    Raises:
        SetupError: there is no such run.
    """
    store = RunStore(out)
    if run_id:
        run = store.run(run_id)
        if run.problem != problem_id:
            raise SetupError(f"{run_id} is a run of {run.problem}, not of {problem_id}.")
        return run
    left = [run for run in store.runs(problem_id) if run.why is Why.GRADED_AGAIN]
    if not left:
        raise SetupError(f"{out} has no earlier run of {problem_id} to go back to; `autograder runs` lists them.")
    return left[-1]


def undo(root: Path, out: Path, problem_id: str, run_id: str = "") -> Undone:
    """Goes back to an earlier run: logs, notebooks, feedback pages, tables, and the gradebook's scores of tests.

    The present state is kept as a run first. Manual scores and comments that graders gave since then stay.

    Raises:
        SetupError: there is no such run, it is damaged, or a file cannot be written.
        CourseError: the gradebook is locked or damaged.
    """
    run = target(out, problem_id, run_id)
    store = RunStore(out)
    with busy(problem_id, out):
        logs = store.logs(run)  # all is read before anything is written
        contents = {
            student: {name: store.content(digest) for name, digest in named.items()}
            for student, named in run.files.items()
        }
        rows, timings = store.rows(run.gradebook), store.rows(run.timings)
        before = class_logs(out, problem_id)
        kept = keep_run(root, out, problem_id, Why.UNDONE, gradebook=rows is not None)
        if kept is None:
            raise SetupError(f"{out} has no results of {problem_id}.")
        removed = tuple(sorted(kept.files.keys() - run.files.keys()))
        for student, named in contents.items():
            for name, data in named.items():
                write_bytes(_places(root, out, problem_id, student)[name], data)
        for student in removed:
            for name, path in _places(root, out, problem_id, student).items():
                if name != _RECORDED:
                    path.unlink(missing_ok=True)
        notes = [] if rows is None else _restore_gradebook(root, out, load_problem(problem_id, root), logs, rows)
        after = earlier_logs(out, run.listed, problem_id)
        if after:
            write_grades(out, list(after.values()), timings)
        (out / f".grading-{problem_id}.jsonl").unlink(missing_ok=True)
        store.remove(run)
    return Undone(run, kept, before, after, removed, tuple(notes))


def _restore_gradebook(
    root: Path, out: Path, problem: Problem, logs: Mapping[str, GradedLog], rows: dict[str, Any]
) -> list[str]:
    """Brings the rows back; logs and pages get the manual scores that stay."""
    if not gradebook_path(root).is_file():
        return ["there is no gradebook any more"]
    with opened(root) as gradebook:
        for log in list(logs.values())[:1]:
            apply_log_worth(gradebook, log)
        notes = restore(gradebook, problem.id, rows)
        gradebook.db.expire_all()
        now = class_rows(gradebook, problem.id)
    changed = []
    course, regrades = load_course(root), regrades_or_warning(root)
    for student, log in logs.items():
        if student not in now:
            continue
        given = with_points(log, now[student].given)
        folder = out / student / problem.id
        if given != log:
            changed.append(student)
            write_atomically(folder / LOG_NAME, given.as_text())
        if given != log or of_student(regrades, student, problem.id):  # requests may be newer than the kept page
            page = student_page(given, problem, course, now[student].submitted_at, regrades)
            write_atomically(folder / "feedback.html", page)
    if changed:
        notes.append(f"manual scores or comments given since then stay: {', '.join(sorted(changed))}")
    return notes


def _places(root: Path, out: Path, problem_id: str, student: str) -> dict[str, Path]:
    """Name of a file → its place."""
    notebook = f"{problem_id}.ipynb"
    folder = out / student / problem_id
    recorded = course_folder(root) / "autograded" / student / problem_id / notebook
    return {**{name: folder / name for name in (LOG_NAME, notebook, "feedback.html")}, _RECORDED: recorded}


def _files(root: Path, out: Path, problem_id: str, student: str) -> dict[str, Path]:
    """The files that a student has now; links, and files that cannot be examined, are left out."""
    found = {}
    for name, path in _places(root, out, problem_id, student).items():
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                found[name] = path
    return found if found.keys() - {_RECORDED} else {}
