"""Makes the student notebook from a problem's source, in memory.

`released_notebook` gives the same notebook, byte for byte, as nbgrader's release step; `cli.release` checks that at
each release. So submissions can be rebuilt without nbgrader.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.course.config import Course, load_course
from autograder.course.markers import HIDDEN, RUBRIC, SOLUTION, replaced
from autograder.course.problem import PACKAGE_WORD, Problem, as_notebook
from autograder.course.urls import BADGE, colab_address

PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
"""The kernel of a notebook whose source names none."""
_KEPT_CELL_METADATA = ("deletable", "editable", "nbgrader", "tags")


def released_notebook(problem: Problem) -> NotebookNode:
    """The student notebook of a problem; its text equals `notebooks/<problem>.ipynb`.

    Raises:
        CourseError: `course.toml` beside the source cannot be used.
    """
    notebook = as_notebook(problem)
    for cell in notebook.cells:
        data = cell.metadata.get("nbgrader")
        if not data:
            continue
        if data["solution"] or data["grade"]:
            cell.metadata["deletable"] = False
        if data["locked"] and not data["solution"]:
            cell.metadata.update({"deletable": False, "editable": False})
        if data["solution"]:
            cell.source = replaced(cell.source, SOLUTION, stub(data["grade_id"], cell.cell_type))
        cell.source = replaced(replaced(cell.source, HIDDEN, None), RUBRIC, None)
        data["checksum"] = checksum(cell)
        data["cell_type"] = cell.cell_type
    return finished(notebook, problem, load_course(problem.path.parent.parent))


@functools.lru_cache(maxsize=32)
def release_to_read(problem: Problem) -> NotebookNode:
    """`released_notebook`, computed once per process and source; callers must not change it."""
    return released_notebook(problem)


def stub(grade_id: str, cell_type: str) -> str:
    """The line that replaces a solution region: code that raises, or a placeholder text for a written answer."""
    if cell_type == "code":
        return f'raise NotImplementedError("{grade_id}: replace this line by your code")'
    return f"*Your answer ({grade_id}): replace this line.*"


def checksum(cell: NotebookNode) -> str:
    """nbgrader's checksum of a cell (`nbgrader.utils.compute_checksum`, format 3), without importing nbgrader.

    nbgrader uses it to detect unchanged answers; it is not a security measure.
    """
    data = cell.metadata["nbgrader"]
    locked = not data["solution"] and (data["grade"] or data["locked"])
    parts = [cell.source, cell.cell_type, str(data["grade"]), str(data["solution"]), str(locked), data["grade_id"]]
    if data["grade"]:
        parts.append(str(float(data["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def finished(notebook: NotebookNode, problem: Problem, course: Course) -> NotebookNode:
    """Completes a released notebook: fills in addresses, removes outputs and all metadata not on an allow-list."""
    address = colab_address(course, problem.id)
    if address:
        notebook.cells[0].source = _with_badge(notebook.cells[0].source, address)
    for cell in notebook.cells:
        if "install" in cell.metadata.get("tags", ()):
            cell.source = cell.source.replace(PACKAGE_WORD, course.student_package)
        kept = {key: cell.metadata[key] for key in _KEPT_CELL_METADATA if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    metadata: dict[str, Any] = {
        "accelerator": "GPU",  # Colab then starts with a GPU
        "colab": {"provenance": []},
        "homework": {"problem": problem.id, "release": problem.sha256[:12]},
        "kernelspec": notebook.metadata.get("kernelspec") or PYTHON,
        "language_info": {"name": "python"},
    }
    notebook.metadata = nbformat.from_dict(metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def _with_badge(source: str, address: str) -> str:
    """The title cell with a link below the title that opens the published notebook in Colab."""
    title, _, rest = source.partition("\n")
    return f"{title}\n\n[![Open in Colab]({BADGE})]({address})\n{rest}"
