"""Regions of a source that students must not get: solutions, hidden tests and rubrics, between BEGIN and END markers.

Release, leak test, linter and grading all use this module to decide which lines are secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

SOLUTION = "SOLUTION"
HIDDEN = "HIDDEN TESTS"
RUBRIC = "MARK SCHEME"
KINDS = (SOLUTION, HIDDEN, RUBRIC)

_PHRASES = tuple(f"{verb} {kind}" for verb in ("BEGIN", "END") for kind in KINDS)
_WORDS = ("BEGIN", "END", "SOLUTION", "HIDDEN", "TESTS", "MARK", "SCHEME")


def begin(kind: str) -> str:
    """The marker that opens a region of this kind."""
    return f"### BEGIN {kind}"


def end(kind: str) -> str:
    """The marker that closes a region of this kind."""
    return f"### END {kind}"


@dataclass(frozen=True)
class Marker:
    """A line that opens or closes a region, or that looks like such a line."""

    verb: Literal["BEGIN", "END"]
    kind: str
    """`SOLUTION`, `HIDDEN TESTS` or `MARK SCHEME`."""
    exact: bool
    """Whether it is written exactly as nbgrader and our tools need it."""


@dataclass(frozen=True)
class Scanned:
    """One line of a cell."""

    text: str
    marker: Marker | None
    """The line's marker; None for any other line."""
    inside: frozenset[str]
    """The kinds of region that contain the line; a marker is not inside its own region."""


def read_marker(text: str) -> Marker | None:
    """The marker in a line, or the marker that the line resembles; None if there is none.

    nbgrader looks for `BEGIN HIDDEN TESTS` and the like anywhere in a line and ignores all other spellings: a typo in a
    marker would publish the hidden tests.
    """
    phrase = _near_phrase(text)
    if phrase is None:
        return None
    verb, kind = phrase.split(" ", 1)
    return Marker("BEGIN" if verb == "BEGIN" else "END", kind, text.lstrip() == f"### {phrase}")


def scan(lines: Sequence[str]) -> Iterator[Scanned]:
    """The lines of one cell, each with its marker and the regions that contain it; near misses count as markers."""
    inside: frozenset[str] = frozenset()
    for text in lines:
        marker = read_marker(text)
        if marker:
            inside -= {marker.kind}
        yield Scanned(text, marker, inside)
        if marker and marker.verb == "BEGIN":
            inside |= {marker.kind}


def region(source: str, kind: str) -> str:
    """The lines inside the regions of a kind, without the markers; empty if there are none."""
    return "\n".join(line.text for line in scan(source.split("\n")) if kind in line.inside)


def region_lines(source: str, kind: str) -> frozenset[int]:
    """The 1-based numbers of the lines inside the regions of a kind."""
    scanned = enumerate(scan(source.split("\n")), start=1)
    return frozenset(number for number, line in scanned if kind in line.inside)


def replaced(source: str, kind: str, stub: str | None) -> str:
    """The source with each region of a kind, markers included, replaced by a stub.

    Args:
        source: source of one cell.
        kind: kind of the regions.
        stub: one line, indented like the BEGIN marker; None removes the region.
    """
    lines = replaced_lines(source.split("\n"), kind, stub)
    return "\n".join(line for line in lines if line is not None)


def replaced_lines(lines: Sequence[str], kind: str, stub: str | None) -> list[str | None]:
    """As `replaced`, line by line: None for each line that is removed."""
    found: list[str | None] = []
    for line in scan(lines):
        if line.marker and line.marker.kind == kind:
            indent = line.text[: len(line.text) - len(line.text.lstrip())]
            found.append(None if stub is None or line.marker.verb == "END" else indent + stub)
        else:
            found.append(None if kind in line.inside else line.text)
    return found


def without_markers(source: str) -> str:
    """The source as a student with the right answer would write it: no markers and no rubric."""
    lines = scan(source.splitlines())
    return "\n".join(line.text for line in lines if not line.marker and RUBRIC not in line.inside).rstrip()


def _near_phrase(text: str) -> str | None:
    if phrase := next((phrase for phrase in _PHRASES if phrase in text), None):
        return phrase
    stripped = text.strip()
    if not stripped.startswith("#") and not stripped[:3].isupper():
        return None
    words = re.sub(r"[^A-Za-z]+", " ", stripped).split()
    if not 1 <= len(words) <= 4:
        return None
    shouted = stripped.startswith("###") and all(word.isupper() for word in words)
    if shouted and any(_similarity(word, known) >= 0.8 for word in words for known in _WORDS):
        return max(_PHRASES, key=lambda phrase: _similarity(" ".join(words), phrase))
    if len(words) == 1 or max(_similarity(words[0], "BEGIN"), _similarity(words[0], "END")) < 0.75:
        return None
    best = max(_PHRASES, key=lambda phrase: _similarity("".join(words), phrase.replace(" ", "")))
    return best if _similarity("".join(words), best.replace(" ", "")) >= 0.8 else None


def _similarity(word: str, known: str) -> float:
    return difflib.SequenceMatcher(None, word.upper(), known).ratio()
