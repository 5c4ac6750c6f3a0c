"""Finds out what each cell of an otter notebook is: question text, prompt, solution, test, or one of otter's own.

The current format has blocks between raw cells (`# BEGIN SOLUTION`). The older one has a fenced block in the text of a
question, and goes by the order of the cells below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_raw_cell

from autograder.core.errors import SourceError
from autograder.imports.original import Original, Role, check_markers
from autograder.imports.otter_case import is_titled
from autograder.imports.otter_config import Assignment, Question, read_assignment, read_question
from autograder.imports.otter_solution import without_ignored

Kind = Literal["given", "prompt", "solution", "test", "left out"]
_BOUNDARY = re.compile(r"#\s+(?P<verb>begin|end)\s+(?P<block>question|prompt|solution|tests)\s*", re.IGNORECASE)
_SETTINGS = re.compile(r"#\s+assignment\s+config\s*", re.IGNORECASE)
_IGNORED = re.compile(r"##\s*ignore\s*##|#\s*ignore", re.IGNORECASE)
_BOLD_SOLUTION = re.compile(r"(<strong>|\*{2})solution:?(</strong>|\*{2})", re.IGNORECASE)
_FENCED = re.compile(
    r"^```[^\n]*\n[ ]*BEGIN (?P<what>ASSIGNMENT|QUESTION)[ ]*\n(?P<text>.*?)^```[^\n]*\n?", re.MULTILINE | re.DOTALL
)
_OTTER_FENCE = "```otter"


@dataclass(frozen=True, eq=False)
class Block:
    """A cell, or a part of a text cell, with what it is for otter."""

    path: Path
    number: int
    """The cell's position, from 1."""
    node: NotebookNode
    kind: Kind
    question: Question | None = None
    why: str = ""
    """Why it is left out."""
    look: str = ""
    """What to look at; empty if nothing."""

    @property
    def place(self) -> str:
        """The cell in words, for messages."""
        return f"{self.path}, cell {self.number}"

    @property
    def source(self) -> str:
        """Its text, without the lines that otter takes out of all versions."""
        return without_ignored(self.place, self.node.source)

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return bool(self.node.cell_type == "code")

    def original(self, source: str, role: Role, name: str = "", points: float = 0.0, look: str = "") -> Original:
        """The cell with another text, which has our markers."""
        check_markers(self.place, source.split("\n"))
        pictures = bool(self.node.get("attachments"))
        return Original(self.number, self.node.cell_type, source, role, name, points, pictures, look=look)

    def left_out(self, why: str, look: str = "") -> Original:
        """The cell without a counterpart in the new source."""
        return Original(self.number, self.node.cell_type, "", "given", "", 0.0, left_out=why, look=look)


def is_current(cells: Sequence[NotebookNode]) -> bool:
    """Whether a notebook has the raw cells of the current format."""
    raw = [node.source for _, node in _unfenced("", cells) if node.cell_type == "raw"]
    return any(_BOUNDARY.match(source) or _SETTINGS.match(source) for source in raw)


def is_older(cells: Sequence[NotebookNode]) -> bool:
    """Whether a notebook has the fenced blocks of the older format."""
    return any(_FENCED.search(node.source) for node in cells if node.cell_type != "code")


def current_blocks(path: Path, cells: Sequence[NotebookNode]) -> tuple[Assignment, list[Block]]:
    """The blocks of a notebook in the current format."""
    numbered = list(_unfenced(str(path), cells))
    assignment = Assignment()
    for number, node in numbered:
        if node.cell_type == "raw" and _SETTINGS.match(node.source):
            assignment = read_assignment(f"{path}, cell {number}", path.parent, node.source)
    return assignment, list(_current(path, numbered, assignment))


def older_blocks(path: Path, cells: Sequence[NotebookNode]) -> tuple[Assignment, list[Block]]:
    """The blocks of a notebook in the older format."""
    assignment = Assignment()
    for number, node in enumerate(cells, start=1):
        found = _fenced(node, "ASSIGNMENT")
        if found:
            assignment = read_assignment(f"{path}, cell {number}", path.parent, found["text"])
    return replace(assignment, strips_all=True), list(_older(path, cells, assignment))


