"""Reads a problem from `solutions/<problem>.py`: its cells in order and its graded items.

The source is percent-format text (jupytext) with nbgrader's cell metadata on the `# %%` line. Cell ids are derived
from grade ids, or for given cells from their text, because jupytext generates new random ids at every read.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from autograder.core.counts import Counts
from autograder.core.errors import CourseError, SourceError
from autograder.core.fast_imports import without_server
from autograder.core.hashing import key_of
from autograder.core.text import listed
from autograder.course.config import COURSE_FILE, load_course, root_folder
from autograder.course.markers import RUBRIC, SOLUTION, region, replaced
from autograder.course.name_analysis import defines, definitions
from autograder.course.problem_files import files_digest, problem_files
from autograder.course.toml_table import did_you_mean

with without_server():
    import jupytext

GIVEN = "given-"
"""Beginning of the cell ids of given cells."""
PACKAGE_WORD = "STUDENT_PACKAGE"
"""Placeholder in a source's install cell; the release replaces it by the requirement of the student package."""

IN_PROCESS = "in_process"
"""Tag of a test cell that runs inside the student's process."""
WATCH_ARGUMENTS = "watch_arguments"
"""Tag of a test cell in whose test functions must not change their arguments."""
IS_INSIDE = "tested inside the student's process, where the student's code can forge the result."
"""What staff must know of such an item."""

DEFAULT_SECONDS = 60.0

Kind = Literal["code", "written", "figure"]


@dataclass(frozen=True)
class Cell:
    """One cell of a source, with its nbgrader metadata and tags."""

    id: str
    """Stable notebook cell id (letters, digits, `-`), at most 64 characters."""
    cell_type: Literal["code", "markdown", "raw"]
    source: str
    """The text as the author wrote it, including solutions and hidden tests."""
    grade_id: str
    """nbgrader's grade id; empty for a given cell."""
    grade: bool
    solution: bool
    points: float
    tags: frozenset[str]
    seconds: float
    """Limit of a test cell, in seconds in which student code runs or sleeps."""

    @property
    def is_test(self) -> bool:
        """Whether this is a test cell."""
        return self.grade and not self.solution

    @property
    def is_manual(self) -> bool:
        """Whether this cell is graded by hand."""
        return self.grade and self.solution

    @property
    def runs_in_process(self) -> bool:
        """Whether this test cell runs inside the student's process (`grading.in_process`)."""
        return IN_PROCESS in self.tags

    @property
    def is_answer(self) -> bool:
        """Whether the student edits this cell."""
        return self.solution


@dataclass(frozen=True)
class Item:
    """One graded item."""

    id: str
    """Name of the function, class or variable that the cell defines, or another id if it defines none that is its own;
    `written_<label>` or `figure_<label>` if it is graded by hand."""
    kind: Kind
    points: float
    cell: Cell
    """The cell that the student edits."""
    test: Cell | None
    """The test cell; None for an item that is graded by hand."""
    rubric: str
    """The rubric of an item that is graded by hand, else empty."""
    counts: Counts = Counts.NORMALLY
    """How the item counts towards the score; from `course.toml`."""

    @property
    def worth(self) -> float:
        """Points that the item adds to the maximum of the problem."""
        return self.counts.worth(self.points)

    @property
    def label(self) -> str:
        """What the item is worth, in words."""
        return self.counts.label(self.points)

    @property
    def is_dropped(self) -> bool:
        """Whether it counts for no student."""
        return self.counts is Counts.DROPPED

    @property
    def is_in_process(self) -> bool:
        """Whether its test runs inside the student's process."""
        return self.test is not None and self.test.runs_in_process

    @property
    def watches_arguments(self) -> bool:
        """Whether its test says that functions must not change their arguments."""
        return self.test is not None and WATCH_ARGUMENTS in self.test.tags

    @property
    def has_name(self) -> bool:
        """Whether the solution defines a name that is the item's id."""
        return self.kind == "code" and defines(self.cell.source, self.id)

    @property
    def is_value(self) -> bool:
        """Whether the answer is no function or class but what the cell's variables hold."""
        return self.kind == "code" and self.id not in definitions(self.cell.source)

    @property
    def test_digest(self) -> str:
        """Digest of the item's test, its time limit and its solution; empty for an item that is graded by hand."""
        if self.test is None:
            return ""
        how = [IN_PROCESS] if self.test.runs_in_process else []
        return key_of(self.test.source, self.seconds, self.cell.source, *how)[:16]

    @property
    def seconds(self) -> float:
        """Limit of the item's test, in seconds in which student code runs or sleeps."""
        return self.test.seconds if self.test else DEFAULT_SECONDS


