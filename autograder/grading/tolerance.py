"""Decides when two answers are the same, from the right answer's precision and the device that computed the other.

Answers are compared as plain JSON (`homework.hand_in.personal`), which does not keep the dtype; so `precision_of` reads
the right answer before its conversion to JSON. Numbers in a log are rounded to 7 significant digits.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from homework.lazy_torch import is_tensor, torch


@dataclass(frozen=True)
class Closeness:
    """The tolerance between two numbers: `rtol` of the larger one, plus `atol` for each unit of `size`."""

    rtol: float
    atol: float
    size: float = 1.0
    """The largest number of the tensor, at least 1: sums of large numbers cancel to their last bits."""

    def of_size(self, largest: float) -> Closeness:
        """The same closeness for the numbers of a tensor whose largest is `largest`."""
        return Closeness(self.rtol, self.atol, max(1.0, largest))

    def at_least(self, other: Closeness) -> Closeness:
        """The looser of the two."""
        return Closeness(max(self.rtol, other.rtol), max(self.atol, other.atol), max(self.size, other.size))

    def allows(self, left: float, right: float) -> bool:
        """Whether the two numbers are close enough."""
        return abs(left - right) <= self.atol * self.size + self.rtol * max(abs(left), abs(right))


EXACT = Closeness(0.0, 0.0)
"""Whole numbers, truth values and text."""
FLOAT64 = Closeness(2e-6, 2e-7)
"""Twice the error of rounding to 7 digits; right code that works in float32 also stays inside."""
FLOAT32 = Closeness(1e-4, 1e-6)
"""Allows another order of sums, and formulas that lose two or three digits. Also used for Python's floats,
which may come from a float32 tensor.
"""
FLOAT16 = Closeness(4e-3, 2e-3)
"""Half precision: 11 bits."""
BFLOAT16 = Closeness(3e-2, 1e-2)
"""Brain float: 8 bits."""
ACCELERATOR = Closeness(2e-3, 1e-3)
"""On a GPU the factors of matrix products and convolutions may be rounded to 11 bits (TF32; PyTorch allows it by
default for convolutions and on request for matrix products): 1e-3 of the terms of a sum. Atomic additions come in a
different order each time, and Apple's `mps` has no float64.
"""

MOST_NUMBERS = 10_000
"""An answer with more numbers is not compared."""
_DEEPEST = 40
"""An answer with deeper nesting of lists and objects is not compared either."""

_BY_DTYPE: Mapping[str, Closeness] = {"float64": FLOAT64, "float32": FLOAT32, "float16": FLOAT16, "bfloat16": BFLOAT16}

Precision: TypeAlias = "Closeness | dict[str, Precision] | list[Precision]"
"""The closeness for all of an answer's numbers, or for each part where the parts differ."""


def precision_of(answer: Any) -> Precision:
    """How close another answer must be to this one.

    Args:
        answer: the right answer as the code returned it, before conversion to plain JSON.

    Returns:
        One closeness for a number, tensor or array; for a collection the same structure with one closeness per part.
    """
    if is_tensor(answer):
        if not (answer.is_floating_point() or answer.is_complex()):
            return EXACT
        dense = answer.detach().to_dense() if answer.layout is not torch.strided else answer.detach()
        return _of_dtype(str(dense.dtype).removeprefix("torch."), dense.abs().double().cpu().numpy())
    if isinstance(answer, np.ndarray | np.generic):
        return _of_dtype(answer.dtype.name, np.abs(answer)) if answer.dtype.kind in "fc" else EXACT
    if isinstance(answer, bool | int | str | bytes | None):
        return EXACT
    if isinstance(answer, float | complex):
        return FLOAT32.of_size(_largest(np.abs(np.asarray(answer))))
    if isinstance(answer, tuple) and hasattr(answer, "_fields"):
        answer = dict(zip(answer._fields, answer, strict=True))
    elif dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        answer = {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}
    if isinstance(answer, Mapping):
        return {str(key): precision_of(part) for key, part in answer.items()}
    if isinstance(answer, list | tuple):
        return [precision_of(part) for part in answer]
    return FLOAT32


def for_device(precision: Precision, device: str) -> Precision:
    """The precision for answers that were computed on a device.

    Args:
        precision: of the right answer.
        device: as the log names it, e.g. `cpu`, `cuda (Tesla T4)`, `mps`. The log's claim is not verified.
    """
    return _loosened(precision) if is_accelerator(device) else precision


def is_accelerator(device: str) -> bool:
    """Whether the log's device computes less exactly than a CPU."""
    return device.startswith(("cuda", "mps"))


def same(left: Any, right: Any, precision: Precision = FLOAT32) -> bool:
    """Whether two answers in plain JSON are the same, within the precision.

    Two whole numbers are compared exactly, and so are text and booleans. "NaN" is text here: it equals only "NaN". An
    infinite number equals nothing.

    Args:
        left: one answer.
        right: the other one.
        precision: how close; from `precision_of` the right answer where there is one.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _close(left, right, precision if isinstance(precision, Closeness) else FLOAT32)
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        parts = precision if isinstance(precision, list) and len(precision) == len(left) else [precision] * len(left)
        return all(map(same, left, right, parts))
    if isinstance(left, dict) and isinstance(right, dict):
        inner = precision if isinstance(precision, dict) else {}
        return left.keys() == right.keys() and all(
            same(left[key], right[key], inner.get(key, precision)) for key in left
        )
    return bool(left == right) and type(left) is type(right)


def _close(left: float, right: float, closeness: Closeness) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    try:
        left, right = float(left), float(right)
    except OverflowError:
        return False
    return math.isfinite(left) and math.isfinite(right) and closeness.allows(left, right)


def _loosened(precision: Precision) -> Precision:
    if isinstance(precision, dict):
        return {key: _loosened(part) for key, part in precision.items()}
    if isinstance(precision, list):
        return [_loosened(part) for part in precision]
    return EXACT if precision == EXACT else precision.at_least(ACCELERATOR)


def _of_dtype(name: str, sizes: Any) -> Closeness:
    name = {"complex64": "float32", "complex128": "float64"}.get(name, name)
    return _BY_DTYPE.get(name, FLOAT32).of_size(_largest(sizes))


def _largest(sizes: Any) -> float:
    """The largest finite value of an array of absolute values; 0 if there is none."""
    finite = sizes[np.isfinite(sizes)]
    return float(finite.max()) if finite.size else 0.0


def small_enough(value: Any) -> bool:
    """Whether an answer has few enough numbers and levels to be compared quickly."""
    left = MOST_NUMBERS
    waiting = [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST or (isinstance(part, str) and len(part) > MOST_NUMBERS):
            return False
        if isinstance(part, list):
            waiting += [(each, depth + 1) for each in part[: left + 1]]
        elif isinstance(part, dict):
            left -= len(part)
            waiting += [(each, depth + 1) for each in part.values()]
    return True