def _current(path: Path, numbered: Sequence[tuple[int, NotebookNode]], assignment: Assignment) -> Iterator[Block]:
    opened: list[tuple[str, int]] = []
    question: Question | None = None
    seen: dict[str, int] = {}
    for number, node in numbered:
        where = f"{path}, cell {number}"
        boundary = _BOUNDARY.match(node.source) if node.cell_type == "raw" else None
        if _IGNORED.match(node.source):
            yield Block(path, number, node, "left out", why="otter ignores it (# IGNORE)")
        elif node.cell_type == "raw" and _SETTINGS.match(node.source):
            yield Block(path, number, node, "left out", why="otter's settings", look=assignment.look)
        elif boundary and boundary["verb"].lower() == "begin":
            block = boundary["block"].lower()
            _refuse_begin(where, block, opened)
            opened.append((block, number))
            if block == "question":
                question = read_question(where, node.source)
                _refuse_twice(where, question, seen, number)
            yield Block(path, number, node, "left out", why=f"otter's BEGIN {block.upper()}")
        elif boundary:
            block = boundary["block"].lower()
            if not opened or opened[-1][0] != block:
                inner = f"the {opened[-1][0]} block of cell {opened[-1][1]} is open" if opened else "no block is open"
                raise SourceError(
                    f"{where}: # END {block.upper()}, but {inner}; add the missing cell or remove this one."
                )
            opened.pop()
            question = question if opened else None
            yield Block(path, number, node, "left out", why=f"otter's END {block.upper()}")
        else:
            inside = opened[-1][0] if opened else "question"
            if inside == "tests" and node.cell_type != "code":
                raise SourceError(f"{where} is in a tests block and no code cell; move it out of the block.")
            kinds: dict[str, Kind] = {"question": "given", "prompt": "prompt", "solution": "solution", "tests": "test"}
            yield Block(path, number, node, kinds[inside], question)
    if opened:
        block, number = opened[-1]
        raise SourceError(
            f"{path}, cell {number}: # BEGIN {block.upper()} is never closed; add a raw cell # END {block.upper()}."
        )


def _refuse_begin(where: str, block: str, opened: Sequence[tuple[str, int]]) -> None:
    if not opened and block != "question":
        raise SourceError(f"{where}: a {block} block outside of a question; add # BEGIN QUESTION above it.")
    if opened and (block == "question" or len(opened) > 1):
        outer, number = opened[-1]
        raise SourceError(
            f"{where}: a {block} block inside of the {outer} block of cell {number}; close that one first."
        )


def _refuse_twice(where: str, question: Question, seen: dict[str, int], number: int) -> None:
    if question.name in seen:
        raise SourceError(f"{where}: cell {seen[question.name]} has a question {question.name!r} too; rename one.")
    seen[question.name] = number


def _unfenced(path: str, cells: Sequence[NotebookNode]) -> Iterator[tuple[int, NotebookNode]]:
    """The cells with their numbers; the text in fences ```` ```otter ```` becomes raw cells of its own."""
    for number, node in enumerate(cells, start=1):
        if node.cell_type != "markdown" or _OTTER_FENCE not in node.source:
            yield number, node
            continue
        text: list[str] = []
        is_inside = False
        for line in [*node.source.split("\n"), None]:
            is_fence = line is not None and line.strip() == ("```" if is_inside else _OTTER_FENCE)
            if not is_fence and line is not None:
                text.append(line)
                continue
            if line is None and is_inside:
                raise SourceError(f"{path}, cell {number}: the fence {_OTTER_FENCE} is never closed; add a line ```.")
            source = "\n".join(text).strip("\n")
            if source.strip():
                yield number, new_raw_cell(source) if is_inside else new_markdown_cell(source)
            text, is_inside = [], not is_inside


def _older(path: Path, cells: Sequence[NotebookNode], assignment: Assignment) -> Iterator[Block]:
    question: Question | None = None
    is_answered = False
    seen: dict[str, int] = {}
    for number, node in enumerate(cells, start=1):
        where = f"{path}, cell {number}"
        is_code = node.cell_type == "code"
        is_solution = not is_code and any(map(_BOLD_SOLUTION.match, node.source.split("\n")))
        begun = _fenced(node, "QUESTION")
        if _IGNORED.match(node.source):
            yield Block(path, number, node, "left out", why="otter ignores it (# IGNORE)")
        elif question and is_code and is_titled(node.source):
            is_answered = True
            yield Block(path, number, node, "test", question)
        elif question and not is_answered:
            if begun:
                raise SourceError(
                    f"{where}: a question before the solution of {question.name!r}; add that below its text."
                )
            is_prompt = question.manual and not is_code and not is_solution
            is_answered = not is_prompt
            yield Block(path, number, node, "prompt" if is_prompt else "solution", question)
        else:
            question = None
            if found := _fenced(node, "ASSIGNMENT"):
                yield from _rest(path, number, node, found, None, "otter's settings", assignment.look)
            elif begun:
                question, is_answered = read_question(where, begun["text"]), False
                _refuse_twice(where, question, seen, number)
                yield from _rest(path, number, node, begun, question, "otter's BEGIN QUESTION", "")
            elif is_code and is_titled(node.source):
                raise SourceError(
                    f"{where} is a test outside of a question; move it below a solution, or reword its title."
                )
            else:
                yield Block(path, number, node, "solution" if is_solution else "given")


def _fenced(node: NotebookNode, what: str) -> re.Match[str] | None:
    """The fenced block of a text cell that begins with this word."""
    blocks = _FENCED.finditer(node.source) if node.cell_type != "code" else iter(())
    return next((found for found in blocks if found["what"] == what), None)


def _rest(
    path: Path, number: int, node: NotebookNode, found: re.Match[str], question: Question | None, why: str, look: str
) -> Iterator[Block]:
    """A text cell without its fenced block."""
    text = (node.source[: found.start()] + node.source[found.end() :]).strip("\n")
    if not text.strip():
        yield Block(path, number, node, "left out", question, why, look)
        return
    rest = new_markdown_cell(text)
    rest.attachments = node.get("attachments", {})
    yield Block(path, number, rest, "given", question, look=look)
