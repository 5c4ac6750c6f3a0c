"""Ten thousand broken replies of a student's process: none crashes the examiner, and no wrong one is accepted.

Each reply starts as a right one and is changed: nodes of its JSON are replaced by hostile ones, bytes are flipped,
lengths are false. A test cell asks as usual. It may pass only if the changed reply is still right, which this file
reads off the bytes for itself, without the decoder.
"""

from __future__ import annotations

import copy
import json
import random
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autograder.sandbox.guest.wire import ClosedError, TooLateError, WireError
from autograder.sandbox.patience import Patience
from autograder.sandbox.proxy import Link, RemoteError, Student
from homework.checks import close

REPLIES = 2_500
"""Of each kind of question; there are four."""
REFUSALS = (WireError, RemoteError, AssertionError, ClosedError, TooLateError, TypeError, AttributeError, LookupError)
"""How an examination may end without points; the last three come from the test cell, which reads what is not there."""
WANT = [1.5, -2.0]
BODY = np.array(WANT, "<f4").tobytes()
TENSOR = ["T", "float32", [2], 0, 8, -1]
HANDLE = {"value": ["h", 0, "function", True]}


HOSTILE: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**53 + 1, -(2**63), 10**400, 1e308, "", "nan", "\ud800", [], {}, [[]]),
    *(["f", "nan"], ["f", "inf"], ["i", "1" * 5000], ["i", "0x2"], ["l"], ["t", 1.5, -2.0], ["l", 1.5, -2.0]),
    *(["n", "Result", ["nelbo"], 1.5], ["d", ["a", 1]], ["h", 0, "Liar", True], ["c", 0], ["E"], ["D", "float32"]),
    *(["S", None, None, None], ["G", 0, 8], ["A", "float32", [2], 0, 8], ["A", "object", [1], 0, 8]),
    *(["T", "float32", [2], 0, 8, 0], ["T", "float64", [1], 0, 8, -1], ["T", "float32", [2**31, 2**31], 0, 8, -1]),
    *(["T", "float32", [0, 2**30], 0, 0, -1], ["T", "float32", [-2], 0, 8, -1], ["T", "float32", [2], -8, 8, -1]),
    *(["T", "float32", [2], 2**60, 8, -1], ["T", "float32", [1, 2], 0, 8, -1]),
]


def stated(node: Any, body: bytes) -> Any:
    """The numbers that a node states, as a plain reading of the format has it; None if it states none."""
    if type(node) in (int, float):
        return np.asarray(node, float)
    try:
        if node[0] in ("l", "t") and all(type(number) in (int, float) for number in node[1:]):
            return np.asarray(node[1:], float)
        tag, dtype, shape, start, length, *_ = node
        numbers = np.frombuffer(body[start : start + length], dtype=np.dtype(dtype)).reshape(shape)
        return numbers if tag in ("T", "A") else None
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def says(node: Any, body: bytes, want: Any) -> bool:
    """Does this node state the right numbers?"""
    numbers = stated(node, body)
    return numbers is not None and numbers.shape == np.shape(want) and np.allclose(numbers, want, 1e-4, 1e-6)


def numbers(student: Any) -> None:
    """Asks for a tensor."""
    assert close(student.f(torch.ones(2)), torch.tensor(WANT), "wrong numbers")


def truth(student: Any) -> None:
    """Asks for something that is true."""
    assert student.f(torch.ones(2)) is True


def several(student: Any) -> None:
    """Asks for a named tuple and reads its fields."""
    result = student.f(torch.ones(2))
    assert close(result.loss, WANT[0], "wrong loss")
    assert close(result.terms["all"], torch.tensor(WANT), "wrong terms")


def gradients(student: Any) -> None:
    """Asks for a loss and for its gradient."""
    x = torch.ones(2, requires_grad=True)
    loss = student.f(x)
    assert close(loss, WANT[0], "wrong loss")
    loss.backward()
    assert close(x.grad, torch.tensor(WANT), "wrong gradient")


