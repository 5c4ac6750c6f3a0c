"""Lists the regular files of a tar archive in memory.

It replaces Python's `tarfile`, which some hostile archives keep busy for ever (sparse maps, long headers). It reads
POSIX archives (ustar, pax) and GNU's with long names; sparse files, links and devices are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = 512
_LONGEST_NAME = 4096
_REGULAR = (b"0", b"\0", b"7")
_LONG_NAME, _PAX = b"L", b"x"


class TarError(Exception):
    """The data is not a tar archive, or it is damaged."""


@dataclass(frozen=True)
class TarFile:
    """A regular file in a tar archive."""

    name: str
    changed: int
    """Modification time in seconds."""
    start: int
    """Where its bytes begin in the archive."""
    size: int


def regular_files(data: bytes) -> Iterator[TarFile]:
    """Yields the regular files in order.

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
        if kind == _LONG_NAME:
            given = _text(data[start : start + min(size, _LONGEST_NAME)])
        elif kind == _PAX:
            given = _path_in_pax(data[start : start + size]) or given
        else:
            if kind in _REGULAR:
                prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
                name = given or "/".join(filter(None, (prefix, _text(header[:100]))))
                yield TarFile(name, _number(header[136:148]), start, size)
            given = ""
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
