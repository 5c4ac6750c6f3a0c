"""Rebuilds the notebook to grade: the release with the student's answers and own cells inserted.

Only these parts of a submission are used: the *sources* of answer cells and of free cells, the pictures of answers
that are graded by hand, and, for people only, what cells printed and drew. Metadata, tags, copied test cells and
changed text are ignored. A flag notes each answer that was not found by its grade id.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Literal

from autograder.core.errors import SourceError
from autograder.core.flags import Flag, FlagKind
from autograder.core.results import Outcome
from autograder.course.name_analysis import defines
from autograder.course.problem import Cell, Item, Problem, load_problem, problem_ids
from autograder.release.notebook import release_to_read
from autograder.submissions.matching import Matching, is_stub, match
from autograder.submissions.outputs import Output
from autograder.submissions.pictures import Gathered, SubmittedPicture, gather
from autograder.submissions.reader import SubmittedCell, UnusableError

Role = Literal["given", "answer", "test", "free"]


@dataclass(frozen=True)
class Built:
    """One cell of the rebuilt notebook."""

    role: Role
    cell_type: str
    source: str
    """The text that the sandbox runs, or that is shown; for a test cell the released text."""
    id: str
    cell: Cell | None
    """The source's cell; None for a free cell, which the student added or edited."""
    drawn: tuple[SubmittedPicture, ...] = ()
    """The pictures of an answer that is graded by hand, not decoded."""
    edited: Cell | None = None
    """The given cell or test that the student edited into this free cell; None if it is new."""
    submitted: str = ""
    """The student's text of a test cell."""
    outputs: tuple[Output, ...] = ()
    """What the cell printed and drew in the student's own run; not of tests."""


