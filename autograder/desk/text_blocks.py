"""Separates the code of a markdown text from its prose, without losing a character of the code's indentation.

Code is what is fenced, what markdown takes for code because it is indented, and paragraphs that look like code that a
student forgot to fence: a line that ends in `:` or `{`, then an indented one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

LIST_MARK = re.compile(r"(?:(?P<sign>[-*+])|(?P<number>\d{1,9})[.)])[ \t]+(?=\S)")
"""The mark of a list item and the space behind it."""
_FENCE = re.compile(r"(?P<before>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_DISPLAY = re.compile(r"\$\$|\\\[|\\begin\{")


@dataclass(frozen=True)
class Code:
    """A block of code."""

    text: str

    def fenced(self) -> str:
        """The block between lines of backticks, more than it has itself."""
        ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", self.text)), default=0))
        return f"{ticks}\n{self.text}\n{ticks}"


def blocks(text: str) -> Iterator[str | Code]:
    """Prose (which may have several paragraphs and lists) and code, in the text's order.

    Args:
        text: markdown with `\\n` at the end of its lines.
    """
    lines = text.split("\n")
    prose: list[str] = []
    for found in _found(lines):
        if isinstance(found, str):
            prose.append(found)
        elif found.text:
            if prose:
                yield "\n".join(prose)
            yield found
            prose = []
    if prose:
        yield "\n".join(prose)


def _found(lines: list[str]) -> Iterator[str | Code]:
    """Single lines of prose, and blocks of code."""
    at, offset = 0, 0
    is_new = True
    while at < len(lines):
        line = lines[at]
        fence = _FENCE.match(line)
        mark = LIST_MARK.match(line.lstrip())
        indent = _indent(line)
        if fence:
            end = _end_of_fence(lines, at + 1, fence["fence"])
            if fence["before"].strip():
                yield fence["before"]
            yield _code(lines[at + 1 : end], len(fence["before"].expandtabs(4)))
            at, is_new = end + 1, True
            continue
        if not line.strip():
            yield line
            at, is_new = at + 1, True
            continue
        if mark:
            offset = indent + len(mark.group())
        elif is_new and indent == 0:
            offset = 0
        end = at + 1
        if is_new and not mark and indent >= offset + 4:
            while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) >= offset + 4):
                end += 1
            yield _code(lines[at:end], offset + 4)
        elif is_new or mark:
            while end < len(lines) and lines[end].strip() and not _FENCE.match(lines[end]):
                if LIST_MARK.match(lines[end].lstrip()):
                    break
                end += 1
            if _looks_like_code(lines[at:end], offset if mark else indent):
                yield _code(textwrap.dedent("\n".join(lines[at:end])).split("\n"), 0)
            else:
                yield from lines[at:end]
        at, is_new = end, not lines[end - 1].strip()


def _end_of_fence(lines: list[str], at: int, fence: str) -> int:
    closing = re.compile(rf"[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((number for number in range(at, len(lines)) if closing.match(lines[number])), len(lines))


def _looks_like_code(lines: list[str], indent: int) -> bool:
    indents = [indent, *map(_indent, lines[1:])]
    return any(
        indents[number + 1] > indents[number] and line.rstrip().endswith((":", "{"))
        for number, line in enumerate(lines[:-1])
    ) and not any(map(_DISPLAY.search, lines))


def _indent(line: str) -> int:
    begin = line[: len(line) - len(line.lstrip(" \t"))]
    return len(begin.expandtabs(4))


def _code(lines: list[str], indent: int) -> Code:
    """Code without this much of its lines' indentation, spaces at the ends of lines, and empty lines around."""
    kept = []
    for line in lines:
        own = _indent(line)
        kept.append((" " * (own - min(own, indent)) + line.lstrip(" \t") if indent else line).rstrip())
    return Code("\n".join(kept).strip("\n"))
