"""Attacks on the notebook file itself, and honest students whose files look odd."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.problem import Problem
from autograder.results import Outcome
from tests.autograder.toy import RIGHT_STANDARDIZE, STANDARDIZE, released, solved, text

FULL = 20.0
NOTHING = STANDARDIZE + "    return torch.zeros_like(x)"
FLAT = STANDARDIZE + "    mu = x.mean(0).detach()\n    return (x - mu) / torch.sqrt(((x - mu) ** 2).mean(0) + eps)"


@dataclass(frozen=True)
class Submission:
    """What is handed in, and what it deserves."""

    data: bytes
    score: float = 0.0
    outcome: Outcome = Outcome.GRADED
    link: str = ""
    """Hand in a symbolic link to this path instead."""
    folder_link: str = ""
    """Hand in a symbolic link to this folder instead of a folder."""

    def write(self, path: Path) -> None:
        """Puts it in place; beside it lies a forged time of hand-in."""
        if self.folder_link:
            path.parent.rmdir()
            path.parent.symlink_to(self.folder_link)
            return
        if self.link:
            path.symlink_to(self.link)
        else:
            path.write_bytes(self.data)
        (path.parent / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")


def ATTACKS(problem: Problem) -> dict[str, Submission]:  # noqa: N802  (read like a constant)
    """The attacks, by name."""
    solution_file = str(problem.path)
    deep = '{"cells": ' + "[" * 200_000 + "]" * 200_000 + "}"
    wrong = Submission(b"", 8.0)  # the other item is answered rightly
    return {
        "17_skip_execution": _edited(_tag_tests("skip-execution"), wrong),
        "18_raises_exception": _edited(_tag_tests("raises-exception"), wrong),
        "32_test_source_edited": _edited(_each_test(_becomes_pass), wrong),
        "32b_points_raised": _edited(_each_test(_raise_points), wrong),
        "32c_test_becomes_text": _edited(_each_test(_become_text), wrong),
        "33_test_is_a_solution": _edited(_each_test(_become_solution), wrong),
        "34_metadata_stripped_and_tests_deleted": _edited(_strip, wrong),
        "35_test_cell_copied": _edited(_copy_tests, wrong),
        "36_schema_version_99": _edited(_schema_99, wrong),
        "56_link_to_the_solution": Submission(b"", 0.0, Outcome.UNREADABLE, link=solution_file),
        "56b_link_to_shadow": Submission(b"", 0.0, Outcome.UNREADABLE, link="/etc/shadow"),
        "56c_folder_is_a_link": Submission(b"", 0.0, Outcome.UNREADABLE, folder_link="../honest_right/toy"),
        "59_not_utf8": Submission("café".encode("latin-1"), 0.0, Outcome.UNREADABLE),
        "59b_deep_json": Submission(deep.encode(), 0.0, Outcome.UNREADABLE),
        "59c_list_as_grade_id": _edited(_odd_grade_ids, wrong),
        "59d_cells_is_a_number": Submission(b'{"nbformat": 4, "cells": 12}', 0.0, Outcome.UNREADABLE),
        "62_script_in_outputs": _edited(_scripts, wrong),
        "62b_script_in_answers": _edited(_script_answers, wrong),
        "81_later_cell_redefines": _edited(_redefine_at_the_end, wrong),
        "82_free_cell_patches": _edited(_patch_at_the_start, Submission(b"", 8.0)),
    }


def _edited(edit: Callable[[NotebookNode], None], deserved: Submission) -> Submission:
    """A notebook with a wrong `standardize` and a right `Line`, edited."""
    notebook = solved(standardize=NOTHING)
    edit(notebook)
    return Submission(json.dumps(notebook).encode(), deserved.score)


def _each_test(change: Callable[[NotebookNode], None]) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_"):
                change(cell)

    return edit


def _tag_tests(tag: str) -> Callable[[NotebookNode], None]:
    return _each_test(lambda cell: cell.metadata.update(tags=[tag]))


def _becomes_pass(cell: NotebookNode) -> None:
    cell.source = "pass"


def _raise_points(cell: NotebookNode) -> None:
    cell.metadata.nbgrader.points = 1e9
    cell.outputs = [new_output("execute_result", data={"text/plain": "1000000"}, execution_count=1)]


def _become_text(cell: NotebookNode) -> None:
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def _become_solution(cell: NotebookNode) -> None:
    cell.metadata.nbgrader.update(solution=True, grade=False)


def _strip(notebook: NotebookNode) -> None:
    notebook.cells = [
        c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("t")
    ]
    for cell in notebook.cells:
        cell.metadata = {}


def _copy_tests(notebook: NotebookNode) -> None:
    notebook.cells += [copy.deepcopy(cell) for cell in notebook.cells if "nbgrader" in cell.metadata]


def _schema_99(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.schema_version = 99


def _odd_grade_ids(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.grade_id = [cell.metadata.nbgrader.grade_id, number]


def _scripts(notebook: NotebookNode) -> None:
    bad = {
        "text/html": "<script>alert(1)</script>",
        "application/javascript": "alert(1)",
        "image/svg+xml": "<svg onload='x'/>",
    }
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", data=bad)]


def _script_answers(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("written"):
            cell.source = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))"


def _redefine_at_the_end(notebook: NotebookNode) -> None:
    notebook.cells.append(new_code_cell("standardize = lambda x, eps=0: True"))


def _patch_at_the_start(notebook: NotebookNode) -> None:
    patch = ["import torch, homework.checks", "torch.allclose = homework.checks.close = lambda *a, **k: True"]
    notebook.cells.insert(0, new_code_cell("\n".join(patch)))


def _honest(change: Callable[[NotebookNode], None] | None = None, score: float = FULL, **answers: str) -> Submission:
    notebook = solved(**answers)
    if change:
        change(notebook)
    return Submission(json.dumps(notebook).encode(), score)


def _free_cells(notebook: NotebookNode) -> None:
    notebook.cells.insert(3, new_markdown_cell("my notes"))
    notebook.cells.insert(4, new_code_cell("!pip list\n%timeit 1 + 1\nscratch = 3"))


def _reverse(notebook: NotebookNode) -> None:
    notebook.cells.reverse()


BODY = RIGHT_STANDARDIZE.removeprefix(STANDARDIZE)
NOISY = (
    STANDARDIZE
    + "    import sys, warnings\n    warnings.warn('noise')\n    print('Traceback', file=sys.stderr)\n"
    + BODY
)
SLOW = STANDARDIZE + "    import time\n    time.sleep(0.2)\n" + BODY

HONEST = {
    "honest_right": _honest(),
    "honest_right_in_another_way": _honest(standardize=RIGHT_STANDARDIZE),
    "honest_noisy": _honest(standardize=NOISY),
    "honest_slow": _honest(standardize=SLOW),
    "honest_part": _honest(standardize=FLAT, score=16.0),
    "honest_wrong": _honest(standardize=NOTHING, score=8.0),
    "honest_untouched": Submission(text(released()), 0.0),
    "honest_copied_tests": _honest(_copy_tests),
    "honest_stripped": _honest(_strip),
    "honest_reversed": _honest(_reverse),
    "honest_notes_and_magics": _honest(_free_cells),
    "honest ünïcode name": _honest(),
}
"""Honest students, by name; each keeps what the answers deserve."""

assert os.sep not in "".join(HONEST)