@dataclass(frozen=True)
class Rebuilt:
    """A rebuilt notebook."""

    cells: tuple[Built, ...]
    answered: frozenset[str]
    """Items whose cell was found and is not a stub (`matching.is_stub`)."""
    found: frozenset[str]
    """Items whose cell was found."""
    repairs: tuple[Flag, ...]
    """Flags on items that were not found by their grade id, and on missing items."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Item that is answered in the cell of another item → that item."""
    never_run: Mapping[str, str] = field(default_factory=dict)
    """Code item → why its answer never runs (`Matching.never_run`)."""

    @functools.cached_property
    def pictures(self) -> Mapping[str, Gathered]:
        """Item → its re-encoded pictures; computed at first access, which takes time."""
        return {built.cell.grade_id: gather(built.drawn) for built in self.cells if built.drawn and built.cell}

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Flags on repairs and pictures."""
        about = [(item, note) for item, gathered in self.pictures.items() for note in gathered.notes]
        return (*self.repairs, *(Flag(FlagKind.PICTURE, f"{item}: {note}") for item, note in about))

    def answer(self, item_id: str) -> Built:
        """The cell that answers an item (its stub if none was found)."""
        grade_id = self.shared.get(item_id, item_id)
        return next(built for built in self.cells if built.cell is not None and built.cell.grade_id == grade_id)

    @property
    def as_submitted(self) -> tuple[Built, ...]:
        """The cells as the student's notebook runs them, beside the released tests.

        Each edited given cell is below its original, so that what the student changed there holds. Above each test is
        the student's text of it as a free cell: answers may use names that it defines.
        """
        cells = list(self.cells)
        for n in reversed(range(len(cells))):
            if (edited := cells[n].edited) is not None:
                original = next((m for m in range(n, len(cells)) if cells[m].id == edited.id), n)
                cells.insert(original, cells.pop(n))
        for n in reversed(range(len(cells))):
            if cells[n].role == "test":
                own = replace(cells[n], role="free", source=cells[n].submitted, id=f"own-{cells[n].id}", cell=None)
                cells.insert(n, replace(own, edited=cells[n].cell))
        return tuple(cells)

    def source(self, item_id: str) -> str:
        """The text of the cell that answers an item (the stub if none was found)."""
        return self.answer(item_id).source


def rebuild(problem: Problem, cells: Sequence[SubmittedCell], name: str = "the notebook") -> Rebuilt:
    """Puts a submission's answers into the release.

    Args:
        problem: the problem that the submission should answer.
        cells: the submission's cells in order.
        name: name of the file in messages.

    Raises:
        UnusableError: the submission has none of the problem's items, or is the notebook of another problem.
    """
    released = _released_sources(problem)
    matching = match(problem, cells, released)
    matched = matching.counted
    other = _other_problem(problem, cells, matched)
    if other:
        message = f"{name} is the notebook of '{other}', not of '{problem.id}'; submit {problem.id}.ipynb."
        raise UnusableError(Outcome.WRONG_NOTEBOOK, message)
    if not matched:
        items = ", ".join(item.id for item in problem.items)
        message = f"{name} contains none of the items of '{problem.id}' ({items}); submit {problem.id}.ipynb."
        raise UnusableError(Outcome.WRONG_NOTEBOOK, message)
    missing = [item.id for item in problem.items if item.id not in matched]
    flags = [*matching.flags]
    flags += [
        Flag(
            FlagKind.MISSING_CELL,
            f"{item}: {matching.never_run.get(item, 'no cell of the notebook answers this item.')}",
        )
        for item in missing
    ]
    shared = _shared(problem, cells, matched)
    free = _free_cells(problem, cells, matching, shared, released)
    built: list[Built] = []
    late: dict[str, list[Built]] = {}
    """Item → tests of items that are answered in its cell, which is below them in the release."""
    answered: set[str] = set()
    done: set[str] = set()
    """Items whose answer is in `built`."""
    outputs = _outputs_of_given(problem, cells, released)
    texts = {cell.grade_id: cell.source for cell in reversed(cells) if cell.grade_id and cell.cell_type == "code"}
    for cell in problem.cells:
        built += free.get(cell.id, ())
        stub = released[cell.id]
        if not cell.is_answer:
            role: Role = "test" if cell.is_test else "given"
            own_test = texts.get(cell.grade_id, stub) if cell.is_test else ""
            given = Built(
                role, cell.cell_type, stub, cell.id, cell, submitted=own_test, outputs=outputs.get(cell.id, ())
            )
            owner = shared.get(cell.grade_id.removeprefix("test_")) if cell.is_test else None
            (built if owner is None or owner in done else late.setdefault(owner, [])).append(given)
            continue
        done.add(cell.grade_id)
        position = matched.get(cell.grade_id)
        source = stub if position is None else cells[position].source
        if not is_stub(source, stub, problem.item(cell.grade_id)):
            answered.add(cell.grade_id)
        if cell.grade_id in shared:
            source = f"# `{cell.grade_id}` is answered in the cell of `{shared[cell.grade_id]}`."
        elif position is not None and cell.cell_type == "markdown" and cells[position].cell_type == "code":
            source = f"~~~~~~\n{source}\n~~~~~~"
        drawn: tuple[SubmittedPicture, ...] = ()
        if position is not None and cell.is_manual:
            drawn, found = _drawn(cells, position, set(released.values()), cell.grade_id)
            flags += found
        said = () if position is None else cells[position].outputs
        built.append(Built("answer", cell.cell_type, source, cell.id, cell, drawn, outputs=said))
        built += late.pop(cell.grade_id, ())
    built += free.get("", ())
    return Rebuilt(
        tuple(built), frozenset(answered), frozenset(matched), tuple(flags), shared, dict(matching.never_run)
    )


def _outputs_of_given(
    problem: Problem, cells: Sequence[SubmittedCell], released: Mapping[str, str]
) -> dict[str, tuple[Output, ...]]:
    """Cell id → outputs of the cells that the student left as they were given, without tests and the log's cell."""
    ids = {released[cell.id].strip(): cell.id for cell in problem.cells if not (cell.is_answer or cell.is_test)}
    found: dict[str, tuple[Output, ...]] = {}
    for cell in cells:
        cell_id = ids.get(cell.source.strip()) if cell.cell_type == "code" else None
        if cell_id is not None and cell.outputs:
            found.setdefault(cell_id, cell.outputs)
    return found


def _shared(problem: Problem, cells: Sequence[SubmittedCell], matched: Mapping[str, int]) -> dict[str, str]:
    """Items that are answered in the cell of another item → that item: the one with the cell's id, else the first."""
    by_position: dict[int, list[str]] = {}
    for item in problem.items:
        if item.id in matched:
            by_position.setdefault(matched[item.id], []).append(item.id)
    shared = {}
    for position, items in by_position.items():
        owner = cells[position].grade_id if cells[position].grade_id in items else items[0]
        shared.update({item: owner for item in items if item != owner})
    return shared


def _drawn(
    cells: Sequence[SubmittedCell], position: int, given: Set[str], item_id: str
) -> tuple[tuple[SubmittedPicture, ...], list[Flag]]:
    """The pictures of an answer; if it has none, those of the nearest cell that the student added below or above."""
    if cells[position].drawn:
        return cells[position].drawn, []
    for step, where in ((1, "below"), (-1, "above")):
        near = position + step
        while 0 <= near < len(cells) and not cells[near].grade_id and cells[near].source not in given:
            if cells[near].drawn:
                message = f"its cell has no picture; the pictures of cell {near + 1}, {where} it, are shown."
                return cells[near].drawn, [Flag(FlagKind.REPAIRED, f"{item_id}: {message}")]
            near += step
    return (), []


