"""Tests once more what failed and builds on wrong functions of the student's, with the reference in their place.

So an error costs its own item only, and a wrong function cannot make what builds on it right. This comes after all
other tests, so that nothing that the reference answers can help in a test without it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from autograder.core.results import ItemResult, Status
from autograder.core.text import listed
from autograder.course.name_analysis import NO_NAMES, names_of, needed
from autograder.course.problem import Item
from autograder.grading.item_test import quiet_verdict
from autograder.grading.notebook_run import Exam, NotebookRun
from autograder.grading.reference import Reference
from autograder.grading.verdict import ANSWERED, WRONG, Verdict

_MAY_FOLLOW = (*WRONG, Status.TIMEOUT, Status.CRASHED, Status.OUT_OF_MEMORY)
"""Verdicts that may follow from a wrong answer to another item, which the code uses."""


def follow_errors(
    exam: Exam, wanted: Sequence[Item], results: Sequence[ItemResult], *, whole: bool
) -> tuple[list[ItemResult], dict[str, list[str]]]:
    """The results, with those replaced that follow from wrong functions, and with what else was wrong in `depends_on`.

    Also returns item id → the functions in whose place the reference answered.

    Args:
        exam: what is examined.
        wanted: the items.
        results: what they got.
        whole: whether all cells of the notebook are run, see `chosen_cells`.
    """
    known = {result.id: result for result in results}
    following = [item for item in wanted if _may_follow(exam.reference, item, known)]
    tested_with = _test_with_stand_ins(exam, following, known, whole=whole) if following else {}
    found = [_with_dependencies(exam, known[result.id], known, tested_with.get(result.id, ())) for result in results]
    return found, tested_with


def _test_with_stand_ins(
    exam: Exam, following: Sequence[Item], results: dict[str, ItemResult], *, whole: bool
) -> dict[str, list[str]]:
    """Replaces results; returns item id → the functions in whose place the reference answered."""
    tested_with = {}
    with contextlib.closing(NotebookRun(exam, following, whole=whole)) as notebook:
        for item in notebook.items():
            stand_ins = [] if notebook.before_test(item) else _stand_ins(notebook, item, results)
            verdict = _verdict(notebook, item, stand_ins) if stand_ins else None
            old = results[item.id]
            # a verdict of another status may come from the stand-ins; a lower one costs what was right with its own
            if verdict and verdict.status in ANSWERED and verdict.score(old.max_score) >= old.score:
                results[item.id] = _replaced(old, verdict)
                tested_with[item.id] = stand_ins
    return tested_with


def _verdict(notebook: NotebookRun, item: Item, stand_ins: list[str]) -> Verdict:
    """The verdict when the reference answers in place of the functions `stand_ins`, which the item's code uses."""
    verdict = quiet_verdict(item, notebook, stand_ins=stand_ins)
    own = listed([f"`{name}`" for name in stand_ins], 6)
    why = f"Tested with the right {own} in place of yours, because yours did not pass all checks."
    return replace(verdict, message=f"{verdict.message}\n{why}")


def _replaced(old: ItemResult, verdict: Verdict) -> ItemResult:
    return replace(
        old,
        score=verdict.score(old.max_score),
        status=verdict.status,
        message=verdict.message,
        misconception="" if verdict.status is Status.PASSED else old.misconception,
        part_misconceptions=() if verdict.status is Status.PASSED else old.part_misconceptions,
        output=(),
    )


def _may_follow(ours: Reference, item: Item, results: Mapping[str, ItemResult]) -> bool:
    """Whether the item's errors may follow from wrong functions on which it builds."""
    return (
        item.kind == "code" and results[item.id].status in _MAY_FOLLOW and bool(_wrong(ours.builds_on(item), results))
    )


def _wrong(names: Iterable[str], results: Mapping[str, ItemResult]) -> set[str]:
    """Those of the items that are known not to be right."""
    return {name for name in names if name in results and results[name].score < results[name].max_score}


def _stand_ins(notebook: NotebookRun, item: Item, results: Mapping[str, ItemResult]) -> list[str]:
    """The functions that are not right, on which the item builds, and that its code uses."""
    functions = _wrong(notebook.exam.reference.builds_on(item), results)
    sources = [built.source for built in notebook.cells if built.role != "test"]
    uses = [_uses(sources[n]) for n in needed(sources, {item.id})] if functions else []
    return sorted(one for one in functions if any(one in names for names in uses))


def _with_dependencies(
    exam: Exam, result: ItemResult, results: Mapping[str, ItemResult], tested_with: Collection[str]
) -> ItemResult:
    """The item's result, with the ids of the wrong items that its code uses and that it was tested with."""
    if result.manual or result.score >= result.max_score or result.id not in exam.rebuilt.answered:
        return result
    uses = _uses(exam.rebuilt.source(result.id))
    wrong = [one.id for one in results.values() if not one.manual and one.score < one.max_score and one.id in uses]
    return replace(result, depends_on=tuple(one for one in wrong if one != result.id and one not in tested_with))


def _uses(source: str) -> frozenset[str]:
    return (names_of(source) or NO_NAMES).uses
