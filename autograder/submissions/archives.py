"""Lists submitted files in folders, zips and tar archives, without extracting them to disk.

Only regular files are read, links are not followed, and the number of bytes read is limited.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.submissions.reader import MAX_BYTES
from autograder.submissions.tars import TarEntry, entries
from autograder.submissions.zip_directory import DirectoryError, opened_zip

MAX_FILES = 2_000
"""Maximum number of notebooks, logs and faulty files of one student that are listed."""
MAX_OTHERS = 20
"""Maximum number of a student's other files that are listed."""
MAX_ENTRIES = 100_000
"""Maximum number of files and folders of one student that are examined, in one archive or in total."""
MAX_UNPACKED = 400 * 2**20
"""Maximum total bytes of archives that are opened for one student."""
MAX_NESTING = 2
"""Maximum depth of nested archives."""
_ARCHIVE = re.compile(r"\.(zip|(?P<tar>tar|tar\.gz|tgz))$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_UTF_8 = 0x800
"""Flag of a file in a zip whose name is UTF-8."""
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.(?!ipynb_checkpoints(/|$))[^/]*)(/|$)")
_CHECKPOINT = re.compile(r"(^|/)\.ipynb_checkpoints/")


@dataclass(frozen=True)
class Found:
    """One submitted file."""

    path: str
    """Its path, with `/`; archives count as folders."""
    read: Callable[[], bytes]
    fault: str = ""
    """Why an archive cannot be opened; empty if there is no error."""
    own_name: str = ""
    """The student's name for the file, if the platform added a prefix."""

    @property
    def name(self) -> str:
        """The student's name for the file."""
        return self.own_name or PurePosixPath(self.path).name

    @property
    def is_notebook(self) -> bool:
        """Whether the name is a notebook's."""
        return self.name.lower().endswith(".ipynb")

    @property
    def is_relevant(self) -> bool:
        """Whether the file is a notebook, a `.json` (perhaps the log), or an archive that cannot be opened."""
        return self.is_notebook or self.name.lower().endswith(".json") or self.fault != ""

    @property
    def is_checkpoint(self) -> bool:
        """Whether Jupyter wrote it beside the notebook, as the state when it was last saved."""
        return _CHECKPOINT.search(self.path) is not None


@dataclass(frozen=True)
class Member:
    """One regular file in an archive."""

    path: str
    """Its path in the archive."""
    read: Callable[[], bytes]
    is_exact: bool = True
    """Whether the archive stores the first part of the path as it is here: not with `\\`, `./` or another encoding."""


class ArchiveError(Exception):
    """A file in an archive cannot be read, or exceeds a limit."""


@dataclass
class Room:
    """What may still be opened of one student's archives."""

    bytes: int = field(default_factory=lambda: MAX_UNPACKED)
    entries: int = field(default_factory=lambda: MAX_ENTRIES)

    def take(self, entries: int) -> None:
        """Counts entries of an archive.

        Raises:
            ArchiveError: they are too many.
        """
        self.entries -= entries
        if self.entries < 0:
            raise ArchiveError(f"was not opened: the archives hold more than {MAX_ENTRIES:,} files")


def is_archive(name: str) -> bool:
    """Returns whether a file of this name is opened like a folder."""
    return _ARCHIVE.search(name) is not None


def is_tar(name: str) -> bool:
    """Returns whether a file of this name is a tar archive."""
    found = _ARCHIVE.search(name)
    return found is not None and found["tar"] is not None


def is_ignored(path: str) -> bool:
    """Returns whether a path is hidden or written by systems and editors, like `.DS_Store`; checkpoints are not."""
    return _IGNORED.search(path) is not None


def files_in(folder: Path) -> list[Found]:
    """The submitted files of one student that `relevant_files` selects, including files in archives."""
    folder = folder.resolve()
    return relevant_files(in_folder(folder, folder.name))


def relevant_files(files: Iterable[Found]) -> list[Found]:
    """The first `MAX_FILES` files that are `Found.is_relevant`, one more if there are more, and some others."""
    relevant: list[Found] = []
    others: list[Found] = []
    for file in islice(files, MAX_ENTRIES):
        if file.is_checkpoint and not file.is_notebook:
            continue
        if file.is_relevant:
            relevant.append(file)
            if len(relevant) > MAX_FILES:
                break
        elif len(others) < MAX_OTHERS:
            others.append(file)
    return relevant + others


def in_folder(folder: Path, shown: str) -> Iterator[Found]:
    """The files below a folder; their paths begin with `shown`."""
    waiting, room = [(folder, shown)], Room()
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
                yield from of_file(Path(entry.path), f"{name}/{entry.name}", room)