@functools.lru_cache(maxsize=32)
def _released_sources(problem: Problem) -> dict[str, str]:
    """Cell id → text in the release."""
    return {cell.id: str(cell.source) for cell in release_to_read(problem).cells}


def _free_cells(
    problem: Problem,
    cells: Sequence[SubmittedCell],
    matching: Matching,
    shared: Mapping[str, str],
    released: dict[str, str],
) -> dict[str, list[Built]]:
    """The student's free cells, by the id of the release's cell below them ('' = at the end).

    An edited given cell counts as a free cell above the original: an import added there is kept, and the original runs
    after it (`Rebuilt.as_submitted` has them the other way round). The same holds for a draft of an answer: a helper
    defined there is kept, and the answer that counts runs after it.
    """
    ids = [*(cell.id for cell in problem.cells), ""]
    places = {cell_id: place for place, cell_id in enumerate(ids)}
    ids_by_grade_id = {cell.grade_id: cell.id for cell in problem.cells if cell.grade_id}
    graded = frozenset(ids_by_grade_id.values())
    ids_by_text = {text.strip(): cell_id for cell_id, text in released.items()}
    counted = {problem.item(item_id).cell.id: position for item_id, position in matching.counted.items()}
    answers = {
        position: problem.item(item_id).cell.id
        for item_id, position in matching.counted.items()
        if item_id not in shared
    }
    free: dict[str, list[Built]] = {}
    waiting: list[tuple[Built, int]] = []
    """Free cells above the next cell of the release, each with the latest place it may have."""

    def put(place: int) -> None:
        placed = []
        while waiting:
            built, latest = waiting.pop()
            place = min(place, latest)
            placed.append((ids[place], built))
        for cell_id, built in reversed(placed):
            free.setdefault(cell_id, []).append(built)

    for position, cell in enumerate(cells):
        known = ids_by_grade_id.get(cell.grade_id) or (cell.cell_id if cell.cell_id in released else None)
        anchor = answers.get(position)
        if anchor is None and position in matching.drafts:
            answer = problem.item(matching.drafts[position]).cell.id
            is_earlier = position < counted[answer]
            waiting.append((_free(position, cell), places[answer] if is_earlier else places[""]))
            anchor = known
        elif position in matching.stubs:
            anchor = known
        elif anchor is None:
            anchor = ids_by_text.get(cell.source.strip()) or known
            if anchor is None:
                is_free = cell.cell_type == "code" or (cell.cell_type == "markdown" and cell.source.strip())
            else:
                is_edited = cell.source.strip() != released[anchor].strip()
                is_free = cell.cell_type == "code" and anchor not in graded and is_edited
            if is_free:
                edited = next((given for given in problem.cells if given.id == anchor), None)
                waiting.append((_free(position, cell, edited), places[""]))
        if anchor is not None and position <= counted.get(anchor, position):  # a copy below the answer is no anchor
            put(places[anchor])
    put(places[""])
    return free


def _free(position: int, cell: SubmittedCell, edited: Cell | None = None) -> Built:
    outputs = () if edited is not None and edited.is_test else cell.outputs
    return Built("free", cell.cell_type, cell.source, f"free-{position}", None, edited=edited, outputs=outputs)


def _other_problem(problem: Problem, cells: Sequence[SubmittedCell], matched: Mapping[str, int]) -> str:
    """Another problem of which this notebook answers more code items; empty if there is none.

    Empty as well if the notebook answers more than half of this problem's code items. Problems may share item names, so
    a single shared item is not decisive.
    """
    code = [item.id for item in problem.items if item.kind == "code"]
    most = sum(item in matched for item in code)
    if 2 * most > len(code) or (matched and not code):
        return ""
    best, root = "", problem.path.parent.parent
    for other in sorted({*problem_ids(root)} - {problem.id}):
        with contextlib.suppress(SourceError):  # a broken source of another problem must not matter here
            found = sum(_holds(cells, item) for item in load_problem(other, root).items if item.kind == "code")
            if found > most:
                best, most = other, found
    return best


def _holds(cells: Sequence[SubmittedCell], item: Item) -> bool:
    """Returns whether a cell has this code item's id or defines it."""
    return any(
        item.id == cell.grade_id or (cell.cell_type == "code" and defines(cell.source, item.id)) for cell in cells
    )
