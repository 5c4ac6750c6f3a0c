r"""A written answer in the form that it shares with all answers that say the same in the same words.

Answers with equal forms get one score, so the rules are cautious: what may change the meaning stays. Case, white space,
line wrapping and markup are unified in prose. In formulas only spacing and other names of the same symbol are; the
case of letters stays, as it does for single letters in prose (`W` is not `w`). Code stays as it is. Compatibility
characters stay (`x²` is not `x2`, so the Unicode form is NFC, not NFKC).

Every step takes time linear in the text's length, apart from binary searches. In the result, a formula is `$...$` and
code has backticks. `*`, `_`, `$` and other marks that only mean themselves have full width, so they are no markup if
the result is read again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from autograder.desk.emphasis import without_emphasis
from autograder.desk.held_spans import COMMAND, FORMULA, LITERAL, protected
from autograder.desk.text_blocks import LIST_MARK, Code, blocks

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", None),  # without width
        **dict.fromkeys("\ue000\ue001", "\ufffd"),  # our own place holders
        "\u2026": "...",
        "\xa0": " ",
    }
)
_LINE_BREAK = re.compile("\r\n?|[\x85\u2028\u2029]")
_STUB = re.compile(
    r"(?:[\s#*_>-]*your\s+answer\s+here(?:[*_]{1,3}(?!\w))?[:.]?(?:[*_]{1,3}(?!\w))?[ \t]*)+", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]{2,}'[^\W_]+|[Ii]'[^\W_]+|[^\W_]+")
_RELATION = "=<>\u2264\u2265\u2260\u2248\u2192"
_PUNCTUATION = re.compile(rf" (?=[)\]}}]|[,.;:!?]+(?:[ )\]}}{_RELATION}]|$))|(?<=[(\[{{]) | ?([{_RELATION}]) ?")
"""Spaces before punctuation, inside brackets and around relations."""
_HEADING = re.compile(r"#{1,6}(?:[ \t]+|$)")
_TERM = re.compile(r"[^\w\s'\"(]|\d|(?![AaIi]\b)[^\W_]\b|\(?(?:log|ln|exp|sqrt|sin|cos|tanh|sum|max|min)\b")
"""What follows a sign rather than a bullet, so that `- 5` and `+ 5` stay apart."""
_HOLDER = re.compile(f"[{FORMULA}{COMMAND}]")
_START = re.compile(r"\A(?:(?P<sign>[-+*#~>])|(?P<number>\d{1,9})(?P<stop>[.)])(?= ))")


@lru_cache(maxsize=64)
def normal_form(text: str) -> str:
    """The form of an answer; empty if the student wrote nothing, or left "YOUR ANSWER HERE".

    Args:
        text: markdown, as the student wrote it or as the executed notebook has it.
    """
    cleaned = _LINE_BREAK.sub("\n", unicodedata.normalize("NFC", text))
    while True:
        found = _STUB.match(cleaned)
        form = _form(cleaned[found.end() :] if found else cleaned)
        if not _STUB.match(form):
            return form
        cleaned = form


@dataclass(frozen=True)
class _Line:
    """A line of the form: code with its fences, or prose with the marks of the list items that begin with it."""

    marks: list[str]
    text: str


def _form(text: str) -> str:
    lines: list[_Line] = []
    for block in blocks(text):
        lines += [_Line([], block.fenced())] if isinstance(block, Code) else _prose(block.translate(_CHARACTERS))
    used = {mark for line in lines if line.text for mark in line.marks}
    is_signed = {"+ ", "- "} <= used  # as in "+ fast", "- needs memory"
    return "\n".join(_bullets(line, is_signed) + line.text for line in lines if line.text)


def _bullets(line: _Line, is_signed: bool) -> str:
    """The marks of a line; all bullets are `-`, but a sign before a number or formula stays."""
    if not line.marks:
        return ""
    bullets = [mark if is_signed and mark[0] == "+" else "- " if mark[0] in "-*+" else mark for mark in line.marks]
    return "".join([*bullets[:-1], line.marks[-1]] if _TERM.match(line.text) else bullets)


def _prose(text: str) -> list[_Line]:
    """The lines of prose: one for each list item, with all paragraphs that follow it."""
    with_holders, kept = protected(text)
    texts: list[list[str]] = []
    marks: list[list[str]] = []
    for line in re.sub(r"\n[ \t]*(?:\n[ \t]*)+", "\n\n", with_holders).split("\n"):
        mark, rest = _marks(line.strip())
        if mark or not texts:
            marks.append(mark)
            texts.append([rest])
        else:
            texts[-1].append(rest)
    holders = iter(kept)
    return [
        _Line(mark, _line(" ".join(without_emphasis(part) for part in _paragraphs(parts)), holders))
        for mark, parts in zip(marks, texts, strict=True)
    ]


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Joins wrapped lines; an empty line ends a paragraph."""
    wrapped: list[str] = []
    for line in lines:
        if line:
            wrapped.append(line)
        elif wrapped:
            yield " ".join(wrapped)
            wrapped = []
    yield " ".join(wrapped)


def _marks(line: str) -> tuple[list[str], str]:
    """The marks of list items at the begin of a line, and the rest without marks of headings."""
    at, marks, is_heading = 0, [], False
    while True:
        if found := _HEADING.match(line, at):
            is_heading = True
        elif found := LIST_MARK.match(line, at):
            marks.append(f"{found['number']}. " if found["number"] else f"{found['sign']} ")
        else:
            break
        at = found.end()
    rest = line[at:]
    return marks, re.sub(r"(?<= )#+$", "", rest).rstrip() if is_heading else rest


def _line(text: str, holders: Iterator[str]) -> str:
    """Unifies case and spaces, and puts back what the place holders stand for."""
    spaced = re.sub(r"\s+", " ", text.replace(FORMULA, f" {FORMULA} ")).strip()
    lowered = _WORD.sub(_lower, spaced).translate(LITERAL)
    even = _PUNCTUATION.sub(r"\1", _START.sub(_wide, lowered))
    whole = unicodedata.normalize("NFC", _HOLDER.sub(lambda _: next(holders), even))
    return _START.sub(_wide, whole)


def _lower(found: re.Match[str]) -> str:
    word = found.group()
    is_symbol = word not in ("A", "I") and sum(map(str.isalpha, word[:3])) < 2
    return word if is_symbol else word.lower()


def _wide(found: re.Match[str]) -> str:
    """The mark at the begin of a line in full width, since it is no mark of a list or heading."""
    mark = found["sign"] or found["stop"]
    return f"{found['number'] or ''}{chr(ord(mark) + 0xFEE0)}"
