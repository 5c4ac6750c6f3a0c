"""One class graded by one system: a course of its own for each run, the command measured, its scores read."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from autograder.core.results import PHASES
from autograder.course.config import COURSE_FILE, ROOT_VARIABLE
from autograder.course.problem import Problem
from autograder.course.seed import SEED_VARIABLE
from autograder.release.notebook import released_notebook
from benchmarks.attacks.equivalent import item_of
from benchmarks.attacks.inside import SCORES
from benchmarks.attacks.stock import ROOT, clean_environment, nbgrader_course, otter_zip, stock_environment
from benchmarks.grading.meter import Cost, measure
from benchmarks.grading.phases import phases_of
from benchmarks.grading.records import Measured
from benchmarks.grading.submissions import Submission, write_class

TRACER = Path(__file__).with_name("tracer")
TIMINGS = ("seconds", *PHASES)
"""Columns of `timings.csv`."""
COMMAND = (sys.executable, "-m", "autograder.cli.main")


class Ours:
    """A copy of the course whose problem is released, so that its gradebook knows it, with a class in it.

    Args:
        problem: the problem.
        submissions: the class.
        folder: an empty folder for the copy.
    """

    def __init__(self, problem: Problem, submissions: Iterable[Submission], folder: Path) -> None:
        self._problem, self._folder, self._out = problem.id, folder, folder / "graded"
        shutil.copy(ROOT / COURSE_FILE, folder)
        shutil.copytree(ROOT / "solutions", folder / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
        self._variables = clean_environment(
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",  # nbgrader's release starts `alembic`
            PYTHONPATH=str(ROOT),
            **{ROOT_VARIABLE: str(folder), SEED_VARIABLE: "of the benchmark"},
        )
        release = [*COMMAND, "release", problem.id]
        subprocess.run(release, cwd=folder, env=self._variables, check=True, capture_output=True, text=True)
        write_class(folder / "submitted", released_notebook(problem), submissions, problem)

    def grade(self, wanted: Measured, *, cache: bool = False) -> Measured:
        """Grades the class with one command.

        Args:
            wanted: says how many workers, and whether to use the gradebook.
            cache: whether to use cached results.
        """
        command = [*COMMAND, "grade", self._problem, "--submitted", "submitted", "--out", str(self._out)]
        command += ["--workers", str(wanted.workers)]
        command += [] if wanted.gradebook else ["--no-gradebook"]
        command += [] if cache else ["--no-cache"]
        cost = measure(command, self._folder, self._variables)
        return _measured(wanted, [cost], scores=self._scores(), phases=self._timings())

    def _scores(self) -> dict[str, dict[str, float]]:
        """The points of the items graded by tests."""
        found = {}
        for path in sorted(self._out.glob(f"*/{self._problem}/submission_log.json")):
            items = json.loads(path.read_text(encoding="utf-8"))["grades"]["items"]
            found[path.parent.parent.name] = {item["id"]: item["score"] for item in items if not item.get("manual")}
        return found

    def _timings(self) -> dict[str, float]:
        """The mean of each column of `timings.csv`."""
        with (self._out / "timings.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: mean(float(row[name] or 0) for row in rows) for name in TIMINGS}


def grade_nbgrader(problem: Problem, submissions: Sequence[Submission], folder: Path, wanted: Measured) -> Measured:
    """Grades a class with one `nbgrader autograde` in a course that nbgrader itself releases.

    Args:
        problem: the problem.
        submissions: the class.
        folder: an empty folder.
        wanted: `phases` as its part asks for a trace.
    """
    course, variables = folder / "course", stock_environment("nbgrader", folder / "library")
    released = nbgrader_course(problem, course, variables, whole=True)
    write_class(course / "submitted", released, submissions, problem)
    cost = measure(
        [_program(variables, "nbgrader"), "autograde", problem.id], course, _traced(variables, folder, wanted)
    )
    scores: dict[str, dict[str, float]] = {}
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as connection:
        for student, cell, automatic, _ in connection.execute(SCORES):
            if cell.startswith("test_"):
                item = item_of(cell, [item.id for item in problem.items])
                points = scores.setdefault(student, {})
                points[item] = points.get(item, 0.0) + float(automatic or 0.0)
    return _measured(wanted, [cost], scores=scores, phases=_phases(folder, [cost], len(submissions)))


def grade_otter(problem: Problem, submissions: Sequence[Submission], folder: Path, wanted: Measured) -> Measured:
    """Grades a class with an `otter run` for each submission; see `grade_nbgrader`."""
    variables = stock_environment("otter", folder / "library")
    released = otter_zip(problem, folder / "course", variables, whole=True)
    zipped, items = str(folder / "course" / "autograder.zip"), {item.id for item in problem.items}
    costs, scores = [], {}
    for path in write_class(folder / "submitted", released, submissions, problem):
        results = path.parent / "results"
        results.mkdir()
        run = [_program(variables, "otter"), "run", "-a", zipped, "-o", results.name, path.name]
        costs.append(measure(run, path.parent, _traced(variables, folder, wanted)))
        tests = json.loads((results / "results.json").read_text(encoding="utf-8"))["tests"]
        points = {test["name"].split(" - ")[0]: float(test["score"]) for test in tests if "score" in test}
        scores[path.parent.parent.name] = {name: value for name, value in points.items() if name in items}
    return _measured(wanted, costs, scores=scores, phases=_phases(folder, costs, len(submissions)))


def _traced(variables: dict[str, str], folder: Path, wanted: Measured) -> dict[str, str]:
    """The variables of the measured command: with the tracer if the part is `phases`."""
    if wanted.part != "phases":
        return variables
    path = f"{TRACER}{os.pathsep}{variables['PYTHONPATH']}"
    return {**variables, "PYTHONPATH": path, "GRADING_TRACE": str(folder / "trace.jsonl")}


def _program(variables: dict[str, str], name: str) -> str:
    return f"{variables['PATH'].partition(os.pathsep)[0]}/{name}"


def _phases(folder: Path, costs: Sequence[Cost], submissions: int) -> dict[str, float]:
    trace = folder / "trace.jsonl"
    if not trace.is_file():
        return {}
    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    return phases_of(events, sum(cost.seconds for cost in costs), submissions)


def _measured(wanted: Measured, costs: Sequence[Cost], **fields: Any) -> Measured:
    """A measurement of commands that ran one after the other."""
    cpu = [cost.cpu for cost in costs if cost.cpu is not None]
    return dataclasses.replace(
        wanted,
        seconds=sum(cost.seconds for cost in costs),
        cpu=sum(cpu) if len(cpu) == len(costs) else None,
        memory=max(cost.memory for cost in costs),
        main_memory=max(cost.main_memory for cost in costs),
        **fields,
    )
