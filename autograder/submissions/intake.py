"""Sorts submissions: archives, folders and single files become `<student>/<problem>/<problem>.ipynb`.

No code is executed, and no archive is extracted to disk (see `archives`). Problems are noted for each student.
"""

from __future__ import annotations

import logging
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath

from autograder.core.errors import SetupError
from autograder.core.files import write_bytes
from autograder.core.student_key import student_key
from autograder.core.text import listed, printable
from autograder.course.problem import Problem
from autograder.submissions.archives import (
    ArchiveError,
    Found,
    Member,
    in_archive,
    in_folder,
    is_archive,
    is_ignored,
    of_file,
    relevant_files,
    zip_members,
)
from autograder.submissions.platforms import Owner, is_of_platform, owners, platform_of, typed_text
from autograder.submissions.student_ids import LOG, StudentIds, Submitter, owner, student_ids, usable_id
from autograder.submissions.student_import import IntakeResult, import_student
from autograder.submissions.submitters import known_students, record
from autograder.submissions.timestamps import TIME_FILE, time_text
from autograder.submissions.uploads import Upload, record_upload

_log = logging.getLogger("autograder")
_NO_PENALTY = "on time for the late policy, unless --times says when"


@dataclass(frozen=True)
class _TopEntry:
    """One top-level file or folder of the source."""

    name: str
    is_file: bool
    """False for a folder."""
    files: Iterator[Found]
    twin: int = 0
    """0, or which other entry of this name it is: a zip may have two, which it stores in different ways."""


@dataclass(frozen=True)
class _Part:
    """A top-level file or folder of one student."""

    owner: Owner
    entry: _TopEntry
    written: str
    """The owner's name as the platform writes it; a roster may give another."""
    platform: str = ""
    """The platform by whose pattern the name was read; empty if there is none."""

    @property
    def submitter(self) -> Submitter:
        """Whose it is."""
        return Submitter(self.owner.name, self.written, self.owner.number, self.entry.twin)

    @property
    def files(self) -> Iterator[Found]:
        """Its files, with the student's name for a file to which the platform added a prefix."""
        for found in self.entry.files:
            yield replace(found, own_name=self.owner.file) if found.path == self.entry.name else found

    @property
    def upload(self) -> Upload:
        """Its name in the download."""
        return Upload(self.entry.name, self.owner.file, self.entry.is_file, self.platform)


def import_class(
    source: Path,
    problem: Problem,
    to: Path,
    times: Mapping[str, datetime] | None = None,
    numbers: Mapping[str, str] | None = None,
) -> list[IntakeResult]:
    """Takes in the submissions of a class.

    Args:
        source: a folder or a zip with one folder, archive or notebook per student, named after the student, or a
            download from a course platform (`platforms.PLATFORMS`).
        problem: the problem.
        to: the folder for `autograder grade --submitted`; files in it for other students or problems stay.
        times: student id → submission time on the course platform (see `timestamps.read_times`); if None, no
            submission is late.
        numbers: Canvas's number of a student → student id; if None, the names from Canvas become student ids.

    Returns:
        One entry per student, sorted by student id.

    Raises:
        SetupError: the source is neither folder nor zip, has no submissions, or `to` cannot be written.
    """
    groups: dict[Submitter, list[_Part]] = defaultdict(list)
    for part in _parts(source, problem.id, numbers):
        groups[part.submitter].append(part)
    if not groups:
        raise SetupError(f"{source} contains no submissions; expected one folder, zip or notebook per student.")
    ids = student_ids(groups, known_students(to), times or ())
    alike = _about_the_alike(ids, groups)
    moments = None if times is None else {student_key(student): moment for student, moment in times.items()}
    is_alone = len(groups) == 1
    taken, late = [], []
    for student, submitter in sorted(((student, one) for one, student in ids.ids.items()), key=lambda pair: pair[0]):
        parts = groups.pop(submitter)
        notes = [*_about_the_number(parts[0].owner, numbers), *_about_the_name(submitter)]
        counted, earlier = _last_attempt(parts)
        if earlier:
            names = listed([printable(part.entry.name) for part in earlier], 5)
            notes.append(f"the last attempt counts; not used: {names}")
        notes += filter(None, (_about_typed_text(part) for part in counted if part.owner.is_typed))
        files = relevant_files(chain.from_iterable(part.files for part in counted if not part.owner.is_typed))
        if is_alone and not parts[0].owner.is_of_platform:
            _refuse_a_folder_around_the_class(source, files)
        one = import_student(student, files, problem, to)
        record(to / student, submitter)
        record_upload(to / student / problem.id, _upload(counted, one.notebook))
        one.notes[:0] = notes
        doubts = [*_about_several(parts, files), *alike.get(student, ())]
        one.notes += doubts
        one.is_doubtful |= doubts != []
        moment = None if moments is None else moments.pop(student_key(student), None)
        if moments is not None:
            _note_time(one, moment, to / student / problem.id)
        if moment is None and any(part.owner.is_late for part in counted):
            one.notes.append(f"{parts[0].platform} says late, but not when; {_NO_PENALTY}")
            late.append(student)
        taken.append(one)
    strangers = sorted(student for student in times or () if student_key(student) in (moments or ()))
    if strangers:
        _log.warning("listed submission times without a submission: %s", ", ".join(map(printable, strangers)))
    if late:
        names = listed(list(map(printable, late)), 10)
        _log.warning("late on the platform, but without a submission time: %s; %s", names, _NO_PENALTY)
    return taken


