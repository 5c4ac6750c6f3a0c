"""Stock nbgrader: a course directory as its documentation says, graded with `nbgrader autograde`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.core.notebook_io import notebook_text
from autograder.release.fill import fill_in, solution_answers
from benchmarks.attacks.container import KEPT, WORK, Job, run
from benchmarks.attacks.environments import environment
from benchmarks.attacks.equivalent import MARKS, nbgrader_source
from benchmarks.attacks.records import Run
from benchmarks.attacks.submissions import stock_submissions, write
from tests.attacks.files import Submission
from tests.autograder.toy import toy

NAME = "nbgrader"
MAXIMUM = 20.0
ATTACKER, BEFORE, AFTER = "mallory", "honest_ada", "zoe_honest"
"""Graded in alphabetical order; `BEFORE` has been graded on an earlier day."""
COURSE = f"{WORK}/course"
SOLUTION = f"{COURSE}/source/toy/toy.ipynb"
CONFIGURATION = "c = get_config()\nc.CourseDirectory.course_id = 'toy_course'\n"
SECONDS = 150.0
WITH_FEEDBACK = ("honest_right", "honest_wrong", "62")
"""Submissions whose feedback page is made and looked into."""


class Nbgrader:
    """The course, made once.

    Args:
        folder: an empty folder for the course before the attacks.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = environment("nbgrader")
        problem = toy()
        course = folder / "source" / "course"
        (course / "source/toy").mkdir(parents=True)
        (course / "source/toy/toy.ipynb").write_text(notebook_text(nbgrader_source(problem)), encoding="utf-8")
        (course / "nbgrader_config.py").write_text(CONFIGURATION)
        (folder / "nothing").mkdir()
        released = self._must(folder / "source", folder / "nothing", "generate_assignment", "toy", "--create")
        path = released / "course/release/toy/toy.ipynb"
        self._released: NotebookNode = nbformat.read(path, as_version=4)
        present = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in self._released.cells}
        self._answers = {name: text for name, text in solution_answers(problem).items() if name in present}
        for student in (BEFORE, AFTER):
            notebook = released / f"course/submitted/{student}/toy/toy.ipynb"
            notebook.parent.mkdir(parents=True)
            notebook.write_text(notebook_text(self.fill()), encoding="utf-8")
        self._base = self._must(released, folder / "nothing", "autograde", "toy", "--student", BEFORE)

    def _must(self, base: Path, submission: Path, *arguments: str) -> Path:
        """Runs a command without student code; returns the course afterwards."""
        keep = base.parent / arguments[0]
        command = (["nbgrader", *arguments], COURSE, 120.0)
        done = run(Job(self._environment, base, submission, [command], folders=[COURSE], keep=keep))["commands"][0]
        if done["status"] != 0:
            raise RuntimeError(f"nbgrader {arguments[0]} failed on an honest course: {done['output']}")
        return keep / KEPT

    def fill(self, **answers: str) -> NotebookNode:
        """The released notebook with right answers, some replaced."""
        return fill_in(self._released, {**self._answers, **answers})

    def released(self) -> NotebookNode:
        """The notebook as students get it."""
        return self._released

    def submissions(self) -> dict[str, Submission]:
        """All submissions."""
        words = {"COURSE": WORK, "SUBMITTED": f"{COURSE}/submitted", "OUT": f"{COURSE}/autograded"}
        return stock_submissions(self.fill, self.released(), words, SOLUTION)

    def grade(self, name: str, submission: Submission, digest: str) -> Run:
        """Grades a class of three: an honest student of yesterday's, this one, an honest one after it."""
        student = name if name.startswith("honest") and not name.isascii() else ATTACKER
        commands: list[tuple[list[str], str, float]] = [(["nbgrader", "autograde", "toy"], COURSE, SECONDS)]
        if name.startswith(WITH_FEEDBACK):
            commands.append((["nbgrader", "generate_feedback", "toy"], COURSE, 60.0))
        page = f"course/feedback/{student}/toy/toy.html"
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            write(submission, Path(folder) / f"course/submitted/{student}/toy/toy.ipynb")
            job = Job(
                self._environment,
                self._base,
                Path(folder),
                commands,
                texts=[page],
                own=["course/autograded", "course/feedback", "course/gradebook.db", "course/.nbgrader.log"],
                database="course/gradebook.db",
            )
            result = run(job)
        return record(name, submission, digest, result, student, result["texts"][page])


def record(name: str, submission: Submission, digest: str, result: Mapping[str, Any], student: str, page: str) -> Run:
    """What a run gave."""
    first = result["commands"][0]
    return Run(
        system=NAME,
        submission=name,
        digest=digest,
        deserved=submission.score,
        points=points_of(result["scores"], student),
        maximum=MAXIMUM,
        seconds=first["seconds"],
        neighbours={who: points_of(result["scores"], who) for who in (BEFORE, AFTER)},
        changed=tuple(result["changed"]),
        planted=result["planted"],
        processes_left=result["processes_left"],
        connections=result["connections"],
        pages=tuple(found_in(page)),
        stopped=ended_by(first),
        copied=bool(result["copied_secret"]),
        said=first["output"][-400:],
    )


def points_of(scores: list[list[Any]], student: str) -> float | None:
    """A student's points for code, as nbgrader adds them up; None if nothing was recorded."""
    rows = [row for row in scores if row[0] == student and row[1].startswith("test_")]
    if all(automatic is None and by_hand is None for _, _, automatic, by_hand in rows):
        return None
    return float(sum(by_hand if by_hand is not None else automatic or 0.0 for _, _, automatic, by_hand in rows))


def found_in(page: str) -> list[str]:
    """What a page for the student holds that it should not."""
    found = ["hidden tests"] if any(mark in page for mark in MARKS) else []
    return [*found, "script"] if "document.title = 'taken over'" in page and "<script>document.title" in page else found


def ended_by(command: Mapping[str, Any]) -> str:
    """What ended a command, if not itself."""
    if command["killed_for_memory"]:
        return "memory"
    if command["status"] is None:
        return "time"
    return "signal" if command["status"] < 0 else ""
