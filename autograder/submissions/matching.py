"""Matches the cells of a submission to the items they answer.

A cell belongs to an item by its grade id, else by its cell id, else by the name it defines or the text above it. If
several cells do, the last answered one counts, because in the student's Jupyter a later definition replaces an earlier
one. Unchanged stubs and cells that cannot be parsed do not count. A cell without the item's id does not count if it is
below the item's last test, because that test did not run on it. One cell may answer several code items.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from autograder.core.flags import Flag, FlagKind
from autograder.core.text import listed
from autograder.course.name_analysis import defines, names_of, replaces
from autograder.course.problem import GIVEN, Item, Problem
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.submissions.reader import SubmittedCell
from homework.hand_in.source_hash import normalised


@dataclass(frozen=True)
class Matching:
    """The cells that count; cells are identified by their 0-based position in the submission."""

    counted: Mapping[str, int]
    """Item → the cell that answers it."""
    drafts: Mapping[int, str]
    """Other answered cells, which do not count → their item. Without figure cells, which are not run."""
    stubs: frozenset[int]
    """Unanswered cells of an item; run below an answer, they would overwrite it."""
    never_run: Mapping[str, str]
    """Code item without a cell → why: its answer is in a cell of text, which Jupyter does not run."""
    flags: tuple[Flag, ...]


_OTHER_STUBS = (
    *("YOUR ANSWER HERE", "# YOUR CODE HERE\nraise NotImplementedError()"),  # nbgrader's
    "_Type your answer here, replacing this text._",  # otter's
)
"""Unanswered cells of a notebook that was released before its assignment was imported."""


class _Answer(IntEnum):
    """How complete the answer in a cell is."""

    NONE = 0
    """The cell is empty or has the stub."""
    BROKEN = 1
    """The cell cannot be parsed or does not define the item."""
    WHOLE = 2


def match(problem: Problem, cells: Sequence[SubmittedCell], released: Mapping[str, str]) -> Matching:
    """Finds the cell that counts for each item.

    Args:
        problem: the problem.
        cells: the submission's cells in order.
        released: cell id → text in the release.
    """
    counted: dict[str, int] = {}
    drafts: dict[int, str] = {}
    stubs: set[int] = set()
    never_run: dict[str, str] = {}
    flags: list[Flag] = []
    for item in problem.items:
        search = _Search(problem, item, cells, released, set(counted.values()))
        position = search.found()
        if position is None or (item.kind == "code" and not search.answered):
            why = search.in_text()
            if why:
                never_run[item.id] = why
        if position is not None:
            counted[item.id] = position
            flags += search.flags(position)
            stubs.update(search.stubs)
            if item.kind != "figure":
                drafts.update(dict.fromkeys(search.answered, item.id))
    taken = set(counted.values())
    drafts = {n: item for n, item in drafts.items() if n not in taken}
    return Matching(counted, drafts, frozenset(stubs - taken), never_run, tuple(flags))


class _Search:
    """The search for one item's cell."""

    def __init__(
        self,
        problem: Problem,
        item: Item,
        cells: Sequence[SubmittedCell],
        released: Mapping[str, str],
        taken: set[int],
    ) -> None:
        self._problem, self._item, self._cells, self._released = problem, item, cells, released
        self._stub = released[item.cell.id]
        kind = item.cell.cell_type
        free = [n for n in range(len(cells)) if n not in taken]
        fits = [n for n in free if cells[n].cell_type == kind]
        self.of_another_type = [n for n in free if n not in fits and self._has_id(n) and cells[n].source.strip()]
        """Cells with the item's id that were turned into another type."""
        if item.kind != "code" and not any(map(self._has_id, fits)):
            fits += self.of_another_type
        self._by_id = [n for n in fits if cells[n].grade_id == item.id]
        if not self._by_id and item.kind != "code":
            self._by_id = [n for n in fits if self._has_original_id(n)]
        self._by_cell = [n for n in fits if not cells[n].grade_id and cells[n].cell_id == item.cell.id]
        code = [n for n, cell in enumerate(cells) if cell.cell_type == "code" and item.kind == "code"]
        self._by_name = [n for n in code if item.id in cells[n].source and defines(cells[n].source, item.id)]
        self._by_place = [] if item.has_name else [n for n in self._places() if n in fits]
        self._is = {n: self._judged(n) for n in {*self._by_id, *self._by_cell, *self._by_name, *self._by_place}}
        own = {*self._by_id, *self._by_cell}
        again = [n for n in self._by_name if n not in own and replaces(cells[n].source, item.id)]
        test = self._last_test() if again else 0
        self._below = [n for n in again if n > test]
        self._candidates = sorted({*own, *(n for n in again if n < test)})
        self.answered = [n for n in self._candidates if self._is[n] is not _Answer.NONE]
        """All candidate cells that answer the item, in order."""
        self.stubs = [n for n in self._candidates if self._is[n] is _Answer.NONE]
        """The candidate cells without an answer."""

    def found(self) -> int | None:
        """The cell that counts; None if there is none."""
        ways = (self._candidates, self._by_name, self._by_place)
        best = [max(cells, key=lambda n: (self._is[n], n)) for cells in ways if cells]
        return max(best, key=self._is.__getitem__, default=None)  # on a tie, the first way wins

    def flags(self, counted: int) -> list[Flag]:
        """Flags on the decisions made to find the cell."""
        repairs = []
        if len(self.answered) > 1 and counted in self.answered:
            cells = _numbers(self.answered)
            repairs.append(f"cells {cells} of the notebook answer this item; {self._why(counted)}.")
        elif len(self._by_id) > 1 and self._is[counted] is not _Answer.NONE:
            others = _numbers([n for n in self._by_id if n != counted])
            repairs.append(f"cell {counted + 1} counts; {others} of the notebook have the same id but are empty.")
        below = [n for n in self._below if n != counted and self._is[n] is _Answer.WHOLE]
        if below:
            repairs.append(
                f"cell {below[0] + 1} defines it again below the test; cell {counted + 1}, above the test, counts. "
                "To have the other cell graded, move its code into your answer cell."
            )
        if counted in self.of_another_type:
            repairs.append(
                f"cell {counted + 1} was turned into a {_type(self._cells[counted])} cell; its text is shown."
            )
        elif counted not in self._by_id:
            by_its_name = "the name it defines" if self._item.has_name else "the text above it"
            how = "its cell id" if counted in self._by_cell else by_its_name
            repairs.append(f"the cell was found by {how}, not by its nbgrader id.")
        return [Flag(FlagKind.REPAIRED, f"{self._item.id}: {repair}") for repair in repairs]

    def _why(self, counted: int) -> str:
        later = [n for n in self.answered if n > counted]
        if not later:
            return f"the last one, cell {counted + 1}, counts"
        unread = [n + 1 for n in later if names_of(self._cells[n].source) is None]
        if unread:
            return (
                f"cell {unread[-1]} cannot be read by Python, so cell {counted + 1} counts, as when the notebook is run"
            )
        return f"cell {later[-1] + 1} does not define `{self._item.id}`, so cell {counted + 1} counts"

    def _judged(self, n: int) -> _Answer:
        source = self._cells[n].source
        if is_stub(source, self._stub, self._item):
            return _Answer.NONE
        if self._item.kind != "code":
            return _Answer.WHOLE
        whole = names_of(source) is not None and (not self._item.has_name or defines(source, self._item.id))
        return _Answer.WHOLE if whole else _Answer.BROKEN

    def in_text(self) -> str:
        """Why a code item's answer never runs, if it is in a cell of text; empty if it is not."""
        found = [n for n in self.of_another_type if self._is_unlike_stub(n)] if self._item.kind == "code" else []
        if not found:
            return ""
        kind = _type(self._cells[found[-1]])
        return (
            f"The answer to `{self._item.id}` is in cell {found[-1] + 1}, which is a {kind} cell, so Jupyter never "
            "runs it. Turn it into a code cell and submit again."
        )

    def _has_id(self, n: int) -> bool:
        cell = self._cells[n]
        return cell.grade_id == self._item.id or (not cell.grade_id and cell.cell_id == self._item.cell.id)

    def _has_original_id(self, n: int) -> bool:
        """Whether a cell has the id from which an import made the item's: `plot-it` for `figure_plot_it`."""
        own = {item.id for item in self._problem.items}
        grade_id = self._cells[n].grade_id
        label = re.sub(r"\W+", "_", grade_id, flags=re.ASCII).strip("_")
        return bool(label) and grade_id not in own and self._item.id == f"{self._item.kind}_{label}"

    def _is_unlike_stub(self, n: int) -> bool:
        return self._cells[n].source.strip() != self._stub.strip()

    def _last_test(self) -> int:
        """Position of the item's last test cell; the number of cells if there is none."""
        test = self._item.test
        if test is None:
            return len(self._cells)
        text = self._released[test.id].strip()
        for n, cell in reversed([*enumerate(self._cells)]):
            is_copy = not cell.grade_id and (cell.cell_id == test.id or cell.source.strip() == text)
            if cell.grade_id == test.grade_id or is_copy:
                return n
        return len(self._cells)

    def _places(self) -> Iterable[int]:
        """Positions of possible answers without ids: below the text that precedes the answer in the release."""
        cells, stub = self._problem.cells, self._stub.strip()
        above = _without_comments(self._released[cells[cells.index(self._item.cell) - 1].id])
        given = {text.strip() for text in self._released.values()} - {stub}
        texts = [cell.source.strip() for cell in self._cells]
        for n in range(1, len(texts)):
            if _without_comments(texts[n - 1]) == above:
                below = next((m for m in range(n, len(texts)) if texts[m] != stub), n)
                cell = self._cells[below]
                is_given = texts[below] in given or cell.grade_id != "" or cell.cell_id.startswith(GIVEN)
                yield n if is_given else below


