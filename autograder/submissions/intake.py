"""Sorts submissions: zips, folders and single files become `<student>/<problem>/<problem>.ipynb`.

No code is executed, and no archive is extracted to disk (see `archives`). Problems are noted for each student.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath

from autograder.core.errors import SetupError
from autograder.core.files import write_bytes
from autograder.core.text import listed, printable
from autograder.submissions.archives import (
    MAX_FILES,
    ArchiveError,
    Found,
    in_folder,
    in_zip,
    is_ignored,
    of_file,
    path_inside,
    relevant_files,
)
from autograder.submissions.reader import LOG_NAME, MAX_BYTES, MAX_LOG_BYTES, is_overgrown
from autograder.submissions.student_ids import LOG, Owner, are_from_canvas, owner, owner_on_canvas, student_ids
from autograder.submissions.timestamps import TIME_FILE, time_text

_log = logging.getLogger("autograder")

MAX_TOTAL = 500 * 2**20
"""Maximum bytes to read for one student."""


@dataclass
class IntakeResult:
    """The result of intake for one student."""

    student: str
    notebook: str = ""
    """Path of the notebook in the source; empty if there is none."""
    notes: list[str] = field(default_factory=list)
    """Problems found, for staff."""


@dataclass(frozen=True)
class _TopEntry:
    """One top-level file or folder of the source."""

    name: str
    is_file: bool
    """False for a folder."""
    files: Iterator[Found]


def import_class(
    source: Path,
    problem: str,
    to: Path,
    times: Mapping[str, datetime] | None = None,
    numbers: Mapping[str, str] | None = None,
) -> list[IntakeResult]:
    """Takes in the submissions of a class.

    Args:
        source: a folder or a zip with one folder, zip or notebook per student, named after the student, or a download
            from Canvas.
        problem: problem id.
        to: the folder for `autograder grade --submitted`; files in it for other students or problems stay.
        times: student id → submission time on the course platform (see `timestamps.read_times`); if None, no
            submission is late.
        numbers: Canvas's number of a student → student id; if None, the names from Canvas become student ids.

    Returns:
        One entry per student, sorted by student id.

    Raises:
        SetupError: the source is neither folder nor zip, has no submissions, or `to` cannot be written.
    """
    groups: dict[str, list[Iterator[Found]]] = defaultdict(list)
    owners: dict[str, Owner] = {}
    for submitter, files in _by_student(source, problem, numbers):
        owners.setdefault(submitter.name, submitter)
        groups[submitter.name].append(files)
    if not groups:
        raise SetupError(f"{source} contains no submissions; expected one folder, zip or notebook per student.")
    if len(groups) == 1:
        [(only, files_of)] = groups.items()
        found = relevant_files(chain.from_iterable(files_of))
        _refuse_a_folder_around_the_class(source, found)
        groups[only] = [iter(found)]
    names = defaultdict(list)
    for name, student in student_ids(groups).items():
        names[student].append(name)
    taken = []
    for student, own in sorted(names.items()):
        submitted = chain.from_iterable(chain.from_iterable(groups.pop(name) for name in own))
        one = import_student(student, relevant_files(submitted), problem, to)
        one.notes[:0] = [
            f"submitted under the name {name!r}, which is not a valid student name" for name in own if name != student
        ]
        number = owners[own[0]].number
        if numbers is not None and number not in numbers:
            why = f"Canvas's number {number} is not on the roster" if number else "the Canvas number is unclear"
            one.notes.insert(0, f"{why}; the folder has the name that Canvas uses: rename it")
        if times is not None:
            _note_time(one, times.get(student), to / student / problem)
        taken.append(one)
    strangers = sorted(set(times or ()) - set(names))
    if strangers:
        _log.warning("listed submission times without a submission: %s", ", ".join(map(printable, strangers)))
    return taken


def _refuse_a_folder_around_the_class(source: Path, files: list[Found]) -> None:
    """Raises if one top-level folder seems to contain the whole class; it would count as a single student."""
    inner = defaultdict(set)
    for found in files:
        parts = PurePosixPath(found.path).parts
        if len(parts) > 2 and found.path.lower().endswith(".ipynb") and not parts[0].lower().endswith(".zip"):
            inner[parts[0]].add(parts[1])
    for top, students in inner.items():
        if len(students) > 1:
            fix = f"use {source / top}" if source.is_dir() else f"unpack it and use the folder {top} in it"
            raise SetupError(
                f"{source} contains one folder, {top!r}, with notebooks in {len(students)} folders below it. If it is "
                f"the whole class, {fix} as the source. Each folder at the top counts as one student; nothing was "
                "imported."
            )


def _note_time(taken: IntakeResult, moment: datetime | None, folder: Path) -> None:
    if moment is None:
        taken.notes.append("has no submission time in the list; counts as on time")
        (folder / TIME_FILE).unlink(missing_ok=True)  # of an earlier submission
    elif taken.notebook:
        write_bytes(folder / TIME_FILE, time_text(moment))


def _by_student(
    source: Path, problem: str, numbers: Mapping[str, str] | None
) -> Iterator[tuple[Owner, Iterator[Found]]]:
    """Pairs of a student and files of that student; a student may occur in several pairs."""
    entries = list(_at_the_top(source))
    from_canvas = are_from_canvas(entry.name for entry in entries if entry.is_file and _is_known(entry.name))
    if numbers is not None and not from_canvas:
        raise SetupError(
            f"{source} is not a Canvas *Download Submissions* archive (files name_123_456_file at the top); a "
            "Canvas roster cannot be used with it."
        )
    ignored = []
    for entry in entries:
        if not entry.is_file:
            yield Owner(entry.name), entry.files
            continue
        submitter = owner_on_canvas(entry.name, numbers) if from_canvas else owner(entry.name, problem)
        if submitter is None or not (from_canvas or _is_known(entry.name)):
            ignored.append(printable(entry.name, 60))
            continue
        if numbers and submitter.number in numbers:  # `number` is empty if it is ambiguous
            submitter = replace(submitter, name=numbers[submitter.number])
        yield submitter, _as_named(entry, submitter.file)
    if ignored:
        names = listed(sorted(ignored), 10)
        _log.warning("%s: ignored, because not a folder, zip, notebook or log: %s", source, names)


def _as_named(entry: _TopEntry, own_name: str) -> Iterator[Found]:
    for found in entry.files:
        yield replace(found, own_name=own_name) if found.path == entry.name else found


def _is_known(name: str) -> bool:
    """Returns whether students may submit a file of this name: a zip, a notebook or a log."""
    return name.lower().endswith((".zip", ".ipynb")) or LOG.search(name) is not None


def _at_the_top(source: Path) -> Iterator[_TopEntry]:
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.is_symlink() or is_ignored(path.name):
                continue
            if path.is_dir():
                yield _TopEntry(path.name, False, in_folder(path, path.name))
            else:
                yield _TopEntry(path.name, True, of_file(path, path.name))
    elif source.is_file() and zipfile.is_zipfile(source):
        archive = zipfile.ZipFile(source)  # stays open: the files are read later, student by student
        tops = defaultdict(list)
        for info in archive.infolist():
            if inside := path_inside(info):
                tops[inside.partition("/")[0]].append(info)
        for top, infos in sorted(tops.items()):
            yield _TopEntry(top, any(path_inside(info) == top for info in infos), in_zip(archive, "", 0, infos))
    else:
        raise SetupError(f"{source} is not a folder or a zip.")


def import_student(student: str, files: list[Found], problem: str, to: Path) -> IntakeResult:
    """Chooses notebook and log of one student and writes them to `<to>/<student>/<problem>`."""
    taken = IntakeResult(student, notes=[f"{file.path} {file.trouble}" for file in files if file.trouble])
    if len(files) > MAX_FILES:
        taken.notes.append(f"more than {MAX_FILES:,} files; the others were ignored")
    folder = to / student / problem
    notebook = _take_notebook(taken, files, problem, folder)
    _take_log(taken, files, notebook, folder)
    return taken


def _take_notebook(taken: IntakeResult, files: list[Found], problem: str, to: Path) -> Found | None:
    """Chooses and writes the notebook: the right problem's, then the right name, then the newest."""
    notebooks = [file for file in files if file.name.lower().endswith(".ipynb")]
    notebooks.sort(key=lambda file: (file.name == f"{problem}.ipynb", file.changed, file.path), reverse=True)
    total = 0
    for file in notebooks:
        if total > MAX_TOTAL:
            taken.notes.append(f"{file.path} was ignored: the files before it are too large")
            continue
        try:
            data = file.read()
        except (ArchiveError, OSError) as error:
            taken.notes.append(f"{file.path} cannot be read: {error}")
            total += MAX_BYTES  # upper bound of what was read
            continue
        total += len(data)
        if len(data) > MAX_BYTES or total > MAX_TOTAL:
            taken.notes.append(f"{file.path} is too large")
        elif (named_problem := problem_of(data)) not in ("", problem):
            taken.notes.append(f"{file.path} is the notebook of another problem ({named_problem})")
        else:
            break
    else:
        taken.notes.append(f"no notebook of {problem} was submitted" if notebooks else "no notebook was submitted")
        to.mkdir(parents=True, exist_ok=True)  # so that grading reports the missing notebook
        return None
    taken.notebook = file.path
    if file.name != f"{problem}.ipynb":
        taken.notes.append(f"{file.path} is not named {problem}.ipynb; it was used anyway")
    if len(notebooks) > 1:
        others = ", ".join(other.path for other in notebooks if other is not file)
        taken.notes.append(f"several notebooks; {file.path} was used (right name, then newest), not {others}")
    write_bytes(to / f"{problem}.ipynb", data)
    return file


