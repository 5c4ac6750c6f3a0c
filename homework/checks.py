"""Test cells: a comparison that explains the difference, and named parts for partial credit.

assert close(student.kl_standard_normal(m, v), want, "likely mistake: v is a variance, not a standard deviation")
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np

from homework.comparison import describe, difference
from homework.lazy_torch import is_tensor, torch


class CheckFailed(AssertionError):  # noqa: N818  (reads as what happened, like unittest's failures)
    """A check failed. `hint` names the likely mistake; `detail` shows the actual and the expected value.

    The text of the exception shows both. If the expected numbers are secret, only `hint` may be shown.
    """

    def __init__(self, hint: str, detail: str) -> None:
        super().__init__(hint, detail)
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        """The hint, and below it the detail."""
        return f"{self.hint}\n{self.detail}" if self.detail else self.hint


def close(got: Any, want: Any, hint: str, *, rtol: float = 1e-4, atol: float = 1e-6) -> Literal[True]:
    """Compares `got` with `want`: True if they agree, else an exception that describes the difference.

    Numbers agree when |got − want| ≤ atol + rtol·|want|, whole numbers and truth values when they are equal, infinities
    when they have the same sign. NaN agrees with nothing, not even with NaN. Shapes must be the same, and so
    must the kind of number (truth values, whole, floating, complex); float32 and float64 are one kind, and a plain
    Python number may be whole where a floating one is expected. Lists, tuples, named tuples and dicts are compared
    entry by entry.

    Args:
        got: the value that the code under test returned.
        want: the expected value: a number, string, tensor, array, or a list, tuple or dict of such.
        hint: the likely mistake; a student may read it.
        rtol: tolerance relative to the expected value.
        atol: absolute tolerance, for expected values near 0.

    Raises:
        CheckFailed: they differ; `detail` gives the position and the difference.
    """
    detail = difference(got, want, rtol=rtol, atol=atol)
    if detail:
        raise CheckFailed(hint, detail)
    return True


def has_shape(got: Any, shape: Sequence[int], hint: str) -> Literal[True]:
    """Checks that `got` is a tensor of this shape: True, else an exception that says which of the two is wrong.

    Args:
        got: the value that the code under test returned.
        shape: the expected shape.
        hint: what the code must return; a student may read it.

    Raises:
        CheckFailed: `got` is no tensor, or has another shape; `detail` says what it is.
    """
    if not is_tensor(got):
        raise CheckFailed(f"{hint} (a torch.Tensor)", f"yours is {describe(got)}")
    if tuple(got.shape) != tuple(shape):
        raise CheckFailed(hint, f"the shape must be {list(shape)}, yours is {list(got.shape)}")
    return True


_run_seed: str | None = None


def fresh(number: int) -> torch.Generator:
    """A generator for the inputs of a test: it gives the same numbers each time the test runs.

    Every grading run draws other inputs (`inputs_from`): a test must hold for any of them.

    Args:
        number: distinguishes the tests of a notebook.
    """
    return torch.Generator().manual_seed(_seed_of(number))


def fresh_numpy(number: int) -> np.random.Generator:
    """Like `fresh`, but numpy's generator, for problems without torch."""
    return np.random.default_rng(_seed_of(number))


def _seed_of(number: int) -> int:
    if _run_seed is None:
        return number
    digest = hashlib.sha256(f"{_run_seed}\n{number}".encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:7], "big")


@contextmanager
def inputs_from(seed: str) -> Iterator[None]:
    """While the block runs, `fresh` and `fresh_numpy` draw from this seed."""
    global _run_seed
    before, _run_seed = _run_seed, seed
    try:
        yield
    finally:
        _run_seed = before


class Part(NamedTuple):
    """Result of one part of a test cell."""

    name: str
    """What the part tests."""
    weight: float
    """Its share of the item's points, relative to the other parts."""
    passed: bool
    """Did it finish without an exception?"""
    error: Exception | None
    """The exception that it raised."""


_recorder: list[Part] | None = None
_inside: str | None = None


@contextmanager
def part(name: str, weight: float = 1.0) -> Iterator[None]:
    """One part of a test cell, with its own credit.

    In the notebook a failing part raises at once. Inside `recording`, its exception is recorded and the test cell
    continues with the next part.

    Args:
        name: what the part tests; a student may read it.
        weight: its share of the item's points, relative to the other parts; positive.

    Raises:
        ValueError: the weight is not a positive number, or the part is nested in another one.
    """
    global _inside
    if not (math.isfinite(weight) and weight > 0):
        raise ValueError(f"part {name!r}: the weight must be a positive number, not {weight!r}.")
    if _inside is not None:
        raise ValueError(f"part {name!r} is nested in part {_inside!r}; put it after that part.")
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
    """While the block runs, results of parts go into the list that it yields; a failing part does not end the cell."""
    global _recorder, _inside
    before, _recorder = (_recorder, _inside), []
    _inside = None
    try:
        yield _recorder
    finally:
        _recorder, _inside = before
