"""The answers of a class to the questions that people grade, as `autograder grade` wrote them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from autograder.core.results import GradedLog, Status
from autograder.core.text import is_text, well_formed
from autograder.course.problem import Item, Problem
from autograder.release.notebook import release_to_read
from autograder.report.load import Run, read_graded_log
from autograder.report.notebooks import MOST_NOTEBOOK_BYTES, notebook_path
from autograder.submissions.outputs import MARK, OF_STUDENT
from autograder.submissions.pictures import KEPT
from autograder.submissions.reader import MAX_CELL_CHARACTERS, UnusableError, read_bytes
from homework.errors import LogError

UNREADABLE = "**The executed notebook cannot be read.** Grade this submission again (`autograder grade`)."
"""Shown in place of an answer."""

_HEADING = re.compile(r"#{1,2} +(.+)")


class Picture(NamedTuple):
    """A picture of a student's."""

    name: str
    """The name by which a text shows it; empty for a cell's output."""
    mime: str
    data: str
    """Base64."""

    @property
    def digest(self) -> str:
        """Identifies its content."""
        return hashlib.sha256(self.data.encode()).hexdigest()[:32]


class Section(NamedTuple):
    """What a student's own run printed and drew below a heading of the notebook."""

    title: str
    outputs: list[str | Picture]


@dataclass(frozen=True)
class Answer:
    """One student's answer to one question."""

    student: str
    text: str
    """The cell's text: Markdown, or Python for a figure; empty if the answer is missing or the untouched stub."""
    pictures: tuple[str, ...]
    """Digests of the pictures, in their order."""
    digest: str
    """Identifies the answer."""
    is_readable: bool = True

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to grade."""
        return not self.text and not self.pictures


class ClassAnswers:
    """The answers of a class to one problem, read again where a file changed.

    Args:
        out: the folder that `autograder grade` wrote.
        run: the logs that were read from it.
    """

    def __init__(self, out: Path, run: Run) -> None:
        self.problem: Problem = run.problem
        self.items: dict[str, Item] = {
            item.id: item for item in run.problem.items if item.kind != "code" and not item.is_dropped
        }
        self.logs: dict[str, GradedLog] = {entry.student: entry.log for entry in run.entries}
        self._out = out
        self._latest: tuple[tuple[str, int, int], Mapping[str, Any]] = (("", 0, 0), {})
        """The notebook that was read last: a page asks for its pictures, its answers and its outputs."""
        self._changed = 0
        """Time of the folder's last change when it was looked at."""
        self._stubs = {cell.id: str(cell.source).strip() for cell in release_to_read(run.problem).cells}
        self._known: dict[str, tuple[tuple[int, int], dict[str, Answer]]] = {}

    def of(self, item: str) -> list[Answer]:
        """Every student's answer to one question, by student; also of students who were graded since the start."""
        self._take_in()
        return [self._answers(student)[item] for student in sorted(self.logs)]

    def all_of(self, student: str) -> dict[str, Answer]:
        """Item id → answer of one student."""
        return self._answers(student)

    def pictures(self, student: str) -> dict[str, Picture]:
        """Digest → picture, of all cells of one student."""
        cells = self._cells(student).values()
        return {picture.digest: picture for cell in cells for picture in _pictures(cell)}

    def evidence(self, student: str, item: str) -> list[Section]:
        """What the student's own run printed and drew above a question, which its answer may speak of.

        It reaches from the cell of the question up to the written question before it. If there is nothing between the
        two, they are about the same, so it reaches further up.
        """
        questions = {one.cell.id for one in self.items.values() if one.kind == "written"}
        own = self.items[item].cell.id
        sections = [Section("", [])]
        begins = [0]
        for cell_id, cell in self._cells(student).items():
            if cell_id in questions:
                if cell_id == own:
                    break
                if any(section.outputs for section in sections[begins[-1] :]):
                    begins.append(len(sections))
                sections.append(Section(sections[-1].title, []))
            elif cell.get("cell_type") == "markdown" and (heading := _HEADING.match(_text(cell.get("source", "")))):
                sections.append(Section(heading[1].replace("`", "").strip(), []))
            else:
                outputs = _own_outputs(cell)
                sections[-1].outputs.extend(one for one in outputs if cell_id != own or isinstance(one, str))
            if cell_id == own:
                break
        latest = [[section for section in sections[begin:] if section.outputs] for begin in begins[-2:]]
        return latest[-1] or latest[0]

    def _take_in(self) -> None:
        """Reads the logs of students whose folder is new."""
        changed = self._out.stat().st_mtime_ns if self._out.is_dir() else 0
        if changed == self._changed:
            return
        self._changed = changed
        for name in os.listdir(self._out) if changed else ():
            if name not in self.logs and is_text(name):
                self._read_log(name)

    def _read_log(self, student: str) -> None:
        """Reads a student's log; what cannot be read is left as it is."""
        with contextlib.suppress(UnusableError, LogError):
            log = read_graded_log(self._out, student, self.problem.id)
            if [item.id for item in log.items] == [item.id for item in self.problem.items]:
                self.logs[student] = replace(log, student=student)

    def _answers(self, student: str) -> dict[str, Answer]:
        state = self._state(student)
        known = self._known.get(student)
        if known is None or known[0] != state:
            if known is not None:
                self._read_log(student)
            cells = self._cells(student)
            unreadable = not cells
            missing = {one.id for one in self.logs[student].items if one.status is Status.MISSING}
            found = {
                item.id: Answer(student, UNREADABLE, (), "unreadable", is_readable=False)
                if unreadable and item.id not in missing
                else self._answer(student, item, {} if item.id in missing else cells.get(item.cell.id, {}))
                for item in self.items.values()
            }
            known = self._known[student] = (state, found)
        return known[1]

    def _state(self, student: str) -> tuple[int, int]:
        """Time and size of the executed notebook, by which a change is noticed."""
        try:
            status = notebook_path(self._out, student, self.problem).stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size

    def _cells(self, student: str) -> Mapping[str, Any]:
        """Cell id → cell of the executed notebook; empty if it cannot be read."""
        wanted = (student, *self._state(student))
        known, cells = self._latest
        if known != wanted:
            cells = self._read_cells(student)
            self._latest = wanted, cells
        return cells

    def _read_cells(self, student: str) -> Mapping[str, Any]:
        path = notebook_path(self._out, student, self.problem)
        try:
            document = json.loads(read_bytes(path, self._out, MOST_NOTEBOOK_BYTES))
            return {str(cell["id"]): cell for cell in document["cells"] if isinstance(cell, dict)}
        except (UnusableError, OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}

    def _answer(self, student: str, item: Item, cell: Mapping[str, Any]) -> Answer:
        source = _text(cell.get("source", ""))[: 8 * MAX_CELL_CHARACTERS]
        pictures = tuple(picture.digest for picture in _pictures(cell))
        is_stub = source.strip() == self._stubs[item.cell.id]
        text = "" if is_stub else source
        digest = hashlib.sha256("\0".join((item.id, text, *pictures)).encode("utf-8", "replace")).hexdigest()
        return Answer(student, text, pictures, digest)


