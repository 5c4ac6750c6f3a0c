"""Frames between examiner and sandbox: two big-endian 64-bit lengths, a JSON object, a body of raw bytes."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from typing import Any, Protocol

_LENGTHS = struct.Struct(">QQ")
_SMALL = 1 << 18
"""Maximum bytes of a body that is sent together with its header."""


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_WITHOUT_ESCAPES = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class WireError(Exception):
    """A frame is invalid or exceeds a limit; on the trusted side the student's item then fails."""


class UnsendableError(WireError, TypeError):
    """A value cannot be sent to the other side."""


class ClosedError(BaseException):
    """The other side's process ended or closed the connection.

    Like `TooLateError`, it is not an `Exception`, so that no `except Exception` in a test or in student code catches
    it.
    """


class TooLateError(BaseException):
    """The other side did not answer in time."""


class Deadline(Protocol):
    """A time limit that may be extended while one waits."""

    def left(self) -> float:
        """Seconds after which to ask again; not positive once the time is over."""


@dataclass(frozen=True)
class Limits:
    """Size limits of one frame."""

    header: int = 8 * 2**20
    """Bytes of JSON."""
    body: int = 128 * 2**20
    """Bytes of tensors."""
    depth: int = 40
    """Nesting of lists and dicts."""
    values: int = 1_000_000
    """Number of values in the header, and of lists and objects in its JSON."""


LIMITS = Limits()


def send_frame(
    sock: socket.socket, header: dict[str, Any], body: bytes | bytearray = b"", deadline: Deadline | None = None
) -> None:
    """Sends one frame.

    Args:
        sock: a stream socket.
        header: plain JSON values.
        body: raw bytes that the header refers to by position.
        deadline: when sending ends; None: never.

    Raises:
        ClosedError: the other side closed the connection.
        TooLateError: the other side did not read in time.
        UnsendableError: header or body exceeds `LIMITS`.
    """
    text = _ENCODER.encode(header).encode("utf-8")
    if len(text) > LIMITS.header or len(body) > LIMITS.body:
        raise UnsendableError(f"a value of {len(text) + len(body):,} bytes is too large")
    start = _LENGTHS.pack(len(text), len(body)) + text
    # a small body is sent with the header, so that the other side wakes up only once
    parts = (start + body,) if len(body) <= _SMALL else (start, body)
    for data in parts:
        rest = memoryview(data)
        while rest:
            _wait_until(sock, deadline)
            try:
                rest = rest[sock.send(rest) :]
            except TimeoutError:
                continue
            except OSError as error:
                raise ClosedError(str(error)) from None


def receive_frame(sock: socket.socket, deadline: Deadline | None = None, limits: Limits = LIMITS) -> tuple[Any, bytes]:
    """Reads one frame: its header (a JSON object with well-formed strings) and its body.

    Args:
        sock: a stream socket.
        deadline: when waiting ends; None: never.
        limits: maximum sizes; a larger frame is refused before it is read.

    Raises:
        ClosedError: the other side closed the connection.
        TooLateError: it did not come in time.
        WireError: a length exceeds the limits, or the header is not a JSON object.
    """
    header_length, body_length = _LENGTHS.unpack(_read(sock, _LENGTHS.size, deadline))
    if header_length > limits.header or body_length > limits.body:
        raise WireError(f"a frame of {header_length + body_length:,} bytes is larger than allowed")
    rest = _read(sock, header_length + body_length, deadline)
    text, body = rest[:header_length], rest[header_length:]
    if len(text) > limits.values and text.count(b"[") + text.count(b"{") > limits.values:  # each takes 60 bytes
        raise WireError("a frame's header has too many parts")
    try:
        header = _DECODER.decode(text.decode("utf-8"))
        if b"\\ud" in text or b"\\uD" in text:  # valid UTF-8 has no lone surrogates, only escapes can produce them
            written = _WITHOUT_ESCAPES.encode(header).encode("utf-8", "replace")
            header = _DECODER.decode(written.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError(f"a frame's header is not JSON: {error}") from None
    if type(header) is not dict:
        raise WireError("a frame's header is not an object")
    return header, body


def _wait_until(sock: socket.socket, deadline: Deadline | None) -> None:
    if deadline is None:
        sock.settimeout(None)
        return
    left = deadline.left()
    if left <= 0:
        raise TooLateError
    sock.settimeout(left)


def _read(sock: socket.socket, count: int, deadline: Deadline | None) -> bytes:
    chunks: list[bytes] = []
    while count:
        _wait_until(sock, deadline)
        try:
            chunk = sock.recv(min(count, 1 << 20))
        except TimeoutError:
            continue
        except OSError as error:
            raise ClosedError(str(error)) from None
        if not chunk:
            raise ClosedError("the connection was closed")
        chunks.append(chunk)
        count -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
