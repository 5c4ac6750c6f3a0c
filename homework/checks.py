"""What test cells use: a comparison that explains itself, and named parts for partial credit.

assert close(student.kl_standard_normal(m, v), want, "likely mistake: v is a variance, not a standard deviation")
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import torch

from homework.comparison import difference


class CheckFailed(AssertionError):  # noqa: N818  (reads as what happened, like unittest's failures)
    """A check did not hold. `hint` names the likely mistake; `detail` shows what was got and what was expected.

    The text of the exception shows both. Where the expected numbers are secret only `hint` may be shown.
    """

    def __init__(self, hint: str, detail: str) -> None:
        super().__init__(hint, detail)
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        """Hint and detail, below each other."""
        return f"{self.hint}\n{self.detail}" if self.detail else self.hint


def close(got: Any, want: Any, hint: str, *, rtol: float = 1e-4, atol: float = 1e-6) -> Literal[True]:
    """Is `got` what it should be? True, or an exception that says what is wrong.

    Numbers agree when |got − want| ≤ atol + rtol·|want|, whole numbers and truth values when they are equal, infinities
    when they have the same sign. NaN never agrees with anything, not with NaN either. Shapes must be the same, and so
    must the kind of number (truth values, whole, floating, complex); float32 and float64 are one kind, and a plain
    Python number may be whole where a floating one is expected. Lists, tuples, named tuples and dicts are compared
    entry by entry.

    Args:
        got: what the code under test returned.
        want: what it should return: a number, string, tensor, array, or a list, tuple or dict of such.
        hint: the likely mistake, in words that a student may read.
        rtol: tolerance relative to the expected value.
        atol: absolute tolerance, for expected values near 0.

    Raises:
        CheckFailed: they differ; its `detail` says where and by how much.
    """
    detail = difference(got, want, rtol=rtol, atol=atol)
    if detail:
        raise CheckFailed(hint, detail)
    return True


_run_seed: str | None = None


def fresh(number: int) -> torch.Generator:
    """Where the inputs of a test come from: a generator that gives the same numbers each time the test is run.

    Every grading run has inputs of its own (`inputs_from`): a test must hold for whatever is drawn.

    Args:
        number: tells the tests of a notebook apart.
    """
    if _run_seed is None:
        return torch.Generator().manual_seed(number)
    digest = hashlib.sha256(f"{_run_seed}\n{number}".encode("utf-8", "backslashreplace")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


@contextmanager
def inputs_from(seed: str) -> Iterator[None]:
    """While the block runs, `fresh` gives what belongs to this seed."""
    global _run_seed
    before, _run_seed = _run_seed, seed
    try:
        yield
    finally:
        _run_seed = before


class Part(NamedTuple):
    """How one part of a test cell ended."""

    name: str
    """What the part is about."""
    weight: float
    """Its share of the item's points, relative to the other parts."""
    passed: bool
    """Did it run to its end?"""
    error: Exception | None
    """What it raised."""


_recorder: list[Part] | None = None
_inside: str | None = None


@contextmanager
def part(name: str, weight: float = 1.0) -> Iterator[None]:
    """One part of a test cell, with credit of its own.

    In the notebook a failing part raises at once. Where results are recorded (`recording`), what it raises is noted and
    the test cell goes on with the next part.

    Args:
        name: what the part is about; a student may read it.
        weight: its share of the item's points, relative to the other parts; positive.

    Raises:
        ValueError: the weight is not a positive number, or the part stands inside another one.
    """
    global _inside
    if not (math.isfinite(weight) and weight > 0):
        raise ValueError(f"part {name!r}: the weight must be a positive number, not {weight!r}.")
    if _inside is not None:
        raise ValueError(f"part {name!r} stands inside part {_inside!r}; parts cannot be nested: put it after.")
    _inside = name
    try:
        yield
    except Exception as error:
        if _recorder is None:
            raise
        _recorder.append(Part(name, weight, False, error))
    else:
        if _recorder is not None:
            _recorder.append(Part(name, weight, True, None))
    finally:
        _inside = None


@contextmanager
def recording() -> Iterator[list[Part]]:
    """While the block runs, parts are noted in the list it gives, and a failing part does not end the test cell."""
    global _recorder, _inside
    before, _recorder = (_recorder, _inside), []
    _inside = None
    try:
        yield _recorder
    finally:
        _recorder, _inside = before
