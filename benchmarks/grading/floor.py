"""The floor: what the graded calls of the students' own code cost in one warm process without a sandbox.

Each student's needed cells and the test cells, visible and hidden part, run where everything is imported, in one
thread. No grader that asks these tests can be faster in one process.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from autograder.core.notebook_io import notebook_text
from autograder.course.cell_selection import NOT_RUN
from autograder.course.name_analysis import needed
from autograder.course.problem import Problem
from autograder.grading.reference import Names, quiet_process, reference, run_trusted
from autograder.grading.verdict import verdict_of
from autograder.release.notebook import released_notebook
from autograder.sandbox.guest.server import seed_everything
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import Built, rebuild
from benchmarks.grading.submissions import Submission, notebook
from homework.checks import recording


@dataclass(frozen=True)
class Floor:
    """One student's graded calls."""

    cells: float
    """Seconds for the needed cells."""
    tests: float
    """Seconds for the test cells."""
    cpu: float
    """Seconds of processor time for both."""
    scores: dict[str, float]
    """Item id → points."""


def floor(problem: Problem, submission: Submission) -> Floor:
    """Runs a student's needed cells and all tests on them, in this process.

    Args:
        problem: the problem.
        submission: the student's submission; it must be harmless.
    """
    trusted = reference(problem)
    text = notebook_text(notebook(released_notebook(problem), submission, problem))
    rebuilt = rebuild(problem, read_cells(text.encode(), "the notebook"))
    chosen = needed([_source(built) for built in rebuilt.cells], trusted.wanted)
    module = types.ModuleType(f"floor_{submission.student}")
    spent, points, said = {"cells": 0.0, "tests": 0.0}, dict[str, float](), io.StringIO()
    with (
        _registered(module),
        mock.patch.dict(os.environ, {"HOMEWORK_PROFILE": "grade"}),
        quiet_process(),  # one thread
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        seed_everything(0)
        before = time.process_time()
        for number, built in enumerate(rebuilt.cells):
            if built.role == "test" and built.cell is not None and built.cell.is_test:
                item = problem.item(built.cell.grade_id.removeprefix("test_"))
                right = trusted.functions(item)
                wrong = {one: right[one] for one in right if one in points and points[one] < problem.item(one).points}
                for stand_ins in ({}, wrong) if wrong else ({},):
                    with mock.patch.dict(module.__dict__, stand_ins):
                        names = trusted.test_names(Names({**module.__dict__, **right}))
                        begun = time.perf_counter()
                        with recording() as parts:
                            error = _run(built.cell.source, f"<{built.cell.grade_id}>", names)
                        spent["tests"] += time.perf_counter() - begun
                    points[item.id] = verdict_of(item, error, parts, ()).score(item.points)
                    if points[item.id] == item.points:
                        break
            elif number in chosen:
                begun = time.perf_counter()
                _run(built.source, f"<{built.id}>", module.__dict__)
                spent["cells"] += time.perf_counter() - begun
        cpu = time.process_time() - before
    return Floor(spent["cells"], spent["tests"], cpu, points)


@contextlib.contextmanager
def _registered(module: types.ModuleType) -> Iterator[None]:
    """Dataclasses and named tuples look up the module that they are defined in."""
    sys.modules[module.__name__] = module
    try:
        yield
    finally:
        del sys.modules[module.__name__]


def _source(built: Built) -> str | None:
    """The cell's text if grading runs it."""
    if built.cell_type != "code" or built.role == "test":
        return None
    if built.cell is not None and (built.cell.is_manual or built.cell.tags & NOT_RUN):
        return None
    return built.source


def _run(source: str, name: str, names: dict[str, Any]) -> Exception | None:
    try:
        run_trusted(source, name, names)
    except Exception as error:
        return error
    return None
