"""Runs a notebook twice: in a real Jupyter kernel, and through the grader; says which items pass in each.

Both sides see the visible tests only: the problem's source is copied without its hidden parts. Cells that train, plot
or write the log are left out in the kernel, as in grading.
"""

from __future__ import annotations

import atexit
import copy
import functools
import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.core.flags import FlagKind
from autograder.core.notebook_io import notebook_text
from autograder.course.cell_selection import NOT_RUN, warm_modules
from autograder.course.markers import HIDDEN, replaced
from autograder.course.problem import Problem, load_problem
from autograder.grading.grade import grade_submission
from autograder.sandbox.host import Host
from autograder.submissions.reader import Submission

CELL_SECONDS = 120


@functools.cache
def visible(problem: str, root: Path) -> Problem:
    """The problem with the visible parts of its tests only."""
    folder = Path(tempfile.mkdtemp(prefix="visible-"))
    (folder / "solutions").mkdir()
    (folder / "course.toml").write_bytes((root / "course.toml").read_bytes())
    source = (root / "solutions" / f"{problem}.py").read_text(encoding="utf-8")
    (folder / "solutions" / f"{problem}.py").write_text(replaced(source, HIDDEN, None), encoding="utf-8")
    return load_problem(problem, folder)


def passed_in_jupyter(problem: Problem, notebook: NotebookNode, folder: Path) -> dict[str, bool]:
    """Code item → whether its test cell ran without an error, when the notebook ran in a kernel from top to bottom."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if set(cell.metadata.get("tags", ())) & NOT_RUN:
            cell.source = ""
    environment = {"HOMEWORK_PROFILE": "grade", "HOMEWORK_STUDENT": "ada", "PYTHONPATH": "", "MPLBACKEND": ""}
    with patch.dict(os.environ, environment):
        NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    tests = {item.test.grade_id: item.id for item in problem.items if item.test is not None}
    return {
        tests[cell.metadata.nbgrader.grade_id]: not any(out.output_type == "error" for out in cell.outputs)
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") in tests
    }


def passed_here(problem: Problem, notebook: NotebookNode) -> tuple[dict[str, bool], bool]:
    """Code item → whether it gets full points in grading; and whether a cell failed, below which grading goes on."""
    submission = Submission("ada", f"{problem.id}.ipynb", notebook_text(notebook).encode())
    root = problem.path.parent.parent
    log = grade_submission(problem.id, submission, root=root, host=_host(problem)).log
    passed = {item.id: item.score == item.max_score for item in log.items if not item.manual}
    return passed, log.has(FlagKind.FAILED_CELL)


@functools.cache
def _host(problem: Problem) -> Host:
    host = Host(warm_modules([problem]))
    atexit.register(host.close)
    return host
