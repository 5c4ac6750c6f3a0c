"""Describes values of tests for staff: kind, shape, data type, the numbers, and where two differ most."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.core.text import printable
from autograder.sandbox.proxy import Handle
from homework.comparison import describe, difference
from homework.lazy_torch import is_imported, is_module, is_tensor, torch

_MOST_ENTRIES = 12
"""Entries of a list or dict that are shown."""
_DEPTH = 4
_LONGEST = 2_000
_MOST_COMPARED = 20_000
"""Entries of lists and dictionaries up to which two values are compared for staff."""
_FULL = 120
"""Numbers up to which an array is shown as a whole."""
_ROUNDING = 1e-5
"""Differences up to this share of the largest expected value may come from rounding in float32."""
_RANGE_FROM = 12
"""Numbers from which smallest, largest and mean are shown."""


@dataclass(frozen=True)
class Value:
    """A value as text; it keeps nothing of the value itself."""

    role: str
    """`got`, `expected`, or empty."""
    name: str
    """The expression or the argument's name."""
    kind: str
    """Type, and for arrays data type and shape, e.g. `float32 tensor of shape [3, 2]`."""
    text: str
    """The numbers; may have several lines."""


def value_of(value: Any, name: str, role: str = "") -> Value:
    """Describes a value; what cannot be described is named by its type."""
    try:
        return Value(role, name, _kind(value), _text(value, 0)[:_LONGEST])
    except Exception as error:  # a value of a test may be anything
        return Value(role, name, f"a {type(value).__name__}", f"(cannot be shown: {type(error).__name__})")


def is_data(value: Any) -> bool:
    """Whether showing a value helps: not a module, a class or a function."""
    return not isinstance(value, types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type)


def where_they_differ(got: Any, expected: Any) -> str:
    """The largest difference of two values and where it is; empty if they agree, or cannot be compared or in time."""
    if _is_long(got) or _is_long(expected):
        return ""
    try:
        return difference(got, expected, rtol=0.0, atol=0.0)
    except Exception:  # it compares plain data only
        return ""


def _is_long(value: Any) -> bool:
    """Whether it is a list of so many values that comparing them one by one takes seconds."""
    left, waiting = _MOST_COMPARED, [value]
    while waiting and left > 0:
        one = waiting.pop()
        inner = list(one.values()) if isinstance(one, Mapping) else one if isinstance(one, list | tuple) else ()
        left -= len(inner)
        waiting += inner[:_MOST_COMPARED]
    return left <= 0


def rounding(got: Any, expected: Any) -> str:
    """A sentence if two different values differ by so little that rounding can be the reason; else empty."""
    if _is_long(got) or _is_long(expected):
        return ""
    try:
        left, right = _numbers(got), _numbers(expected)
        largest, scale = float(np.abs(left - right).max()), float(np.abs(right).max())
    except Exception:  # not numbers, or not of the same shape
        return ""
    if left.shape != right.shape or not 0 < largest <= _ROUNDING * scale:
        return ""
    return (
        f"the largest difference is {largest:.2g}, {largest / scale:.2g} of the largest expected value: rounding in "
        "float32 can cause it, so the check may be too strict"
    )


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    if is_tensor(value):
        return value.detach().cpu().to(torch.float64).numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError("not real numbers")
    return array.astype(np.float64)


def _kind(value: Any) -> str:
    if isinstance(value, Handle):
        return "an object on the student's side"
    if is_module(value):
        return f"a module, {type(value).__name__}"
    if value is None:
        return "None"
    return "a text" if isinstance(value, str) else describe(value).removeprefix("a ")


def _text(value: Any, depth: int) -> str:
    if is_tensor(value):
        flags = ", requires a gradient" if value.requires_grad else ""
        dense = value.detach().to_dense() if value.layout is not torch.strided else value.detach()
        dense = dense.float() if dense.dtype in (torch.bfloat16, torch.float16) else dense
        return _array(dense.cpu().resolve_conj().resolve_neg().numpy()) + flags
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value))
    if is_imported() and isinstance(value, torch.Generator):
        return f"seed {value.initial_seed()}"
    if isinstance(value, Mapping):
        return _entries("{", [(f"{key!r}: ", one) for key, one in value.items()], "}", depth)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        fields = [(f"{name}=", one) for name, one in zip(value._fields, value, strict=True)]
        return _entries(f"{type(value).__name__}(", fields, ")", depth)
    if isinstance(value, list | tuple):
        opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")")
        return _entries(opening, [("", one) for one in value], closing, depth)
    if isinstance(value, Handle):
        return "(stays in the sandbox)"
    if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
        return f"{value.__name__}"
    if isinstance(value, float):
        return f"{value:.7g}"
    if value is None or isinstance(value, bool | int | complex):
        return str(value)[:200]
    if isinstance(value, str):
        return printable(repr(value), 500)
    if is_module(value):
        return f"{sum(p.numel() for p in value.parameters()):,} parameters"
    return printable(repr(value), 200)


def _entries(opening: str, entries: list[tuple[str, Any]], closing: str, depth: int) -> str:
    if depth >= _DEPTH:
        return f"{opening}…{closing}"
    is_flat = all(isinstance(one, bool | int | float | str | None) for _, one in entries)
    most = 40 if is_flat else _MOST_ENTRIES
    shown: list[str] = []
    for name, one in entries[:most]:
        shown.append(name + _text(one, depth + 1))
        if sum(map(len, shown)) > _LONGEST:
            break
    if len(entries) > len(shown):
        shown.append(f"… ({len(entries):,} entries)")
    whole = ", ".join(shown)
    if is_flat or ("\n" not in whole and len(whole) <= 100):
        return f"{opening}{whole}{closing}"
    return f"{opening}\n" + ",\n".join(f"  {one}".replace("\n", "\n  ") for one in shown) + f"\n{closing}"


def _array(array: np.ndarray[Any, Any]) -> str:
    text = np.array2string(array, precision=6, threshold=_FULL, edgeitems=3, max_line_width=100, separator=", ")
    if array.size < _RANGE_FROM or array.dtype.kind not in "iuf":
        return text
    finite = array[np.isfinite(array)]
    said = []
    if finite.size:
        said.append(f"smallest {finite.min():.6g}, largest {finite.max():.6g}, mean {finite.mean():.6g}")
    if finite.size < array.size:
        said.append(f"{array.size - finite.size} NaN or infinite")
    return f"{text}\n({'; '.join(said)})"
