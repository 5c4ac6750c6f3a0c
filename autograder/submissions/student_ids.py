"""Derives student ids from names of folders and files, as students write them."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType

from autograder.core.errors import SetupError
from autograder.core.student_key import loose_key
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
_BETWEEN = "(?: - |[ _.-])"
"""What separates a student's name from that of a problem or a log. More of it belongs to the student's name."""
_OWN_LOG = re.compile(rf"(?P<who>[^/]+?){_BETWEEN}(?P<file>{LOG.pattern})", re.IGNORECASE)
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
    short = re.sub(rf"(^{problem}{_BETWEEN}|{_BETWEEN}{problem}(\s*\(\d+\)|-\d+)?$)", "", stem, flags=re.IGNORECASE)
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


@dataclass(frozen=True)
class Submitter:
    """Whose a submission is, as the download says it. Two different ones are never one student."""

    name: str
    """The name that becomes the id."""
    written: str = ""
    """The name in the download, if a roster gave another."""
    number: str = ""
    """The platform's number; empty if there is none."""
    twin: int = 0
    """0, or which other entry of the same name it is: a zip may have several."""

    @property
    def recorded(self) -> tuple[str, str, int]:
        """What tells it from others in later imports."""
        return self.written or self.name, self.number, self.twin

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """What it has in common with all names that may be taken for it."""
        return frozenset({loose_key(self.name), loose_key(usable_id(self.name))})


@dataclass(frozen=True)
class StudentIds:
    """The ids of the submitters of a download."""

    ids: Mapping[Submitter, str]
    alike: Mapping[str, tuple[str, ...]]
    """Id → all ids, itself among them, of submitters whose names may be taken for its; only if there are others."""


def student_ids(
    submitters: Iterable[Submitter],
    known: Mapping[str, Submitter | None] = MappingProxyType({}),
    listed: Container[str] = (),
) -> StudentIds:
    """Gives each submitter an id of their own.

    A submitter who has one from an earlier import keeps it. Of several whose names may be taken for each other, the one
    whose name is exact gets it as the id: one on the platform's list, then one that needs no change. The others get a
    number.

    Args:
        submitters: the submitters.
        known: id in use → its submitter, None if that was not recorded.
        listed: names on the platform's list of submission times.
    """
    earlier = _Earlier(known)
    taken = {loose_key(student) for student in known}
    ids: dict[Submitter, str] = {}
    for one in sorted(set(submitters), key=lambda one: (one.name not in listed, *_changes(one), one.recorded)):
        student = earlier.id_of(one)
        if student is None:
            usable = usable_id(one.name)
            numbered = (f"{usable}~{number}" for number in count(2))
            is_free = taken.isdisjoint(one.keys)
            student = usable if is_free else next(each for each in numbered if loose_key(each) not in taken)
        taken |= {loose_key(student), *one.keys}
        ids[one] = student
    return StudentIds(ids, _alike(ids, known))


class _Earlier:
    """The ids of earlier imports."""

    def __init__(self, known: Mapping[str, Submitter | None]) -> None:
        self._ids: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        for student, old in known.items():
            name, number, twin = (old or Submitter(student)).recorded
            self._ids[name, twin][number] = student
        self._unrecorded = {student for student, old in known.items() if old is None}

    def id_of(self, one: Submitter) -> str | None:
        """The id that this submitter has; None if there is none. Each id is given once."""
        name, number, twin = one.recorded
        ids = self._ids.get((name, twin), {})
        if number in ids:
            found = ids[number]
        elif len(ids) == 1 and (number == "" or "" in ids):  # one of the downloads had no numbers
            found = next(iter(ids.values()))
        elif one.name in self._unrecorded and twin == 0:
            found = one.name
        else:
            return None
        if one.keys.isdisjoint({loose_key(found), loose_key(_unnumbered(found))}):  # a roster gives another id now
            return None
        ids = self._ids[name, twin]
        self._ids[name, twin] = {key: student for key, student in ids.items() if student != found}
        self._unrecorded.discard(found)
        return found


def _changes(one: Submitter) -> tuple[bool, bool, bool, int]:
    """How far a name is from an ordinary id: ordinary ones are lower."""
    plain = loose_key(one.name)
    is_changed = usable_id(one.name) != one.name
    return is_changed, plain != one.name.casefold(), one.name != one.name.lower(), len(re.findall(r"_\d", one.written))


def _unnumbered(student: str) -> str:
    return re.sub(r"~\d+$", "", student)


def _alike(ids: Mapping[Submitter, str], known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    by_key: dict[str, dict[str, None]] = defaultdict(dict)  # dicts keep the order
    for one, student in ids.items():
        for key in one.keys:
            by_key[key][student] = None
    for student in known:
        by_key[loose_key(_unnumbered(student))][student] = None
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for one, student in ids.items():
        for key in one.keys:
            found[student] |= by_key[key]
    return {student: tuple(others) for student, others in found.items() if len(others) > 1}


def usable_id(name: str) -> str:
    """`student_id`, or `unnamed` if no character is left."""
    try:
        return student_id(name)
    except SetupError:
        return "unnamed"