def of_file(path: Path, shown: str, room: Room | None = None) -> Iterator[Found]:
    """A file, or the files in it if it is an archive; nothing if it is not a regular file."""
    if not stat.S_ISREG(path.stat(follow_symlinks=False).st_mode):
        return

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    if is_archive(path.name):
        yield from _in_bytes(read, shown, 1, room or Room())
    else:
        yield Found(shown, read)


def _in_bytes(read: Callable[[], bytes], shown: str, depth: int, room: Room) -> Iterator[Found]:
    """The files in an archive in memory; if it cannot be opened, the archive itself with the reason.

    Args:
        read: returns the archive's bytes.
        shown: the archive's path.
        depth: its nesting depth; 1 for an archive that is in no other archive.
        room: what may still be opened for this student; updated.
    """
    try:
        if depth > MAX_NESTING:
            raise ArchiveError("is an archive nested too deeply (zip in zip in zip); it was not opened")
        if room.bytes <= 0:
            raise ArchiveError(f"was not opened: the archives have more than {MAX_UNPACKED // 2**20} MiB in total")
        room.bytes -= MAX_BYTES // 100  # an archive that cannot be opened also costs time
        data = read()
        room.bytes -= len(data)
        if len(data) > MAX_BYTES:
            raise ArchiveError(f"has more than {MAX_BYTES // 2**20} MiB")
        members = _tar_members(data, room) if is_tar(shown) else zip_members(opened_zip(data, room.entries, room.take))
    except (ArchiveError, DirectoryError) as error:
        yield Found(shown, read, str(error))
    except Exception as error:  # a damaged archive may raise any error of its decompressor
        yield Found(shown, read, f"is damaged ({error})")
    else:
        yield from in_archive(members, f"{shown}/", depth, room)


def in_archive(members: Iterable[Member], shown: str, depth: int, room: Room | None = None) -> Iterator[Found]:
    """The files among these members, and those in the archives among them; each path begins with `shown`."""
    room = room or Room()
    for member in sorted(members, key=lambda member: member.path):
        name = f"{shown}{member.path}"
        if is_archive(name):
            yield from _in_bytes(member.read, name, depth + 1, room)
        else:
            yield Found(name, member.read)


def zip_members(archive: zipfile.ZipFile) -> list[Member]:
    """The regular files in a zip, which must stay open."""
    found = []
    for info in archive.infolist():
        is_regular = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
        name = _zip_name(info)
        if is_regular and (path := _path_inside(name)):
            found.append(Member(path, partial(_unpacked, archive, info), _is_exact(info, path)))
    return found


def _is_exact(info: zipfile.ZipInfo, path: str) -> bool:
    top = path.split("/")[0]
    return info.orig_filename.split("/")[0] == top and (top.isascii() or bool(info.flag_bits & _UTF_8))


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name of a file in a zip. macOS writes UTF-8 without the flag that says so; Python then reads cp437."""
    if info.flag_bits & _UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _tar_members(data: bytes, room: Room) -> list[Member]:
    """The regular files in a tar archive, compressed or not; `room` is updated as in `_in_bytes`.

    Raises:
        ArchiveError: it is too large unpacked, or has too many entries.
    """
    if data.startswith(_GZIP):
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            data = packed.read(MAX_BYTES + 1)
        room.bytes -= len(data)
        if len(data) > MAX_BYTES:
            raise ArchiveError(f"has more than {MAX_BYTES // 2**20} MiB unpacked")
    found = []
    for entry in entries(data):
        room.take(1)
        if entry.is_regular and (path := _path_inside(entry.name)):
            found.append(Member(path, partial(_part, data, entry)))
    return found


def _part(data: bytes, file: TarEntry) -> bytes:
    return data[file.start : file.start + file.size]


def _path_inside(name: str) -> str:
    """The path of a file in its archive; empty if it is a folder's, unsafe or `is_ignored`."""
    path = name.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    inside = "/".join(parts)
    unsafe = path.startswith("/") or ".." in parts
    return "" if not inside or path.endswith("/") or unsafe or is_ignored(inside) else inside


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a file in a zip, limited while reading, since the size in the archive's header may be false.

    Raises:
        ArchiveError: it is damaged or too large.
    """
    try:
        with archive.open(info) as file:
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # any error of the decompressor
        raise ArchiveError(f"{_zip_name(info)} cannot be unpacked ({error})") from None
    if len(data) > MAX_BYTES:
        raise ArchiveError(f"{_zip_name(info)} has more than {MAX_BYTES // 2**20} MiB unpacked")
    return data
