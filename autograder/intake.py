"""Sorts out what students handed in: zips, folders and single files become `<student>/<problem>/<problem>.ipynb`.

Nothing is executed and nothing is extracted blindly: regular files only, links are not followed, every byte is counted
while it is read. What was odd is said, student by student.
"""

from __future__ import annotations

import io
import json
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.errors import SetupError
from autograder.hand_in import TIME_FILE, time_text
from autograder.submission import LOG_NAME, MAX_BYTES, MAX_LOG_BYTES

MAX_FILES = 2_000
"""Files looked at for one student."""
MAX_TOTAL = 500 * 2**20
"""Bytes read for one student."""
MARKUP = frozenset('<>"')
"""What a student's name must not hold: it would be markup in nbgrader's pages."""
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


@dataclass
class Taken:
    """What was taken from one student."""

    student: str
    notebook: str = ""
    """Where the notebook was; empty if there is none."""
    notes: list[str] = field(default_factory=list)
    """What was odd, for staff."""


class _TooMuchError(Exception):
    """A file in a zip cannot be read, or goes beyond a limit."""


def take_in(source: Path, problem: str, to: Path, times: Mapping[str, datetime] | None = None) -> list[Taken]:
    """Takes in the hand-ins of a class.

    Args:
        source: a folder or a zip; in it one folder, zip or notebook per student, named after the student.
        problem: problem id.
        to: the folder for `autograder grade --submitted`; what it holds for other students or problems stays.
        times: when the course platform says that each student handed in (`hand_in.read_times`); without it nobody is
            late.

    Returns:
        One entry per student, by name.

    Raises:
        SetupError: the source is neither folder nor zip, holds nobody, or `to` cannot be written.
    """
    groups: dict[str, list[Found]] = {}
    for student, files in _by_student(source, problem):
        groups.setdefault(student, []).extend(islice(files, MAX_FILES + 1))
    if not groups:
        raise SetupError(f"{source} holds no hand-ins; expected one folder, zip or notebook per student.")
    if len(groups) == 1:
        _refuse_a_folder_around_the_class(source, *groups.values())
    taken = [take(student, groups[student], problem, to) for student in sorted(groups)]
    if times is not None:
        for one in taken:
            _note_time(one, times.get(one.student), to / one.student / problem)
    return taken


def _refuse_a_folder_around_the_class(source: Path, files: list[Found]) -> None:
    """Where all hand-ins lie in one folder, that folder would count as one student, and the others would be lost."""
    inner: dict[str, set[str]] = {}
    for found in files:
        parts = PurePosixPath(found.path).parts
        if len(parts) > 2 and found.path.lower().endswith(".ipynb"):
            inner.setdefault(parts[0], set()).add(parts[1])
    for top, students in inner.items():
        if len(students) > 1:
            mend = f"name {source / top}" if source.is_dir() else f"unpack it and name the folder {top} in it"
            raise SetupError(
                f"{source} holds one folder, {top!r}, and notebooks lie in {len(students)} folders below it: is that "
                f"the whole class? Then {mend} as the source. Folders at the top count as students; nothing was "
                "taken in."
            )


def _note_time(taken: Taken, moment: datetime | None, folder: Path) -> None:
    from autograder.writing import write_bytes

    if moment is None:
        taken.notes.append("has no hand-in time in the list: counts as handed in in time")
    elif taken.notebook:
        write_bytes(folder / TIME_FILE, time_text(moment))


