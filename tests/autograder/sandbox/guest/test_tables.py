"""Tables of pandas cross as values; what is no plain table stays where it is, and odd parts are refused."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import re
import signal
import time
from typing import Any

import numpy as np
import pytest

from autograder.sandbox.guest.codec import Decoder, Encoder
from autograder.sandbox.guest.wire import WireError

pandas = pytest.importorskip("pandas")

FRAME = pandas.DataFrame(
    {
        "whole": [1, 2, 3],
        "real": [1.5, np.nan, -np.inf],
        "text": ["a", None, "ä"],
        "day": pandas.to_datetime(["2020-01-01", "2020-01-02", None]),
        "kind": pandas.Categorical(["u", "v", "u"]),
        "flag": [True, False, True],
        "maybe": pandas.array([1, None, 3], dtype="Int64"),
        "mixed": pandas.Series([1, "b", None], dtype=object),
    }
)
TABLES = [
    FRAME,
    FRAME.set_index("text"),
    FRAME.set_index(["whole", "flag"]),
    FRAME[["whole", "real"]].T,
    FRAME.pivot_table(index="kind", columns="flag", values="whole", observed=True),
    pandas.DataFrame(),
    pandas.DataFrame(columns=["a"]),
    FRAME.whole,
    FRAME.day.dt.year,
    FRAME.groupby("kind", observed=True).whole.mean(),
    FRAME.whole.value_counts(),
    pandas.Series([], dtype=float),
    pandas.Series(pandas.Categorical(["low", None, "high"], categories=["none", "low", "high"], ordered=True)),
    pandas.Series([1, 2], index=pandas.CategoricalIndex([3, 1], categories=[3, 2, 1], name="place")),
    FRAME.index,
    FRAME.columns,
    pandas.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["n", None]),
    pandas.Timestamp("2020-02-03 04:05:06"),
    pandas.Timedelta("3h"),
]


def kept(_value: Any) -> list[Any]:
    return ["h", 0, "kept", False]


def sent(value: Any) -> Any:
    """The value after it was sent."""
    encoder = Encoder(kept)
    node = json.loads(json.dumps(encoder.encode(value), allow_nan=False))
    return decoded(node, bytes(encoder.body))


def decoded(node: Any, body: bytes = b"") -> Any:
    return Decoder(body, handle=lambda *_: "kept", callback=lambda number: number).decode(node)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_a_table_is_the_same_on_the_other_side(table: Any) -> None:
    received = sent(table)
    if isinstance(table, pandas.DataFrame):
        pandas.testing.assert_frame_equal(received, table)
    elif isinstance(table, pandas.Series):
        pandas.testing.assert_series_equal(received, table)
    elif isinstance(table, pandas.Index):
        pandas.testing.assert_index_equal(received, table)
    else:
        assert received == table and type(received) is type(table)


def test_a_table_of_other_objects_and_what_is_no_table_stay_where_they_are() -> None:
    odd = type("Odd", (pandas.Series,), {})  # a class of the student's
    others = [
        *(pandas.Series([object()]), pandas.Series([[1]]), FRAME.groupby("kind", observed=True)),
        *(odd([1]), pandas.Series(pandas.date_range("2020", periods=2, tz="UTC")), pandas.DataFrame),
    ]
    assert [sent(value) for value in others] == ["kept"] * len(others)


def test_values_are_plain_beside_tables_too() -> None:
    values = [{1, (2, "a")}, frozenset({1}), {frozenset({1})}, 1 + 2j, {"a": {1}}]
    assert [sent(value) for value in values] == values
    texts = sent(np.array([["a", "bcd"], ["", "ä"]]))
    assert texts.tolist() == [["a", "bcd"], ["", "ä"]] and texts.dtype == np.dtype("U3")
    assert sent(np.array([], dtype="U2")).shape == (0,)


@pytest.mark.parametrize(
    "node",
    [
        ["P", "frame"],
        ["P", "array", ["t", "category", ["l", "a"]]],
        ["P", "array", ["t", "category", ["t", ["l", "a"], ["l", ["l"]], False]]],
        ["P", "array", ["t", "category", ["t", ["l", "a"], ["l", "a", "a"], False]]],
        ["P", "code", ["l"]],
        ["P", 3, ["l"]],
        ["P", "series", ["l", 1]],
        ["P", "index", ["t", "range", 0, 10, 0, None]],
        ["P", "index", ["t", "range", "a", 10, 1, None]],
        ["P", "index", ["t", "column", ["t", "object", ["l", ["l"]]], None]],
        ["P", "index", ["t", "column", ["t", "datetime64[s]", ["l", 3]], None]],
        ["P", "index", ["t", "column", ["t", "int64", ["l", 3]], None]],
        ["P", "index", ["t", "column", ["t", "interval", ["l", 3]], None]],
        ["P", "index", ["t", "column", ["t", "Int64", ["l", "x"]], None]],
        ["P", "index", ["t", "rows", ["l", 1], ["l", None]]],
        ["P", "frame", ["t", ["t", "range", 0, 2**50, 1, None], ["t", "range", 0, 1, 1, None], ["l"]]],
        [
            *("P", "frame"),
            ["t", ["t", "range", 0, 3, 1, None], ["t", "range", 0, 1, 1, None], ["l", ["t", "object", ["l", 1]]]],
        ],
        ["P", "Timestamp", ["t", 1, "years"]],
        ["P", "frame", ["t", ["t", "range", 0, 2**33, 1, None], ["t", "range", 0, 0, 1, None], ["l"]]],
        ["s"],
        ["s", True, ["l"]],
        ["s", False, ["d"]],
        ["x", 1.0],
        ["x", 1.0, "a"],
        ["U", [2], ["l", "a"]],
        ["U", [1], ["l", 1]],
        ["U", [-1], ["l", "a"]],
        ["U", [2**40], ["l", "a"]],
        ["U", [3000], ["l", *["a"] * 2999, "b" * 100_000]],
    ],
    ids=lambda node: str(node)[:40],
)
def test_odd_parts_are_refused(node: list[Any]) -> None:
    with pytest.raises(WireError):
        decoded(node)


OTHERS = [
    np.array([1 + 2j, 3]),
    np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"),
    np.array([[1, "a", None]], dtype=object),
    np.array([b"ab", b"c"], dtype=object),
    datetime.datetime(2020, 2, 3, 4, 5),
    datetime.date(2020, 2, 3),
    datetime.timedelta(days=1, microseconds=2),
    fractions.Fraction(1, 3),
    decimal.Decimal("1.50"),
    collections.deque([1, 2], maxlen=3),
    re.compile(r"\d+", re.IGNORECASE),
    re.compile(b"a|b"),
    np.datetime64("2020-01-01"),
    np.timedelta64(3, "h"),
    FRAME.maybe.array,
    FRAME.text.unique(),
    FRAME.kind.unique(),
]


@pytest.mark.parametrize("value", OTHERS, ids=lambda value: type(value).__name__)
def test_values_of_other_kinds_cross(value: Any) -> None:
    received = sent(value)
    assert type(received) is type(value)
    if isinstance(value, np.ndarray):
        assert received.dtype == value.dtype
        np.testing.assert_array_equal(received, value)
    elif hasattr(value, "tolist") and not isinstance(value, np.generic):
        assert str(received) == str(value)
    else:
        assert received == value


def test_numbers_of_numpy_become_plain_ones() -> None:
    assert sent(np.longdouble(1.5)) == 1.5 and sent(np.clongdouble(1j)) == 1j and sent(pandas.NaT) is pandas.NaT


@pytest.mark.parametrize(
    "node",
    [
        ["O", "times", ["t", "float64", ["l"], ["A", "int64", [1], 0, 8]]],
        ["O", "times", ["t", "datetime64[D]", ["l", 2], ["A", "int64", [1], 0, 8]]],
        ["O", "complex", ["t", ["l", 1], ["A", "int64", [1], 0, 8]]],
        ["O", "objects", ["t", ["l", 1], ["l", ["l"]]]],
        ["O", "objects", ["t", ["l", 0, 2**31 - 1], ["l"]]],
        ["O", "Fraction", "1/0"],
        ["O", "Decimal", "9" * 2000],
        ["O", "Decimal", "1e999999999"],
        ["O", "date", "never"],
        ["O", "deque", ["t", 3, 4]],
        ["O", "pattern", ["t", "(", 32]],
        ["O", "pattern", ["t", 3, 32]],
        ["O", "pattern", ["t", "(" * 1001, 32]],
        ["O", "timedelta", ["t", 2**50, 0, 0]],
        ["O", "code", "x"],
        ["U", [0, 2**31 - 1, 2**31 - 1], ["l"]],
        ["U", [2**31 - 1, 0], ["l"]],
    ],
    ids=lambda node: str(node)[:50],
)
def test_odd_parts_of_other_values_are_refused(node: list[Any]) -> None:
    with pytest.raises(WireError):
        decoded(node, bytes(8))


def test_the_time_limit_holds_while_a_set_of_one_hash_is_decoded() -> None:
    node = ["s", False, *(["i", format(k * (2**61 - 1), "x")] for k in range(1, 60_001))]

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    begun = time.process_time()
    try:
        with pytest.raises(TimeoutError):
            decoded(node)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.process_time() - begun < 10, "as one call of set() it took a minute"
