"""Text from a student's file made safe to write and to print: nothing in it can steer a terminal or fill it."""

from __future__ import annotations

import unicodedata

LONGEST = 80


def is_text(name: str) -> bool:
    """Can a file's name be written into a file? Names that the system does not know as UTF-8 cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def well_formed(text: str) -> str:
    """The text with a question mark for each half surrogate pair, which no file, page or database takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def printable(text: str, longest: int = LONGEST) -> str:
    """The text with control, formatting and unassigned characters written as escapes, cut to `longest` characters.

    That takes escape sequences, line breaks, marks that turn the direction of writing and half surrogate pairs. What
    means something to rich's markup is left; escape it where it is printed.
    """
    if len(text) <= longest and text.isprintable():
        return text
    shown = []
    for character in text[:longest]:
        strange = unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
        shown.append(character.encode("unicode_escape").decode("ascii") if strange else character)
    escaped = "".join(shown)
    return escaped if len(text) <= longest and len(escaped) <= longest else escaped[: longest - 1] + "…"
