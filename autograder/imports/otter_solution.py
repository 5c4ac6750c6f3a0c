"""Turns otter's solution comments (`# SOLUTION`, `# BEGIN SOLUTION`, prompts, seeds) into our markers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from autograder.core.errors import SourceError
from autograder.course.markers import SOLUTION, begin, end, replaced, without_markers
from autograder.course.python_cells import syntax_tree

_BEGIN = re.compile(r"\s*# BEGIN SOLUTION( NO PROMPT)?")
_ENDING = re.compile(r"# (?P<verb>BEGIN(?= PROMPT)|END) (?P<what>SOLUTION|PROMPT)\s*$")
_LINE = re.compile(r"(?P<code>.*?)\s*# ?SOLUTION(?P<bare> NO PROMPT\s*$)?")
_SEED = re.compile(r"(?P<code>.*?)\s*# SEED\s*$")
_SEED_SHOWN = "its seed is shown to students, since random numbers are not seeded before each cell"
_TARGETS = re.compile(r"\s*(?P<names>[\w.]+(?:\[[^]=]*\])*(?:\s*,\s*[\w.]+(?:\[[^]=]*\])*)*)\s*=(?!=)")
"""What an assignment assigns to: otter leaves it to students, as `x = ...`."""
_TITLE = re.compile(r"\s*#+\s*solution\s*#+[ ]*\n", re.IGNORECASE)
"""A first line that some notebooks have above solutions."""
_IGNORED = re.compile(r".*# IGNORE\s*$")
_BEGIN_IGNORED = re.compile(r"\s*#\s*BEGIN\s*IGNORE", re.IGNORECASE)
_END_IGNORED = re.compile(r".*# END IGNORE\s*$")


@dataclass(frozen=True)
class Solution:
    """A solution cell with our markers."""

    source: str
    is_marked: bool
    """Whether otter takes something out of it for students."""
    look: str
    """What to look at; empty if nothing."""


@dataclass
class _Region:
    """Lines of a solution that students must not see."""

    lines: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    """What students see above it, as comments."""

    @property
    def indent(self) -> int:
        return next((_indent(line) for line in self.lines if line.strip()), 0)

    def text(self) -> list[str]:
        space = " " * self.indent
        shown = [f"{space}{hint}".rstrip() for hint in self.hints]
        lines = [space + begin(SOLUTION), *self.lines, space + end(SOLUTION)] if any(map(str.strip, self.lines)) else []
        return [*shown, *lines]


_Piece = str | _Region
"""A line that students see, or a region that they do not."""


def without_ignored(where: str, source: str) -> str:
    """The cell without the lines that otter takes out of all versions (`# IGNORE`)."""
    kept, inside = [], False
    for line in source.split("\n"):
        if _END_IGNORED.match(line) if inside else _BEGIN_IGNORED.match(line):
            inside = not inside
        elif not inside and not _IGNORED.match(line):
            kept.append(line)
    if inside:
        raise SourceError(f"{where}: # BEGIN IGNORE is never closed; add '# END IGNORE'.")
    return "\n".join(kept)


def is_marked(source: str) -> bool:
    """Whether otter would take something out of this code if it were a solution."""
    return any(_LINE.match(line) or _comment(line)[1] == "SOLUTION" for line in source.split("\n"))


def solution(where: str, source: str) -> Solution:
    """A solution cell in our form.

    Neighbouring lines of a solution become one region. Where otter leaves `mean = ...` to students, and where it shows
    them a prompt, they see comments above the stub. A line that sets a seed is left to students: tests here run
    without otter's seeds.
    """
    lines = source[title.end() :].split("\n") if (title := _TITLE.match(source)) else source.split("\n")
    pieces: list[_Piece] = []
    opened, inside = "", list[str]()
    for line in lines:
        verb, what = _comment(line)
        if opened and what != opened:
            inside.append(line)
        elif not verb:
            pieces += _piece(line)
        elif (verb == "BEGIN") == bool(opened):
            raise SourceError(
                f"{where}: {line.strip()!r} does not fit the comments above it; each BEGIN needs its END."
            )
        elif verb == "BEGIN":
            opened, inside = what, []
        else:
            opened = ""
            pieces += [_Region(inside)] if what == "SOLUTION" else _shown(pieces, inside)
    if opened:
        raise SourceError(f"{where}: # BEGIN {opened} is never closed; add # END {opened}.")
    text = "\n".join(
        line for piece in _joined(pieces) for line in (piece.text() if isinstance(piece, _Region) else [piece])
    )
    looks = [_SEED_SHOWN] if any(map(_SEED.match, lines)) else []
    if not _has_stub(text):
        text = f"{begin(SOLUTION)}\n{without_markers(text)}\n{end(SOLUTION)}"
        looks.append("the lines of the solution are no whole statements, so students see a stub for the whole cell")
    return Solution(text, is_marked(source), "; ".join(looks))


def _comment(line: str) -> tuple[str, str]:
    """BEGIN or END, and SOLUTION or PROMPT, of one of otter's comments; empty for any other line."""
    if _BEGIN.match(line):
        return "BEGIN", "SOLUTION"
    found = _ENDING.search(line)
    return (found["verb"], found["what"]) if found else ("", "")


def _piece(line: str) -> list[_Piece]:
    """A line outside of blocks: a region if it is a solution, with the left side of an assignment for students."""
    if seed := _SEED.match(line):
        return [seed["code"]]
    found = _LINE.match(line)
    if not found:
        return [line]
    targets = None if found["bare"] else _TARGETS.match(line)
    return (
        [_Region([found["code"]], [f"# {targets['names']} = ..."] if targets else [])] if found["code"].strip() else []
    )


def as_comments(lines: list[str]) -> list[str]:
    """Lines of a prompt as comments, without a common indentation; a `pass` or `...` alone says nothing."""
    said = [line for line in lines if line.strip() not in ("", "pass", "...")]
    common = min(map(_indent, said), default=0)
    return [line[common:] if line.lstrip().startswith("#") else f"# {line[common:]}".rstrip() for line in said]


def _shown(pieces: list[_Piece], prompt: list[str]) -> list[_Piece]:
    """What students read in the place of a solution: lines, or hints of the region that has just ended."""
    hints = as_comments(prompt)
    if pieces and isinstance(last := pieces[-1], _Region):
        last.hints += hints
        return []
    space = " " * min((_indent(line) for line in prompt if line.strip()), default=0)
    return [space + hint for hint in hints]


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces with neighbouring regions joined; blank lines may be between, and one that is less indented stays."""
    joined: list[_Piece] = []
    for piece in pieces:
        blank = len(joined)
        while blank and isinstance(above := joined[blank - 1], str) and not above.strip():
            blank -= 1
        last = joined[blank - 1] if blank else None
        if isinstance(piece, _Region) and isinstance(last, _Region) and piece.indent >= last.indent:
            last.lines += [*(line for line in joined[blank:] if isinstance(line, str)), *piece.lines]
            last.hints += piece.hints
            del joined[blank:]
        else:
            joined.append(piece)
    return joined


def _has_stub(text: str) -> bool:
    """Whether the cell is still Python with a stub in the place of each region, if it is Python with the solution."""
    if syntax_tree(without_markers(text)) is None:
        return True
    return syntax_tree(replaced(text, SOLUTION, "raise NotImplementedError")) is not None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
