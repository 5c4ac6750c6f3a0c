"""What a student's own run printed and drew, for people who grade; no test sees it.

Kept are texts, and of a PNG the chunks that make up its pixels: to decode all pictures would take longer than the
tests. HTML, SVG, scripts, widgets and other formats are dropped; a table has a form as text, too.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.core.text import well_formed
from autograder.submissions.pictures import MAX_PIXELS, SubmittedPicture, picture_of

Output = str | SubmittedPicture
"""A text, or a picture that is not decoded."""

OF_STUDENT = "submitted"
"""In the metadata of an output: it is from the student's own run."""
MARK = "Output of the student's own run, as submitted:"
"""The first of these outputs of a cell."""
MAX_CELL_TEXT = 8_000
"""Characters kept of a cell's text: the first half and the last."""
MAX_TEXT = 200_000
"""Characters kept of a notebook."""
MAX_PICTURES = 60
"""Pictures kept of a notebook."""
MAX_PICTURE_BYTES = 6 * 2**20
"""Bytes of all pictures kept of a notebook."""

MAX_PIXELS_OF_ALL = 60_000_000
"""Pixels of all pictures kept of a notebook."""

_READ = 10_000
"""Characters of a cell's text that are read at the begin and at the end, before it is cleaned."""
_MOST_READ = 5_000_000
"""Characters of a notebook that are cleaned."""
_MOST_OF_CELL = 100
"""Texts and pictures that are read of one cell."""
_TEXTS = ("text/markdown", "text/plain", "text/latex")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]{0,30}[ -/]{0,3}[@-~]|[@-_])")
"""A code for a terminal, e.g. a colour."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of text."""
_LEFT_OUT = "[... a part of the text is left out ...]"
_LOST = "[{} picture{} not kept: damaged, too large, too many, or no PNG]"
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""The chunks of a PNG that make up its pixels."""


def outputs_in(cell: Mapping[str, Any]) -> tuple[Output, ...]:
    """The outputs of a cell of a notebook's JSON, in their order; texts that follow each other are one.

    Of many pictures, and of a long text, what is beyond the limits is left out.
    """
    found: list[Output] = []
    text: list[str] = []
    size = 0
    outputs = cell.get("outputs")
    for output in outputs if type(outputs) is list else ():
        one = _output(output) if type(output) is dict else ""
        if isinstance(one, str):
            text.append(one)
            size += len(one) + 1
            if size > 8 * _READ:
                text = [_cut("".join(text))]
                size = len(text[0])
        elif len(found) < _MOST_OF_CELL:
            found += [_cut("".join(text)), one]
            text, size = [], 0
    found.append(_cut("".join(text)))
    return tuple(one for one in found if one)


def _output(output: Mapping[str, Any]) -> Output:
    kind, data = output.get("output_type"), output.get("data")
    if kind == "stream":
        return _cut(output.get("text"))
    if kind == "error":
        lines = output.get("traceback")
        return "\n".join(map(_cut, lines[:200])) + "\n" if type(lines) is list else ""
    if type(data) is not dict:
        return ""
    picture = picture_of(data)
    if picture is not None:
        return picture
    text = next((text for mime in _TEXTS if (text := _cut(data.get(mime)))), "")
    return f"{text}\n" if text else ""


def _cut(text: Any) -> str:
    """The begin and the end of an untrusted text."""
    if type(text) is list and all(type(line) is str for line in text):
        text = "".join(text)
    if type(text) is not str:
        return ""
    left_out = len(text) - 2 * _READ
    return text if left_out <= 0 else f"{text[:_READ]}\n{_LEFT_OUT}\n{text[-_READ:]}"


@dataclass
class Room:
    """What may still be kept of a notebook's outputs."""

    characters: int = MAX_TEXT
    read: int = _MOST_READ
    pictures: int = MAX_PICTURES
    bytes: int = MAX_PICTURE_BYTES
    pixels: int = MAX_PIXELS_OF_ALL

    def kept(self, outputs: Sequence[Output]) -> list[NotebookNode]:
        """Outputs of one cell, cleaned, the first of them `MARK`; none if nothing is left of them."""
        shown: list[NotebookNode] = []
        lost = 0
        for output in outputs:
            kept = self._text(output) if isinstance(output, str) else self._picture(output)
            shown += [] if kept is None else [kept]
            lost += kept is None and isinstance(output, SubmittedPicture)
        if lost:
            shown.append(_display({"text/plain": _LOST.format(lost, "" if lost == 1 else "s")}))
        return [_display({"text/plain": MARK}), *shown] if shown else []

    def _text(self, output: str) -> NotebookNode | None:
        if len(output) > self.read:
            return None
        self.read -= len(output)
        text = plain(output)[: self.characters]
        self.characters -= len(text)
        return _display({"text/plain": text}) if text.strip() else None

    def _picture(self, picture: SubmittedPicture) -> NotebookNode | None:
        raw = stripped_png(picture.forms.get("image/png", ""), self.bytes) if self.pictures > 0 else b""
        pixels = _pixels(raw)
        if not raw or pixels > self.pixels:
            return None
        self.pictures -= 1
        self.bytes -= len(raw)
        self.pixels -= pixels
        return _display({"image/png": base64.b64encode(raw).decode("ascii")})


def plain(text: str) -> str:
    """A text as a terminal would leave it: of a progress bar its last state; without codes, at most `MAX_CELL_TEXT`."""
    text = well_formed(_ESCAPE.sub("", text).replace("\r\n", "\n"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = _CONTROL.sub("", "\n".join(lines)).strip("\n")
    if len(text) <= MAX_CELL_TEXT:
        return text
    half = MAX_CELL_TEXT // 2
    return f"{text[:half]}\n{_LEFT_OUT}\n{text[-half:]}"


def stripped_png(encoded: str, most: int) -> bytes:
    """A picture in base64 as a PNG of nothing but its pixels, not decoded; empty if it is damaged or too large.

    Args:
        encoded: base64.
        most: maximum number of bytes.
    """
    if len(encoded) > 1.5 * most:
        return b""
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        return b""
    kept, at = [_PNG], len(_PNG)
    kinds: list[bytes] = []
    if not raw.startswith(_PNG):
        return b""
    while not kinds or kinds[-1] != b"IEND":
        size, kind = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        end = at + 12 + size
        checksum = zlib.crc32(raw[at + 4 : end - 4]).to_bytes(4, "big")
        if end > len(raw) or raw[end - 4 : end] != checksum or (kind == b"IHDR") != (not kinds):
            return b""
        if kind in _PIXELS:
            kinds.append(kind)
            kept.append(raw[at:end])
        at = end
    found = b"".join(kept)
    return found if 0 < _pixels(raw) <= MAX_PIXELS and b"IDAT" in kinds and len(found) <= most else b""


def _pixels(png: bytes) -> int:
    """Width times height, which a PNG tells first."""
    return int.from_bytes(png[16:20], "big") * int.from_bytes(png[20:24], "big")


def _display(data: Mapping[str, str]) -> NotebookNode:
    shown: NotebookNode = new_output("display_data", dict(data), metadata={OF_STUDENT: True})
    return shown
