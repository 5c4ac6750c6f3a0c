"""Releases problems: lints their sources, searches for leaks, records the items with nbgrader, writes the notebooks.

nbgrader's own release step also makes each notebook, so that its gradebook has every item; both results must be equal.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.core.errors import CourseError, ReleaseError
from autograder.core.files import write_atomically, write_bytes
from autograder.core.notebook_io import notebook_text
from autograder.course.config import Course, course_folder, load_course, root_folder
from autograder.course.problem import Problem, as_notebook, load_problem, problem_ids
from autograder.course.problem_files import files_for_students
from autograder.gradebook.database import gradebook_path, opened
from autograder.gradebook.worth import different_maxima, disagreement
from autograder.release.leaks import release_leaks
from autograder.release.notebook import finished, released_notebook

_NAMED = 10
"""Maximum number of findings in a message."""
_log = logging.getLogger("autograder")


@dataclass(frozen=True)
class Released:
    """One released problem."""

    problem: str
    path: Path
    """The student notebook."""
    changed: bool
    """Whether its bytes have changed."""
    note: str = ""
    """A sentence on submissions that must be graded again."""


def release(problem_ids_: Iterable[str] | None = None, root: Path | None = None) -> list[Released]:
    """Releases problems: `solutions/<problem>.py` → `notebooks/<problem>.ipynb`, and the gradebook's list of items.

    Without ids, all problems that have a source. Nothing is written before all these sources have passed the linter.

    Raises:
        SourceError: a problem has no source.
        ReleaseError: the linter found something, nbgrader refused, or a secret line would be published.
        CourseError: `course.toml` cannot be used.
        SetupError: a folder cannot be written.
    """
    root = root or root_folder()
    course = load_course(root)
    chosen = list(problem_ids_ or problem_ids(root))
    from autograder.release.lint import lint_problem  # slow import

    findings = [finding for problem_id in chosen for finding in lint_problem(problem_id, root)]
    if findings:
        listing = "\n".join(str(finding) for finding in findings)
        raise ReleaseError(f"nothing was released; fix these first:\n{listing}")
    problems = [load_problem(problem_id, root) for problem_id in chosen]
    files_for_students(root)
    texts = {problem.id: notebook_text(released_notebook(problem)) for problem in problems}
    if found := release_leaks(texts, root):
        more = [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        listing = "\n".join([*found[:_NAMED], *more])
        raise ReleaseError(
            f"nothing was released; these lines must not reach students:\n{listing}\nReword the visible line or the "
            "secret one; or, if students may see it, end the secret line with `# not secret: <reason>`."
        )
    _through_nbgrader(problems, texts, course)
    paths = [(problem.id, root / "notebooks" / f"{problem.id}.ipynb") for problem in problems]
    files = {problem.id: problem.files for problem in problems}
    return [
        Released(name, path, write_atomically(path, texts[name]) | _put(files[name], path), _graded_before(name, root))
        for name, path in paths
    ]


def _put(files: Mapping[str, bytes], notebook: Path) -> bool:
    """Writes a problem's files beside its notebook; returns whether one has changed."""
    return any([write_bytes(notebook.parent / name, data) for name, data in files.items()])


def out_of_date(problem_id: str, root: Path) -> list[str]:
    """Why the notebook for students or the gradebook is of an earlier source, in words; empty if neither is.

    A notebook or a gradebook that does not exist is not out of date, nor is a gradebook that cannot be used: what
    records in it says so.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        CourseError: `course.toml` cannot be used.
    """
    problem = load_problem(problem_id, root)
    path = root / "notebooks" / f"{problem_id}.ipynb"
    found = []
    if path.is_file() and path.read_text(encoding="utf-8") != notebook_text(released_notebook(problem)):
        found.append(f"{path.name} is of an earlier source")
    if gradebook_path(root).is_file():
        differing = []
        with suppress(CourseError), opened(root) as gradebook:
            differing = different_maxima(gradebook, problem)
        if differing:
            found.append(f"the gradebook has other points ({'; '.join(differing)})")
    return found


def release_if_out_of_date(problem_id: str, root: Path | None = None) -> None:
    """Releases a problem whose notebook or gradebook is of an earlier source, and says so (logger `autograder`).

    So the points in the gradebook are those of the results that are recorded next.

    Raises:
        ReleaseError, SourceError, CourseError, SetupError: as `release`; nothing was released.
    """
    root = root or root_folder()
    if reasons := out_of_date(problem_id, root):
        release([problem_id], root)
        _log.warning("%s was released again: %s", problem_id, "; ".join(reasons))


def _graded_before(problem_id: str, root: Path) -> str:
    """A sentence on submissions that were graded with other points than the source has now; empty if there are none."""
    with opened(root) as gradebook:
        return disagreement(gradebook, load_problem(problem_id, root))


def _through_nbgrader(problems: list[Problem], texts: dict[str, str], course: Course) -> None:
    """Runs nbgrader's release step for its gradebook, and checks that it makes the same notebook."""
    from autograder.gradebook import nbgrader_plugin  # slow import: nbgrader

    folder = course_folder(course.root)
    write_atomically(folder / "nbgrader_config.py", nbgrader_plugin.config_text(course))
    for problem in problems:
        source = folder / "source" / problem.id / f"{problem.id}.ipynb"
        write_atomically(source, notebook_text(as_notebook(problem)))
        written = nbgrader_plugin.generate_assignment(course, problem.id)
        text = notebook_text(finished(nbformat.read(written, as_version=4), problem, course))
        if text != texts[problem.id]:
            difference = _first_difference(text, texts[problem.id])
            raise ReleaseError(
                f"{problem.id}: nbgrader's release differs from ours; first difference: {difference}. "
                "Nothing was written to notebooks/. Please report this as a bug in autograder/release/notebook.py."
            )


def _first_difference(text: str, ours: str) -> str:
    """The first differing lines; a checksum only if nothing else differs."""
    pairs = zip(text.splitlines(), ours.splitlines(), strict=False)
    differing = [pair for pair in pairs if pair[0] != pair[1]] or [("its length", "its length")]
    first = next((pair for pair in differing if '"checksum"' not in pair[0]), differing[0])
    return f"{first[0].strip()!r} (nbgrader), {first[1].strip()!r} (ours)"