@dataclass(frozen=True)
class Problem:
    """A problem: its id, its cells in order and its graded items in order."""

    id: str
    path: Path
    cells: tuple[Cell, ...]
    items: tuple[Item, ...]
    text: str
    """The source as it was read; an edit of the file during a run does not affect that run."""
    sha256: str
    """SHA-256 of the source file's bytes and of the problem's files; identifies the release that a submission was
    graded against."""
    files_digest: str = ""
    """Digest of the files beside the notebook; empty if there are none."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """Path relative to the notebook → content, of each file that the notebook reads (`problem_files`)."""
        return problem_files(self.id, self.path.parents[1])

    @property
    def title(self) -> str:
        """The first heading of the notebook."""
        lines = (line for cell in self.cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
        return next((line[2:].strip() for line in lines if line.startswith("# ")), self.id)

    @property
    def imports_homework(self) -> bool:
        """Whether the notebook needs the package `homework`; its `student` objects to changed arguments."""
        given = (cell.source for cell in self.cells if cell.cell_type == "code" and not cell.grade_id)
        return any(map(imports_homework, given))

    @property
    def has_answers(self) -> bool:
        """Whether it asks for answers on per-student inputs."""
        return any("answers" in cell.tags for cell in self.cells)

    @property
    def has_log(self) -> bool:
        """Whether the notebook writes a `submission_log.json`."""
        return any("log" in cell.tags for cell in self.cells)

    @property
    def max_score(self) -> float:
        """Points of all items, without those that are dropped or a bonus."""
        return sum(item.worth for item in self.items)

    def item(self, item_id: str) -> Item:
        """The item of that id.

        Raises:
            KeyError: no such item.
        """
        return {item.id: item for item in self.items}[item_id]

    def heading(self, item_id: str) -> str:
        """The last heading above an item's cell, without the points in it; the id if there is none."""
        item = next((item for item in self.items if item.id == item_id), None)
        if item is None:
            return item_id
        above = itertools.takewhile(lambda cell: cell is not item.cell, self.cells)
        text = "\n".join(_shown(cell) for cell in above if cell.cell_type == "markdown")
        heading = ["", *re.findall(r"^#{2,6}\s+(.+)$", text, flags=re.MULTILINE)][-1].strip()
        return re.sub(r"\s*\(\d+(?:\.\d+)? points?\)$", "", heading.replace("`", "")) or item_id


def in_process_notes(problem: Problem) -> list[str]:
    """For staff: a sentence on the items whose results student code can forge; empty if there are none."""
    inside = [f"`{item.id}`" for item in problem.items if item.is_in_process]
    if not inside:
        return []
    return [f"{problem.path.name}: {listed(inside, 6)}: {IS_INSIDE}"]


def _shown(cell: Cell) -> str:
    """A text cell without its sample answer and its rubric."""
    return replaced(replaced(cell.source, SOLUTION, None), RUBRIC, None) if cell.solution else cell.source


def imports_homework(source: str) -> bool:
    """Whether a cell imports the package `homework`."""
    return re.search(r"^\s*(?:from|import) homework\b", source, re.MULTILINE) is not None


def problem_ids(root: Path | None = None) -> list[str]:
    """Ids of the problems that have a source, in alphabetical order."""
    return sorted(path.stem for path in ((root or root_folder()) / "solutions").glob("*.py"))


def load_problem(problem_id: str, root: Path | None = None) -> Problem:
    """Reads `solutions/<problem_id>.py`, and from `course.toml` which of its items are dropped or a bonus.

    Args:
        problem_id: e.g. `vae`.
        root: the course's root folder; found by `root_folder()` if not given.

    Raises:
        SourceError: the problem does not exist, or its source cannot be read as a notebook.
        CourseError: `course.toml` cannot be used, or drops an item that the problem does not have.
    """
    root = root or root_folder()
    path = source_path(problem_id, root)
    course = root / COURSE_FILE
    counts = _counts(root, problem_id, course.read_bytes()) if course.is_file() else ()
    return _load(path, path.read_bytes(), counts, files_digest(problem_id, root))