def _upload(parts: list[_Part], notebook: str) -> Upload | None:
    """The upload to which feedback belongs: that with the notebook, else the first one; None if all text was typed."""
    uploads = {part.entry.name: part.upload for part in parts if not part.owner.is_typed}
    with_notebook = uploads.get(PurePosixPath(notebook).parts[0]) if notebook else None
    return with_notebook or next(iter(uploads.values()), None)


def _about_the_number(submitter: Owner, numbers: Mapping[str, str] | None) -> Iterator[str]:
    if numbers is not None and submitter.number not in numbers:
        number = submitter.number
        why = f"Canvas's number {number} is not on the roster" if number else "the Canvas number is unclear"
        yield f"{why}; the folder has the name that Canvas uses: rename it"


def _about_the_name(submitter: Submitter) -> Iterator[str]:
    """A note if a name was changed."""
    if student_key(submitter.name) != student_key(usable_id(submitter.name)):
        yield f"submitted under the name {submitter.name!r}, which is not a valid student name"


def _about_the_alike(ids: StudentIds, groups: Mapping[Submitter, list[_Part]]) -> dict[str, list[str]]:
    """Student → a note if there are submissions under names that may be taken for the student's."""
    if not ids.alike:
        return {}
    shown = {}
    for one, student in ids.ids.items():
        files = listed([printable(part.entry.name) for part in groups[one]], 3)
        shown[student] = f"{_spelled(one.name)} ({files}) is {student}"
    return {
        student: [
            "names that may be taken for each other are kept apart: "
            + listed(
                [shown.get(each, f"{each} is of an earlier import") for each in (student, *_without(student, all_))], 5
            )
            + "; check whose they are"
        ]
        for student, all_ in ids.alike.items()
    }


def _without(student: str, others: Iterable[str]) -> list[str]:
    return [other for other in others if other != student]


def _about_several(parts: list[_Part], files: list[Found]) -> Iterator[str]:
    """A note if several files or folders, none named by a platform, hold notebooks of one student."""
    tops = {part.entry.name for part in parts if not (part.owner.is_of_platform or part.owner.file)}
    holding = {PurePosixPath(found.path).parts[0] for found in files if found.is_notebook and not found.is_checkpoint}
    if len(both := sorted(tops & holding)) > 1:
        yield f"{listed([printable(top) for top in both], 5)} all have this student's name and hold notebooks"


def _spelled(name: str) -> str:
    """The name, with the code points if it is not ASCII: two Unicode forms look the same."""
    return repr(name) if name.isascii() else f"{name!r} ({ascii(name)[1:-1]})"


def _last_attempt(parts: list[_Part]) -> tuple[list[_Part], list[_Part]]:
    """The parts of a student's last attempt, and those of earlier ones."""
    last = max(part.owner.attempt for part in parts)
    earlier = [part for part in parts if part.owner.attempt != last]
    return [part for part in parts if part.owner.attempt == last], earlier


def _about_typed_text(part: _Part) -> str:
    """A note about text that the student typed on the platform; empty if there is none."""
    for found in part.files:
        try:
            text = typed_text(found.read())
        except (ArchiveError, OSError) as error:
            return f"{found.path} cannot be read: {error}"
        if text:
            return f"text was typed on the platform, which is not graded: {found.path}: {printable(text, 100)!r}"
    return ""


def _refuse_a_folder_around_the_class(source: Path, files: list[Found]) -> None:
    """Raises if one top-level folder seems to contain the whole class; it would count as a single student."""
    inner = defaultdict(set)
    for found in files:
        parts = PurePosixPath(found.path).parts
        if len(parts) > 2 and found.is_notebook and not found.is_checkpoint and not is_archive(parts[0]):
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


