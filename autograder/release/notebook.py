"""The release: from a problem's source to the notebook that students open.

The work is done by nbgrader's own release step, so that its gradebook knows every item; what it writes is brought to
a form that is the same byte for byte each time, searched for leaks, and put in place atomically. `released_notebook`
makes the same notebook in memory, without nbgrader, for the examiner that rebuilds submissions; each release checks
that the two agree.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.core.errors import ReleaseError
from autograder.core.files import write_atomically
from autograder.course.config import Course, course_folder, load_course, root_folder
from autograder.course.percent import HIDDEN, RUBRIC, SOLUTION
from autograder.course.problem import PACKAGE_WORD, Problem, as_notebook, load_problem, problem_ids
from autograder.course.urls import BADGE, colab_address
from autograder.release.leaks import leaks

_KEPT_CELL_METADATA = ("deletable", "editable", "nbgrader", "tags")


@dataclass(frozen=True)
class Released:
    """One released problem."""

    problem: str
    path: Path
    """The student notebook."""
    changed: bool
    """Are its bytes other than before?"""


def release(problem_ids_: Iterable[str] | None = None, root: Path | None = None) -> list[Released]:
    """Releases problems: `solutions/<problem>.py` → `notebooks/<problem>.ipynb`, and the gradebook's list of items.

    Nothing is written before the sources of all these problems have passed the linter.

    Args:
        problem_ids_: which problems; all that have a source, if not given.
        root: the course's root folder; found by `root_folder()` if not given.

    Raises:
        SourceError: a problem has no source.
        ReleaseError: the linter found something, nbgrader refused, or a secret line would be published.
        CourseError: `course.toml` cannot be used.
        SetupError: a folder cannot be written.
    """
    root = root or root_folder()
    course = load_course(root)
    wanted = list(problem_ids_) if problem_ids_ else problem_ids(root)
    from autograder.release.lint import lint_problem  # imports what computes, which takes seconds

    findings = [finding for problem_id in wanted for finding in lint_problem(problem_id, root)]
    if findings:
        listing = "\n".join(str(finding) for finding in findings)
        raise ReleaseError(f"nothing was released; mend first:\n{listing}")
    problems = [load_problem(problem_id, root) for problem_id in wanted]
    texts = {problem.id: notebook_text(released_notebook(problem)) for problem in problems}
    for problem in problems:
        found = leaks(problem, {f"notebooks/{problem.id}.ipynb": texts[problem.id]})
        if found:
            listing = "\n".join(str(leak) for leak in found)
            raise ReleaseError(f"nothing was released; students would see secret lines:\n{listing}")
    _through_nbgrader(problems, texts, course)
    return [_put(problem, texts[problem.id], root) for problem in problems]


def _put(problem: Problem, text: str, root: Path) -> Released:
    path = root / "notebooks" / f"{problem.id}.ipynb"
    return Released(problem.id, path, write_atomically(path, text))


def notebook_text(notebook: NotebookNode) -> str:
    """A notebook as text: sorted keys, one-space indentation, a newline at the end."""
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def released_notebook(problem: Problem) -> NotebookNode:
    """The student notebook of a problem, computed in memory: equal to `notebooks/<problem>.ipynb`, text for text.

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
            cell.source = _replaced(cell.source, SOLUTION, stub(data["grade_id"], cell.cell_type))
        cell.source = _replaced(_replaced(cell.source, HIDDEN, None), RUBRIC, None)
        data["checksum"] = checksum(cell)
        data["cell_type"] = cell.cell_type
    return finished(notebook, problem, load_course(problem.path.parent.parent))


@functools.lru_cache(maxsize=32)
def release_to_read(problem: Problem) -> NotebookNode:
    """`released_notebook`, computed once per process and source; not to be changed."""
    return released_notebook(problem)


def stub(grade_id: str, cell_type: str) -> str:
    """What stands in place of a solution region: code raises, a written answer invites."""
    if cell_type == "code":
        return f'raise NotImplementedError("{grade_id}: replace this line by your code")'
    return f"*Your answer ({grade_id}): replace this line.*"


def _replaced(source: str, kind: str, stub_text: str | None) -> str:
    """The source with each region of a kind replaced by the stub, at its indentation; dropped if the stub is None."""
    inside, lines = False, []
    for line in source.split("\n"):
        if f"BEGIN {kind}" in line:
            inside = True
            if stub_text is not None:
                lines.append(line[: len(line) - len(line.lstrip())] + stub_text)
        elif f"END {kind}" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def checksum(cell: NotebookNode) -> str:
    """nbgrader's checksum of a cell (`nbgrader.utils.compute_checksum`, format 3), without importing nbgrader.

    It tells an untouched answer from a given one; it protects nothing.
    """
    data = cell.metadata["nbgrader"]
    locked = not data["solution"] and (data["grade"] or data["locked"])
    parts = [cell.source, cell.cell_type, str(data["grade"]), str(data["solution"]), str(locked), data["grade_id"]]
    if data["grade"]:
        parts.append(str(float(data["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def finished(notebook: NotebookNode, problem: Problem, course: Course) -> NotebookNode:
    """Brings a released notebook to its final, repeatable form: metadata by allow-list, no outputs, addresses in."""
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
        "accelerator": "GPU",  # Colab offers one at once
        "colab": {"provenance": []},
        "homework": {"problem": problem.id, "release": problem.sha256[:12]},
        "kernelspec": notebook.metadata.get("kernelspec", {}),
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


def _through_nbgrader(problems: list[Problem], texts: dict[str, str], course: Course) -> None:
    """Runs nbgrader's release step for its gradebook, and makes sure that it comes to the same notebook."""
    from autograder.gradebook import nbgrader_plugin  # here, because importing nbgrader takes seconds

    folder = course_folder(course.root)
    write_atomically(folder / "nbgrader_config.py", nbgrader_plugin.config_text(course))
    for problem in problems:
        source = folder / "source" / problem.id / f"{problem.id}.ipynb"
        write_atomically(source, notebook_text(as_notebook(problem)))
        written = nbgrader_plugin.generate_assignment(course, problem.id)
        theirs = notebook_text(finished(nbformat.read(written, as_version=4), problem, course))
        if theirs != texts[problem.id]:
            difference = _first_difference(theirs, texts[problem.id])
            raise ReleaseError(
                f"{problem.id}: nbgrader's release differs from ours, first in: {difference}. "
                "Nothing was put into notebooks/. This is a fault in autograder/release/notebook.py."
            )


def _first_difference(theirs: str, ours: str) -> str:
    pairs = list(zip(theirs.splitlines(), ours.splitlines(), strict=False))
    differing = [(left, right) for left, right in pairs if left != right]
    telling = [pair for pair in differing if '"checksum"' not in pair[0]] or differing or [("its length", "its length")]
    return f"{telling[0][0].strip()!r} (nbgrader), {telling[0][1].strip()!r} (ours)"
