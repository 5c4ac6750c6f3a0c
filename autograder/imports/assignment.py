"""Imports assignments: a notebook, or a folder of notebooks, becomes sources, reports and course entries."""

from __future__ import annotations

import math
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.core.errors import SourceError
from autograder.course.config import COURSE_FILE, load_course, root_folder
from autograder.course.new_problem import course_entry, new_course, refuse_unusable, write_all
from autograder.course.problem_files import files_folder
from autograder.imports.companions import companions
from autograder.imports.nbgrader import read_nbgrader
from autograder.imports.nose import without_nose
from autograder.imports.original import Original
from autograder.imports.otter import read_otter
from autograder.imports.report import report_text
from autograder.imports.trial import tried_plan
from autograder.release.lint import Finding, lint_source

Format = Literal["nbgrader", "otter"]
_READERS: dict[Format, Callable[[Path], list[Original]]] = {"nbgrader": read_nbgrader, "otter": read_otter}
_FOLDERS: dict[Format, str] = {
    "nbgrader": "a folder source/<assignment> of nbgrader",
    "otter": "a folder with the notebooks that `otter assign` reads",
}


@dataclass(frozen=True)
class Imported:
    """One notebook that became a source."""

    problem: str
    source: Path
    text: str
    """The source."""
    report_path: Path
    report: str

    companions: Mapping[Path, bytes]
    """The files beside the notebook: path → content."""

    @property
    def files(self) -> dict[Path, str | bytes]:
        """The files of the problem: path → content."""
        return {self.source: self.text, self.report_path: self.report, **self.companions}


def import_assignment(
    path: Path, format_: Format, *, problem: str = "", to: Path | None = None, homework: str = ""
) -> list[Imported]:
    """Makes a source of each notebook of an assignment, and enters the problems in `course.toml`.

    Args:
        path: the instructor's version of a notebook, or a folder with notebooks.
        format_: the autograder that the assignment was made for.
        problem: id of the problem, for a folder with several notebooks the beginning of their ids; made from the names
            of the files if empty.
        to: the course's folder of sources; `solutions/` of the course if not given. Of a folder without a course, it
            makes one.
        homework: id of the homework that gets the problems; the last one if empty.

    Raises:
        SourceError: a notebook cannot be used, or a problem of that id exists; nothing was written.
        CourseError: `course.toml` cannot be used or changed; nothing was written.
        SetupError: a file cannot be written; those that were written are removed.
    """
    root = (to or root_folder() / "solutions").resolve().parent
    if to is not None and to.resolve().name != "solutions":
        raise SourceError(f"{to} is not the folder of a course's sources; name the folder `solutions` of a course.")
    is_new = to is not None and not (root / COURSE_FILE).exists()
    imported = [
        _imported(notebook, format_, problem_id, root) for notebook, problem_id in _notebooks(path, format_, problem)
    ]
    ids = [one.problem for one in imported]
    for twice in {name for name in ids if ids.count(name) > 1}:
        raise SourceError(f"two notebooks in {path} would both become the problem {twice!r}; rename one of the files.")
    files = {path: text for one in imported for path, text in one.files.items()}
    write_all(files | (new_course(root, ids, homework) if is_new else course_entry(load_course(root), ids, homework)))
    return imported


def _notebooks(path: Path, format_: Format, problem: str) -> Iterator[tuple[Path, str]]:
    """The notebooks to import, each with the id of its problem."""
    if not path.exists():
        raise SourceError(f"there is no {path}; name a notebook, or {_FOLDERS[format_]}.")
    found = [path] if path.is_file() else sorted(path.glob("*.ipynb"))
    if not found:
        raise SourceError(f"{path} has no notebook; name {_FOLDERS[format_]}.")
    for notebook in found:
        plain = unicodedata.normalize("NFKD", notebook.stem.lower()).encode("ascii", "ignore").decode()
        own = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
        yield notebook, (own if not problem else problem if len(found) == 1 else f"{problem}_{own}")


def _imported(path: Path, format_: Format, problem_id: str, root: Path) -> Imported:
    try:
        refuse_unusable(problem_id, root)
    except SourceError as error:
        raise SourceError(f"{path}: {error} Name one with --problem.") from None
    cells = without_nose(_READERS[format_](path))
    files = {name: file.read_bytes() for name, file in companions(path, cells).items()}
    try:
        tried = tried_plan(cells, problem_id, path.stem.replace("_", " ").capitalize(), root, files)
    except SourceError as error:
        raise SourceError(f"{path}, {error}") from None
    written = tried.written
    before = sum(cell.points for cell in cells)
    if not math.isclose(before, written.points, abs_tol=1e-9):
        raise SourceError(
            f"{path} has {before:g} points, but its source would have {written.points:g}; nothing was written. Please "
            "report this as a bug in autograder/imports."
        )
    report = report_text(path, problem_id, tried, files, _findings(written.text, problem_id))
    folder, beside = root / "solutions", files_folder(problem_id, root)
    return Imported(
        problem_id,
        folder / f"{problem_id}.py",
        written.text,
        folder / f"{problem_id}.import.md",
        report,
        {beside / name: data for name, data in files.items()},
    )


def _findings(text: str, problem_id: str) -> list[Finding]:
    """What the linter says about a source that is not written yet."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{problem_id}.py"
        path.write_text(text, encoding="utf-8")
        return lint_source(path)
