"""Opens a student's zip, and counts the entries of its directory before Python makes an object for each."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

AN_ENTRY = 256
"""Maximum bytes of the directory for each entry that a student may have; names of 100 to 150 bytes are usual."""
_LONGEST_EXTRA = 1024
"""Maximum bytes of an entry's extra fields, which Python reads in time that grows with their square."""
_BEGIN, _ENTRY = b"PK\1\2", 46
"""How a directory begins, and the bytes of an entry without its name, extra fields and comment."""


class DirectoryError(Exception):
    """The directory of a zip is too large."""


def opened_zip(data: bytes, most: int, counted: Callable[[int], None]) -> zipfile.ZipFile:
    """A student's zip in memory.

    Args:
        data: its bytes.
        most: the maximum number of entries.
        counted: gets the number of entries, at most one more than `most`, and raises if there are too many.

    Raises:
        DirectoryError: the directory is too large.
    """
    file = _ZipBytes(data, most, counted)
    archive = zipfile.ZipFile(file)
    file.is_listed = True
    return archive


class _ZipBytes(io.BytesIO):
    """The bytes of a zip. They count its entries when `ZipFile` reads its directory, all at once, to list them.

    So the limit holds wherever `ZipFile` finds the directory, whatever number of entries the zip claims to have.
    """

    def __init__(self, data: bytes, most: int, counted: Callable[[int], None]) -> None:
        super().__init__(data)
        self._most, self._counted = most, counted
        self.is_listed = False
        """Whether the directory has been read."""

    def read(self, size: int | None = -1) -> bytes:
        """Reads as usual, and counts if it is the directory."""
        if not self.is_listed and (size or 0) > (most := max(self._most, 1000) * AN_ENTRY):
            raise DirectoryError(f"was not opened: its directory has more than {most:,} bytes")
        data = super().read(size)
        if not self.is_listed and data.startswith(_BEGIN):
            self._counted(_entries_in(data, self._most + 1))
        return data


def _entries_in(directory: bytes, most: int) -> int:
    """The number of entries in a directory, at most `most`."""
    found, position = 0, 0
    while found < most and position + _ENTRY <= len(directory):
        name, extra, comment = struct.unpack_from("<3H", directory, position + 28)
        if extra > _LONGEST_EXTRA:
            raise DirectoryError(f"was not opened: an entry of its directory has over {_LONGEST_EXTRA:,} extra bytes")
        position += _ENTRY + name + extra + comment
        found += 1
    return found
