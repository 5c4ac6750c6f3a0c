"""The hostile class with each system: ours grades it in one batch, the stock systems one submission at a time."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any
from unittest import mock

from nbformat import NotebookNode

from autograder.batch.grade_folder import grade_folder
from autograder.core.notebook_io import notebook_text
from autograder.core.results import Outcome
from autograder.course.seed import SEED_VARIABLE
from autograder.release.fill import fill_in, solution_answers
from autograder.sandbox.guest.confinement import FULL
from autograder.sandbox.host import ISOLATION_VARIABLE, Host
from benchmarks.attacks.container import PORT, WORK, ContainerError, run
from benchmarks.attacks.equivalent import grade_id
from benchmarks.attacks.runs import MAXIMUM, NOT_APPLICABLE, Run
from benchmarks.attacks.stock import environment, nbgrader_course, otter_zip, stock_environment
from benchmarks.attacks.stock import run as run_honest
from tests.attacks.files import EDITED, HONEST_EDITED, Submission, no_notebooks
from tests.attacks.hostile_class import CELLS, filled_in, fingerprints, hand_in, listener, toy_course
from tests.autograder.toy import released, toy

DESERVED_BESIDE = 8.0
"""Points of the item that every attacker answers rightly."""
MARKS = ("hidden_x", "expected_standardize", "steep")
"""Words that are in hidden tests only."""
ATTACKER, BEFORE, AFTER = "mallory", "honest_ada", "zoe_honest"
"""nbgrader grades in alphabetical order; `BEFORE` has been graded on an earlier day."""
NBGRADER_SECONDS = 150.0
OTTER_SECONDS = 90.0
"""The benchmark's own limits."""
WITH_FEEDBACK = ("honest_right", "honest_wrong", "62")
"""Submissions whose feedback page nbgrader makes: that takes as long as grading."""


def right_answers(untouched: NotebookNode, **answers: str) -> NotebookNode:
    """A system's notebook with right answers, some replaced."""
    present = {grade_id(cell) for cell in untouched.cells}
    right = {name: text for name, text in solution_answers(toy()).items() if name in present}
    return fill_in(untouched, right | answers)


def submissions(untouched: NotebookNode, solution: str, **words: object) -> dict[str, Submission]:
    """All attacks and all honest students, by name.

    Args:
        untouched: the system's notebook as students get it.
        solution: where the instructor's solution lies below the course.
        words: what the capital words in hostile cells stand for; `COURSE` is the course's folder.
    """

    def fill(**answers: str) -> NotebookNode:
        return right_answers(untouched, **answers)

    found = {}
    for path in CELLS:
        cell = filled_in(path, words).replace("/solutions/toy.py", f"/{solution}")
        found[path.stem] = Submission(json.dumps(fill(standardize=cell)).encode(), DESERVED_BESIDE)
    found |= no_notebooks(f"{words['COURSE']}/{solution}")
    found |= {name: edited.submission(fill) for name, edited in {**EDITED, **HONEST_EDITED}.items()}
    return found | {"honest_untouched": Submission(json.dumps(untouched).encode(), 0.0)}


def ours(folder: Path, only: tuple[str, ...]) -> Iterator[Run]:
    """Grades everybody in one batch; what happened to the course as a whole is in the run of `honest_right`.

    Args:
        folder: an empty folder.
        only: grade only submissions whose name starts with one of these, and `honest_right`.

    Raises:
        SetupError: this machine does not offer the strongest isolation level.
    """
    with Host(level=FULL):
        pass
    root = folder / "course"
    toy_course(root)
    submitted, out = root / "course" / "submitted", root / "graded"
    fixed = {ISOLATION_VARIABLE: FULL, SEED_VARIABLE: "of the benchmark"}  # else grading makes a file of seeds
    with listener() as (port, accepted), mock.patch.dict(os.environ, fixed):
        words = {"COURSE": str(root), "SUBMITTED": str(submitted), "OUT": str(out), "PORT": port}
        chosen = _chosen(submissions(released(), "solutions/toy.py", **words), only)
        for name, submission in chosen.items():
            hand_in(submitted, name, submission)
        before = fingerprints(root, out)
        graded = grade_folder("toy", submitted, out, workers=2, cache=False, root=root)
        after = fingerprints(root, out)
    course: dict[str, Any] = {
        "changed": sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)),
        "planted": {str(path): "" for path in folder.rglob("pwned")},
        "connections": len(accepted),
    }
    for log in (one.log for one in graded):
        page = (out / log.student / "toy" / "feedback.html").read_text(encoding="utf-8")
        yield Run(
            "ours",
            log.student,
            chosen[log.student].score,
            log.auto_score if log.outcome in (Outcome.GRADED, Outcome.UNREADABLE) else None,
            pages=found_in(page, "<script"),
            **(course if log.student == "honest_right" else {}),
        )


def stock(system: str, folder: Path, only: tuple[str, ...], jobs: int) -> Iterator[Run]:
    """Grades everybody, some side by side; gives each run as soon as it is over.

    Args:
        system: nbgrader or otter.
        folder: an empty folder.
        only: grade only submissions whose name starts with one of these, and `honest_right`.
        jobs: containers side by side.

    Raises:
        ContainerError: `honest_right` does not get full marks.
    """
    made: Nbgrader | Otter = Nbgrader(folder) if system == "nbgrader" else Otter(folder)
    chosen = _chosen(made.submissions, only)
    right = made.grade("honest_right", chosen.pop("honest_right"))
    if right.points != MAXIMUM:
        raise ContainerError(f"{system} does not give a right answer full marks, so something is not set up: {right}")
    yield right
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(made.grade, name, submission): name for name, submission in chosen.items()}
        for future in as_completed(futures):
            try:
                yield future.result()
            except ContainerError as error:
                print(f"{system}, {futures[future]}: no run, {error}", flush=True)


