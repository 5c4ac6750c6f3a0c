"""Our autograder: the whole hostile class in one batch behind the strongest walls, as its own tests grade it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from unittest import mock

from autograder.batch.grade_folder import grade_folder
from autograder.core.results import Graded, Outcome, Step
from autograder.course.problem import load_problem
from autograder.sandbox.guest.confinement import FULL
from autograder.sandbox.host import Host
from benchmarks.attacks.equivalent import MARKS
from benchmarks.attacks.records import Run
from tests.attacks.files import ATTACKS, HONEST, Submission
from tests.attacks.hostile_class import CELLS, filled_in, fingerprints, hand_in, listener, toy_course
from tests.autograder.toy import solved, text

NAME = "ours"
MAXIMUM = 20.0


def submissions(words: dict[str, object], root: Path) -> dict[str, Submission]:
    """All submissions, by the name under which they are handed in."""
    cells = {path.stem: Submission(text(solved(standardize=filled_in(path, words))), 8.0) for path in CELLS}
    return {**cells, **ATTACKS(load_problem("toy", root)), **HONEST}


def grade(folder: Path, digest: str) -> list[Run]:
    """Grades everybody; what happened to the course as a whole stands in the run of `honest_right`.

    Args:
        folder: an empty folder.
        digest: kept with each run.

    Raises:
        SetupError: this machine does not offer the strongest walls.
    """
    with contextlib.closing(Host(level=FULL)) as host:
        host.start()
    root = folder / "course"
    toy_course(root)
    submitted, out = root / "course" / "submitted", root / "graded"
    with listener() as (port, accepted), mock.patch.dict(os.environ, {"AUTOGRADER_ISOLATION": FULL}):
        handed_in = submissions({"COURSE": str(root), "SUBMITTED": str(submitted), "OUT": str(out), "PORT": port}, root)
        for name, submission in handed_in.items():
            hand_in(submitted, name, submission)
        before = fingerprints(root, out)
        graded = grade_folder("toy", submitted, out, workers=2, cache=False, root=root, progress=_progress)
        after = fingerprints(root, out)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        planted = {str(path): "" for path in folder.rglob("pwned")}
        runs = []
        for one in graded:
            whole = one.log.student == "honest_right"
            runs.append(
                _record(
                    one,
                    handed_in[one.log.student].score,
                    digest,
                    (out / one.log.student / "toy" / "feedback.html").read_text(encoding="utf-8"),
                    tuple(changed) if whole else (),
                    planted if whole else {},
                    len(accepted) if whole else 0,
                )
            )
    return runs


def _record(
    graded: Graded,
    deserved: float,
    digest: str,
    page: str,
    changed: tuple[str, ...],
    planted: dict[str, str],
    connections: int,
) -> Run:
    log = graded.log
    hidden, script = any(mark in page for mark in MARKS), "<script" in page
    return Run(
        system=NAME,
        submission=log.student,
        digest=digest,
        deserved=deserved,
        points=log.auto_score if log.outcome in (Outcome.GRADED, Outcome.UNREADABLE) else None,
        maximum=MAXIMUM,
        seconds=round(graded.seconds, 1),
        changed=changed,
        planted=planted,
        connections=connections,
        pages=("hidden tests",) * hidden + ("script",) * script,
    )


def _progress(step: Step) -> None:
    print(f"\rours: {step.done} of {step.total}", end="" if step.done < step.total else "\n", flush=True)
