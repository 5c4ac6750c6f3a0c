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

_READ = 50_000
"""Characters that are read at the begin and at the end of an output."""
_TEXTS = ("text/markdown", "text/plain", "text/latex")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]{0,30}[ -/]{0,3}[@-~]|[@-_])")
"""A code for a terminal, e.g. a colour."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of text."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""The chunks of a PNG that make up its pixels."""


def outputs_in(cell: Mapping[str, Any]) -> tuple[Output, ...]:
    """The outputs of a cell of a notebook's JSON, in their order; texts that follow each other are one."""
    found: list[Output] = []
    outputs = cell.get("outputs")
    for output in outputs if type(outputs) is list else ():
        one = _output(output) if type(output) is dict else ""
        if isinstance(one, str) and found and isinstance(found[-1], str):
            found[-1] += one
        elif one:
            found.append(one)
    return tuple(found)


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
    return text if len(text) <= 2 * _READ else f"{text[:_READ]}\n{text[-_READ:]}"


@dataclass
class Room:
    """What may still be kept of a notebook's outputs."""

    characters: int = MAX_TEXT
    pictures: int = MAX_PICTURES
    bytes: int = MAX_PICTURE_BYTES

    def kept(self, outputs: Sequence[Output]) -> list[NotebookNode]:
        """Outputs of one cell, cleaned, the first of them `MARK`; none if nothing is left of them."""
        shown = [one for output in outputs if (one := self._kept(output)) is not None]
        return [_display({"text/plain": MARK}), *shown] if shown else []

    def _kept(self, output: Output) -> NotebookNode | None:
        if isinstance(output, SubmittedPicture):
            return self._kept_picture(output)
        text = plain(output)[: self.characters]
        self.characters -= len(text)
        return _display({"text/plain": text}) if text.strip() else None

    def _kept_picture(self, picture: SubmittedPicture) -> NotebookNode:
        raw = stripped_png(picture.forms.get("image/png", ""), self.bytes) if self.pictures > 0 else b""
        if not raw:
            return _display({"text/plain": "[a picture, which is not kept: too large, too many, or no PNG]"})
        self.pictures -= 1
        self.bytes -= len(raw)
        return _display({"image/png": base64.b64encode(raw).decode("ascii")})


def plain(text: str) -> str:
    """A text as a terminal would leave it: of a progress bar its last state; without codes, at most `MAX_CELL_TEXT`."""
    text = well_formed(_ESCAPE.sub("", text).replace("\r\n", "\n"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = _CONTROL.sub("", "\n".join(lines)).strip("\n")
    if len(text) <= MAX_CELL_TEXT:
        return text
    half = MAX_CELL_TEXT // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters are left out ...]\n{text[-half:]}"


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
    width, height = (int.from_bytes(raw[place : place + 4], "big") for place in (16, 20))
    found = b"".join(kept)
    return found if 0 < width * height <= MAX_PIXELS and b"IDAT" in kinds and len(found) <= most else b""


def _display(data: Mapping[str, str]) -> NotebookNode:
    shown: NotebookNode = new_output("display_data", dict(data), metadata={OF_STUDENT: True})
    return shown