def _take_log(taken: IntakeResult, files: list[Found], notebook: Found | None, to: Path) -> None:
    """Takes the log beside the notebook, else the only log."""
    if notebook is None and any(to.glob("*.ipynb")):
        taken.notes.append("the notebook and the log of an earlier submission are kept")
        return
    logs = [file for file in files if LOG.fullmatch(file.name)]
    here = PurePosixPath(notebook.path).parent if notebook else None
    beside = [log for log in logs if log.name == LOG_NAME and here in (None, PurePosixPath(log.path).parent)]
    if notebook:
        (to / LOG_NAME).unlink(missing_ok=True)  # of an earlier submission
    if len(beside) != 1 and len(logs) > 1:
        taken.notes.append(f"several logs, but none beside the notebook is named {LOG_NAME}; none was read")
        return
    for log in (beside or logs)[:1]:
        try:
            data = log.read()
        except (ArchiveError, OSError) as error:
            taken.notes.append(f"{log.path} cannot be read: {error}")
            return
        if not beside:
            taken.notes.append(f"{log.path} was used as {LOG_NAME}")
        write_bytes(to / LOG_NAME, data[: MAX_LOG_BYTES + 1])


def problem_of(data: bytes) -> str:
    """The problem id in a notebook's metadata; empty if there is none or the notebook cannot be read."""
    if is_overgrown(data):
        return ""
    try:
        named = json.loads(data.decode("utf-8-sig"))["metadata"]["homework"]["problem"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return named if isinstance(named, str) else ""
