"""Describes how two values differ; `homework.checks.close` uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from homework.lazy_torch import is_dtype, is_tensor, torch

SHOWN = 8

_KINDS = {"b": "truth values", "i": "whole numbers", "f": "floating-point numbers", "c": "complex numbers"}
_KIND_OF_ARRAY = {"b": "b", "i": "i", "u": "i", "f": "f", "c": "c"}
"""numpy's kinds of numbers → ours."""


class _Numbers(NamedTuple):
    """Numbers from a tensor, an array or plain Python, ready to compare."""

    values: np.ndarray[Any, Any]
    kind: str
    """`b`, `i`, `f` or `c`."""
    plain: bool
    """Were they plain Python numbers?"""
    origin: str
    """E.g. `float32 tensor of shape [3, 2]`."""


def difference(got: Any, want: Any, *, rtol: float, atol: float, place: str = "") -> str:
    """Describes what differs between two values; empty if they agree by the rules of `homework.checks.close`.

    Args:
        got: what the code under test returned.
        want: what it should return.
        rtol: tolerance relative to the expected value.
        atol: absolute tolerance.
        place: position of the two within a larger value, e.g. `.kl` or `[2]`.
    """
    expected = _numbers(want)
    if expected is not None:
        numbers = _numbers(got)
        if numbers is None:
            return f"{_at(place)}got {describe(got)}, expected a {expected.origin}"
        with np.errstate(all="ignore"):
            return _at_each_line(place, _numeric_difference(numbers, expected, rtol, atol))
    if isinstance(want, Mapping):
        return _mapping_difference(got, want, rtol, atol, place)
    if isinstance(want, list | tuple):
        return _sequence_difference(got, want, rtol, atol, place)
    if isinstance(want, str | bytes) or want is None or is_dtype(want):
        same = type(got) is type(want) and got == want
        return "" if same else f"{_at(place)}got {describe(got)}, expected {want!r}"
    raise TypeError(f"close() cannot compare with a {type(want).__name__}; give numbers, strings, lists or dicts.")


def _mapping_difference(got: Any, want: Mapping[Any, Any], rtol: float, atol: float, place: str) -> str:
    if not isinstance(got, Mapping):
        return f"{_at(place)}got {describe(got)}, expected a dict with the keys {sorted(map(str, want))}"
    if set(got) != set(want):
        return f"{_at(place)}got the keys {sorted(map(str, got))}, expected {sorted(map(str, want))}"
    inner = (difference(got[key], want[key], rtol=rtol, atol=atol, place=f"{place}[{key!r}]") for key in want)
    return next(filter(None, inner), "")


def _sequence_difference(got: Any, want: Sequence[Any], rtol: float, atol: float, place: str) -> str:
    entries = _entries(got)
    if entries is None:
        return f"{_at(place)}got {describe(got)}, expected a {type(want).__name__} with {len(want)} entries"
    if len(entries) != len(want):
        return f"{_at(place)}got {len(entries)} entries, expected {len(want)}"
    names = [f".{name}" for name in getattr(want, "_fields", ())] or [f"[{index}]" for index in range(len(want))]
    inner = (
        difference(ours, theirs, rtol=rtol, atol=atol, place=f"{place}{name}")
        for name, ours, theirs in zip(names, entries, want, strict=True)
    )
    return next(filter(None, inner), "")


def _entries(value: Any) -> list[Any] | None:
    if isinstance(value, list | tuple):
        return list(value)
    if (isinstance(value, np.ndarray) or is_tensor(value)) and value.ndim > 0:
        return [value[index] for index in range(value.shape[0])]
    return None


def _numbers(value: Any) -> _Numbers | None:
    """The value as numbers; None if it is not a number, array or list of numbers."""
    if is_tensor(value):
        origin = f"{_short(value.dtype)} tensor of shape {list(value.shape)}"
        return _Numbers(_as_array(value), _kind_of_tensor(value), False, origin)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in _KIND_OF_ARRAY:
            return None
        array = np.asarray(value)
        return _Numbers(
            array, _KIND_OF_ARRAY[array.dtype.kind], False, f"{value.dtype} array of shape {list(array.shape)}"
        )
    if isinstance(value, bool | int | float | complex):
        array = _plain_array(value)
        return _Numbers(array, _KIND_OF_ARRAY[array.dtype.kind], True, f"plain {type(value).__name__}")
    if isinstance(value, list) and value and all(_is_scalar(item) for item in value):
        items = [numbers.values.item() for numbers in map(_numbers, value) if numbers is not None]
        if len({isinstance(item, bool) for item in items}) == 1:
            array = _plain_array(items)
            return _Numbers(array, _KIND_OF_ARRAY[array.dtype.kind], True, f"list of {len(items)} numbers")
    return None


def _as_array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    dense = tensor.detach().to_dense() if tensor.layout is not torch.strided else tensor.detach()
    dense = dense.cpu().resolve_conj().resolve_neg()
    try:
        return dense.numpy()
    except TypeError:  # numpy lacks the data type, e.g. bfloat16
        return dense.to(torch.complex128 if dense.is_complex() else torch.float64).numpy()


