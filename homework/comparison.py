"""Describes how two values differ; `homework.checks.close` uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

SHOWN = 8

_KINDS = {"b": "truth values", "i": "whole numbers", "f": "floating-point numbers", "c": "complex numbers"}


class _Numbers(NamedTuple):
    """Numbers from a tensor, an array or plain Python, ready to compare."""

    values: torch.Tensor
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
        return _at_each_line(place, _numeric_difference(numbers, expected, rtol, atol))
    if isinstance(want, Mapping):
        return _mapping_difference(got, want, rtol, atol, place)
    if isinstance(want, list | tuple):
        return _sequence_difference(got, want, rtol, atol, place)
    if isinstance(want, str | bytes | torch.dtype) or want is None:
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
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim > 0:
        return [value[index] for index in range(value.shape[0])]
    return None


def _numbers(value: Any) -> _Numbers | None:
    """The value as numbers; None if it is not a number, array or list of numbers."""
    if isinstance(value, torch.Tensor):
        tensor = value.detach().to_dense() if value.layout is not torch.strided else value.detach()
        origin = f"{_short(value.dtype)} tensor of shape {list(value.shape)}"
        return _Numbers(tensor.cpu().resolve_conj(), _kind(tensor.dtype), False, origin)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "biufc":
            return None
        tensor = torch.from_numpy(np.ascontiguousarray(value).reshape(value.shape).copy())
        return _Numbers(tensor, _kind(tensor.dtype), False, f"{value.dtype} array of shape {list(value.shape)}")
    if isinstance(value, bool | int | float | complex):
        tensor = _plain_tensor(value)
        return _Numbers(tensor, _kind(tensor.dtype), True, f"plain {type(value).__name__}")
    if isinstance(value, list) and value and all(_is_scalar(item) for item in value):
        items = [numbers.values.item() for numbers in map(_numbers, value) if numbers is not None]
        if len({isinstance(item, bool) for item in items}) == 1:
            tensor = _plain_tensor(items)
            return _Numbers(tensor, _kind(tensor.dtype), True, f"list of {len(items)} numbers")
    return None


def _plain_tensor(value: Any) -> torch.Tensor:
    try:
        array = np.asarray(value)
        array = array.astype(np.float64) if array.dtype.kind in "uO" else array
        return torch.from_numpy(np.array(array))
    except OverflowError:  # a whole number beyond the largest float
        return torch.tensor(float("nan"), dtype=torch.float64)


def _is_scalar(item: Any) -> bool:
    if isinstance(item, torch.Tensor | np.ndarray | np.generic):
        return item.ndim == 0 and _numbers(item) is not None
    return isinstance(item, bool | int | float | complex)


def _numeric_difference(got: _Numbers, want: _Numbers, rtol: float, atol: float) -> str:
    if got.values.shape != want.values.shape:
        return _shape_difference(got, want)
    loose = (got.plain or want.plain) and {got.kind, want.kind} == {"i", "f"}
    if got.kind != want.kind and not loose:
        return f"got {_KINDS[got.kind]} ({got.origin}), expected {_KINDS[want.kind]} ({want.origin})"
    if got.kind == want.kind and got.kind in "bi":
        agree = got.values.to(torch.int64) == want.values.to(torch.int64)
        allowed = "must be equal"
        left, right = got.values.to(torch.float64), want.values.to(torch.float64)
    else:
        wide = torch.complex128 if want.kind == "c" else torch.float64
        left, right = got.values.to(wide), want.values.to(wide)
        finite = torch.isfinite(left) & torch.isfinite(right)
        agree = torch.where(finite, (left - right).abs() <= atol + rtol * right.abs(), left == right)
        allowed = f"allowed: {atol:g} + {rtol:g}·|expected|"
    return "" if bool(agree.all()) else _value_difference(got, want, left, right, agree, allowed, rtol)


def _shape_difference(got: _Numbers, want: _Numbers) -> str:
    shapes = f"got a {got.origin}, expected a {want.origin}: the shapes differ"
    if got.values.numel() == want.values.numel():
        return f"{shapes}, the number of entries is right"
    return shapes


def _value_difference(
    got: _Numbers,
    want: _Numbers,
    left: torch.Tensor,
    right: torch.Tensor,
    agree: torch.Tensor,
    allowed: str,
    rtol: float,
) -> str:
    wrong = int((~agree).sum())
    size = torch.where(agree, -1.0, torch.nan_to_num((left - right).abs(), nan=torch.inf, posinf=torch.inf))
    flat = int(size.reshape(-1).argmax())
    lines = [f"got      {_show(left)}  ({got.origin})", f"expected {_show(right)}  ({want.origin})"]
    if left.numel() > 1:
        index = [int(i) for i in np.unravel_index(flat, tuple(left.shape))]
        worst = f"got {_number(left.reshape(-1)[flat])}, expected {_number(right.reshape(-1)[flat])}"
        lines.append(f"{wrong} of {left.numel()} entries differ, most at index {index}: {worst} ({allowed})")
    else:
        lines.append(f"({allowed})")
    pattern = _pattern(left, right, rtol)
    return "\n".join([*lines, pattern] if pattern else lines)


def _pattern(left: torch.Tensor, right: torch.Tensor, rtol: float) -> str:
    """A simple relation between all the numbers, which often reveals the mistake; empty if there is none."""
    if bool(torch.isnan(left).any()):
        return f"{int(torch.isnan(left).sum())} of your values are NaN (0/0, ∞ − ∞, 0·∞ or log of a negative number)"
    if left.is_complex() or left.numel() == 0 or not bool(torch.isfinite(left).all() & torch.isfinite(right).all()):
        return ""
    if not bool(left.any()):
        return "all your values are 0"
    if not bool(right.any()):
        return ""
    slack = 10 * rtol
    factor = float((left * right).sum() / (right * right).sum())
    if abs(factor - 1) > slack and bool(((left - factor * right).abs() <= slack * left.abs()).all()):
        return (
            "your value has the wrong sign"
            if abs(factor + 1) < slack
            else f"your values are {factor:.4g} times the expected ones"
        )
    offset = float((left - right).mean())
    if left.numel() > 1 and bool(((left - right - offset).abs() <= slack * abs(offset)).all()):
        return f"all your values are off by the same amount, {offset:.4g}"
    return ""


def _show(values: torch.Tensor) -> str:
    flat = values.reshape(-1)
    shown = ", ".join(_number(value) for value in flat[:SHOWN])
    return f"{shown}, …" if flat.numel() > SHOWN else shown or "(nothing)"


def _number(value: torch.Tensor) -> str:
    number = value.item()
    return f"{number:.6g}"


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


def _kind(dtype: torch.dtype) -> str:
    if dtype is torch.bool:
        return "b"
    if dtype.is_complex:
        return "c"
    return "f" if dtype.is_floating_point else "i"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
