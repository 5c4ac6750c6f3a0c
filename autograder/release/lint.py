"""The linter for problem sources: finds errors that would publish a hidden test, lose points or break a notebook.

nbgrader ignores a misspelt marker and publishes the tests below it; it replaces a solution cell without markers by a
stub. So the release step stops on any finding. Rules about Python code are in `lint_rules`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from autograder.core.errors import SourceError
from autograder.course.config import root_folder
from autograder.course.mark_scheme import criteria
from autograder.course.markers import HIDDEN, RUBRIC, SOLUTION, Marker
from autograder.course.metric_ranges import lint_bands
from autograder.course.percent import Line, TextCell, markers, numbers_inside, split_cells
from autograder.course.problem import (
    IN_PROCESS,
    PACKAGE_WORD,
    WATCH_ARGUMENTS,
    imports_homework,
    read_source,
    source_path,
)
from autograder.release.leaks import WAIVER
from autograder.release.lint_names import name_findings
from autograder.release.lint_rules import Found, announced_points, findings, points_table

KNOWN_TAGS = ("install", "train", "answers", "experiment", "log", IN_PROCESS, WATCH_ARGUMENTS)
KNOWN_KEYS = ("nbgrader", "tags", "seconds")

_NBGRADER: Mapping[str, type] = {
    "grade": bool,
    "grade_id": str,
    "locked": bool,
    "points": float,
    "schema_version": int,
    "solution": bool,
    "task": bool,
}


@dataclass(frozen=True, order=True)
class Finding:
    """One error in a source."""

    path: Path
    line: int
    """1-based line number in the file."""
    rule: str
    """Short name of the rule."""
    message: str
    """What is wrong and how to fix it."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def lint_problem(problem_id: str, root: Path | None = None) -> list[Finding]:
    """Lints `solutions/<problem_id>.py`.

    Raises:
        SourceError: there is no such source.
    """
    return lint_source(source_path(problem_id, root or root_folder()))


