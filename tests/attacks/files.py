"""Attacks by the notebook file itself, and honest students whose files look unusual."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.core.results import Outcome
from autograder.course.problem import Problem
from tests.autograder.toy import RIGHT_STANDARDIZE, STANDARDIZE, released, solved, text

FULL = 20.0
NOTHING = STANDARDIZE + "    return torch.zeros_like(x)"
FLAT = STANDARDIZE + "    mu = x.mean(0).detach()\n    return (x - mu) / torch.sqrt(((x - mu) ** 2).mean(0) + eps)"


@dataclass(frozen=True)
class Submission:
    """A submission, and the score that it deserves."""

    data: bytes
    score: float = 0.0
    outcome: Outcome = Outcome.GRADED
    link: str = ""
    """Submit a symbolic link to this path instead."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links beside the notebook: name → path."""

    def write(self, path: Path) -> None:
        """Writes it to the path, with a forged submission time beside it."""
        if self.link:
            path.symlink_to(self.link)
        else:
            path.write_bytes(self.data)
        for name, target in self.beside.items():
            (path.parent / name).symlink_to(target)
        (path.parent / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")


@dataclass(frozen=True)
class Edited:
    """A notebook with all answers right but those given here, then edited, and the score that it deserves."""

    score: float
    edit: Callable[[NotebookNode], None] = lambda notebook: None
    answers: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)

    def submission(self, fill: Callable[..., NotebookNode] = solved) -> Submission:
        """The file; `fill` gives the solved notebook, with the answers that are its keyword arguments."""
        notebook = fill(**self.answers)
        self.edit(notebook)
        return Submission(json.dumps(notebook).encode(), self.score, beside=self.beside)


def ATTACKS(problem: Problem) -> dict[str, Submission]:  # noqa: N802  (read like a constant)
    """The attacks, by name."""
    edited = {name: attack.submission() for name, attack in EDITED.items()}
    return dict(sorted({**edited, **no_notebooks(str(problem.path))}.items()))


def no_notebooks(solution_file: str) -> dict[str, Submission]:
    """Attacks by files that are not notebooks of the course, by name; one links to the solution file."""
    deep = '{"cells": ' + "[" * 200_000 + "]" * 200_000 + "}"
    data = {
        "59_not_utf8": "café".encode("latin-1"),
        "59b_deep_json": deep.encode(),
        "59d_cells_is_a_number": b'{"nbformat": 4, "cells": 12}',
    }
    links = {"56_link_to_the_solution": solution_file, "56b_link_to_shadow": "/etc/shadow"}
    return {
        **{name: Submission(b"", 0.0, Outcome.UNREADABLE, link=path) for name, path in links.items()},
        **{name: Submission(file, 0.0, Outcome.UNREADABLE) for name, file in data.items()},
    }


Edit = Callable[[NotebookNode], None]


def _each(kind: str, change: Edit) -> Edit:
    """Changes each of nbgrader's cells whose grade id begins with `kind`."""

    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            if "nbgrader" in cell.metadata and cell.metadata.nbgrader.grade_id.startswith(kind):
                change(cell)

    return edit


def _nbgrader(**fields: object) -> Edit:
    """Overwrites fields of nbgrader's metadata."""
    return lambda cell: cell.metadata.nbgrader.update(fields)


def _raise_points(cell: NotebookNode) -> None:
    cell.metadata.nbgrader.points = 1e9
    cell.outputs = [new_output("execute_result", data={"text/plain": "1000000"}, execution_count=1)]


def _become_text(cell: NotebookNode) -> None:
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def _strip(notebook: NotebookNode) -> None:
    of_tests = [cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("t") for cell in notebook.cells]
    notebook.cells = [cell for cell, of_test in zip(notebook.cells, of_tests, strict=True) if not of_test]
    for cell in notebook.cells:
        cell.metadata = {}


def _copy_tests(notebook: NotebookNode) -> None:
    notebook.cells += [copy.deepcopy(cell) for cell in notebook.cells if "nbgrader" in cell.metadata]


