"""Recognises a known wrong solution by its answers: on the student's personal inputs it says the same as they do."""

from __future__ import annotations

import functools
from typing import Any

from autograder.problem import Item
from autograder.recall import key_of
from autograder.reference import Reference
from autograder.student_side.calls import seed_everything
from autograder.variants import variants
from homework.personal import draws_for, plain_json

RTOL, ATOL = 1e-4, 1e-6
ANSWER_SEED = 0
"""Of the global generators before each answer, as in `homework.log`; the student's side gets the same."""


def answer(reference: Reference, item: Item, student: Any, student_id: str) -> Any:
    """What `student` (names as attributes) answers on the inputs of `student_id`, as plain JSON; None if not asked."""
    questions = reference.names["personal_answers"](student, draws_for(student_id, reference.problem.id))
    if item.id not in questions:
        return None
    seed_everything(ANSWER_SEED)
    return plain_json(questions[item.id]())


def load(reference: Reference) -> None:
    """Reads all known wrong solutions of a problem now, so that processes forked from this one have them."""
    for item in reference.problem.items:
        _wrong(reference, item)
        digest(reference, item)


@functools.lru_cache(maxsize=256)
def digest(reference: Reference, item: Item) -> str:
    """Of the known wrong solutions of an item, which decide over what is recognised."""
    return key_of([variant.source for variant in variants(reference.problem, "wrong") if variant.item == item.id])


def recognise(reference: Reference, item: Item, got: Any, student_id: str) -> str:
    """The name of the known wrong solution that gives these answers; empty if none does, or if they are right."""
    if same(got, _expected(reference, item, student_id)):
        return ""
    for name, wrong in _wrong(reference, item).items():
        try:
            if same(got, answer(reference, item, wrong, student_id)):
                return name
        except Exception:
            continue
    return ""


def same(left: Any, right: Any) -> bool:
    """Are two plain JSON values equal, numbers to a tolerance?"""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return abs(left - right) <= ATOL + RTOL * max(abs(left), abs(right))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right) and type(left) is type(right)


@functools.lru_cache(maxsize=256)
def _wrong(reference: Reference, item: Item) -> dict[str, Any]:
    """The problem's known wrong solutions of one item, each as the names of a notebook."""
    found = {}
    for variant in variants(reference.problem, "wrong"):
        if variant.item == item.id:
            found[variant.slug] = reference.with_answer(variant.source, variant.name)
    return found


@functools.lru_cache(maxsize=4096)
def _expected(reference: Reference, item: Item, student_id: str) -> Any:
    from autograder.reference import Names

    return answer(reference, item, Names(reference.names), student_id)
