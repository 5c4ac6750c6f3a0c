"""Finds duplicates in a class: identical files, and work that is more similar than chance explains. No verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.core.results import Status
from autograder.course.problem import Item, Problem
from autograder.course.variants import variants
from autograder.release.fill import solution_answers
from autograder.release.notebook import release_to_read
from autograder.report.code_fingerprint import Shape, shape_of_code, shape_of_text
from autograder.report.load import Entry
from autograder.report.notebooks import Answers
from autograder.report.similarity import TEXT_LENGTH, TEXT_SHARE, Group, Known, Work, similar_groups


@dataclass(frozen=True)
class Copies:
    """The duplicates in a class."""

    same_files: tuple[tuple[str, ...], ...]
    """Groups of students who submitted an identical file with at least one answer."""
    groups: tuple[Group, ...]
    """Groups with similar work, strongest evidence first; without groups that only share an identical file."""
    compared: int
    """Number of students whose work was compared."""


def same_files(entries: Iterable[Entry]) -> tuple[tuple[str, ...], ...]:
    """Groups of students whose notebooks are byte-identical; without untouched notebooks."""
    owners = defaultdict(list)
    for entry in entries:
        answered = any(item.status is not Status.MISSING for item in entry.log.items if not item.manual)
        if entry.log.notebook_sha256 and answered:
            owners[entry.log.notebook_sha256].append(entry.student)
    return tuple(sorted(tuple(sorted(students)) for students in owners.values() if len(students) > 1))


def find_copies(problem: Problem, entries: Iterable[Entry], answers: Mapping[str, Work]) -> Copies:
    """Finds the duplicates in a class for one problem.

    Args:
        problem: the problem.
        entries: the class.
        answers: student → work, for students whose notebook could be read.
    """
    same = same_files(entries)
    groups = similar_groups([answers[student] for student in sorted(answers)], known_of(problem))
    new = [group for group in groups if not any(set(group.students) <= set(students) for students in same)]
    return Copies(same, tuple(new), len(answers))


def work_of(problem: Problem, student: str, answers: Answers) -> Work:
    """One student's answers, reduced."""
    shapes = {item.id: _shape(item, answers.sources.get(item.id, "")) for item in problem.items}
    return Work(student, {item: shape for item, shape in shapes.items() if shape is not None})


def known_of(problem: Problem) -> dict[str, Known]:
    """Item id → known shapes, for each item that can be compared: what the release gives, and our own answers."""
    release = release_to_read(problem)
    stubs = {cell.id: str(cell.source) for cell in release.cells}
    code = _passages(shape_of_code(str(cell.source)) for cell in release.cells if cell.cell_type == "code")
    text = _passages(shape_of_text(str(cell.source)) for cell in release.cells if cell.cell_type == "markdown")
    solution = solution_answers(problem)
    others = [*variants(problem, "right"), *variants(problem, "wrong")]
    found = {}
    for item in problem.items:
        if item.kind == "figure":
            continue
        given = (code if item.kind == "code" else text) | _passages([_shape(item, stubs[item.cell.id])])
        ours = [solution[item.id], *(variant.source for variant in others if variant.item == item.id)]
        shapes = tuple(shape for source in ours if (shape := _shape(item, source)) is not None)
        found[item.id] = Known(given, shapes) if item.kind == "code" else Known(given, shapes, TEXT_LENGTH, TEXT_SHARE)
    return found


def _shape(item: Item, source: str) -> Shape | None:
    """An item's answer, reduced; None for a figure, whose code is mostly given."""
    if item.kind == "figure":
        return None
    return shape_of_text(source) if item.kind == "written" else shape_of_code(source, frozenset([item.id]))


def _passages(shapes: Iterable[Shape | None]) -> frozenset[int]:
    return frozenset(passage for shape in shapes if shape is not None for passage in shape.passages)