def _pictures(cell: Mapping[str, Any]) -> Iterator[Picture]:
    """The pictures that are attached to a cell or among its outputs."""
    attachments, outputs = cell.get("attachments"), cell.get("outputs")
    for name, data in attachments.items() if isinstance(attachments, dict) else ():
        yield from _in_bundle(str(name), data)
    for output in outputs if isinstance(outputs, list) else ():
        yield from _in_bundle("", output.get("data") if isinstance(output, dict) else None)


def _own_outputs(cell: Mapping[str, Any]) -> Iterator[str | Picture]:
    """The texts and pictures from the student's own run among a cell's outputs, without their mark."""
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict) and isinstance(output.get("metadata"), dict) and output["metadata"].get(OF_STUDENT):
            data = output.get("data")
            yield from _in_bundle("", data)
            text = _text(data.get("text/plain", "")) if isinstance(data, dict) else ""
            if text and text != MARK:
                yield text


def _in_bundle(name: str, data: Any) -> Iterator[Picture]:
    for mime in KEPT:
        if isinstance(data, dict) and mime in data:
            yield Picture(name, mime, _text(data[mime]))


def _text(value: Any) -> str:
    text = "".join(map(str, value)) if isinstance(value, list) else value
    return well_formed(text) if isinstance(text, str) else ""
