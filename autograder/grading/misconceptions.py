"""Recognises a known wrong solution: it gives the same answers as the student's code on per-student inputs."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.core.hashing import key_of
from autograder.course.cell_selection import may_run
from autograder.course.name_analysis import names_of
from autograder.course.problem import Cell, Item
from autograder.course.variants import Variant, variants
from autograder.grading.reference import Names, Reference, run_trusted
from autograder.grading.tolerance import EXACT, Precision, for_device, precision_of, same
from homework.hand_in.personal import draws_for, plain_json
from homework.lazy_torch import torch, when_imported

_log = logging.getLogger("autograder")

ANSWER_SEED = 0
"""Seed of the global generators before each answer, as in `homework.hand_in.log`; the sandbox uses the same."""
WHOLE = ""
"""In place of a part's name: the whole answer."""


@dataclass(frozen=True)
class Expected:
    """The right answer to one item on one student's inputs."""

    value: Any
    """Plain JSON; None if the item is not asked."""
    precision: Precision
    """How close another answer must come to it."""

    def part(self, name: str) -> tuple[Any, Precision]:
        """A part of the answer, and how close another one must come to it; (None, its precision) if there is none."""
        if name == WHOLE:
            return self.value, self.precision
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return value, self.precision.get(name, EXACT) if isinstance(self.precision, dict) else self.precision


def asked_items(reference: Reference) -> tuple[Item, ...]:
    """The items with an answer on per-student inputs, in the source's order."""
    questions = reference.questions(Names(reference.names), draws_for("", reference.problem.id))
    return tuple(item for item in reference.problem.items if item.id in questions)


def answer(reference: Reference, item: Item, student: Any, student_id: str) -> Any:
    """The answer of `student` (names as attributes) on the inputs of `student_id`, as plain JSON; None if not asked."""
    return plain_json(_returned(reference, item, student, student_id))


@functools.lru_cache(maxsize=4096)
def expected(reference: Reference, item: Item, student_id: str) -> Expected:
    """The reference's answer on the inputs of `student_id`."""
    return _of_ours(reference, item, Names(reference.names), student_id)


def load(reference: Reference) -> None:
    """Reads all known wrong solutions of a problem, so that processes forked from this one have them."""
    for item in reference.problem.items:
        known_misconceptions(reference, item)
        digest(reference, item)


@functools.lru_cache(maxsize=256)
def digest(reference: Reference, item: Item) -> str:
    """Digest of an item's known wrong solutions, on which the recognised misconception depends."""
    return key_of([variant.source for variant in variants(reference.problem, "wrong") if variant.item == item.id])


def candidates(reference: Reference, item: Item, got: Any, student_id: str, device: str = "cpu") -> list[str]:
    """The names of the known wrong solutions that give this answer; none if the answer is right.

    Args:
        reference: the problem's reference.
        item: the item.
        got: the answer, as plain JSON.
        student_id: the student whose inputs were used.
        device: the device that computed the answer, as named in a log; see `autograder.grading.tolerance`.
    """
    right = expected(reference, item, student_id)
    if same(got, right.value, for_device(right.precision, device)):
        return []
    return that_answer(reference, item, known_misconceptions(reference, item), got, student_id, device)


def part_candidates(reference: Reference, item: Item, got: Any, student_id: str) -> dict[str, list[str]]:
    """Each wrong part of an answer → the known wrong solutions that give this part.

    Only answers that are mappings or named tuples have parts. Parts without a fractional number are left out: many
    mistakes give the same truth values and counts.
    """
    right = expected(reference, item, student_id)
    if not isinstance(got, dict) or not isinstance(right.value, dict) or got.keys() != right.value.keys():
        return {}
    known = known_misconceptions(reference, item)
    return {
        part: that_answer(reference, item, known, got, student_id, part=part)
        for part in got
        if _has_fraction(got[part]) and not same(got[part], *right.part(part))
    }


