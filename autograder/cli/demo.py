"""The demonstration: releases every problem, grades a made-up class, compares it with expected scores, reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.batch.grade_folder import Progress, grade_folder, worker_pool
from autograder.cli.release import release
from autograder.cli.sample_class import MadeUpStudent, make_class, surprises
from autograder.cli.tables import GradeLine
from autograder.core.errors import SetupError
from autograder.core.results import Graded
from autograder.course.config import root_folder
from autograder.course.problem import problem_ids
from autograder.report.page import NAME, report

_MARK = "demonstration.txt"
"""The file in a demonstration's folder that allows the next one to empty it."""


@dataclass(frozen=True)
class DemoResult:
    """The result of the demonstration for one problem."""

    problem: str
    lines: tuple[GradeLine, ...]
    """One per made-up student, with every difference from the expected result."""
    grades_csv: Path
    submission_log: Path
    """One student's graded log, as an example."""
    feedback: Path
    """The same student's feedback page."""
    report: Path
    """The class report about all problems."""


def demo(
    problems: Sequence[str] = (),
    out: Path | None = None,
    *,
    workers: int | None = None,
    root: Path | None = None,
    progress: Callable[[str], Progress] | None = None,
) -> list[DemoResult]:
    """Releases the problems, grades a made-up class, compares the scores with the expected ones, writes the report.

    Args:
        out: folder of submissions and results; `course/demo` below the root folder if not given. The files of an
            earlier demonstration are replaced.
        progress: called with the problem; returns the function that is called after each submission.

    Raises:
        ReleaseError: the linter or the leak test found something.
        SetupError: `out` cannot be written, or holds anything other than an earlier demonstration.
    """
    root = root or root_folder()
    chosen = list(problems) or problem_ids(root)
    ours = root / "course" / "demo"
    out = out or ours
    submitted, graded = out / "submitted", out / "graded"
    _empty(out, submitted, graded, is_ours=out == ours)
    release(chosen, root=root)
    students = make_class(chosen, submitted, root)
    results = []
    with worker_pool(chosen, len(students), workers, "", root) as pool:
        for problem in chosen:
            gradings = grade_folder(
                problem,
                submitted,
                graded,
                pool=pool,
                cache=False,
                gradebook=False,
                progress=progress(problem) if progress else None,
                root=root,
            )
            results.append(_result(problem, students, gradings, graded))
    report(graded, root=root)
    return results


def _result(problem: str, students: Iterable[MadeUpStudent], gradings: Iterable[Graded], out: Path) -> DemoResult:
    by_name = {grading.log.student: grading for grading in gradings}
    lines = []
    for student in students:
        if student.problem == problem:
            log, seconds = by_name[student.name].log, by_name[student.name].seconds
            lines.append(GradeLine(log, seconds, student.story, tuple(surprises(student, log))))
    example = out / "chen" / problem
    return DemoResult(
        problem=problem,
        lines=tuple(lines),
        grades_csv=out / "grades.csv",
        submission_log=example / "submission_log.json",
        feedback=example / "feedback.html",
        report=out / NAME,
    )


def _empty(out: Path, *folders: Path, is_ours: bool) -> None:
    """Removes the files of an earlier demonstration, which left `_MARK`; refuses if there are others."""
    found = {path.name for path in out.iterdir()} if out.is_dir() else set()
    others = sorted(found - {_MARK, *(folder.name for folder in folders)} if is_ours or _MARK in found else found)
    if others:
        raise SetupError(
            f"{out} has files that are not from a demonstration ({others[0]}); choose an empty folder with --out."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / _MARK).write_text(
            "`autograder demo` made this folder and empties it when it runs again.\n", encoding="utf-8"
        )
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
    except OSError as error:
        raise SetupError(
            f"cannot write {error.filename or out} ({error.strerror}); choose another folder with --out."
        ) from error