class Nbgrader:
    """nbgrader's course directory, made once.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._base = folder / "base"
        course, variables = self._base / "course", stock_environment("nbgrader", folder / "library")
        untouched = nbgrader_course(toy(), course, variables, whole=False)
        for student in (BEFORE, AFTER):
            notebook = course / "submitted" / student / "toy" / "toy.ipynb"
            notebook.parent.mkdir(parents=True)
            notebook.write_text(notebook_text(right_answers(untouched)), encoding="utf-8")
        run_honest(["nbgrader", "autograde", "toy", "--student", BEFORE], course, variables)
        places = {"COURSE": WORK, "SUBMITTED": f"{WORK}/course/submitted", "OUT": f"{WORK}/course/autograded"}
        self.submissions = submissions(untouched, "course/source/toy/toy.ipynb", PORT=PORT, **places)

    def grade(self, name: str, submission: Submission) -> Run:
        """Grades a class of three: an honest student of yesterday's, this one, an honest one after it."""
        student = name if name.startswith("honest") and not name.isascii() else ATTACKER
        commands = [(["nbgrader", "autograde", "toy"], NBGRADER_SECONDS)]
        with_feedback = name.startswith(WITH_FEEDBACK)
        if with_feedback:
            commands.append((["nbgrader", "generate_feedback", "toy"], 60.0))
        with _submitted(submission, f"course/submitted/{student}/toy/toy.ipynb") as folder:
            result = run(
                environment("nbgrader"),
                self._base,
                folder,
                commands,
                folder="course",
                own=[f"course/{name}" for name in ("autograded", "feedback", "gradebook.db", ".nbgrader.log")],
                database="course/gradebook.db",
                text=f"course/feedback/{student}/toy/toy.html",
            )
        points, *neighbours = (points_of(result["scores"], who) for who in (student, BEFORE, AFTER))
        pages = found_in(result["text"], "<script>document.title = 'taken over'") if with_feedback else None
        neighbour_points = dict(zip((BEFORE, AFTER), neighbours, strict=True))
        return _run("nbgrader", name, submission, result, points, pages=pages, neighbours=neighbour_points)


class Otter:
    """otter's autograder zip, made once by `otter generate`.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._base, made = folder / "base", folder / "made"
        untouched = otter_zip(toy(), made, stock_environment("otter", folder / "library"), whole=False)
        (self._base / "results").mkdir(parents=True)
        (made / "autograder.zip").rename(self._base / "autograder.zip")
        places = {"COURSE": WORK, "SUBMITTED": f"{WORK}/submitted", "OUT": f"{WORK}/results"}
        everybody = submissions(untouched, "solution.ipynb", PORT=PORT, **places)
        self.submissions = {name: one for name, one in everybody.items() if name not in NOT_APPLICABLE}

    def grade(self, name: str, submission: Submission) -> Run:
        """Grades one submission with `otter run`."""
        command = ["otter", "run", "-a", "autograder.zip", "-o", "results", "toy.ipynb"]
        with _submitted(submission, "toy.ipynb") as folder:
            result = run(
                environment("otter"),
                self._base,
                folder,
                [(command, OTTER_SECONDS)],
                folder="",
                own=["results"],
                text="results/results.json",
            )
        points, shown = read_results(result["text"])
        return _run("otter", name, submission, result, points, pages=found_in(shown))


def _chosen(everybody: Mapping[str, Submission], only: tuple[str, ...]) -> dict[str, Submission]:
    return {name: one for name, one in everybody.items() if name.startswith(only) or name == "honest_right"}


@contextlib.contextmanager
def _submitted(submission: Submission, path: str) -> Iterator[Path]:
    """A folder with a submission at this path."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        submission.write(folder / path)
        yield folder


def _run(
    system: str, name: str, submission: Submission, result: Mapping[str, Any], points: float | None, **more: Any
) -> Run:
    fields = ("changed", "planted", "processes_left", "connections", "stopped", "copied")
    return Run(system, name, submission.score, points, **{field: result[field] for field in fields}, **more)


def points_of(scores: list[list[Any]], student: str) -> float | None:
    """A student's points for code, as nbgrader adds them up; None if nothing was recorded."""
    rows = [row for row in scores if row[0] == student and row[1].startswith("test_")]
    if all(automatic is None and manual is None for _, _, automatic, manual in rows):
        return None
    return float(sum(manual if manual is not None else automatic or 0.0 for _, _, automatic, manual in rows))


def read_results(text: str) -> tuple[float | None, str]:
    """Points and the text that the student sees, from otter's `results.json`; None if it holds no results."""
    try:
        tests = json.loads(text)["tests"]
        scores = [float(test["score"]) for test in tests if "score" in test]
    except (ValueError, KeyError, TypeError):
        return None, ""
    shown = "\n".join(str(test.get("output", "")) for test in tests if test.get("visibility", "visible") != "hidden")
    return (sum(scores) if scores else None), shown


def found_in(page: str, script: str = "") -> list[str]:
    """What a page for the student holds that it should not: hidden tests, or this script."""
    hidden = ["hidden tests"] * any(mark in page for mark in MARKS)
    return hidden + ["script"] * bool(script and script in page)
