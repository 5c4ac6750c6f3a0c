"""Grades items of one submission again and collects why they lost points. Changes no record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograder.core.results import ItemResult, Status
from autograder.course.name_analysis import NO_NAMES, names_of, needed
from autograder.course.percent import split_cells
from autograder.course.problem import Cell, Item, Problem
from autograder.course.variants import misconception_text
from autograder.grading import misconceptions
from autograder.grading.cell_runner import CellRun
from autograder.grading.examiner import Examined, Way, examine
from autograder.grading.grade import host_for
from autograder.grading.item_cache import ItemCache
from autograder.grading.item_test import quiet_verdict
from autograder.grading.limits import ATTEMPTS
from autograder.grading.notebook_run import Exam, NotebookRun
from autograder.grading.reference import quiet_process, reference
from autograder.grading.verdict import Verdict
from autograder.inspect import remarks
from autograder.inspect.observed_test import ObservedTest
from autograder.inspect.recorder import Check
from autograder.inspect.subject import Subject
from autograder.submissions.rebuild import Built, Rebuilt
from homework.checks import inputs_from


@dataclass(frozen=True)
class UsedCell:
    """A cell that the item's code needs, and what it printed and raised."""

    built: Built
    run: CellRun | None
    """None: it was not run."""
    is_own: bool
    """Whether it is the item's cell."""

    @property
    def title(self) -> str:
        """What the cell is."""
        if self.built.role == "free":
            changed = self.built.edited.id if self.built.edited else ""
            return f"the student's cell {self.built.id}" + (f", edited from {changed}" if changed else "")
        name = self.built.cell.grade_id if self.built.cell else ""
        return f"answer to {name}" if self.built.role == "answer" else f"given cell {self.built.id}"


@dataclass(frozen=True)
class ItemInspection:
    """Why one item has its score."""

    item: Item
    result: ItemResult
    """The result of grading it again."""
    way: Way = field(default_factory=Way)
    """How the verdict came about."""
    cells: tuple[UsedCell, ...] = ()
    """The item's cell, and the student's cells that it needs, in order."""
    given: tuple[str, ...] = ()
    """Ids of the given cells that it needs."""
    ran: tuple[Built, ...] = ()
    """All cells that were run above its test, in order."""
    checks: tuple[Check, ...] = ()
    """The statements of the test; a failure that grading met is as grading met it."""
    met: frozenset[int] = frozenset()
    """Numbers of the statements whose failures grading met; it stops a part, or the test, at the first one."""
    agreeing: tuple[tuple[str, str], ...] = ()
    """Known wrong solutions that give the same answers on the per-student inputs: name, sentence."""
    remarks: tuple[str, ...] = ()
    """What may explain the result beside the checks, as sentences."""
    first_line: int = 0
    """The line of the source above the test's first line."""

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass: first those that grading met."""
        return tuple(
            sorted((one for one in self.checks if one.is_bad), key=lambda one: one.statement.number not in self.met)
        )

    def count(self, *fates: str) -> int:
        """How many assertions had one of these fates."""
        return sum(one.fate in fates and one.statement.is_check for one in self.checks)


def items_to_inspect(subject: Subject) -> list[Item]:
    """The items that lost points, by the recorded results; all that are tested if there are none."""
    recorded = {one.id: one for one in subject.recorded.items} if subject.recorded else {}
    return [item for item in subject.problem.items if _may_have_lost(item, recorded.get(item.id))]


def _may_have_lost(item: Item, recorded: ItemResult | None) -> bool:
    if recorded is None:
        return item.kind == "code"
    return recorded.score < recorded.max_score and recorded.status is not Status.MANUAL


def inspect_items(subject: Subject, items: Sequence[Item], rebuilt: Rebuilt | None = None) -> list[ItemInspection]:
    """Grades items again and records each check.

    Args:
        subject: the submission.
        items: the items; those that are graded by hand only get their result.
        rebuilt: another notebook in place of the submission.

    Raises:
        SetupError: student code cannot be run on this machine.
    """
    notebook = rebuilt or subject.rebuilt
    codes = [item for item in items if item.kind == "code"]
    ours = reference(subject.problem)
    wanted = {
        name for item in codes for name in (item.id, *ours.builds_on(item), *_uses(subject.problem, notebook, item))
    }
    host = host_for(subject.problem)
    options = {"student": subject.asked, "seed": subject.seed}
    examined = examine(subject.problem, notebook, host, items=[*wanted, *(item.id for item in items)], **options)  # type: ignore[arg-type]
    exam = Exam(subject.problem, notebook, host, subject.asked, subject.seed, ItemCache(), ATTEMPTS)
    observed: dict[str, _Observed] = {}
    with quiet_process(), inputs_from(subject.seed):
        for whole in (False, True):
            chosen = [item for item in codes if examined.ways.get(item.id, Way()).whole is whole]
            if chosen:
                observed |= _observe(exam, chosen, examined, whole=whole)
    return [_inspection(subject, item, examined, observed.get(item.id)) for item in items]


def _uses(problem: Problem, notebook: Rebuilt, item: Item) -> frozenset[str]:
    """The other items whose names stand in the student's answer."""
    found = names_of(notebook.source(item.id)) if item.id in notebook.answered else None
    return (found or NO_NAMES).uses & {one.id for one in problem.items if one.kind == "code" and one.id != item.id}


