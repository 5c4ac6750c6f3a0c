"""Takes values of other kinds apart into plain ones that can be sent: moments, exact numbers, patterns, odd arrays."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import math
import re
import warnings
from typing import Any

import numpy as np

from .wire import WireError

_TIMES = re.compile(r"(?:datetime|timedelta)64\[(?:Y|M|W|D|h|m|s|ms|us|ns)\]")
_PLAIN = (str, int, float, bool, complex, bytes, type(None))
_LONGEST = 1_000
"""Characters of an exact number, or of a regular expression."""
_MOMENTS: dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
_EXACT = {"Fraction": fractions.Fraction, "Decimal": decimal.Decimal}


def taken_apart(value: Any) -> tuple[str, Any] | None:
    """The kind of a value and its parts as plain values; None if it is of no such kind, or cannot be sent."""
    kind = type(value)
    if kind is np.ndarray:
        return _array(value)
    if kind in (np.datetime64, np.timedelta64):
        return "times", (str(value.dtype), [], np.array([value.astype("int64")], dtype=np.int64))
    if kind is datetime.timedelta:
        return "timedelta", (value.days, value.seconds, value.microseconds)
    if kind.__name__ in _MOMENTS and kind is _MOMENTS[kind.__name__] and getattr(value, "tzinfo", None) is None:
        return kind.__name__, value.isoformat()
    if kind.__name__ in _EXACT and kind is _EXACT[kind.__name__]:
        text = str(value)
        return (kind.__name__, text) if len(text) <= _LONGEST else None
    if kind is re.Pattern:
        return ("pattern", (value.pattern, value.flags)) if len(value.pattern) <= _LONGEST else None
    return ("deque", (list(value), value.maxlen)) if kind is collections.deque else None


def put_together(kind: Any, parts: Any) -> Any:
    """The value of these untrusted parts.

    Raises:
        WireError: they are no parts of such a value.
    """
    try:
        if kind == "times":
            name, shape, numbers = parts
            if not _TIMES.fullmatch(name) or type(numbers) is not np.ndarray or numbers.dtype != np.int64:
                raise WireError("moments of another kind")
            return numbers.view(name).reshape(shape_of(shape, numbers.size))[()]
        if kind == "complex":
            shape, numbers = parts
            if type(numbers) is not np.ndarray or numbers.dtype != np.float64 or numbers.size % 2:
                raise WireError("complex numbers of another kind")
            return numbers.view(np.complex128).reshape(shape_of(shape, numbers.size // 2))
        if kind == "objects":
            shape, entries = parts
            if type(entries) is not list or not all(type(entry) in _PLAIN for entry in entries):
                raise WireError("an array of other objects")
            made = np.empty(len(entries), dtype=object)
            made[:] = entries
            return made.reshape(shape_of(shape, len(entries)))
        if kind == "timedelta" and all(type(part) is int for part in parts):
            return datetime.timedelta(*parts)
        if kind in _MOMENTS and type(parts) is str:
            return _MOMENTS[kind].fromisoformat(parts)
        if kind in _EXACT and type(parts) is str and len(parts) <= _LONGEST and re.fullmatch(r"-?[\d./]+", parts):
            return _EXACT[kind](parts)
        if kind == "deque" and type(parts[0]) is list:
            return collections.deque(parts[0], parts[1])
        if kind == "pattern":
            text, flags = parts
            if type(text) in (str, bytes) and len(text) <= _LONGEST and type(flags) is int:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of odd patterns, which are nothing to tell the staff
                    return re.compile(text, flags & ~re.DEBUG)
    except WireError:
        raise
    except (ValueError, TypeError, ArithmeticError, IndexError, RecursionError, re.error) as error:
        raise WireError(f"an invalid value ({type(error).__name__})") from None
    raise WireError("a value of an unknown kind")


def _array(value: np.ndarray[Any, Any]) -> tuple[str, Any] | None:
    name, shape = str(value.dtype), list(value.shape)
    if value.dtype.kind in "mM" and _TIMES.fullmatch(name):
        return "times", (name, shape, np.ascontiguousarray(value).view(np.int64).reshape(-1))
    if value.dtype.kind == "c":
        return "complex", (shape, np.ascontiguousarray(value, dtype=np.complex128).reshape(-1).view(np.float64))
    if value.dtype.kind in "OS":
        entries = [one.item() if isinstance(one, np.generic) else one for one in value.ravel().tolist()]
        return ("objects", (shape, entries)) if all(type(one) in _PLAIN for one in entries) else None
    return None


def shape_of(shape: Any, size: int) -> tuple[int, ...]:
    """A shape whose sides fit a number of entries; an empty array may not grow when one of its sides is summed over."""
    if type(shape) is not list or len(shape) > 16 or any(type(side) is not int or side < 0 for side in shape):
        raise WireError("an array of an impossible shape")
    if math.prod(shape) != size or math.prod(side for side in shape if side) > max(size, 2**20):
        raise WireError("an array whose entries do not fit its shape")
    return tuple(shape)