def _without_comments(text: str) -> str:
    """A text without the lines that are comments; otter writes some into the notebooks that it releases."""
    lines = [line for line in text.split("\n") if not (line.startswith("<!--") and line.rstrip().endswith("-->"))]
    return "\n".join(lines).strip()


def is_stub(source: str, stub: str, item: Item) -> bool:
    """Whether a cell has no answer: it is empty, or the stub, in which only comments and docstrings were edited."""
    if source.strip() in ("", stub.strip(), *_OTHER_STUBS):
        return True
    return item.kind == "code" and _code(source) in (_code(""), _code(stub))


@functools.lru_cache(maxsize=8192)  # more than a notebook has cells
def _code(source: str) -> str:
    """A cell's code without comments and docstrings, to recognize stubs in which only these were edited."""
    tree = syntax_tree(source)
    if tree is None or plain_python(source) != source:
        return normalised(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if ast.get_docstring(node) is not None:
                del node.body[0]
    return ast.dump(tree)


def _type(cell: SubmittedCell) -> str:
    return {"markdown": "Markdown (text)", "code": "code"}.get(cell.cell_type, "raw (text)")


def _numbers(positions: Sequence[int]) -> str:
    """The 1-based numbers of cells, as text."""
    return listed([str(n + 1) for n in positions], 6)
