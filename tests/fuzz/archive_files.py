"""Writes zips and tars that no honest program writes: odd kinds of entries, dates, flags, false sizes and offsets."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Iterable
from random import Random

_DATES = [(1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58), (2026, 2, 30, 25, 61, 62)]
_METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
_MODES = [0, stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR]
_EXTRAS = [b"", b"", b"\x75\x70\x05\0\x01\0\0\0\0", b"\1\0\x18\0" + b"\xff" * 24, b"odd"]
_FIELDS = {
    b"PK\1\2": [(6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (38, 4), (42, 4)],
    b"PK\3\4": [(4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)],
    b"PK\5\6": [(4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)],
}
"""Fields of the headers of a zip, as offset and length: flags, method, date, checksum, sizes, lengths, offsets."""
_VALUES = [0, 1, 8, 9, 99, 2**16 - 1, 2**31, 2**32 - 1]
_TYPES = [*[tarfile.REGTYPE] * 6, *(bytes([kind]) for kind in b"1234567SLKxgZ")]
_PAX = [{}, {}, {"path": "/toy.ipynb"}, {"size": "99999999999"}, {"mtime": "nan"}, {"path": "\0"}]
LINK = "../honest/toy/toy.ipynb"
"""Where links in archives lead: to the notebook of an honest student."""


def zipped(entries: Iterable[tuple[str, bytes]], draw: Random) -> bytes:
    """A zip with these names and contents, and with anything in its other fields."""
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w") as archive:
        warnings.simplefilter("ignore")  # a name that occurs twice
        for name, content in entries:
            info = zipfile.ZipInfo("x", draw.choice(_DATES))
            info.filename = name.encode("utf-8", "replace").decode()
            info.compress_type, info.extra = draw.choice(_METHODS), draw.choice(_EXTRAS)
            mode = draw.choice(_MODES)
            info.external_attr = mode << 16
            try:
                archive.writestr(info, LINK.encode() if stat.S_ISLNK(mode) else content)
            except (ValueError, zipfile.LargeZipFile):
                continue  # a name that not even this writer takes
        archive.comment = draw.choice([b"", b"PK\5\6" + b"\0" * 18])
    return _patched(data.getvalue(), draw) if draw.random() < 0.5 else data.getvalue()


def _patched(data: bytes, draw: Random) -> bytes:
    """A zip with false values in its headers."""
    found = bytearray(data)
    for _ in range(draw.choice([1, 1, 3])):
        mark = draw.choice(list(_FIELDS))
        start = data.find(mark, draw.choice([0, data.find(mark) + 1]))
        offset, length = draw.choice(_FIELDS[mark])
        value = draw.choice([*_VALUES, draw.getrandbits(32)]) % 256**length
        if start >= 0:
            found[start + offset : start + offset + length] = value.to_bytes(length, "little")
    return bytes(found)


def tarred(entries: Iterable[tuple[str, bytes]], draw: Random) -> bytes:
    """A tar, perhaps compressed, with these names and contents, and with anything in its other fields."""
    data = io.BytesIO()
    form = draw.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    with tarfile.open(fileobj=data, mode="w", format=form, errors="surrogateescape") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.type, info.pax_headers = draw.choice(_TYPES), draw.choice(_PAX)
            info.size, info.linkname = len(content), draw.choice(["", LINK, "/etc/passwd", name])
            info.mtime = draw.choice([0, 1, 2**33, -1, 10**14, 1e300])
            try:
                archive.addfile(info, io.BytesIO(content))
            except (ValueError, OverflowError):
                continue  # a value that not even this writer takes
    return gzip.compress(data.getvalue(), 1, mtime=0) if draw.random() < 0.5 else data.getvalue()