def _parts(source: Path, problem_id: str, numbers: Mapping[str, str] | None) -> Iterator[_Part]:
    """The top-level files and folders with their owners; a student may have several."""
    hidden: list[str] = []
    entries = list(_at_the_top(source, hidden))
    files = {entry.name for entry in entries if entry.is_file and not is_of_platform(entry.name)}
    folders = {entry.name for entry in entries if not entry.is_file}
    platform = platform_of({name for name in files if _is_usual(name)} or files, folders=False)
    of_folders = platform_of(folders, folders=True)
    if numbers is not None and (platform is None or platform.name != "Canvas"):
        raise SetupError(
            f"{source} is not a Canvas *Download Submissions* archive (files name_123_456_file at the top); a "
            "Canvas roster cannot be used with it."
        )
    file_owners = owners(platform, files, numbers or ()) if platform else {}
    folder_owners = owners(of_folders, folders) if of_folders else {}
    for entry in entries:
        if entry.name in files and entry.is_file:
            submitter = file_owners.get(entry.name) or owner(entry.name, problem_id)
            written = submitter.name
            if numbers and submitter.number in numbers:  # `number` is empty if it is ambiguous
                submitter = replace(submitter, name=numbers[submitter.number])
            yield _Part(submitter, entry, written, platform.name if platform and entry.name in file_owners else "")
        elif not entry.is_file:
            submitter = folder_owners.get(entry.name) or Owner(entry.name)
            known = of_folders.name if of_folders and entry.name in folder_owners else ""
            yield _Part(submitter, entry, submitter.name, known)
    if ignored := sorted(printable(entry.name, 60) for entry in entries if entry.is_file and entry.name not in files):
        _log.warning("%s: ignored, because they are not a student's submission: %s", source, listed(ignored, 10))
    if hidden:
        names = listed(sorted(printable(name, 60) for name in hidden), 10)
        _log.warning("%s: ignored, because they are hidden or links; rename those of students: %s", source, names)


def _is_usual(name: str) -> bool:
    """Returns whether students should submit files of this name: a zip, a notebook or a log."""
    return name.lower().endswith((".zip", ".ipynb")) or LOG.search(name) is not None


def _at_the_top(source: Path, hidden: list[str]) -> Iterator[_TopEntry]:
    """The top-level entries; adds to `hidden` the names of those left out that might be a student's."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.is_symlink() or _is_hidden(path.name):
                hidden += [] if _OF_SYSTEMS.match(path.name) else [path.name]
            elif path.is_dir():
                yield _TopEntry(path.name, False, in_folder(path, path.name))
            else:
                yield _TopEntry(path.name, True, of_file(path, path.name))
    elif source.is_file() and zipfile.is_zipfile(source):
        archive = zipfile.ZipFile(source)  # stays open: the files are read later, student by student
        tops = {name.replace("\\", "/").removeprefix("./").partition("/")[0] for name in archive.namelist()}
        hidden += [top for top in tops if _is_hidden(top) and top not in ("..", "") and not _OF_SYSTEMS.match(top)]
        for (top, twin), members in sorted(_by_top(zip_members(archive)).items()):
            if not _is_hidden(top):
                yield _TopEntry(top, any(member.path == top for member in members), in_archive(members, "", 0), twin)
    else:
        raise SetupError(f"{source} is not a folder or a zip.")


def _by_top(members: Iterable[Member]) -> dict[tuple[str, int], list[Member]]:
    """The members of each top-level entry: its name and its twin. What a zip stores exactly comes first."""
    tops: dict[str, dict[tuple[bool, int], list[Member]]] = defaultdict(lambda: defaultdict(list))
    seen: Counter[str] = Counter()
    for member in sorted(members, key=lambda member: not member.is_exact):
        again = seen[member.path]
        seen[member.path] += 1
        tops[member.path.partition("/")[0]][not member.is_exact, again].append(member)
    return {
        (top, twin): found
        for top, ways in tops.items()
        for twin, (_, found) in enumerate(sorted(ways.items(), key=lambda way: way[0]))
    }


_OF_SYSTEMS = re.compile(r"__MACOSX|\._|\.(DS_Store|git|gitignore|ipynb_checkpoints|Trash-\d+|uploaded_as\.json|venv)$")
"""Names of hidden entries that are never a student's."""


def _is_hidden(top: str) -> bool:
    return top.startswith(".") or is_ignored(top)
