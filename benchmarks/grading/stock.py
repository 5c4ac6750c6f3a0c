"""The peers as their documentation says: nbgrader's course directory, otter's autograder zip; made, run and read."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Problem
from benchmarks.attacks.environments import environment
from benchmarks.attacks.equivalent import item_of, nbgrader_source, otter_notebook, otter_tests, student_version
from benchmarks.attacks.inside import SCORES
from benchmarks.grading.hand_ins import HandIn, write_class
from benchmarks.grading.meter import Cost, environment_for, measure

PACKAGES = {"nbgrader": "nbgrader", "otter": "otter-grader"}
TRACER = Path(__file__).with_name("tracer")
TRACE_VARIABLE = "GRADING_TRACE"
_CONFIGURATION = "c = get_config()\nc.CourseDirectory.course_id = 'speed'\n"

Scores = dict[str, dict[str, float]]
"""Student → item id → points."""


@dataclass(frozen=True)
class Job:
    """One system with a class ready to be graded."""

    commands: Sequence[tuple[Path, list[str]]]
    """Folder and command; one after the other they grade the class."""
    variables: dict[str, str]
    folder: Path


def nbgrader_job(problem: Problem, hand_ins: Sequence[HandIn], folder: Path, python_path: Path) -> Job:
    """A course of stock nbgrader, released by itself, in which a class has handed in.

    Args:
        problem: the problem.
        hand_ins: the class.
        folder: an empty folder for the course.
        python_path: a folder from which the notebooks can import `homework`.
    """
    programs = environment(PACKAGES["nbgrader"], student_package=True) / "bin"
    variables = environment_for(PATH=f"{programs}{os.pathsep}{os.defpath}", PYTHONPATH=str(python_path))
    source = folder / "source" / problem.id / f"{problem.id}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(notebook_text(nbgrader_source(problem, whole=True)), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(_CONFIGURATION)
    _must([str(programs / "nbgrader"), "generate_assignment", problem.id, "--create"], folder, variables)
    released = nbformat.read(folder / "release" / problem.id / f"{problem.id}.ipynb", as_version=4)
    write_class(folder / "submitted", released, hand_ins, problem)
    return Job([(folder, [str(programs / "nbgrader"), "autograde", problem.id])], variables, folder)


def nbgrader_scores(job: Job, problem: Problem) -> Scores:
    """The points for code that stand in the gradebook."""
    found: Scores = {}
    items = [item.id for item in problem.items]
    with contextlib.closing(sqlite3.connect(job.folder / "gradebook.db")) as connection:
        for student, cell, automatic, _ in connection.execute(SCORES):
            if cell.startswith("test_"):
                item = item_of(cell, items)
                scores = found.setdefault(student, {})
                scores[item] = scores.get(item, 0.0) + float(automatic or 0.0)
    return found


def otter_job(problem: Problem, hand_ins: Sequence[HandIn], folder: Path, python_path: Path) -> Job:
    """An autograder zip of stock otter-grader, made by itself, and a command for each notebook of a class.

    Args:
        problem: the problem.
        hand_ins: the class.
        folder: an empty folder.
        python_path: a folder from which the notebooks can import `homework`.
    """
    programs = environment(PACKAGES["otter"], student_package=True) / "bin"
    variables = environment_for(PATH=f"{programs}{os.pathsep}{os.defpath}", PYTHONPATH=str(python_path))
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for name, text in otter_tests(problem).items():
        (tests / name).write_text(text, encoding="utf-8")
    _must([str(programs / "otter"), "generate", "-t", "tests", "-o", "autograder.zip"], folder, variables)
    released = checked_once(otter_notebook(student_version(nbgrader_source(problem, whole=True))))
    commands = []
    for path in write_class(folder / "submitted", released, hand_ins, problem):
        arguments = ["run", "-a", str(folder / "autograder.zip"), "-o", "results", path.name]
        (path.parent / "results").mkdir()
        commands.append((path.parent, [str(programs / "otter"), *arguments]))
    return Job(commands, variables, folder)


def otter_scores(job: Job, problem: Problem) -> Scores:
    """The points in otter's `results.json` files."""
    found: Scores = {}
    items = {item.id for item in problem.items}
    for folder, _ in job.commands:
        tests = json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))["tests"]
        scores = {test["name"].split(" - ")[0]: float(test["score"]) for test in tests if "score" in test}
        found[folder.parent.name] = {name: points for name, points in scores.items() if name in items}
    return found


def checked_once(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the second and later calls of otter's checker for the same item."""
    seen: set[str] = set()
    kept = []
    for cell in notebook.cells:
        if not (cell.source.startswith("grader.check(") and cell.source in seen):
            kept.append(cell)
        seen.add(cell.source)
    notebook.cells = kept
    return notebook


def run(job: Job, trace: Path | None = None) -> list[Cost]:
    """Grades the class; what each command cost.

    Args:
        job: the system and the class.
        trace: a file into which the tracer writes when which cell ran; None for a run that is timed.
    """
    variables = dict(job.variables)
    if trace is not None:
        variables["PYTHONPATH"] = f"{TRACER}{os.pathsep}{variables['PYTHONPATH']}"
        variables[TRACE_VARIABLE] = str(trace)
    return [measure(command, folder, variables) for folder, command in job.commands]


def library_of(root: Path, folder: Path) -> Path:
    """Makes a folder from which `homework` can be imported, and nothing else of this repository."""
    folder.mkdir(parents=True)
    (folder / "homework").symlink_to(root / "homework", target_is_directory=True)
    return folder


def _must(command: Iterable[str], cwd: Path, variables: dict[str, str]) -> None:
    subprocess.run([*command], cwd=cwd, env=variables, check=True, capture_output=True, text=True)
