"""The wire format: values arrive equal, values that may not be sent are refused, and no bytes break the decoder."""

from __future__ import annotations

import collections
import contextlib
import datetime
import decimal
import fractions
import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.sandbox.guest.codec import DTYPES, Decoder, Encoder
from autograder.sandbox.guest.wire import (
    ClosedError,
    Limits,
    TooLateError,
    UnsendableError,
    WireError,
    receive_frame,
    send_frame,
)
from autograder.sandbox.patience import Patience


def refuse(value: Any) -> list[Any]:
    """Refuses each value that cannot be sent as data."""
    raise UnsendableError(type(value).__name__)


def decoder(body: bytes) -> Decoder:
    """A decoder that gives handles and call-backs as tuples."""
    return Decoder(body, handle=lambda n, kind, call: ("handle", n, kind, call), callback=lambda n: ("callback", n))


def crossed(value: Any) -> Any:
    """The value after a round trip through JSON text and bytes."""
    encoder = Encoder(refuse)
    node = json.loads(json.dumps(encoder.encode(value), allow_nan=False))
    return decoder(bytes(encoder.body)).decode(node)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.booleans(), inner, max_size=4)
    ),
    max_leaves=12,
)


def equal(left: Any, right: Any) -> bool:
    """Compares values and types; NaN equals NaN, and -0.0 does not equal 0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return repr(left) == repr(right)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


@given(plain)
def test_plain_values_arrive_equal(value: Any) -> None:
    assert equal(crossed(value), value)


@given(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 4), max_size=4), st.integers(0, 2**31))
def test_tensors_keep_dtype_shape_and_bits(name: str, shape: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    tensor = (torch.randn(shape, generator=generator) * 50).to(getattr(torch, name))
    assert DTYPES[name] == tensor.itemsize
    got = crossed(tensor)
    assert got.dtype == tensor.dtype and got.shape == tensor.shape
    if tensor.numel():
        raw = [t.contiguous().reshape(-1).view(torch.uint8) for t in (got, tensor)]
        assert torch.equal(raw[0], raw[1])


def test_nan_and_infinities_in_tensors_arrive_bit_for_bit() -> None:
    tensor = torch.tensor([float("nan"), float("inf"), -0.0])
    assert crossed(tensor).view(torch.int32).tolist() == tensor.view(torch.int32).tolist()


def test_arrays_scalars_sizes_and_views_arrive_as_plain_values() -> None:
    array = np.arange(6, dtype=">i4").reshape(2, 3).T
    assert (crossed(array) == array).all() and crossed(array).dtype == np.int32
    assert crossed(np.float64(0.5)) == 0.5 and type(crossed(np.float64(0.5))) is float
    assert crossed(torch.zeros(2, 3).shape) == (2, 3)
    assert torch.equal(crossed(torch.arange(6).reshape(2, 3).T), torch.arange(6).reshape(2, 3).T)
    assert crossed(x for x in (1, 2)) == [1, 2]
    assert crossed(collections.OrderedDict(a=1).items()) == [("a", 1)]


class Pair(NamedTuple):
    """A named tuple as a notebook may define it."""

    left: int
    right: torch.Tensor


def test_named_tuples_keep_their_fields() -> None:
    got = crossed(Pair(left=1, right=torch.ones(2)))
    assert got._fields == ("left", "right") and got.left == 1 and torch.equal(got[1], torch.ones(2))


def test_generators_arrive_with_their_state() -> None:
    generator = torch.Generator().manual_seed(7)
    torch.rand(3, generator=generator)
    got = crossed(generator)
    assert torch.equal(torch.rand(5, generator=got), torch.rand(5, generator=generator))


class Liar(int):
    """An integer that claims to equal everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "value",
    [
        Liar(3),
        torch.eye(3).to_sparse(),
        torch.ones(2, dtype=torch.complex64),
        np.zeros(1, dtype=[("a", "i4")]),
        np.array([object()]),
        object(),
        lambda: 1,
    ],
)
def test_what_is_not_plain_data_is_not_sent_by_value(value: Any) -> None:
    with pytest.raises(UnsendableError):
        crossed(value)


def test_of_a_tensor_of_another_class_only_the_numbers_are_sent() -> None:
    loud = type("Loud", (torch.Tensor,), {"__torch_function__": classmethod(lambda *_: 1 / 0)})
    sent = crossed(torch.arange(3.0).as_subclass(loud))
    assert type(sent) is torch.Tensor and sent.tolist() == [0, 1, 2]


def test_endless_and_deep_values_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(UnsendableError, match="deeply"):
        crossed(deep)
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(UnsendableError):
        crossed(loop)


