"""Says when two student ids, as people and platforms write them, belong to the same person."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that show nothing: controls, joiners, marks of direction, selectors of variants, fillers."""


def student_key(student: str) -> str:
    """What all spellings of one student id have in common; for comparing only, never for showing.

    Case, the Unicode form (`é` as one character or two) and surrounding or repeated blanks do not matter.
    """
    plain = " ".join(unicodedata.normalize("NFC", student).split())
    return unicodedata.normalize("NFC", plain.casefold())


def loose_key(name: str) -> str:
    """What all names have in common that a reader or a file system may take for one; coarser than `student_key`.

    Invisible characters, compatible forms (`\uff41` for `a`) and dots at the end do not matter either.
    """
    key = student_key(name)
    for _ in range(2):  # each of these steps may leave work for the others
        visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", key))
        key = student_key(unicodedata.normalize("NFKC", visible.casefold())).rstrip(" .")
    return key


def same_student(student: str, other: str) -> bool:
    """Returns whether two ids are spellings of one."""
    return student_key(student) == student_key(other)


def spellings(students: Iterable[str]) -> dict[str, list[str]]:
    """Key of a student → the different spellings of the id, in the given order."""
    found: dict[str, list[str]] = defaultdict(list)
    for student in dict.fromkeys(students):
        found[student_key(student)].append(student)
    return dict(found)