def source_path(problem_id: str, root: Path) -> Path:
    """The path of a problem's source.

    Raises:
        SourceError: there is no such problem.
    """
    path = root / "solutions" / f"{problem_id}.py"
    if not path.is_file():
        known = ", ".join(problem_ids(root)) or "none"
        raise SourceError(f"unknown problem {problem_id!r}: there is no {path}. Problems here: {known}.")
    return path


@functools.lru_cache(maxsize=32)
def _counts(root: Path, problem_id: str, _course: bytes) -> tuple[tuple[str, Counts], ...]:
    """The items that do not count normally; read again where the bytes of `course.toml` changed."""
    return tuple(sorted(load_course(root).counts(problem_id).items()))


@functools.lru_cache(maxsize=32)
def _load(path: Path, data: bytes, counts: tuple[tuple[str, Counts], ...], digest: str) -> Problem:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not UTF-8 text ({error}); save it as UTF-8.") from None
    cells = tuple(_cell(node) for node in read_source(text, str(path)).cells)
    items = _items(cells, path)
    known = [item.id for item in items]
    for name, kind in counts:
        if name not in known:
            key = "drop" if kind is Counts.DROPPED else "bonus"
            raise CourseError(
                f"{path.parents[1] / COURSE_FILE}: key {key!r} names the item '{path.stem}/{name}', which is not in "
                f"{path}{did_you_mean(name, known)}; its items: {', '.join(known)}."
            )
    how = dict(counts)
    items = tuple(replace(item, counts=how.get(item.id, Counts.NORMALLY)) for item in items)
    return Problem(path.stem, path, cells, items, text, hashlib.sha256(data + digest.encode()).hexdigest(), digest)


def read_source(text: str, name: str) -> NotebookNode:
    """Parses percent-format text into a notebook whose cell ids are stable.

    Args:
        text: the source file's text.
        name: name of the source for error messages.

    Raises:
        SourceError: jupytext cannot read it.
    """
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # jupytext lets all errors of its YAML and JSON parsers through
        raise SourceError(f"{name} cannot be read in percent format: {error}") from error
    taken: set[str] = set()
    for cell in notebook.cells:
        cell.id = stable_id(cell, taken)
        taken.add(cell.id)
    assert isinstance(notebook, NotebookNode)
    return notebook


def stable_id(cell: NotebookNode, taken: set[str]) -> str:
    """A cell id from the grade id, else from a hash of type and text, with a number added if it is taken."""
    grade_id = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()
    base = re.sub("[^A-Za-z0-9]", "-", grade_id)[:56] or f"{GIVEN}{digest[:12]}"
    numbered = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in numbered if candidate not in taken)


def _cell(node: NotebookNode) -> Cell:
    nbgrader: dict[str, Any] = node.metadata.get("nbgrader", {})
    return Cell(
        id=node.id,
        cell_type=node.cell_type,
        source=node.source,
        grade_id=str(nbgrader.get("grade_id", "")),
        grade=bool(nbgrader.get("grade", False)),
        solution=bool(nbgrader.get("solution", False)),
        points=float(nbgrader.get("points", 0) or 0),
        tags=frozenset(node.metadata.get("tags", ())),
        seconds=float(node.metadata.get("seconds", DEFAULT_SECONDS)),
    )


def _items(cells: tuple[Cell, ...], path: Path) -> tuple[Item, ...]:
    tests = {cell.grade_id: cell for cell in cells if cell.is_test}
    items = []
    for cell in cells:
        if cell.is_manual:
            kind: Kind = "figure" if cell.grade_id.startswith("figure_") else "written"
            items.append(Item(cell.grade_id, kind, cell.points, cell, None, region(cell.source, RUBRIC)))
        elif cell.is_answer:
            test = tests.get(name := f"test_{cell.grade_id}")
            if test is None:
                message = f"{path}: item {cell.grade_id!r} has no test cell; add one with grade_id {name!r} below."
                raise SourceError(message)
            items.append(Item(cell.grade_id, "code", test.points, cell, test, ""))
    return tuple(items)


def as_notebook(problem: Problem) -> NotebookNode:
    """The source as a new notebook, including solutions and hidden tests."""
    return copy.deepcopy(_notebook(problem.path, problem.text))


@functools.lru_cache(maxsize=32)
def _notebook(path: Path, text: str) -> NotebookNode:
    notebook = read_source(text, str(path))
    nbformat.validate(notebook)
    return notebook
