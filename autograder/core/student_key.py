"""Says when two student ids, as people and platforms write them, belong to the same person."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable


def student_key(student: str) -> str:
    """What all spellings of one student id have in common; for comparing only, never for showing.

    Case, the Unicode form (`é` as one character or two) and surrounding or repeated blanks do not matter.
    """
    plain = " ".join(unicodedata.normalize("NFC", student).split())
    return unicodedata.normalize("NFC", plain.casefold())


def same_student(student: str, other: str) -> bool:
    """Returns whether two ids are spellings of one."""
    return student_key(student) == student_key(other)


def spellings(students: Iterable[str]) -> dict[str, list[str]]:
    """Key of a student → the different spellings of the id, in the given order."""
    found: dict[str, list[str]] = defaultdict(list)
    for student in dict.fromkeys(students):
        found[student_key(student)].append(student)
    return dict(found)
