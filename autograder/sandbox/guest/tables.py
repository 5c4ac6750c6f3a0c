"""Takes tables of pandas apart into plain values that can be sent, and puts them together again.

A column is its data type and its values; an index is a range, a column, or rows of labels. What a table has beside
these (attributes, a frequency, odd data types) is not sent; a table with columns of other objects stays where it is.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np

from .wire import WireError

_NUMBERS = re.compile(r"bool|u?int(?:8|16|32|64)|float(?:16|32|64)")
_TIMES = re.compile(r"(?:datetime|timedelta)64\[(?:s|ms|us|ns)\]")
_OTHERS = re.compile(r"object|str|string|boolean|U?Int(?:8|16|32|64)|Float(?:32|64)")
_PLAIN = (str, int, float, bool, type(None))
_MOST_COLUMNS = 10_000
_MOST_ROWS = 10_000_000
"""Rows of a table whose index is a range, which needs no room here: what is computed with it does."""


class NotPlainError(Exception):
    """A table has something that cannot be sent."""


def taken_apart(value: Any) -> tuple[str, Any] | None:
    """The kind of a table and its parts as plain values; None if the value is no table.

    Raises:
        NotPlainError: it has something that cannot be sent.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or type(value).__module__.partition(".")[0] != "pandas":
        return None
    kind = type(value)
    if kind is pandas.DataFrame:
        columns = [_column(value.iloc[:, place]) for place in range(value.shape[1])]
        return "frame", (_index(value.index), _index(value.columns), columns)
    if kind is pandas.Series:
        return "series", (_index(value.index), _label(value.name), _column(value))
    if isinstance(value, pandas.Index):
        return "index", _index(value)
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return "array", _column(pandas.Series(value))
    if value is pandas.NA or value is pandas.NaT:
        return "missing", "NA" if value is pandas.NA else "NaT"
    if kind in (pandas.Timestamp, pandas.Timedelta) and getattr(value, "tz", None) is None:
        return kind.__name__, (value.value, value.unit)
    return None


def put_together(kind: Any, parts: Any) -> Any:
    """The table of these untrusted parts.

    Raises:
        WireError: they are no parts of such a table, or pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise WireError("a table of pandas, which is not installed here") from None
    try:
        if kind == "frame":
            if len(parts[2]) > _MOST_COLUMNS:
                raise WireError("a table of too many columns")
            index, labels, columns = _index_of(parts[0]), _index_of(parts[1]), [_values(one) for one in parts[2]]
            if any(len(one) != len(index) for one in columns):
                raise WireError("a table whose columns do not fit")
            frame = pandas.DataFrame(dict(enumerate(columns)), index=range(len(index)))
            frame.index, frame.columns = index, labels
            return frame
        if kind == "series":
            values, index = _values(parts[2]), _index_of(parts[0])
            series = pandas.Series(values, name=_label(parts[1]))
            series.index = index
            return series
        if kind == "index":
            return _index_of(parts)
        if kind == "array":
            return _values(parts).array
        if kind == "missing" and parts in ("NA", "NaT"):
            return getattr(pandas, parts)
        if kind in ("Timestamp", "Timedelta") and type(parts[0]) is int and parts[1] in ("s", "ms", "us", "ns"):
            return getattr(pandas, kind)(parts[0], unit="ns").as_unit(parts[1])
    except WireError:
        raise
    except Exception as error:  # pandas refuses odd parts with errors of many kinds
        raise WireError(f"an invalid table ({type(error).__name__})") from None
    raise WireError("a table of an unknown kind")


def _column(values: Any) -> tuple[str, Any]:
    """Data type and values of a series or an index."""
    name = str(values.dtype)
    if _NUMBERS.fullmatch(name):
        return name, values.to_numpy()
    if _TIMES.fullmatch(name):
        return name, values.to_numpy().view("int64")
    if name == "category":
        kinds = [_plain(entry) for entry in values.dtype.categories.tolist()]
        return name, ([_plain(entry) for entry in values.tolist()], kinds, bool(values.dtype.ordered))
    if not _OTHERS.fullmatch(name):
        raise NotPlainError
    return name, [_plain(entry) for entry in values.tolist()]


def _plain(entry: Any) -> Any:
    pandas = sys.modules["pandas"]
    if entry is pandas.NA or entry is pandas.NaT:
        return None
    entry = entry.item() if isinstance(entry, np.generic) else entry
    if type(entry) not in _PLAIN:
        raise NotPlainError
    return entry


def _values(column: Any) -> Any:
    import pandas

    name, values = column
    if type(name) is str and _NUMBERS.fullmatch(name) and isinstance(values, np.ndarray) and str(values.dtype) == name:
        if values.ndim != 1:
            raise WireError("a column that is no row of numbers")
        return pandas.Series(values)
    if type(name) is str and _TIMES.fullmatch(name) and isinstance(values, np.ndarray) and values.dtype == np.int64:
        return pandas.Series(values.view(name))
    if name == "category":
        values, kinds, is_ordered = values
        if _are_plain(values) and _are_plain(kinds) and type(is_ordered) is bool:
            return pandas.Series(pandas.Categorical(values, categories=kinds, ordered=is_ordered))
    elif type(name) is str and _OTHERS.fullmatch(name) and _are_plain(values):
        return pandas.Series(values, dtype=name)
    raise WireError("a column of another kind")


def _are_plain(values: Any) -> bool:
    return type(values) is list and all(type(entry) in _PLAIN for entry in values)


def _index(index: Any) -> tuple[Any, ...]:
    pandas = sys.modules["pandas"]
    if type(index) is pandas.RangeIndex:
        return "range", index.start, index.stop, index.step, _label(index.name)
    if type(index) is pandas.MultiIndex:
        return "rows", [tuple(map(_plain, row)) for row in index.tolist()], [_label(name) for name in index.names]
    return "column", _column(index), _label(index.name)


def _index_of(parts: Any) -> Any:
    import pandas

    kind, *rest = parts
    if kind == "range":
        start, stop, step, name = rest
        if not all(type(number) is int for number in (start, stop, step)):
            raise WireError("a range of other things")
        if not step or len(range(start, stop, step)) > _MOST_ROWS:
            raise WireError("a range that would be too long")
        return pandas.RangeIndex(start, stop, step, name=_label(name))
    if kind == "rows":
        rows, names = rest
        return pandas.MultiIndex.from_tuples(rows, names=[_label(name) for name in names])
    column, name = rest
    return pandas.Index(_values(column), name=_label(name))


def _label(label: Any) -> Any:
    """A label that can be sent."""
    label = label.item() if isinstance(label, np.generic) else label
    if type(label) is tuple:
        return tuple(map(_label, label))
    if type(label) not in _PLAIN:
        raise NotPlainError
    return label