MALFORMED: dict[str, list[Any]] = {
    "no node": [2**60, {"a": 1}, [], [3], ["?"], ["h", "1", "x", True], ["c", 1.0], ["l", ["l", ["i"]]]],
    "number": [["i", "x"], ["i", ""], ["f", "1.0"]],
    "bytes": [["b", 0, 99], ["b", -1, 1]],
    "dict": [["d", [1]], ["d", [["l"], 1]]],
    "named tuple": [["n", "P", ["a", "a"], 1, 2], ["n", "P", ["__class__"], 1], ["n", "P", ["a"]]],
    "tensor": [
        ["T", "float32", [2], 0, 4, -1],
        ["T", "float32", [-1], 0, 4, -1],
        ["T", "float32", [1.0], 0, 4, -1],
        ["T", "float32", [1], 0, 4, True],
        ["T", "float32", [0, 2**62, 2**62], 0, 0, -1],
        ["T", "object", [1], 0, 4, -1],
        ["T", "bool", [4], 0, 4, -1],
    ],
    "array": [["A", "object", [1], 0, 8], ["A", "float64", [1], 0, 4]],
    "others": [["G", 0, 4], ["D", "float33"], ["V", "meta"], ["S", "a", None, None]],
}


@pytest.mark.parametrize("node", [node for nodes in MALFORMED.values() for node in nodes])
def test_malformed_nodes_are_refused(node: Any) -> None:
    with pytest.raises(WireError):
        decoder(b"\x02\x03\x04\x05\x06\x07\x08\x09").decode(node)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=10,
)
tags = st.sampled_from([*"ifbltdnTADVGSEhcsxUPO", "?"])
names = "float32 bool int64 cpu nan object category datetime64[s] frame series index array missing range column rows"
others = "times complex objects timedelta deque Decimal"
words = st.sampled_from(f"{names} {others}".split())
tagged = st.recursive(
    json_values | words | st.integers(-1, 20),
    lambda inner: st.tuples(tags, st.lists(inner, max_size=5)).map(lambda pair: [pair[0], *pair[1]]),
    max_leaves=10,
)


@settings(max_examples=500)
@given(tagged, st.binary(max_size=24))
def test_a_random_node_is_decoded_or_raises_a_wire_error(node: Any, body: bytes) -> None:
    try:
        value = decoder(body).decode(node)
    except WireError:
        return
    assert has_known_types(value)


def has_known_types(value: Any) -> bool:
    """Does a decoded value have only types that the format knows?"""
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return all(map(has_known_types, value))
    if isinstance(value, dict):
        return all(map(has_known_types, value.values()))
    plain_types = (bool, int, float, complex, str, bytes, slice, np.ndarray, np.datetime64, np.timedelta64)
    exact_types = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction)
    torch_types = (torch.Tensor, torch.dtype, torch.device, torch.Generator)
    is_table = type(value).__module__.partition(".")[0] == "pandas"
    return (
        value is None or value is Ellipsis or is_table or isinstance(value, (*plain_types, *exact_types, *torch_types))
    )


def test_many_tensors_over_the_same_bytes_are_too_many_bytes() -> None:
    body = bytes(1000)
    small = Decoder(body, handle=lambda *parts: parts, callback=refuse, limits=Limits(body=5000))
    with pytest.raises(WireError, match="more bytes"):
        small.decode(["l", *[["T", "uint8", [1000], 0, 1000, -1]] * 6])


@contextlib.contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets, closed at the end."""
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_a_frame_arrives_complete() -> None:
    body = bytes(3_000_000)
    with connected() as (left, right):
        sender = threading.Thread(target=send_frame, args=(left, {"op": "x", "é": [1]}, body))
        sender.start()
        assert receive_frame(right, Patience(10)) == ({"op": "x", "é": [1]}, body)
        sender.join()


LENGTHS = struct.Struct(">QQ")
HEADERS = (b"[1]", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000)


@pytest.mark.parametrize(
    ("frame", "said"),
    [(LENGTHS.pack(2**60, 0), "larger than allowed"), *((LENGTHS.pack(len(text), 0) + text, None) for text in HEADERS)],
    ids=range(6),
)
def test_a_frame_with_a_false_length_or_header_is_refused(frame: bytes, said: str | None) -> None:
    with connected() as (left, right):
        left.sendall(frame)
        with pytest.raises(WireError, match=said):
            receive_frame(right, Patience(5))


def test_silence_and_a_closed_connection_raise_different_errors() -> None:
    with connected() as (left, right):
        with left, pytest.raises(TooLateError):
            receive_frame(right, Patience(0.05))
        with pytest.raises(ClosedError):
            receive_frame(right, Patience(5))


def test_a_sender_without_a_reader_stops_at_the_deadline() -> None:
    with connected() as (left, _), pytest.raises(TooLateError):
        send_frame(left, {}, bytes(20_000_000), Patience(0.1))


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_random_bytes_raise_a_wire_error_or_close(data: bytes) -> None:
    with connected() as (left, right):
        with left:
            left.sendall(data)
        with pytest.raises((WireError, ClosedError)):
            while True:
                receive_frame(right, Patience(5))