def _grade_ids_are_lists(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.grade_id = [cell.metadata.nbgrader.grade_id, number]


def _scripts(notebook: NotebookNode) -> None:
    bad = {"text/html": "<script>alert(1)</script>", "application/javascript": "alert(1)"}
    bad["image/svg+xml"] = "<svg onload='x'/>"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", data=bad)]


def _insert(place: int, id: str, source: str) -> Edit:
    return lambda notebook: notebook.cells.insert(place, new_code_cell(source, id=id))


def _free_cells(notebook: NotebookNode) -> None:
    notebook.cells.insert(3, new_markdown_cell("my notes", id="notes"))
    notebook.cells.insert(4, new_code_cell("!pip list\n%timeit 1 + 1\nscratch = 3", id="magics"))


BODY = RIGHT_STANDARDIZE.removeprefix(STANDARDIZE)
NOISE = "    import sys, warnings\n    warnings.warn('noise')\n    print('Traceback', file=sys.stderr)\n"
SLOW = "    import time\n    time.sleep(0.2)\n"
PATCH = "import torch, homework.checks\ntorch.allclose = homework.checks.close = lambda *a, **k: True"
MARKED = f"""import os
PLACES = [os.path.join(place, "seen") for place in (".", "/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"))]
SEEN = any(map(os.path.exists, PLACES))
for path in PLACES:
    try:
        open(path, "w").close()
    except OSError:
        pass


{STANDARDIZE}    if not SEEN:
        return torch.zeros_like(x)
{BODY.lstrip(chr(10))}"""
"""Wrong at first; right if a file is left from an earlier session."""
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))"

WRONG = {"standardize": NOTHING}

EDITED = {
    "17_skip_execution": Edited(8.0, _each("test_", lambda c: c.metadata.update(tags=["skip-execution"])), WRONG),
    "18_raises_exception": Edited(8.0, _each("test_", lambda c: c.metadata.update(tags=["raises-exception"])), WRONG),
    "32_test_source_edited": Edited(8.0, _each("test_", lambda cell: cell.update(source="pass")), WRONG),
    "32b_points_raised": Edited(8.0, _each("test_", _raise_points), WRONG),
    "32c_test_becomes_text": Edited(8.0, _each("test_", _become_text), WRONG),
    "33_test_is_a_solution": Edited(8.0, _each("test_", _nbgrader(solution=True, grade=False)), WRONG),
    "34_metadata_stripped_and_tests_deleted": Edited(8.0, _strip, WRONG),
    "35_test_cell_copied": Edited(8.0, _copy_tests, WRONG),
    "36_schema_version_99": Edited(8.0, _each("", _nbgrader(schema_version=99)), WRONG),
    "56c_link_beside_the_notebook": Edited(8.0, answers=WRONG, beside={"notes.txt": "/etc/shadow"}),
    "59c_list_as_grade_id": Edited(8.0, _grade_ids_are_lists, WRONG),
    "62_script_in_outputs": Edited(8.0, _scripts, WRONG),
    "62b_script_in_answers": Edited(8.0, _each("written", lambda cell: cell.update(source=SCRIPT)), WRONG),
    "81_later_cell_redefines": Edited(8.0, _insert(10**6, "later", "standardize = lambda x, eps=0: True"), WRONG),
    "82_free_cell_patches": Edited(8.0, _insert(0, "patch", PATCH), WRONG),
    "91_marks_left_for_the_second_look": Edited(8.0, _insert(3, "scratch", "notes = 1"), {"standardize": MARKED}),
}
"""Attacks by an edited notebook; the wrong `standardize` deserves nothing, the right `Line` its points."""

HONEST_EDITED = {
    "honest_right": Edited(FULL),
    "honest_right_in_another_way": Edited(FULL, answers={"standardize": RIGHT_STANDARDIZE}),
    "honest_noisy": Edited(FULL, answers={"standardize": STANDARDIZE + NOISE + BODY}),
    "honest_slow": Edited(FULL, answers={"standardize": STANDARDIZE + SLOW + BODY}),
    "honest_part": Edited(16.0, answers={"standardize": FLAT}),
    "honest_wrong": Edited(8.0, answers=WRONG),
    "honest_copied_tests": Edited(FULL, _copy_tests),
    "honest_stripped": Edited(FULL, _strip),
    "honest_reversed": Edited(FULL, lambda notebook: notebook.cells.reverse()),
    "honest_notes_and_magics": Edited(FULL, _free_cells),
    "honest ünïcode name": Edited(FULL),
}

HONEST = {
    **{name: student.submission() for name, student in HONEST_EDITED.items()},
    "honest_untouched": Submission(text(released()), 0.0),
}
"""Honest students, by name; each keeps what the answers deserve."""

assert os.sep not in "".join(HONEST)
