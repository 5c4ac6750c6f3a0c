"""Lists what is in a tar archive in memory.

It replaces Python's `tarfile`, which some hostile archives keep busy for ever (sparse maps, long headers). It reads
POSIX archives (ustar, pax) and GNU's with long names; sparse files, links and devices are no regular files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = 512
_LONGEST_NAME = 4096
_REGULAR = (b"0", b"\0", b"7")
_LONGEST_PAX = 2**20
_LONG_NAME, _PAX = b"L", b"x"


class TarError(Exception):
    """The data is not a tar archive, or it is damaged."""


@dataclass(frozen=True)
class TarEntry:
    """One header in a tar archive, with the bytes that belong to it."""

    name: str
    start: int
    """Where its bytes begin in the archive."""
    size: int
    is_regular: bool
    """Whether it is a regular file, and not a folder, a link or a part of another header."""


def entries(data: bytes) -> Iterator[TarEntry]:
    """Yields what each header describes, in order, as soon as the header is read.

    Raises:
        TarError: not a tar archive, or damaged.
    """
    position, given = 0, ""
    while header := data[position : position + _BLOCK].rstrip(b"\0"):
        header = header.ljust(_BLOCK, b"\0")
        _check(header)
        size, kind, start = _number(header[124:136]), header[156:157], position + _BLOCK
        position = start + -(-size // _BLOCK) * _BLOCK
        if start + size > len(data):
            raise TarError("the archive ends too early")
        name, is_regular = "", False
        if kind == _LONG_NAME:
            given = _text(data[start : start + min(size, _LONGEST_NAME)])
        elif kind == _PAX:
            if size > _LONGEST_PAX:
                raise TarError("a header is too long")
            given = _path_in_pax(data[start : start + size]) or given
        else:
            is_regular = kind in _REGULAR
            prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
            name = given or "/".join(filter(None, (prefix, _text(header[:100]))))
            given = ""
        yield TarEntry(name, start, size, is_regular)
    if not data.strip(b"\0"):
        raise TarError("the archive is empty")


def _check(header: bytes) -> None:
    whole = sum(header[:148]) + sum(header[156:]) + 8 * ord(" ")
    if _number(header[148:156]) != whole:
        raise TarError("a header's checksum is wrong")


def _number(field: bytes) -> int:
    if field[0] >= 0x80:  # GNU's form of large numbers
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0")[0].strip() or b"0"
    if not digits.isdigit():
        raise TarError("a header holds no number where one is expected")
    return int(digits, 8)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "replace")


def _path_in_pax(records: bytes) -> str:
    """The value of `path` among records `<length> <key>=<value>\\n`; empty if there is none."""
    position = 0
    while position < len(records):
        length = records[position : position + 20].split(b" ")[0]
        if not length.isdigit() or int(length) <= len(length):
            raise TarError("a header's record has no length")
        key, _, value = records[position + len(length) + 1 : position + int(length) - 1].partition(b"=")
        if key == b"path":
            return _text(value[:_LONGEST_NAME])
        position += int(length)
    return ""
