"""The demonstration: release every problem, grade a small made-up class, and say whether all came out as it should."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.batch import grade_folder
from autograder.course import root_folder
from autograder.errors import SetupError
from autograder.made_up_class import MadeUpStudent, make_class, surprises
from autograder.problem import problem_ids
from autograder.release import release
from autograder.results import Flag, GradedLog, ItemResult, Outcome, Status
from autograder.table import GradeLine

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration found for one problem."""

    problem: str
    lines: tuple[GradeLine, ...]
    """One per made-up student, with what came out otherwise than expected."""
    grades_csv: Path
    submission_log: Path
    """One student's graded log, as an example."""
    feedback: Path
    """The same student's feedback page."""

    @property
    def ok(self) -> bool:
        """Did every student get what they should?"""
        return not any(line.surprises for line in self.lines)


def demo(
    problems: Sequence[str] = (),
    out: Path | None = None,
    *,
    workers: int | None = None,
    root: Path | None = None,
    progress: Callable[[str], Progress] | None = None,
) -> list[DemoResult]:
    """Releases the problems, makes up a class, grades it and compares the scores with what they should be.

    Args:
        problems: problem ids; all that have a source if empty.
        out: where submissions and results go; `course/demo` below the root folder if not given. What an earlier
            demonstration left there is replaced.
        workers: processes that grade side by side; as many as the batch chooses if not given.
        root: the course's root folder; found by `root_folder()` if not given.
        progress: told the problem, answers with what is called as `(done, total)` after each submission.

    Raises:
        ReleaseError: the linter or the leak test found something.
        SetupError: `out` cannot be written, or holds something else than an earlier demonstration.
    """
    root = root or root_folder()
    chosen = list(problems) or problem_ids(root)
    out = out or root / "course" / "demo"
    submitted, graded = out / "submitted", out / "graded"
    _empty(out, submitted, graded)
    release(chosen, root=root)
    students = make_class(chosen, submitted, root)
    return [
        _grade(problem, students, submitted, graded / problem, workers, root, progress(problem) if progress else None)
        for problem in chosen
    ]


def _grade(
    problem: str,
    students: Sequence[MadeUpStudent],
    submitted: Path,
    out: Path,
    workers: int | None,
    root: Path,
    progress: Progress | None,
) -> DemoResult:
    rows = grade_folder(problem, submitted, out, workers=workers, progress=progress, root=root)
    seconds = {row.student: row.seconds for row in rows}
    lines = []
    for student in students:
        if student.problem == problem:
            log = read_graded_log(out / student.name / problem / "submission_log.json")
            found = tuple(surprises(student, log))
            lines.append(GradeLine(log, seconds.get(student.name, 0.0), student.story, found))
    example = out / "chen" / problem
    return DemoResult(
        problem, tuple(lines), out / "grades.csv", example / "submission_log.json", example / "feedback.html"
    )


def read_graded_log(path: Path) -> GradedLog:
    """A graded `submission_log.json` as `autograder grade` wrote it.

    Raises:
        SetupError: there is none, or it was not written by the autograder.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        grades = record["grades"]
        items = tuple(
            ItemResult(
                entry["id"],
                entry["score"],
                entry["max_score"],
                Status(entry["status"]),
                entry["message"],
                manual=entry.get("manual", False),
                misconception=entry.get("misconception", ""),
            )
            for entry in grades["items"]
        )
        return GradedLog(
            problem=record["problem"],
            student=record["student"],
            created_at=record["created_at"],
            profile=record["profile"],
            environment=record["environment"],
            answers=record["answers"],
            metrics=record["metrics"],
            code=record.get("code", {}),
            notebook_sha256=record.get("notebook_sha256"),
            outcome=Outcome(grades["outcome"]),
            items=items,
            flags=tuple(Flag(flag["kind"], flag["message"]) for flag in grades.get("flags", ())),
            process=record.get("process", {}),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"{path} is no graded log ({type(error).__name__}: {error}); grade the submission again."
        ) from error


def _empty(out: Path, *folders: Path) -> None:
    """Removes what an earlier demonstration left, and nothing else."""
    strangers = [path.name for path in out.iterdir() if path not in folders] if out.is_dir() else []
    if strangers:
        raise SetupError(
            f"{out} holds other things than a demonstration ({strangers[0]}); choose an empty folder with --out."
        )
    try:
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
    except OSError as error:
        raise SetupError(
            f"cannot write {error.filename or out} ({error.strerror}); choose another folder with --out."
        ) from error
