"""The files that somebody handed in, in folders and in zips, found without unpacking or running anything.

Regular files only, links are not followed, every byte is counted while it is read.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.submissions.reader import MAX_BYTES

MAX_FILES = 2_000
"""Files looked at for one student."""
MAX_ENTRIES = 100_000
"""Files of one student that are counted at all, in one zip or altogether."""
MAX_UNPACKED = 400 * 2**20
"""Bytes of zips within one student's files that are unpacked to look into them."""
_MATTERS = re.compile(r"\.(ipynb|json)$", re.IGNORECASE)
MAX_NESTING = 2
"""Zips inside zips."""
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.ipynb_checkpoints|\.[^/]*)(/|$)")


@dataclass(frozen=True)
class Found:
    """One file that somebody handed in."""

    path: str
    """Where it was, with `/` and zips named like folders."""
    changed: tuple[int, ...]
    """When it was changed last, as far as the archive or the disk knows: only to choose between two hand-ins."""
    read: Callable[[], bytes]
    trouble: str = ""
    """Why it cannot be looked into, if it is a zip that cannot."""
    own_name: str = ""
    """The name that the student gave it, if the platform put something before it."""

    @property
    def name(self) -> str:
        """Name of the file, as the student called it."""
        return self.own_name or PurePosixPath(self.path).name


class TooMuchError(Exception):
    """A file in a zip cannot be read, or goes beyond a limit."""


def is_ignored(path: str) -> bool:
    """Is it what systems and editors leave behind, as `.DS_Store`?"""
    return _IGNORED.search(path) is not None


def files_in(folder: Path) -> list[Found]:
    """The files that one student handed in, zips opened: at most `MAX_FILES`, and one more if there are more."""
    folder = folder.resolve()
    return some_of(in_folder(folder, folder.name))


def some_of(files: Iterable[Found]) -> list[Found]:
    """Those that may matter, at most `MAX_FILES` of them and one more if there are more: notebooks, logs, troubles."""
    looked_at = islice(files, MAX_ENTRIES)
    return list(islice((file for file in looked_at if file.trouble or _MATTERS.search(file.name)), MAX_FILES + 1))


def in_folder(folder: Path, shown: str) -> Iterator[Found]:
    """The files below a folder, which is shown under that name."""
    waiting = [(folder, shown)]
    while waiting:  # no recursion: somebody may have nested thousands
        where, name = waiting.pop()
        try:
            entries = sorted(os.scandir(where), key=lambda entry: entry.name, reverse=True)
        except OSError:  # a path that is too long for the system, or a folder that nobody may read
            continue
        inner = [entry for entry in entries if entry.is_dir(follow_symlinks=False) and not is_ignored(entry.name)]
        waiting += [(Path(entry.path), f"{name}/{entry.name}") for entry in inner]
        for entry in reversed(entries):
            if entry.is_file(follow_symlinks=False) and not is_ignored(entry.name):
                yield from of_file(Path(entry.path), f"{name}/{entry.name}")


def of_file(path: Path, shown: str) -> Iterator[Found]:
    """One file, or those in it if it is a zip; nothing if it is not a regular one."""
    status = path.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        return

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    if path.suffix.lower() == ".zip":
        yield from _in_bytes(read, shown, 1, [MAX_UNPACKED])
    else:
        yield Found(shown, (status.st_mtime_ns,), read)


def _in_bytes(read: Callable[[], bytes], shown: str, depth: int, left: list[int]) -> Iterator[Found]:
    """The files in a zip that is held in memory; one file with its trouble if it cannot be looked into.

    Args:
        read: gives the zip.
        shown: what it is called.
        depth: how many zips it lies in, itself counted.
        left: how many bytes of zips may still be unpacked for this student; changed.
    """
    try:
        if depth > MAX_NESTING:
            raise TooMuchError("is a zip in a zip in a zip")
        if left[0] <= 0:
            raise TooMuchError(f"is one of too many zips: more than {MAX_UNPACKED // 2**20} MiB in all")
        left[0] -= MAX_BYTES // 100  # even one that cannot be unpacked costs time
        data = read()
        left[0] -= len(data)
        if len(data) > MAX_BYTES:
            raise TooMuchError(f"has more than {MAX_BYTES // 2**20} MiB")
        archive = zipfile.ZipFile(io.BytesIO(data))
        if len(archive.infolist()) > MAX_ENTRIES:
            raise TooMuchError(f"holds more than {MAX_ENTRIES:,} files")
    except TooMuchError as error:
        yield Found(shown, (), read, str(error))
    except Exception as error:  # a damaged zip raises whatever its compression raises
        yield Found(shown, (), read, f"is damaged ({error})")
    else:
        yield from in_zip(archive, f"{shown}/", depth, left=left)


def in_zip(
    archive: zipfile.ZipFile,
    shown: str,
    depth: int,
    infos: Iterable[zipfile.ZipInfo] | None = None,
    left: list[int] | None = None,
) -> Iterator[Found]:
    """The files in a zip, which must stay open, or only some of them; `shown` is put in front of their names."""
    left = [MAX_UNPACKED] if left is None else left
    for info in sorted(archive.infolist() if infos is None else infos, key=lambda info: info.filename):
        inside = path_inside(info)
        if not inside:
            continue
        name = f"{shown}{inside}"
        read = partial(_read_member, archive, info)
        if name.lower().endswith(".zip"):
            yield from _in_bytes(read, name, depth + 1, left)
        else:
            yield Found(name, info.date_time, read)


def path_inside(info: zipfile.ZipInfo) -> str:
    """Where a file lies in its zip; empty for what is no regular file below it, or is left behind by systems."""
    path = info.filename.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    kind = stat.S_IFMT(info.external_attr >> 16)
    unsafe = path.startswith("/") or ".." in parts or kind not in (0, stat.S_IFREG)
    inside = "/".join(parts)
    return "" if not inside or path.endswith("/") or unsafe or is_ignored(inside) else inside


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one member; what the archive says of its size is not believed."""
    try:
        with archive.open(info) as file:
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # whatever the compression raises
        raise TooMuchError(f"{info.filename} cannot be unpacked ({error})") from None
    if len(data) > MAX_BYTES:
        raise TooMuchError(f"{info.filename} has more than {MAX_BYTES // 2**20} MiB unpacked")
    return data
