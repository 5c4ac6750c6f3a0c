"""Makes text from a student's file safe to write and to print: no control characters, bounded length."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LONGEST = 80


def is_text(name: str) -> bool:
    """Returns whether a file's name is valid UTF-8, so that it can be written into a file."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def well_formed(text: str) -> str:
    """The text with a question mark for each lone surrogate, which cannot be encoded as UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def listed(names: Sequence[str], most: int) -> str:
    """The first `most` names, separated by commas, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def counted(number: int | str, noun: str) -> str:
    """A number and its noun, in the plural unless it is one: `1 point`, `2.5 points`."""
    return f"{number} {noun}{'' if str(number) == '1' else 's'}"


def printable(text: str, longest: int = LONGEST) -> str:
    """The text with control, formatting and unassigned characters written as escapes, cut to `longest` characters.

    This covers escape sequences, line breaks, bidirectional marks and lone surrogates. rich's markup is left as it is;
    escape it where the text is printed.
    """
    if len(text) <= longest and text.isprintable():
        return text
    shown = []
    for character in text[:longest]:
        strange = unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
        shown.append(character.encode("unicode_escape").decode("ascii") if strange else character)
    escaped = "".join(shown)
    return escaped if len(text) <= longest and len(escaped) <= longest else escaped[: longest - 1] + "…"
