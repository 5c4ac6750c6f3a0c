"""Lists submitted files in folders and zips, without extracting them to disk.

Only regular files are read, links are not followed, and the number of bytes read is limited.
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
"""Maximum number of notebooks, logs and faulty files of one student that are listed."""
MAX_ENTRIES = 100_000
"""Maximum number of files of one student that are examined, in one zip or in total."""
MAX_UNPACKED = 400 * 2**20
"""Maximum total bytes of zips that are opened for one student."""
_MATTERS = re.compile(r"\.(ipynb|json)$", re.IGNORECASE)
MAX_NESTING = 2
"""Maximum depth of nested zips."""
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.ipynb_checkpoints|\.[^/]*)(/|$)")


@dataclass(frozen=True)
class Found:
    """One submitted file."""

    path: str
    """Its path, with `/`; zips count as folders."""
    changed: tuple[int, ...]
    """Modification time from the archive or the disk; only used to choose between several notebooks."""
    read: Callable[[], bytes]
    trouble: str = ""
    """Why a zip cannot be opened; empty if there is no error."""
    own_name: str = ""
    """The student's name for the file, if the platform added a prefix."""

    @property
    def name(self) -> str:
        """The student's name for the file."""
        return self.own_name or PurePosixPath(self.path).name


class ArchiveError(Exception):
    """A file in a zip cannot be read, or exceeds a limit."""


def is_ignored(path: str) -> bool:
    """Returns whether a path is hidden or written by systems and editors, like `.DS_Store`."""
    return _IGNORED.search(path) is not None


def files_in(folder: Path) -> list[Found]:
    """The submitted files of one student that `relevant_files` selects, including files in zips."""
    folder = folder.resolve()
    return relevant_files(in_folder(folder, folder.name))


def relevant_files(files: Iterable[Found]) -> list[Found]:
    """The first `MAX_FILES` notebooks, JSON files and faulty zips among these files, and one more if there are more."""
    looked_at = islice(files, MAX_ENTRIES)
    return list(islice((file for file in looked_at if file.trouble or _MATTERS.search(file.name)), MAX_FILES + 1))


def in_folder(folder: Path, shown: str) -> Iterator[Found]:
    """The files below a folder; their paths begin with `shown`."""
    waiting = [(folder, shown)]
    while waiting:  # no recursion: a submission may nest thousands of folders
        where, name = waiting.pop()
        try:
            entries = sorted(os.scandir(where), key=lambda entry: entry.name, reverse=True)
        except OSError:  # the path is too long, or the folder is not readable
            continue
        inner = [entry for entry in entries if entry.is_dir(follow_symlinks=False) and not is_ignored(entry.name)]
        waiting += [(Path(entry.path), f"{name}/{entry.name}") for entry in inner]
        for entry in reversed(entries):
            if entry.is_file(follow_symlinks=False) and not is_ignored(entry.name):
                yield from of_file(Path(entry.path), f"{name}/{entry.name}")


def of_file(path: Path, shown: str) -> Iterator[Found]:
    """A file, or the files in it if it is a zip; nothing if it is not a regular file."""
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
    """The files in a zip in memory; if it cannot be opened, the zip itself with the reason.

    Args:
        read: returns the zip's bytes.
        shown: the zip's path.
        depth: its nesting depth; 1 for a zip that is in no other zip.
        left: one number, the bytes of zips that may still be opened for this student; updated.
    """
    try:
        if depth > MAX_NESTING:
            raise ArchiveError("is a zip nested too deeply (zip in zip in zip); it was not opened")
        if left[0] <= 0:
            raise ArchiveError(f"was not opened: the zips have more than {MAX_UNPACKED // 2**20} MiB in total")
        left[0] -= MAX_BYTES // 100  # a zip that cannot be opened also costs time
        data = read()
        left[0] -= len(data)
        if len(data) > MAX_BYTES:
            raise ArchiveError(f"has more than {MAX_BYTES // 2**20} MiB")
        archive = zipfile.ZipFile(io.BytesIO(data))
        if len(archive.infolist()) > MAX_ENTRIES:
            raise ArchiveError(f"holds more than {MAX_ENTRIES:,} files")
    except ArchiveError as error:
        yield Found(shown, (), read, str(error))
    except Exception as error:  # a damaged zip may raise any error of its decompressor
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
    """The files in a zip, or only those in `infos`; their paths begin with `shown`. The zip must stay open."""
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
    """The path of a file in its zip; empty if it is not a regular file, its path is unsafe or `is_ignored`."""
    path = info.filename.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    kind = stat.S_IFMT(info.external_attr >> 16)
    unsafe = path.startswith("/") or ".." in parts or kind not in (0, stat.S_IFREG)
    inside = "/".join(parts)
    return "" if not inside or path.endswith("/") or unsafe or is_ignored(inside) else inside


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one member, limited while reading, since the size in the archive's header may be false.

    Raises:
        ArchiveError: it is damaged or too large.
    """
    try:
        with archive.open(info) as file:
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # any error of the decompressor
        raise ArchiveError(f"{info.filename} cannot be unpacked ({error})") from None
    if len(data) > MAX_BYTES:
        raise ArchiveError(f"{info.filename} has more than {MAX_BYTES // 2**20} MiB unpacked")
    return data
