"""Per-student inputs, and answers as plain JSON.

The inputs for a student's answers are drawn from a seed of student id, problem and item. So staff draw the same inputs
and compute the answers of the reference solution, without running student code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, TypeAlias

import numpy as np

from homework.lazy_torch import is_dtype, is_tensor, torch

Array: TypeAlias = "np.ndarray[Any, Any]"
Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

DECIMALS = 4
SIGNIFICANT_DIGITS = 7
LARGEST_ANSWER = 100_000
DEEPEST_ANSWER = 32


class ArrayDraws:
    """A stream of inputs that is the same on every platform and in every version (numpy's frozen `RandomState`).

    All draws are rounded to 4 decimals, so that the last bits of a platform's logarithm cannot matter.
    """

    def __init__(self, *names: str) -> None:
        text = "\n".join(names)
        digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()
        self._stream = np.random.RandomState(np.frombuffer(digest, dtype="<u4").astype(np.uint32))

    def normal(self, *shape: int) -> Array:
        """Standard normal numbers, float32 `shape`."""
        return _float32(self._stream.standard_normal(shape))

    def uniform(self, low: float, high: float, *shape: int) -> Array:
        """Numbers uniform between `low` and `high`, float32 `shape`."""
        return _float32(low + (high - low) * self._stream.random_sample(shape))

    def integers(self, low: int, high: int, *shape: int) -> Array:
        """Whole numbers from `low` up to but not including `high`, int64 `shape`."""
        return np.asarray(self._stream.randint(low, high, size=shape, dtype=np.int64))

    def binary(self, *shape: int) -> Array:
        """Zeros and ones, equally likely, float32 `shape`."""
        return self.integers(0, 2, *shape).astype(np.float32)


class Draws:
    """The same stream as tensors; `arrays` gives it as numpy arrays, for problems without torch."""

    def __init__(self, *names: str) -> None:
        self.arrays = ArrayDraws(*names)

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normal numbers, float32 `shape`."""
        return torch.from_numpy(self.arrays.normal(*shape))

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """Numbers uniform between `low` and `high`, float32 `shape`."""
        return torch.from_numpy(self.arrays.uniform(low, high, *shape))

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """Whole numbers from `low` up to but not including `high`, int64 `shape`."""
        return torch.from_numpy(self.arrays.integers(low, high, *shape))

    def binary(self, *shape: int) -> torch.Tensor:
        """Zeros and ones, equally likely, float32 `shape`."""
        return torch.from_numpy(self.arrays.binary(*shape))


def draws_for(student: str, problem: str) -> Callable[[str], Draws]:
    """The inputs of one student for one problem: a function from item id to a new `Draws`.

    Args:
        student: student id, as in the log; surrounding white space is ignored.
        problem: problem id.
    """
    return lambda item: Draws(student.strip(), problem, item)


def plain_json(value: Any) -> Json:
    """An answer as plain JSON: numbers, strings, lists and objects, without NaN or Infinity literals.

    Floats are rounded to 7 significant digits; NaN and ±∞ become the strings "NaN", "Infinity" and "-Infinity"; whole
    numbers of more than 63 bits become hexadecimal strings. Tensors and arrays become nested lists, named tuples,
    dataclasses and mappings become objects, other iterables lists.

    Args:
        value: a number, string, tensor, array or a collection of such.

    Raises:
        TypeError: it contains something else.
        ValueError: it contains more than 100,000 numbers in all (a text counts as one for every ten characters), or is
            nested more than 32 deep (or in itself).
    """
    return _plain(value, 0, _Room())


class _Room:
    """How many numbers an answer may still contain."""

    def __init__(self) -> None:
        self._left = LARGEST_ANSWER

    def take(self, count: int) -> None:
        """Raises if there are not so many left."""
        self.has(count)
        self._left -= count

    def has(self, count: int) -> None:
        """Raises if there are not so many left, without taking them."""
        if count > self._left:
            raise ValueError(f"an answer contains more than {LARGEST_ANSWER:,} numbers; return something smaller.")


def _plain(value: Any, depth: int, room: _Room) -> Json:
    if depth > DEEPEST_ANSWER:
        raise ValueError(f"an answer is nested more than {DEEPEST_ANSWER} deep; return something flatter.")
    if isinstance(value, np.ndarray | np.generic) or is_tensor(value):
        room.has(math.prod(side or 1 for side in value.shape))  # an empty tensor may be a list of many empty lists
        return _plain_array(value, depth, room)
    if isinstance(value, str | bytes | bytearray):
        room.take(1 + len(value) // 10)
    elif isinstance(value, int):
        room.take(1 + value.bit_length() // 64)
    elif not isinstance(value, Iterable) or not value:
        room.take(1)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else hex(value)
    if isinstance(value, float):
        return _plain_float(float(value))
    if isinstance(value, complex):
        return {"real": _plain_float(value.real), "imag": _plain_float(value.imag)}
    return _plain_collection(value, depth, room)


def _plain_collection(value: Any, depth: int, room: _Room) -> Json:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        value = dict(zip(value._fields, value, strict=True))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(_plain(str(key), depth, room)): _plain(item, depth + 1, room) for key, item in value.items()}
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if is_dtype(value):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, Set | type):
        return [_plain(item, depth + 1, room) for item in value]
    return _unfit(value)


def _plain_array(value: Any, depth: int, room: _Room) -> Json:
    if is_tensor(value):
        dense = value.detach().to_dense() if value.layout is not torch.strided else value.detach()
        return _plain(dense.cpu().tolist(), depth, room)
    return _plain(value.tolist(), depth, room) if value.dtype.kind in "biufcU" else _unfit(value)


def _plain_float(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0  # + 0.0 turns −0.0 into 0.0


def _unfit(value: object) -> Json:
    raise TypeError(
        f"an answer contains a {type(value).__module__}.{type(value).__qualname__}; "
        "it can only contain numbers, strings, tensors, arrays, lists, tuples and dicts."
    )


def _float32(values: Any) -> Array:
    return np.asarray(np.round(values, DECIMALS), dtype=np.float32)
