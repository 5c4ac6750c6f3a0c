"""Our autograder, through its command line: a course of its own for each run, the class in it, what came out."""

from __future__ import annotations

import csv
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.config import COURSE_FILE, ROOT_VARIABLE
from autograder.course.problem import Problem
from autograder.course.seed import SEED_VARIABLE
from autograder.course.variants import variants_folder
from autograder.release.notebook import released_notebook
from benchmarks.grading.hand_ins import HandIn, write_class
from benchmarks.grading.meter import Cost, environment_for, measure

NO_CACHE = "--no-cache"
_COMMAND = (sys.executable, "-m", "autograder.cli.main")


@dataclass(frozen=True)
class Course:
    """A course with a class that has handed in."""

    root: Path
    problem: str
    variables: Mapping[str, str]

    @property
    def submitted(self) -> Path:
        """The folder with the class."""
        return self.root / "submitted"

    @property
    def out(self) -> Path:
        """Where results go."""
        return self.root / "graded"


def course(repository: Path, problem: Problem, hand_ins: Iterable[HandIn], folder: Path) -> Course:
    """A copy of the course whose problem is released, so that its gradebook knows it, with a class in it.

    Args:
        repository: this project's folder.
        problem: the problem.
        hand_ins: the class.
        folder: an empty folder for the copy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(repository / COURSE_FILE, folder)
    shutil.copytree(repository / "solutions", folder / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    for kind in ("wrong", "right"):
        shutil.copytree(variants_folder(problem, kind), folder / "solutions/variants" / problem.id / kind)
    variables = _variables(repository) | {ROOT_VARIABLE: str(folder), SEED_VARIABLE: "of the benchmark"}
    made = Course(folder, problem.id, variables)
    subprocess.run(
        [*_COMMAND, "release", problem.id], cwd=folder, env=variables, check=True, capture_output=True, text=True
    )
    write_class(made.submitted, released_notebook(problem), hand_ins, problem)
    return made


def grade(made: Course, *, workers: int, gradebook: bool, cache: bool = False) -> Cost:
    """Grades the class with one command.

    Args:
        made: the course.
        workers: processes side by side.
        gradebook: record in the gradebook too?
        cache: may earlier results be used, where the command can?
    """
    command = [*_COMMAND, "grade", made.problem, "--submitted", str(made.submitted), "--out", str(made.out)]
    command += ["--workers", str(workers)]
    command += [] if gradebook else ["--no-gradebook"]
    command += [NO_CACHE] if has_cache(made.root.parent) and not cache else []
    return measure(command, made.root, made.variables)


def scores(made: Course) -> dict[str, dict[str, float]]:
    """Student → item id → points, of items graded by tests."""
    found = {}
    for path in sorted(made.out.glob(f"*/{made.problem}/submission_log.json")):
        items = json.loads(path.read_text(encoding="utf-8"))["grades"]["items"]
        found[path.parent.parent.name] = {item["id"]: item["score"] for item in items if not item.get("manual")}
    return found


def timings(made: Course) -> list[dict[str, str]]:
    """The lines of `timings.csv`."""
    with (made.out / "timings.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def level(made: Course) -> str:
    """At which isolation level student code ran, as the logs say."""
    path = next(made.out.glob(f"*/{made.problem}/submission_log.json"))
    flags: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["grades"]["flags"]
    said = [flag["message"] for flag in flags if flag["kind"] == "isolation"]
    return said[0].split("'")[1] if said and "'" in said[0] else "unknown"


@functools.cache
def has_cache(anywhere: Path) -> bool:
    """Does `autograder grade` know a cache of results that can be switched off?"""
    repository = Path(__file__).resolve().parents[2]
    told = subprocess.run(
        [*_COMMAND, "grade", "--help"],
        cwd=anywhere,
        env={**_variables(repository), "COLUMNS": "200"},
        check=True,
        capture_output=True,
        text=True,
    )
    return NO_CACHE in told.stdout


def _variables(repository: Path) -> dict[str, str]:
    """The environment of our commands; nbgrader's release step starts `alembic` by name."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    return environment_for(PATH=path, PYTHONPATH=str(repository))
