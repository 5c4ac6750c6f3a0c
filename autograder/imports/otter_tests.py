"""Makes the test cells of an otter question, with the points that otter gives each."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence

from autograder.core.errors import SourceError
from autograder.course.markers import HIDDEN, begin, end
from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.imports.original import Original
from autograder.imports.otter_blocks import Block
from autograder.imports.otter_case import Case, read_case
from autograder.imports.otter_config import Assignment, Question


def question_tests(question: Question, blocks: Sequence[Block], assignment: Assignment) -> dict[Block, Original]:
    """The test cells of a question, each with its points.

    Raises:
        SourceError: a test cannot be read, or the points do not fit; the message says what to do.
    """
    cases = [read_case(block.place, block.node, assignment) for block in blocks]
    points = resolved_points(
        f"{blocks[0].path}, question {question.name!r}", question, [case.settings.points for case in cases]
    )
    looks = [case.look for case in cases]
    if isinstance(question.points, float) and not math.isclose(sum(points), question.points):
        said = f"the question has {question.points:g} points, but its tests {sum(points):g}"
        looks[0] = "; ".join(filter(None, [looks[0], said]))
    made: dict[Block, Original] = {}
    for target, members in _groups(question, cases, points).items():
        block, worth = blocks[target], sum(points[one] for one in members)
        others = [one for one in members if one != target]
        why = "all or nothing" if question.all_or_nothing else "no points with otter"
        where_to = f"in the test of cell {block.number}, which needs it to pass: {why}"
        made |= {blocks[one]: blocks[one].left_out(where_to, looks[one]) for one in others}
        source = _test_source([cases[one] for one in members])
        made[block] = block.original(source, "test", f"{question.name} - {target + 1}", worth, looks[target])
    return made


def resolved_points(where: str, question: Question, given: Sequence[float | None]) -> list[float]:
    """The points of each test of a question.

    Without points of the question, tests with points have those and the others none; if none has points, all tests
    share one point. Points of the question that no test has are shared by the tests without points.

    Args:
        where: the question, for messages.
        question: its settings.
        given: the points of each test by its own settings; None where they do not say.
    """
    points, total = list(given), question.points if question.each is None else question.each * len(given)
    if isinstance(total, tuple):
        if len(total) != len(points):
            raise SourceError(
                f"{where}: `points` has {len(total)} numbers, and there are {len(points)} tests; correct it."
            )
        points, total = list(total), None
    known = sum(one for one in points if one is not None)
    shared = (1.0 if known == 0 else known) if total is None else total
    if known > shared + 1e-9:
        raise SourceError(f"{where}: its tests have {known:g} points, more than its {shared:g}; correct one of them.")
    open_ = sum(one is None for one in points)
    return [max(shared - known, 0) / open_ if one is None else one for one in points]


def _groups(question: Question, cases: Sequence[Case], points: Sequence[float]) -> dict[int, list[int]]:
    """Position of a test → those that it consists of.

    A test without points that students see comes first in one with points: the first that they see, or the only one;
    but not if it uses other names, which that one would then depend on.
    """
    numbers = list(range(len(cases)))
    if question.all_or_nothing:
        return {numbers[0]: numbers}
    paid = [one for one in numbers if points[one]]
    free = [one for one in numbers if not points[one] and not cases[one].settings.hidden]
    visible = [one for one in paid if not cases[one].settings.hidden]
    target = next(iter(visible or (paid if len(paid) == 1 else [])), None)
    if target is None:
        return {one: [one] for one in numbers}
    free = [one for one in free if _names(cases[one]) <= _names(cases[target])]
    return {one: [*free, one] if one == target else [one] for one in numbers if one not in free}


def _names(case: Case) -> frozenset[str]:
    """The names of the notebook that a test uses."""
    names = names_of(case.source) or NO_NAMES
    return names.uses - names.binds - frozenset(dir(builtins))


def _test_source(cases: Sequence[Case]) -> str:
    visible = [case.source for case in cases if not case.settings.hidden]
    hidden = [case.source for case in cases if case.settings.hidden]
    return "\n".join([*visible, *([begin(HIDDEN), *hidden, end(HIDDEN)] if hidden else [])])
