"""Derives student ids from names of folders and files, as students and course platforms write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import PurePosixPath

from autograder.core.errors import SetupError

MARKUP = frozenset('<>"')
"""Characters that a student id must not contain, because nbgrader's pages would treat them as markup."""
_NEVER = frozenset({"/", "\\", "\0", ";", *MARKUP})
_NOT_FIRST = " .=+-@\uff1d\uff0b\uff0d\uff20"
"""First characters that make a name a hidden file, a command-line option or a spreadsheet formula."""

_MOST_READ = 255
"""Maximum number of characters of a file name; no system allows longer names."""
LOG = re.compile(r"submission_log[^/]*\.json", re.IGNORECASE)
"""Names of a log; browsers and platforms add numbers to copies."""
_OWN_LOG = re.compile(rf"(?P<who>[^/]+?)[ _.-]+(?P<file>{LOG.pattern})", re.IGNORECASE)
_CANVAS = re.compile(r"(?=_(?P<number>\d+)_(?P<upload>\d+)_(?P<file>[^/]+)$)")
_CANVAS_TEXT = re.compile(r"(?P<who>[^/]*?)(?:_LATE)?_(?P<number>\d+)_(?P<file>(text|link)\.html)")
_CANVAS_ANONYMOUS = re.compile(r"(?:LATE_)?(?P<who>anon_[A-Za-z0-9]+)_(?P<number>)\d+_(?P<file>[^/]+)")
"""`<name>[_LATE]_<Canvas's number of the student>_<number of the upload>_<file>` in Canvas's download of a class. Names
and files may contain numbers, too; `..._text.html` is text that a student typed in place of a file."""
_LONGEST = 120
"""Maximum bytes of an id; systems allow 255, and suffixes must fit."""


@dataclass(frozen=True)
class Owner:
    """The student that a top-level file belongs to."""

    name: str
    file: str = ""
    """The student's name for the file, if the platform added a prefix."""
    number: str = ""
    """Canvas's number of the student."""


def are_from_canvas(names: Iterable[str]) -> bool:
    """Returns whether all names are those of files in Canvas's *Download Submissions*; False if there are none."""
    names = list(names)
    return bool(names) and all(_readings(name) for name in names)


def owner_on_canvas(name: str, numbers: Container[str] | None = None) -> Owner | None:
    """The student who submitted a file of Canvas's download; None if it is not a file of such a download.

    A file name may be ambiguous. If exactly one of its possible numbers is in `numbers`, that one counts. Otherwise the
    student's name is everything before the file's name, and the number is empty.

    Args:
        name: name of the file.
        numbers: Canvas's numbers of the students, if they are known.
    """
    readings = _readings(name)
    if not readings:
        return None
    known = [reading for reading in readings if numbers is not None and reading.number in numbers]
    if len(known) == 1 or len(readings) == 1:
        return (known or readings)[0]
    return Owner(readings[-1].name, readings[-1].file)


def _readings(name: str) -> list[Owner]:
    """All ways to parse a file name, the shortest student name first."""
    whole = _CANVAS_ANONYMOUS.fullmatch(name) or _CANVAS_TEXT.fullmatch(name)
    if whole is not None:
        return [Owner("_".join(filter(None, (whole["who"], whole["number"]))), whole["file"], whole["number"])]
    return [
        Owner(f"{name[: match.start()].removesuffix('_LATE')}_{match['number']}", match["file"], match["number"])
        for match in _CANVAS.finditer(name[:_MOST_READ])
    ]


def owner(name: str, problem: str) -> Owner:
    """The student who submitted a top-level file.

    `ada.zip`, `ada_vae.ipynb`, `vae-ada.ipynb` and `ada_submission_log.json` all belong to `ada`.
    """
    name = name[-_MOST_READ:]
    log = _OWN_LOG.fullmatch(name)
    if log is not None:
        return Owner(log["who"], log["file"])
    stem = PurePosixPath(name).stem
    short = re.sub(rf"(^{problem}[ _.-]+|[ _.-]+{problem}(\s*\(\d+\)|-\d+)?$)", "", stem, flags=re.IGNORECASE)
    return Owner(short or stem)


def student_id(name: str) -> str:
    """A name made safe as a folder name, in HTML pages, in tables and on command lines.

    Raises:
        SetupError: no character of the name is left.
    """
    kept = (c for c in unicodedata.normalize("NFC", name) if c not in _NEVER and c.isprintable())
    whole = "".join(kept).strip().lstrip(_NOT_FIRST).strip()
    cleaned = whole.encode()[:_LONGEST].decode(errors="ignore").strip()
    if not cleaned:
        raise SetupError(f"{name!r} is not a valid student name; rename the file or folder.")
    return cleaned


def student_ids(names: Iterable[str]) -> Mapping[str, str]:
    """Name → student id. If a changed name equals another student's id, a number is added to it."""
    names = list(dict.fromkeys(names))
    usual = {name: unicodedata.normalize("NFC", name).strip() for name in names}
    ids = {name: plain for name, plain in usual.items() if _or_unnamed(name) == plain}
    taken = set(ids.values())
    for name in names:
        if name not in ids:
            usable = _or_unnamed(name)
            numbered = chain([usable], (f"{usable}~{number}" for number in count(2)))
            ids[name] = next(student for student in numbered if student not in taken)
            taken.add(ids[name])
    return ids


def _or_unnamed(name: str) -> str:
    try:
        return student_id(name)
    except SetupError:
        return "unnamed"
