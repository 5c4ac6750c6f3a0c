"""Parses a source in percent format into cells and lines with their line numbers in the file.

jupytext parses the same text into a notebook, but gives no line numbers and does not report invalid metadata (they
become the cell's title). The linter needs line numbers and errors, so it uses this parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from autograder.course.markers import Marker, read_marker, replaced_lines, scan
from autograder.course.problem import IN_PROCESS

CellType = Literal["code", "markdown", "raw"]

_CELL_LINE = re.compile(r"^#\s*%%(?!%)(\s.*)?$")
_CELL_TYPES: Mapping[str, CellType] = {"[markdown]": "markdown", "[md]": "markdown", "[raw]": "raw"}


@dataclass(frozen=True)
class Line:
    """One line of a cell: its 1-based number in the file and its text (in text cells without the leading `# `)."""

    number: int
    text: str


@dataclass(frozen=True)
class TextCell:
    """One cell of the percent text."""

    number: int
    """Line number of the `# %%` line."""
    cell_type: CellType
    metadata: Mapping[str, Any]
    lines: tuple[Line, ...]
    complaints: tuple[Line, ...] = ()
    """Parse errors, as line number and message."""

    @property
    def text(self) -> str:
        """The cell's text."""
        return "\n".join(line.text for line in self.lines)

    @property
    def nbgrader(self) -> Mapping[str, Any]:
        """nbgrader's metadata; empty if the cell has none."""
        value = self.metadata.get("nbgrader", {})
        return value if isinstance(value, dict) else {}

    @property
    def grade_id(self) -> str:
        """nbgrader's grade id; empty if the cell has none."""
        value = self.nbgrader.get("grade_id", "")
        return value if isinstance(value, str) else ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The cell's tags."""
        value = self.metadata.get("tags", ())
        return tuple(str(tag) for tag in value) if isinstance(value, list) else ()

    @property
    def is_answer(self) -> bool:
        """Whether the student edits this cell."""
        return self.nbgrader.get("solution") is True

    @property
    def is_graded(self) -> bool:
        """Whether this cell has points."""
        return self.nbgrader.get("grade") is True

    @property
    def is_test(self) -> bool:
        """Whether this is a test cell."""
        return self.is_graded and not self.is_answer

    @property
    def runs_in_process(self) -> bool:
        """Whether this test cell runs inside the student's process."""
        return IN_PROCESS in self.tags

    @property
    def is_manual(self) -> bool:
        """Whether this cell is graded by hand."""
        return self.is_graded and self.is_answer


def split_cells(text: str) -> list[TextCell]:
    """Splits percent text into cells; text before the first `# %%` line, except the YAML header, is one code cell."""
    lines = [Line(number, line) for number, line in enumerate(text.splitlines(), start=1)]
    starts = [i for i, line in enumerate(lines) if _CELL_LINE.match(line.text)]
    cells = []
    before = _without_header(lines[: starts[0] if starts else len(lines)])
    if any(line.text.strip() for line in before):
        cells.append(TextCell(before[0].number, "code", {}, tuple(before)))
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        cells.append(_cell(lines[start], lines[start + 1 : end]))
    return cells


def _without_header(lines: list[Line]) -> list[Line]:
    fences = [i for i, line in enumerate(lines) if line.text.strip() == "# ---"]
    return lines[fences[1] + 1 :] if len(fences) >= 2 and fences[0] == 0 else lines


def _cell(mark: Line, lines: list[Line]) -> TextCell:
    match = _CELL_LINE.match(mark.text)
    options = (match.group(1) or "").strip() if match else ""
    cell_type: CellType = "code"
    for prefix, named in _CELL_TYPES.items():
        if options.startswith(prefix):
            cell_type, options = named, options[len(prefix) :].strip()
    metadata, complaint = _options(options)
    complaints = [Line(mark.number, complaint)] if complaint else []
    while lines and not lines[-1].text.strip():
        lines.pop()
    if cell_type == "code":
        return TextCell(mark.number, cell_type, metadata, tuple(lines), tuple(complaints))
    for line in lines:
        if line.text.strip() and not line.text.startswith("#"):
            message = "this line of a text cell does not begin with '# '; add it, or begin a code cell with '# %%'"
            complaints.append(Line(line.number, message))
    uncommented = tuple(Line(line.number, re.sub(r"^# ?", "", line.text)) for line in lines)
    return TextCell(mark.number, cell_type, metadata, uncommented, tuple(complaints))


def _options(text: str) -> tuple[dict[str, Any], str]:
    """Parses `key=JSON key=JSON ...` into metadata and an error message, empty if there is no error."""
    metadata: dict[str, Any] = {}
    while text:
        key = re.match(r"([A-Za-z_][A-Za-z0-9_.-]*)=", text)
        if not key:
            return metadata, f"cannot read the cell's metadata at {_short(text)}; write key=value with a JSON value"
        try:
            value, end = json.JSONDecoder().raw_decode(text[key.end() :])
        except json.JSONDecodeError as error:
            what = f"the value of {key.group(1)!r} is not JSON ({error.msg} at {_short(text[key.end() + error.pos :])})"
            return metadata, f"{what}; use double quotes, true/false and no trailing comma"
        if key.group(1) in metadata:
            return metadata, f"the key {key.group(1)!r} is listed twice; remove one"
        metadata[key.group(1)] = value
        text = text[key.end() + end :].strip()
    return metadata, ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def markers(cell: TextCell) -> Iterator[tuple[Line, Marker]]:
    """The markers of a cell, in order, including near misses."""
    for line in cell.lines:
        marker = read_marker(line.text)
        if marker:
            yield line, marker


def numbers_inside(cell: TextCell, kind: str) -> frozenset[int]:
    """The line numbers strictly between the markers of a kind."""
    scanned = zip(cell.lines, scan([line.text for line in cell.lines]), strict=True)
    return frozenset(line.number for line, found in scanned if kind in found.inside)


def code_without(cell: TextCell, kind: str, stub: str = "") -> str:
    """The cell's code with the regions of a kind replaced by blank lines, so that line numbers stay the same.

    Args:
        cell: a code cell.
        kind: `SOLUTION`, `HIDDEN TESTS` or `MARK SCHEME`.
        stub: one line to put in place of the BEGIN marker, with its indentation; a blank line if empty.
    """
    lines = replaced_lines([line.text for line in cell.lines], kind, stub or None)
    return "\n".join(line or "" for line in lines)