def _by_student(source: Path, problem: str) -> Iterator[tuple[str, Iterator[Found]]]:
    """The students' names, each with the files that stand under that name."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.is_symlink() or _IGNORED.search(path.name):
                continue
            if path.is_dir():
                yield student_id(path.name), _in_folder(path, path.name)
            elif path.suffix.lower() in (".zip", ".ipynb"):
                yield student_id(_without_problem(path.stem, problem)), _of_file(path, path.name)
    elif source.is_file() and zipfile.is_zipfile(source):
        archive = zipfile.ZipFile(source)  # stays open: what is found is read later
        for found in _in_zip(archive, "", 0):
            top = PurePosixPath(found.path).parts[0]
            if top == PurePosixPath(found.path).name or top.lower().endswith(".zip"):
                top = _without_problem(PurePosixPath(top).stem, problem)
            yield student_id(top), iter([found])
    else:
        raise SetupError(f"{source} is neither a folder nor a zip.")


def student_id(name: str) -> str:
    """A name as a folder can have it: no separators, no control characters, no dot at the start.

    Nor any markup.

    Raises:
        SetupError: nothing is left of it.
    """
    cleaned = "".join(
        c for c in unicodedata.normalize("NFC", name) if c not in {"/", "\\", "\0", *MARKUP} and c.isprintable()
    )
    cleaned = cleaned.strip().lstrip(".").strip()
    if not cleaned:
        raise SetupError(f"{name!r} cannot be a student's name; rename the file or folder.")
    return cleaned


def _without_problem(stem: str, problem: str) -> str:
    """`ada_vae` and `vae-ada` are hand-ins of `ada`."""
    short = re.sub(rf"(^{problem}[ _.-]+|[ _.-]+{problem}(\s*\(\d+\))?$)", "", stem, flags=re.IGNORECASE)
    return short or stem


def _in_folder(folder: Path, shown: str) -> Iterator[Found]:
    for path in sorted(folder.rglob("*")):
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        if not _IGNORED.search(name) and not any(p.is_symlink() for p in (path, *path.parents) if p != folder.parent):
            if path.is_file():
                yield from _of_file(path, name)


def _of_file(path: Path, shown: str) -> Iterator[Found]:
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
            yield from _in_zip(zipfile.ZipFile(io.BytesIO(data)), f"{shown}/", depth)
    except (zipfile.BadZipFile, ValueError, OSError, _TooMuchError) as error:
        trouble = f"is damaged ({error})"
    if trouble:
        yield Found(shown, (), read, trouble)


def _in_zip(archive: zipfile.ZipFile, shown: str, depth: int) -> Iterator[Found]:
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name = f"{shown}{info.filename}"
        kind = stat.S_IFMT(info.external_attr >> 16)
        unsafe = info.filename.startswith("/") or ".." in PurePosixPath(info.filename).parts
        if info.is_dir() or _IGNORED.search(info.filename) or unsafe or kind not in (0, stat.S_IFREG):
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
        raise _TooMuchError(f"{info.filename} cannot be unpacked ({error})") from None
    if len(data) > MAX_BYTES:
        raise _TooMuchError(f"{info.filename} has more than {MAX_BYTES // 2**20} MiB unpacked")
    return data


def files_in(folder: Path) -> list[Found]:
    """The files that one student handed in, zips opened: at most `MAX_FILES`, and one more if there are more."""
    folder = folder.resolve()
    return list(islice(_in_folder(folder, folder.name), MAX_FILES + 1))


def take(student: str, files: list[Found], problem: str, to: Path) -> Taken:
    """Chooses notebook and log of one student and writes them to `<to>/<student>/<problem>`."""
    from autograder.writing import write_bytes

    taken = Taken(student, notes=[f"{file.path} {file.trouble}" for file in files if file.trouble])
    if len(files) > MAX_FILES:
        taken.notes.append(f"more than {MAX_FILES:,} files; the others were not looked at")
    notebooks = sorted(
        (file for file in files if file.path.lower().endswith(".ipynb")),
        key=lambda file: (file.changed, file.path),
        reverse=True,
    )
    named = [file for file in notebooks if PurePosixPath(file.path).name == f"{problem}.ipynb"]
    total, chosen = 0, None
    for file in [*named, *(file for file in notebooks if file not in named)]:
        try:
            data = file.read()
        except (_TooMuchError, OSError) as error:
            taken.notes.append(f"{file.path} cannot be read: {error}")
            continue
        total += len(data)
        if len(data) > MAX_BYTES or total > MAX_TOTAL:
            taken.notes.append(f"{file.path} is too large")
        elif (named_problem := problem_of(data)) not in ("", problem):
            taken.notes.append(f"{file.path} is the notebook of another problem ({named_problem})")
        else:
            chosen = file, data
            break
    if chosen is None:
        taken.notes.append("no notebook was handed in")
        return taken
    file, data = chosen
    taken.notebook = file.path
    if PurePosixPath(file.path).name != f"{problem}.ipynb":
        taken.notes.append(f"{file.path} stands under another name than {problem}.ipynb")
    if len(notebooks) > 1:
        others = ", ".join(other.path for other in notebooks if other is not file)
        taken.notes.append(f"several notebooks; {file.path} was taken, not {others}")
    write_bytes(to / student / problem / f"{problem}.ipynb", data)
    folder = PurePosixPath(file.path).parent
    for log in files:
        if PurePosixPath(log.path).name == LOG_NAME and PurePosixPath(log.path).parent == folder:
            write_bytes(to / student / problem / LOG_NAME, log.read()[:MAX_LOG_BYTES])
    return taken


def problem_of(data: bytes) -> str:
    """Which problem does a notebook say that it is? Empty if it does not say, or cannot be read."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
        named = document["metadata"]["homework"]["problem"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return named if isinstance(named, str) else ""
