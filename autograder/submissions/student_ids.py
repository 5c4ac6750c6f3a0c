"""Derives student ids from names of folders and files, as students write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import chain, count

from autograder.core.errors import SetupError
from autograder.core.student_key import student_key
from autograder.submissions.platforms import Owner

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
_ENDING = re.compile(r"(?<=.)(\.ipynb|\.tar)?\.[A-Za-z0-9]{1,10}$", re.IGNORECASE)
_LONGEST = 120
"""Maximum bytes of an id; systems allow 255, and suffixes must fit."""


def owner(name: str, problem: str) -> Owner:
    """The student who submitted a top-level file.

    `ada.zip`, `ada.ipynb.txt`, `ada_vae.ipynb`, `vae-ada.ipynb` and `ada_submission_log.json` all belong to `ada`.
    """
    name = name[-_MOST_READ:]
    log = _OWN_LOG.fullmatch(name)
    if log is not None:
        return Owner(log["who"], log["file"])
    stem = _ENDING.sub("", name)
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


def student_ids(names: Iterable[str], known: Iterable[str] = ()) -> Mapping[str, str]:
    """Name → student id, the same for all spellings of a name: the first valid one.

    If a changed name equals another student's id, a number is added to it.

    Args:
        names: the names.
        known: ids in use; a student who has one keeps its spelling.
    """
    names = list(dict.fromkeys(names))
    used = {student_key(student): student for student in known}
    ids: dict[str, str] = {}
    taken = set()
    for name in sorted(names, key=lambda name: _or_unnamed(name) != _usual(name)):
        if student_key(name) not in ids:
            usable = _or_unnamed(name)
            numbered = chain([usable], (f"{usable}~{number}" for number in count(2)))
            student = next(student for student in numbered if student_key(student) not in taken)
            taken.add(student_key(student))
            ids[student_key(name)] = used.get(student_key(student), student)
    return {name: ids[student_key(name)] for name in names}


def _usual(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _or_unnamed(name: str) -> str:
    try:
        return student_id(name)
    except SetupError:
        return "unnamed"