@dataclass(frozen=True)
class _Observed:
    checks: tuple[Check, ...]
    met: frozenset[int]
    cells: tuple[UsedCell, ...]
    given: tuple[str, ...]
    ran: tuple[Built, ...]
    random_use: tuple[str, ...]
    with_right: Verdict | None
    """The verdict with the reference's functions in place of the wrong ones that the item uses; None: it uses none."""


def _observe(exam: Exam, items: Sequence[Item], examined: Examined, *, whole: bool) -> dict[str, _Observed]:
    """Tests each item twice: as grading does, and going on after failures."""
    found = {}
    with contextlib.closing(NotebookRun(exam, items, whole=whole)) as notebook:
        for item in notebook.items():
            graded: list[Check] = []
            going_on: list[Check] = []
            random_use: tuple[str, ...] = ()
            with_right = None
            if notebook.before_test(item) is None:
                stand_ins = examined.ways.get(item.id, Way()).stand_ins
                test = _tested(item, notebook, stand_ins, strict=True)
                graded = going_on = test.checks
                if any(one.fate == "failed" for one in graded):  # what ends the process would end it again
                    test = _tested(item, notebook, stand_ins, strict=False)
                    going_on = test.checks
                random_use = tuple(test.random_use.sentences(item.id))
                with_right = _with_right(item, notebook, examined, stand_ins)
            met = frozenset(one.statement.number for one in graded if one.is_bad)
            merged = (first if first.is_bad else second for first, second in zip(graded, going_on, strict=True))
            cells, given = _used(notebook, item)
            ran = tuple(_ran(notebook))
            found[item.id] = _Observed(tuple(merged), met, cells, given, ran, random_use, with_right)
    return found


def _tested(item: Item, notebook: NotebookRun, stand_ins: Sequence[str], *, strict: bool) -> ObservedTest:
    test = ObservedTest(item, notebook, stand_ins=stand_ins, strict=strict)
    test.run()
    return test


def _with_right(item: Item, notebook: NotebookRun, examined: Examined, stand_ins: Sequence[str]) -> Verdict | None:
    """The verdict with the reference's functions in place of the wrong ones that the item uses; None: it uses none."""
    functions = notebook.exam.reference.functions(item)
    wrong = [name for name in _result(item, examined).depends_on if name in functions]
    return quiet_verdict(item, notebook, stand_ins=sorted({*wrong, *stand_ins})) if wrong else None


def _used(notebook: NotebookRun, item: Item) -> tuple[tuple[UsedCell, ...], tuple[str, ...]]:
    """The student's cells that an item needs, and the ids of the given ones."""
    cells = [built for built in notebook.cells if built.role != "test"]
    chosen = {*needed([built.source for built in cells], {item.id})}
    own = notebook.exam.rebuilt.answer(item.id).id
    used = [built for n, built in enumerate(cells) if n in chosen or built.id == own]
    students = tuple(
        UsedCell(built, notebook.runs.get(built.id), built.id == own) for built in used if built.role != "given"
    )
    return students, tuple(built.id for built in used if built.role == "given")


def _ran(notebook: NotebookRun) -> Iterator[Built]:
    """The cells that were run so far, without those that ended the process."""
    for built in notebook.cells:
        if built.id in notebook.runs and built.id not in notebook.process.dead:
            yield built


def _inspection(subject: Subject, item: Item, examined: Examined, observed: _Observed | None) -> ItemInspection:
    result = _result(item, examined)
    if observed is None or item.test is None:
        return ItemInspection(item, result)
    above = line_above(subject.problem, item.test)
    return ItemInspection(
        item,
        result,
        examined.ways.get(item.id, Way()),
        observed.cells,
        observed.given,
        observed.ran,
        observed.checks,
        observed.met,
        tuple(_agreeing(subject, item, examined)),
        tuple(_remarks(subject, item, result, observed, in_source(subject.problem, above + 1))),
        above,
    )


def _result(item: Item, examined: Examined) -> ItemResult:
    return next(one for one in examined.results if one.id == item.id)


def _remarks(subject: Subject, item: Item, result: ItemResult, observed: _Observed, place: str) -> Iterator[str]:
    yield from remarks.of_machine(item, result, subject.recorded_item(item.id), place)
    yield from remarks.of_other_items(result.depends_on, item.points, observed.with_right)
    yield from observed.random_use


def _agreeing(subject: Subject, item: Item, examined: Examined) -> Iterator[tuple[str, str]]:
    """The known wrong solutions that give the student's answers on the per-student inputs."""
    got = examined.answers.get(item.id)
    if got is not None:
        for slug in misconceptions.candidates(reference(subject.problem), item, got, subject.asked):
            yield slug, misconception_text(subject.problem, item.id, slug)
    for slug in _result(item, examined).part_misconceptions:
        yield slug, f"(a part of the answers) {misconception_text(subject.problem, item.id, slug)}"


def in_source(problem: Problem, line: int) -> str:
    """A line of a problem's source, e.g. `solutions/vae.py:120`."""
    return f"{problem.path.parent.name}/{problem.path.name}:{line}"


def line_above(problem: Problem, cell: Cell) -> int:
    """The number of the line above a graded cell's first line, in the problem's source; 0 if it is not found."""
    found = next((one for one in split_cells(problem.text) if one.grade_id == cell.grade_id and one.lines), None)
    return 0 if found is None else found.lines[0].number - 1
