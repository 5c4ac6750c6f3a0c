"""Whose hand-in is it? Students' names from those of folders and files, as people and course platforms write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.core.errors import SetupError

MARKUP = frozenset('<>"')
"""What a student's name must not hold: it would be markup in nbgrader's pages."""
_NEVER = frozenset({"/", "\\", "\0", ";", *MARKUP})
_NOT_FIRST = " .=+-@\uff1d\uff0b\uff0d\uff20"
"""What a name must not begin with: hidden files, options of commands, formulas of spreadsheets."""
_NAMELESS = "unnamed"
_MOST_READ = 255
"""Letters of a file's name; no system has longer ones."""
LOG = re.compile(r"submission_log[^/]*\.json", re.IGNORECASE)
"""The names that a log may have: browsers and platforms number their copies."""
_OWN_LOG = re.compile(rf"(?P<who>[^/]+?)[ _.-]+(?P<file>{LOG.pattern})", re.IGNORECASE)
_CANVAS = re.compile(r"(?=_(?P<number>\d+)_(?P<upload>\d+)_(?P<file>[^/]+)$)")
_CANVAS_TEXT = re.compile(r"(?P<who>[^/]*?)(?:_LATE)?_(?P<number>\d+)_(?P<file>(text|link)\.html)")
_CANVAS_ANONYMOUS = re.compile(r"(?:LATE_)?(?P<who>anon_[A-Za-z0-9]+)_(?P<number>)\d+_(?P<file>[^/]+)")
"""`<name>[_LATE]_<Canvas's number of the student>_<number of the upload>_<file>` in Canvas's download of a class, where
names and files may have numbers in them, too; `..._text.html` is what somebody typed in place of a file."""
_LONGEST = 120
"""Bytes of a name; systems take 255, and others want to put something behind it."""


@dataclass(frozen=True)
class Owner:
    """Whose a file at the top is."""

    name: str
    file: str = ""
    """The name that the student gave the file, if the platform put something before it."""
    number: str = ""
    """Canvas's number of the student."""


def are_from_canvas(names: Iterable[str]) -> bool:
    """Are these the names of files, at least one, in what Canvas calls *Download Submissions*?"""
    names = list(names)
    return bool(names) and all(_readings(name) for name in names)


def owner_on_canvas(name: str, numbers: Container[str] | None = None) -> Owner | None:
    """Who handed in a file of Canvas's download; None if it is no file of such a download.

    A name that can be read in several ways is nobody else's: it counts as one of them only if just one of the numbers
    is known, and else everything before the file's name is who it is.

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
    """The ways to read a name, the shortest student first."""
    whole = _CANVAS_ANONYMOUS.fullmatch(name) or _CANVAS_TEXT.fullmatch(name)
    if whole is not None:
        return [Owner("_".join(filter(None, (whole["who"], whole["number"]))), whole["file"], whole["number"])]
    found = []
    for match in _CANVAS.finditer(name[:_MOST_READ]):
        who = name[: match.start()].removesuffix("_LATE")
        found.append(Owner(f"{who}_{match['number']}", match["file"], match["number"]))
    return found


def owner(name: str, problem: str) -> Owner:
    """Who handed in a file that lies beside those of others: `ada.zip`, `ada_vae.ipynb`, `vae-ada.ipynb`,
    `ada_submission_log.json` are all of `ada`."""
    name = name[-_MOST_READ:]
    log = _OWN_LOG.fullmatch(name)
    if log is not None:
        return Owner(log["who"], log["file"])
    stem = PurePosixPath(name).stem
    short = re.sub(rf"(^{problem}[ _.-]+|[ _.-]+{problem}(\s*\(\d+\)|-\d+)?$)", "", stem, flags=re.IGNORECASE)
    return Owner(short or stem)


def student_id(name: str) -> str:
    """A name as a folder can have it, which is text in a page, in a table and on a command line.

    Raises:
        SetupError: nothing is left of it.
    """
    kept = (c for c in unicodedata.normalize("NFC", name) if c not in _NEVER and c.isprintable())
    whole = "".join(kept).strip().lstrip(_NOT_FIRST).strip()
    cleaned = whole.encode()[:_LONGEST].decode(errors="ignore").strip()
    if not cleaned:
        raise SetupError(f"{name!r} cannot be a student's name; rename the file or folder.")
    return cleaned


def student_ids(names: Iterable[str]) -> Mapping[str, str]:
    """Name → student id. Nobody gets the id of another by a name that had to be changed: theirs is numbered then."""
    names = list(dict.fromkeys(names))
    usual = {name: unicodedata.normalize("NFC", name).strip() for name in names}
    ids = {name: plain for name, plain in usual.items() if _or_nameless(name) == plain}
    taken = set(ids.values())
    for name in names:
        if name not in ids:
            wanted, number = _or_nameless(name), 1
            ids[name] = wanted
            while ids[name] in taken:
                number += 1
                ids[name] = f"{wanted}~{number}"
            taken.add(ids[name])
    return ids


def _or_nameless(name: str) -> str:
    try:
        return student_id(name)
    except SetupError:
        return _NAMELESS