def lint_source(path: Path) -> list[Finding]:
    """The findings in a source, sorted by line; the source may be released if there are none."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return [Finding(path, line, "encoding", f"not UTF-8 text ({error.reason}); save the file as UTF-8")]
    cells = split_cells(text)
    found = {finding for rule in _RULES for finding in rule(cells)} | {*lint_bands(cells, path.stem)}
    if not any(rule in ("metadata", "percent") for _, rule, _ in found):
        found.update(_jupytext_differences(cells, text, path))
    return sorted(Finding(path, line, rule, message) for line, rule, message in found)


_ALMOST_A_CELL = re.compile(r"#\s*%\s*(?:\[markdown\]|nbgrader=|tags=)")


def _complaints(cells: list[TextCell]) -> Found:
    for cell in cells:
        for line in cell.lines:
            if _ALMOST_A_CELL.match(line.text):
                yield line.number, "percent", "this looks like the first line of a cell; begin it with `# %%`"
        for line in cell.complaints:
            yield line.number, "metadata" if line.number == cell.number else "percent", line.text


def _metadata(cells: list[TextCell]) -> Found:
    for cell in cells:
        for key in cell.metadata:
            near = difflib.get_close_matches(key, KNOWN_KEYS, n=1, cutoff=0.7)
            if key not in KNOWN_KEYS and near:
                yield cell.number, "metadata", f"unknown key {key!r}; did you mean {near[0]!r}?"
        seconds = cell.metadata.get("seconds", 1)
        if "seconds" in cell.metadata and not cell.is_test:
            yield cell.number, "metadata", "`seconds` is the time limit of a test cell; remove it here"
        elif not _is_positive(seconds):
            yield cell.number, "metadata", f"`seconds` is {seconds!r}; give a positive number, e.g. seconds=20"
        if "nbgrader" in cell.metadata:
            yield from ((cell.number, "metadata", message) for message in _schema(cell))


def _schema(cell: TextCell) -> Iterator[str]:
    """Messages about errors in a cell's nbgrader metadata."""
    data = cell.metadata["nbgrader"]
    if not isinstance(data, dict):
        yield f"`nbgrader` is {data!r}; it must be an object with {', '.join(_NBGRADER)}"
        return
    for key, value in data.items():
        kind = _NBGRADER.get(key)
        if kind is None:
            near = difflib.get_close_matches(key, _NBGRADER, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; remove it"
            yield f"nbgrader has no key {key!r}{hint}"
        elif key != "points" and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            yield f"nbgrader's {key!r} is {value!r}; it must be {_KIND_NAMES[kind]}"
    for key in ("grade", "locked", "schema_version", "solution", "task"):
        if key not in data:
            yield f"nbgrader's {key!r} is missing; add it (see the other cells)"
    if data.get("schema_version", 3) != 3:
        yield f"nbgrader's 'schema_version' is {data['schema_version']!r}; it must be 3"
    if data.get("task") is True:
        yield "task cells are not used here; make it a written answer (grade and solution true, task false)"
    if cell.cell_type != "code" and cell.is_graded != cell.is_answer:
        yield "a text cell must have grade and solution both true (a written answer), or no nbgrader metadata"
    if cell.is_test and data.get("locked") is not True:
        yield "a test cell must be locked; set 'locked' to true"
    if cell.is_answer and data.get("locked") is True:
        yield "students must be able to edit this cell; set 'locked' to false"


_KIND_NAMES: Mapping[type, str] = {bool: "true or false", str: "text in double quotes", int: "a whole number"}


def _grade_ids(cells: list[TextCell]) -> Found:
    first: dict[str, int] = {}
    for cell in cells:
        if "nbgrader" not in cell.metadata:
            continue
        name = cell.grade_id
        if not name:
            yield cell.number, "grade-id-missing", "the cell has nbgrader metadata but no grade_id; give it one"
            continue
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            yield cell.number, "grade-id-name", f"grade_id {name!r} may only have letters, digits and '_'; rename it"
        if first.setdefault(name, cell.number) != cell.number:
            message = f"is used at line {first[name]} already; nbgrader keeps only one: rename this one"
            yield cell.number, "grade-id-duplicate", f"grade_id {name!r} {message}"
        if cell.is_manual and not name.startswith(("written_", "figure_")):
            message = f"a manually graded cell is named written_<label> or figure_<label>, not {name!r}; rename it"
            yield cell.number, "grade-id-name", message
        if cell.is_test and not name.startswith("test_"):
            yield cell.number, "grade-id-name", f"a test cell is named test_<item>, not {name!r}; rename it"


def _points(cells: list[TextCell]) -> Found:
    for cell in cells:
        points = cell.nbgrader.get("points")
        if not cell.is_graded:
            if points is not None:
                yield cell.number, "points", "a cell that is not graded has points; move them to its test cell"
        elif points is None:
            yield cell.number, "points", f'{cell.grade_id!r} has no points; add "points": a positive number'
        elif not _is_positive(points):
            yield cell.number, "points", f"{cell.grade_id!r} has {points!r} points; give a positive number"


def _pairs(cells: list[TextCell]) -> Found:
    items = {cell.grade_id for cell in cells if cell.is_answer and not cell.is_graded}
    tests = {cell.grade_id for cell in cells if cell.is_test}
    for cell in cells:
        name = cell.grade_id
        if cell.is_answer and not cell.is_graded and name and f"test_{name}" not in tests:
            message = f"item {name!r} has no test cell; add one with grade_id 'test_{name}' directly below it"
            yield cell.number, "item-without-test", message
        item = name.removeprefix("test_")
        if cell.is_test and name != item and item not in items:
            message = f"{name!r} tests no item; give a solution cell the grade_id {item!r}, or rename the test"
            yield cell.number, "test-without-item", message


def _markers(cells: list[TextCell]) -> Found:
    for cell in cells:
        found = list(markers(cell))
        for line, marker in found:
            if not marker.exact:
                good = f"### {marker.verb} {marker.kind}"
                message = f"{line.text.strip()!r} looks like a marker; write exactly {good!r}, or reword the line"
                yield line.number, "marker", message
        yield from _balance(cell, found)
        yield from _places(cell, {marker.kind for _, marker in found if marker.verb == "BEGIN"})


def _balance(cell: TextCell, found: list[tuple[Line, Marker]]) -> Found:
    opened: tuple[int, str] | None = None
    for line, marker in found:
        name, message = f"{marker.verb} {marker.kind}", ""
        if marker.verb == "BEGIN" and opened:
            message = f"{name} inside the {opened[1]} region that begins at line {opened[0]}; close that first"
        elif marker.verb == "END" and opened is None:
            message = f"{name} has no BEGIN {marker.kind} in this cell; add it above, or remove this line"
        elif marker.verb == "END" and opened and opened[1] != marker.kind:
            message = f"{name} closes BEGIN {opened[1]} of line {opened[0]}; write END {opened[1]}"
        if message:
            yield line.number, "unbalanced", message
        opened = (line.number, marker.kind) if marker.verb == "BEGIN" else None
    if opened:
        message = f"BEGIN {opened[1]} is never closed; add '### END {opened[1]}' in the same cell"
        yield opened[0], "unbalanced", message


def _places(cell: TextCell, kinds: set[str]) -> Found:
    where = cell.number
    if cell.is_answer and SOLUTION not in kinds:
        message = (
            f"solution cell {cell.grade_id!r} has no markers, so its text would be lost in the release; "
            "wrap the answer in '### BEGIN SOLUTION' and '### END SOLUTION'"
        )
        yield where, "solution-markers", message
    if SOLUTION in kinds and not cell.is_answer:
        message = "a solution region in a cell that is not a solution cell; move it, or add nbgrader metadata"
        yield where, "solution-region", message
    if HIDDEN in kinds and not cell.is_test:
        message = "a hidden region in a cell that is not a test cell; nbgrader would refuse or publish it: move it"
        yield where, "hidden-region", message
    if RUBRIC in kinds and not cell.is_manual:
        yield where, "mark-scheme", "a rubric in a cell that is not graded by hand; move it to a written or figure cell"
    if cell.is_manual:
        yield from ((where, "mark-scheme", message) for message in _rubric(cell, RUBRIC in kinds))


def _rubric(cell: TextCell, present: bool) -> Iterator[str]:
    form = "write one bullet per criterion, e.g. '- 2 points: names the units'"
    if not present:
        yield f"{cell.grade_id!r} has no rubric; add '### BEGIN MARK SCHEME' ... '### END MARK SCHEME': {form}"
        return
    inside = numbers_inside(cell, RUBRIC)
    given = [one.points for one in criteria("\n".join(line.text for line in cell.lines if line.number in inside))]
    points = cell.nbgrader.get("points")
    if not given:
        yield f"the rubric of {cell.grade_id!r} gives no points; {form}"
    elif _is_number(points) and not math.isclose(sum(given), points):
        yield f"the rubric of {cell.grade_id!r} adds up to {sum(given):g}, but its points are {points:g}; correct one"


def _tags(cells: list[TextCell]) -> Found:
    code = [cell for cell in cells if cell.cell_type == "code"]
    for cell in cells:
        for tag in cell.tags:
            if tag not in KNOWN_TAGS:
                near = difflib.get_close_matches(tag, KNOWN_TAGS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known tags: {', '.join(KNOWN_TAGS)}"
                yield cell.number, "tags", f"unknown tag {tag!r}; {hint}"
    is_needed = any(imports_homework(cell.text) for cell in code if not cell.grade_id)
    for tag, what in (("install", "first"), ("answers", ""), ("log", "last")):
        tagged = [cell for cell in code if tag in cell.tags]
        if not tagged and is_needed:
            yield 1, "tags", f'no code cell has the tag {tag!r}; add it: # %% tags=["{tag}"]'
        for cell in tagged[1:]:
            yield cell.number, "tags", f"a second cell has the tag {tag!r}; remove one"
        if tagged and what and tagged[0] is not code[0 if what == "first" else -1]:
            yield tagged[0].number, "tags", f"the cell with the tag {tag!r} must be the {what} code cell; move it"
    for cell in code:
        if "install" in cell.tags and PACKAGE_WORD not in cell.text:
            message = f"the install cell does not name {PACKAGE_WORD}; the release puts the package's address there"
            yield cell.number, "tags", message
        for tag in {IN_PROCESS, WATCH_ARGUMENTS} & set(cell.tags) if not cell.is_test else ():
            yield cell.number, "tags", f"the tag {tag!r} is for test cells; remove it here"
        if "answers" in cell.tags and not re.search(r"^def personal_answers\(", cell.text, re.MULTILINE):
            message = "this cell must define personal_answers(student, draws); see CONTRIBUTING"
            yield cell.number, "tags", message


def _waivers(cells: list[TextCell]) -> Found:
    for cell in cells:
        inside = numbers_inside(cell, SOLUTION) | numbers_inside(cell, HIDDEN)
        for line in cell.lines:
            waiver = WAIVER.search(line.text)
            if waiver and line.number not in inside:
                yield line.number, "waiver", "this line is not in a secret region; remove `# not secret`"
            elif waiver and not waiver["reason"]:
                yield line.number, "waiver", "say why students may see this line: `# not secret: <reason>`"


def _jupytext_differences(cells: list[TextCell], text: str, path: Path) -> Found:
    """Findings where jupytext, which makes the notebook, reads other cells than our parser."""
    try:
        notebook = read_source(text, str(path))
    except SourceError as error:
        yield 1, "percent", f"{error}; fix the text"
        return
    for cell, node in zip(cells, notebook.cells, strict=False):
        seen, ours = ({key: read.metadata[key] for key in KNOWN_KEYS if key in read.metadata} for read in (node, cell))
        if node.cell_type != cell.cell_type or seen != ours:
            message = f"jupytext reads a {node.cell_type} cell with metadata {seen} here; rewrite the cell's first line"
            yield cell.number, "percent", message
            return
    if len(cells) != len(notebook.cells):
        message = (
            f"jupytext sees {len(notebook.cells)} cells, the autograder {len(cells)}; "
            "look for '# %%' inside a string, indented, or within a fenced block"
        )
        yield 1, "percent", message


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_positive(value: object) -> bool:
    return _is_number(value) and value > 0


_RULES: tuple[Callable[[list[TextCell]], Found], ...] = (
    _complaints,
    _metadata,
    _grade_ids,
    _points,
    announced_points,
    points_table,
    _pairs,
    _markers,
    _tags,
    _waivers,
    findings,
    name_findings,
)