SEVERAL = ["n", "Result", ["loss", "terms"], ["T", "float32", [], 0, 4, -1], ["d", ["all", TENSOR]]]
LOSS = {"value": ["T", "float32", [], 0, 4, 0], "graph": 1, "parameters": [None]}
Right = Callable[[list[Any], list[bytes]], bool]
QUESTIONS: dict[str, tuple[Callable[[Any], None], list[dict[str, Any]], Right]] = {
    "numbers": (numbers, [{"value": TENSOR}], lambda headers, bodies: says(headers[0]["value"], bodies[0], WANT)),
    "truth": (truth, [{"value": True}], lambda headers, _: headers[0]["value"] is True),
    "several": (
        several,
        [{"value": SEVERAL}],
        lambda headers, bodies: (
            says(field(headers[0], "loss"), bodies[0], WANT[0])
            and says(dict(field(headers[0], "terms")[1:])["all"], bodies[0], WANT)
        ),
    ),
    "gradients": (
        gradients,
        [LOSS, {"value": ["l", TENSOR]}],
        lambda headers, bodies: (
            says(headers[0]["value"], bodies[0], WANT[0]) and says(headers[1]["value"][1], bodies[1], WANT)
        ),
    ),
}


def field(header: Any, name: str) -> Any:
    """The node of a named tuple's field."""
    _, _, fields, *values = header["value"]
    return values[fields.index(name)]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all nodes of a JSON value."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def changed_reply(header: dict[str, Any], draw: random.Random) -> Any:
    """The reply with one to three of its nodes exchanged, doubled or dropped."""
    header = json.loads(json.dumps(header))
    for _ in range(draw.randint(1, 3)):
        *way, last = draw.choice([place for place in places(header) if place])
        parent = header
        for key in way:
            parent = parent[key]
        what = draw.random()
        if what < 0.7:
            parent[last] = copy.deepcopy(draw.choice(HOSTILE))
        elif what < 0.85 and isinstance(parent, list):
            parent.insert(draw.randint(0, len(parent)), parent[last])
        elif isinstance(parent, dict):
            key = draw.choice(["op", "raised", "graph", "parameters", "value", "number"])
            parent[key] = copy.deepcopy(draw.choice(HOSTILE))
        else:
            del parent[last]
        if not places(header)[1:]:
            break
    return header


def wire(header: dict[str, Any], draw: random.Random) -> tuple[bytes, Any, bytes]:
    """A changed frame, with the header and body that it states (None: none that can be read)."""
    body, how = BODY, draw.random()
    said: Any = changed_reply(header, draw) if 0.1 <= how < 0.75 else header
    if how > 0.9:
        changed = bytearray(body)
        changed[draw.randrange(8)] ^= 1 << draw.randrange(8)
        body = bytes(changed)
    text = json.dumps(said).encode("utf-8", "surrogatepass")
    if 0.75 <= how <= 0.9:
        scratched = bytearray(text)
        scratched[draw.randrange(len(text))] = draw.randrange(256)
        text = bytes(scratched)
        try:
            said = json.loads(text.decode())
        except ValueError:
            said = None
    lengths = [len(text), len(body)]
    if draw.random() < 0.05:
        which, lie = draw.randrange(2), draw.choice([-1, 1, 2**20, 2**40, 2**62])
        lengths[which] += lie
        if (which, lie) == (1, -1):
            body = body[:-1]
        else:
            said = None
        return struct.pack(">QQ", *lengths) + text + BODY, said, body
    return struct.pack(">QQ", *lengths) + text + body, said, body


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_changed_reply_is_refused_or_right(name: str) -> None:
    question, replies, right = QUESTIONS[name]
    accepted = refused = 0
    slowest = 0.0
    for number in range(REPLIES):
        draw = random.Random(f"{name} {number}")
        frames = [wire(reply, draw) for reply in replies]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            handle = json.dumps(HANDLE).encode()
            theirs.sendall(struct.pack(">QQ", len(handle), 0) + handle + b"".join(frame for frame, _, _ in frames))
            theirs.shutdown(socket.SHUT_WR)
            begin = time.monotonic()
            try:
                question(Student(Link(ours, Patience(10))))
            except REFUSALS:
                refused += 1
            else:
                accepted += 1
                assert right([header for _, header, _ in frames], [body for _, _, body in frames]), (number, frames)
            slowest = max(slowest, time.monotonic() - begin)
    assert accepted + refused == REPLIES
    assert accepted > REPLIES / 1000 and refused > REPLIES / 2  # neither all nor none
    assert slowest < 5
