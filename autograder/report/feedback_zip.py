"""Puts the feedback pages of a class into a zip with the names of the course platform's download.

The platforms find the student by these names when staff upload the zip: Canvas by the two numbers before the student's
name for the file, Moodle and Brightspace by the name of the student's folder.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from autograder.core.errors import SetupError
from autograder.core.files import write_bytes
from autograder.core.results import Status
from autograder.core.student_key import student_key
from autograder.core.text import listed, printable
from autograder.core.zips import zip_of
from autograder.course.config import root_folder
from autograder.report.load import Entry, Run, read_runs
from autograder.submissions.class_folder import notebook_path, students_in
from autograder.submissions.reader import UnusableError, read_bytes
from autograder.submissions.uploads import RECORD, recorded_upload


@dataclass(frozen=True)
class FeedbackZip:
    """A zip that was written, and who is not in it."""

    path: Path
    students: tuple[str, ...]
    """The students whose pages are in it, sorted."""
    platforms: tuple[str, ...]
    """The platforms whose names it has; without those of folders that `intake` took as ids."""
    left_out: tuple[tuple[str, str], ...]
    """(Student, why the page is not in it)."""
    absent: tuple[str, ...]
    """Students who submitted nothing for the problem."""
    notes: tuple[str, ...]
    """Remarks for staff."""


def write_feedback_zip(
    problem: str, submitted: Path, out: Path, to: Path, *, unfinished: bool = False, root: Path | None = None
) -> FeedbackZip:
    """Writes the zip.

    Args:
        problem: the problem's id.
        submitted: the folder that `autograder intake` wrote; it has the names of the uploads.
        out: the folder that `autograder grade` wrote; it has the pages.
        to: the zip.
        unfinished: whether pages are in it on which an item needs manual grading.
        root: the course's root folder.

    Raises:
        SetupError: a folder has no submissions or no results for the problem, no page can be returned, or the zip
            cannot be written.
        SourceError: the problem has no source.
    """
    runs, _ = read_runs(out, root or root_folder())
    run = next((run for run in runs if run.problem.id == problem), None)
    if run is None:
        raise SetupError(f"{out} has no results for {problem!r}; run `autograder grade {problem} --out {out}` first.")
    pages, left_out, absent = _pages(run, submitted, out, unfinished)
    if not pages:
        reasons = listed([f"{printable(student)}: {why}" for student, why in left_out], 3) or "all submitted nothing"
        raise SetupError(f"no feedback page of {problem} can be returned; nothing was written. {reasons}")
    write_bytes(to, zip_of({page.path: page.data for page in pages.values()}))
    notes = list(run.notes)
    platforms = Counter(page.platform for page in pages.values())
    if len(platforms) > 1:
        counts = ", ".join(f"{name or 'folders named after students'} ({n})" for name, n in sorted(platforms.items()))
        notes.append(f"The names come from more than one kind of download: {counts}. No platform accepts all of them.")
    return FeedbackZip(
        to, tuple(sorted(pages)), tuple(sorted(filter(None, platforms))), tuple(left_out), tuple(absent), tuple(notes)
    )


class _Page(NamedTuple):
    path: str
    """Its path in the zip."""
    data: bytes
    platform: str
    """The platform whose name it has; empty if `intake` knew none."""


def _pages(
    run: Run, submitted: Path, out: Path, unfinished: bool
) -> tuple[dict[str, _Page], list[tuple[str, str]], list[str]]:
    """Student → page; who is left out, and why; who submitted nothing."""
    problem = run.problem.id
    folders = {
        student_key(student): notebook_path(submitted, student, problem).parent
        for student in students_in(submitted, problem)
    }
    graded = {student_key(entry.student): entry for entry in run.entries}
    pages: dict[str, _Page] = {}
    left_out: list[tuple[str, str]] = []
    absent = []
    for key in sorted({*folders, *graded}):
        folder, entry = folders.get(key), graded.get(key)
        student = entry.student if entry else folders[key].parent.name
        if folder is not None and not folder.is_dir():
            absent.append(student)
            continue
        upload = recorded_upload(folder) if folder else None
        page = out / student / problem / "feedback.html"
        if entry is None:
            left_out.append((student, f"has no results in {out}; run `autograder grade` again"))
        elif (waiting := _waiting(entry)) and not unfinished:
            left_out.append((student, f"needs manual grading: {', '.join(waiting)}"))
        elif upload is None:
            where = f"{folder / RECORD} is missing" if folder else f"{submitted} has no folder of this name"
            left_out.append((student, f"the name of the upload is not known ({where}); upload {page} by hand"))
        else:
            try:
                path = upload.path_of(f"feedback_{problem}.html")
                pages[student] = _Page(path, read_bytes(page, out), upload.platform)
            except UnusableError:
                left_out.append((student, f"{page} is missing or not a regular file; run `autograder grade` again"))
    for student, others in _of_same_path(pages):
        del pages[student]
        left_out.append((student, f"has the same name in the download as {listed(others, 3)}; upload by hand"))
    return pages, left_out, absent


def _waiting(entry: Entry) -> list[str]:
    return [item.id for item in entry.log.items if item.status is Status.MANUAL]


def _of_same_path(pages: dict[str, _Page]) -> Iterable[tuple[str, list[str]]]:
    """The students whose page has the path of another's, and the others: the platform could confuse them."""
    by_path = defaultdict(list)
    for student, page in pages.items():
        by_path[page.path.casefold()].append(student)
    return [
        (student, [printable(other) for other in students if other != student])
        for students in by_path.values()
        if len(students) > 1
        for student in students
    ]
