"""The files that somebody handed in, in folders and in zips, found without unpacking or running anything.

Regular files only, links are not followed, every byte is counted while it is read.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.submission import MAX_BYTES

MAX_FILES = 2_000
"""Files looked at for one student."""
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
    return list(islice(in_folder(folder, folder.name), MAX_FILES + 1))


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
        yield from _in_bytes(read, shown, 1)
    else:
        yield Found(shown, (status.st_mtime_ns,), read)


def _in_bytes(read: Callable[[], bytes], shown: str, depth: int) -> Iterator[Found]:
    """The files in a zip that is held in memory; one file with its trouble if it cannot be looked into."""
    trouble = ""
    try:
        data = read()
        if depth > MAX_NESTING:
            trouble = "is a zip in a zip in a zip"
        elif len(data) > MAX_BYTES:
            trouble = f"has more than {MAX_BYTES // 2**20} MiB"
        else:
            yield from in_zip(zipfile.ZipFile(io.BytesIO(data)), f"{shown}/", depth)
    except (zipfile.BadZipFile, ValueError, OSError, TooMuchError) as error:
        trouble = f"is damaged ({error})"
    if trouble:
        yield Found(shown, (), read, trouble)


def in_zip(archive: zipfile.ZipFile, shown: str, depth: int) -> Iterator[Found]:
    """The files in a zip, which must stay open; `shown` is put in front of their names."""
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name = f"{shown}{info.filename}"
        kind = stat.S_IFMT(info.external_attr >> 16)
        unsafe = info.filename.startswith("/") or ".." in PurePosixPath(info.filename).parts
        if info.is_dir() or is_ignored(info.filename) or unsafe or kind not in (0, stat.S_IFREG):
            continue
        read = partial(_read_member, archive, info)
        if name.lower().endswith(".zip"):
            yield from _in_bytes(read, name, depth + 1)
        else:
            yield Found(name, info.date_time, read)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one member; what the archive says of its size is not believed."""
    try:
        with archive.open(info) as file:
            data = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise TooMuchError(f"{info.filename} cannot be unpacked ({error})") from None
    if len(data) > MAX_BYTES:
        raise TooMuchError(f"{info.filename} has more than {MAX_BYTES // 2**20} MiB unpacked")
    return data