def _plain_array(value: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(value)
        return array.astype(np.float64) if array.dtype.kind in "uO" else array
    except OverflowError:  # a whole number beyond the largest float
        return np.array(np.nan)


def _is_scalar(item: Any) -> bool:
    if isinstance(item, np.ndarray | np.generic) or is_tensor(item):
        return item.ndim == 0 and _numbers(item) is not None
    return isinstance(item, bool | int | float | complex)


def _numeric_difference(got: _Numbers, want: _Numbers, rtol: float, atol: float) -> str:
    if got.values.shape != want.values.shape:
        return _shape_difference(got, want)
    loose = (got.plain or want.plain) and {got.kind, want.kind} == {"i", "f"}
    if got.kind != want.kind and not loose:
        return f"got {_KINDS[got.kind]} ({got.origin}), expected {_KINDS[want.kind]} ({want.origin})"
    wide = np.complex128 if want.kind == "c" else np.float64
    left, right = got.values.astype(wide), want.values.astype(wide)
    if got.kind == want.kind and got.kind in "bi":
        agree = got.values.astype(np.int64) == want.values.astype(np.int64)
        allowed = "must be equal"
    else:
        finite = np.isfinite(left) & np.isfinite(right)
        agree = np.where(finite, np.abs(left - right) <= atol + rtol * np.abs(right), left == right)
        allowed = f"allowed: {atol:g} + {rtol:g}·|expected|"
    agree = np.asarray(agree)
    return "" if bool(agree.all()) else _value_difference(got, want, left, right, agree, allowed, rtol)


def _shape_difference(got: _Numbers, want: _Numbers) -> str:
    shapes = f"got a {got.origin}, expected a {want.origin}: the shapes differ"
    if got.values.size == want.values.size:
        return f"{shapes}, the number of entries is right"
    return shapes


def _value_difference(
    got: _Numbers,
    want: _Numbers,
    left: np.ndarray[Any, Any],
    right: np.ndarray[Any, Any],
    agree: np.ndarray[Any, Any],
    allowed: str,
    rtol: float,
) -> str:
    lines = [f"got      {_show(left)}  ({got.origin})", f"expected {_show(right)}  ({want.origin})"]
    if left.size > 1:
        size = np.where(agree, -1.0, np.nan_to_num(np.abs(left - right), nan=np.inf, posinf=np.inf))
        flat = int(size.argmax())
        index = [int(i) for i in np.unravel_index(flat, left.shape)]
        worst = f"got {_number(left.flat[flat])}, expected {_number(right.flat[flat])}"
        lines.append(f"{int((~agree).sum())} of {left.size} entries differ, most at index {index}: {worst} ({allowed})")
    else:
        lines.append(f"({allowed})")
    pattern = _pattern(left, right, rtol)
    return "\n".join([*lines, pattern] if pattern else lines)


def _pattern(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], rtol: float) -> str:
    """A simple relation between all the numbers, which often reveals the mistake; empty if there is none."""
    if bool(np.isnan(left).any()):
        return f"{int(np.isnan(left).sum())} of your values are NaN (0/0, ∞ − ∞, 0·∞ or log of a negative number)"
    if left.dtype.kind == "c" or left.size == 0 or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return ""
    if not bool(left.any()):
        return "all your values are 0"
    if not bool(right.any()):
        return ""
    slack = 10 * rtol
    factor = float((left * right).sum() / (right * right).sum())
    if abs(factor - 1) > slack and bool((np.abs(left - factor * right) <= slack * np.abs(left)).all()):
        return (
            "your value has the wrong sign"
            if abs(factor + 1) < slack
            else f"your values are {factor:.4g} times the expected ones"
        )
    offset = float((left - right).mean())
    if left.size > 1 and bool((np.abs(left - right - offset) <= slack * abs(offset)).all()):
        return f"all your values are off by the same amount, {offset:.4g}"
    return ""


def _show(values: np.ndarray[Any, Any]) -> str:
    flat = values.reshape(-1)
    shown = ", ".join(_number(value) for value in flat[:SHOWN])
    return f"{shown}, …" if flat.size > SHOWN else shown or "(nothing)"


def _number(value: Any) -> str:
    return f"{value.item():.6g}"


def describe(value: Any) -> str:
    """What a value is, in a few words: its type, and its shape where it has one."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    if isinstance(value, list | tuple | Mapping):
        return f"a {type(value).__name__} with {len(value)} entries"
    numbers = _numbers(value)
    return f"a {numbers.origin}" if numbers is not None else f"a {type(value).__name__}"


def _at(place: str) -> str:
    return f"at {place}: " if place else ""


def _at_each_line(place: str, text: str) -> str:
    return f"at {place}:\n{text}" if place and text else text


def _kind_of_tensor(tensor: torch.Tensor) -> str:
    if tensor.dtype is torch.bool:
        return "b"
    if tensor.is_complex():
        return "c"
    return "f" if tensor.is_floating_point() else "i"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