def _has_fraction(value: Any) -> bool:
    if isinstance(value, list | dict):
        return any(map(_has_fraction, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and not value.is_integer()


def that_answer(
    reference: Reference,
    item: Item,
    slugs: Iterable[str],
    got: Any,
    student_id: str,
    device: str = "cpu",
    part: str = WHOLE,
) -> list[str]:
    """Those of these known wrong solutions that give this answer, whether it is right or not; see `candidates`.

    Args:
        reference: the problem's reference.
        item: the item.
        slugs: names of known wrong solutions.
        got: the answer, as plain JSON.
        student_id: the student whose inputs were used.
        device: the device that computed the answer, as named in a log.
        part: the only part of the answer to compare.
    """
    found = []
    for slug in slugs:
        wrong = _wrong_answer(reference, item, slug, student_id)
        if wrong is None:
            continue
        value, precision = wrong.part(part)
        theirs, _ = Expected(got, wrong.precision).part(part)
        if same(theirs, value, for_device(precision, device)) and (value is not None or part == WHOLE):
            found.append(slug)
    return found


def recognise(reference: Reference, item: Item, got: Any, student_id: str, device: str = "cpu") -> str:
    """The only known wrong solution that gives this answer; empty if none does, or several; see `candidates`."""
    found = candidates(reference, item, got, student_id, device)
    return found[0] if len(found) == 1 else ""


@functools.lru_cache(maxsize=256)
def known_misconceptions(reference: Reference, item: Item) -> dict[str, Names]:
    """Variant name → the names that a notebook with this known wrong solution of the item defines.

    One that cannot be run is left out, with a warning: it is the author's fault, and no student's.
    """
    found = {}
    for variant in variants(reference.problem, "wrong"):
        if variant.item == item.id:
            try:
                found[variant.slug] = with_answer(reference, variant)
            except Exception as error:
                _log.warning("%s cannot be run (%s); `autograder lint` may say why", variant.path, error)
    return found


def with_answer(reference: Reference, variant: Variant) -> Names:
    """The reference with one answer replaced, also in given cells that call it.

    A function looks names up where it was defined. So the cells that use the item, directly or through one another, are
    run again with the variant.
    """
    names = dict(reference.names)
    run_trusted(variant.source, f"<{variant.name}>", names)
    replaced = {variant.item}
    for cell in reference.problem.cells:
        found = names_of(cell.source) if _is_helper(cell) and cell.grade_id != variant.item else None
        if found is None or not found.uses & replaced or not found.binds <= reference.names.keys():
            continue
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run_trusted(cell.source, f"<{reference.problem.path.name}: {cell.id}>", names)
        replaced |= found.binds
    return Names(names)


def _is_helper(cell: Cell) -> bool:
    return may_run(cell) and "answers" not in cell.tags


@functools.lru_cache(maxsize=256)
def _wrong_answer(reference: Reference, item: Item, slug: str, student_id: str) -> Expected | None:
    """The answer of a known wrong solution; None if it raises."""
    try:
        return _of_ours(reference, item, known_misconceptions(reference, item)[slug], student_id)
    except Exception:
        return None


def _of_ours(reference: Reference, item: Item, names: Names, student_id: str) -> Expected:
    returned = _returned(reference, item, names, student_id)
    return Expected(plain_json(returned), precision_of(returned))


def _returned(reference: Reference, item: Item, student: Any, student_id: str) -> Any:
    questions = reference.questions(student, draws_for(student_id, reference.problem.id))
    if item.id not in questions:
        return None
    _seed()
    return questions[item.id]()


def _seed() -> None:
    """Like `homework.seeds.seed_everything`, without torch's search for GPUs, which takes as long as an answer."""
    when_imported(lambda: torch.default_generator.manual_seed(ANSWER_SEED), "seed")
    np.random.seed(ANSWER_SEED)
    random.seed(ANSWER_SEED)
