"""Pictures in a submission, drawn anew: of a student's file only the pixels are kept.

Text, EXIF data, colour profiles, further frames and whatever was hung on at the end stay behind. The decoders see four
formats and no others, and nothing is decoded before its size is known. A picture that cannot be kept is noted in words
for student and grader.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

PICTURE = "picture"
"""Kind of the flag that says what became of a picture."""
FORMATS: Mapping[str, str] = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
"""MIME types that are read, the best first → Pillow's name."""
KEPT = ("image/png", "image/jpeg")
"""MIME types of pictures that were drawn anew."""
MAX_PICTURES = 12
"""Pictures kept of one cell."""
MAX_PIXELS = 20_000_000
"""A picture with more is not decoded."""
MAX_CELL_PIXELS = 40_000_000
"""Pixels decoded of one cell."""
MAX_FILE_BYTES = 16 * 2**20
"""Bytes of picture files that are looked at in one cell."""
MAX_PICTURE_BYTES = 4 * 2**20
"""Bytes kept of all pictures of one cell."""
_SMALLER = "Make it smaller, in matplotlib by `figsize` and `dpi`."
_DAMAGED = "is damaged; it is left out. Draw it again and save the notebook."
_PHOTOGRAPHS = ("JPEG", "MPO")
"""Names that Pillow has for JPEG files; the second is of cameras, with a small copy behind the picture."""
_BASE64 = 1.37
"""Characters of base64, in lines, for one byte."""
_QUALITY = 90
"""Of JPEG."""
_SMALLEST = 64
"""Pixels of a side below which a picture is not made smaller."""
_MAX_TRIED = 2 * MAX_PICTURES
"""Pictures of one cell, sound or damaged, that are looked at."""
_FULL = 257
"""A level of 16 bits divided by this is one of 8 bits."""


@dataclass(frozen=True)
class Drawn:
    """A picture as it stands in a submission; nothing of it is trusted."""

    forms: Mapping[str, str]
    """MIME type → base64 (of SVG the text): the same picture in several formats."""
    name: str = ""
    """By which a text cell shows its attachment; empty for an output."""

    @property
    def digest(self) -> str:
        """Names the picture as it was handed in, whichever software draws it anew."""
        return hashlib.sha256(repr(sorted(self.forms.items())).encode("utf-8", "backslashreplace")).hexdigest()[:12]


@dataclass(frozen=True)
class Picture:
    """A picture that was drawn anew."""

    mime: str
    """One of `KEPT`."""
    data: str
    """Base64."""
    drawn: Drawn
    """What it was."""


@dataclass(frozen=True)
class Gathered:
    """What was kept of one cell's pictures."""

    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]
    """What was left out or changed, as sentences without the item's name."""


class PictureError(Exception):
    """A picture cannot be kept; the message ends the sentence that begins with "picture 1"."""


@dataclass
class _Room:
    """What may still be spent on the pictures of one cell: on sound and on damaged ones."""

    files: int
    """Bytes to look at."""
    pixels: int
    """Pixels to decode."""
    kept: int
    """Bytes to keep."""


def drawn_in(cell: Mapping[str, Any]) -> tuple[Drawn, ...]:
    """The pictures among a cell's outputs and attachments, not looked at yet.

    Args:
        cell: as it stands in the notebook's JSON.
    """
    outputs, attached = cell.get("outputs"), cell.get("attachments")
    found = [("", output.get("data")) for output in _some(outputs, list) if type(output) is dict]
    found += [(name, data) for name, data in _some(attached, dict).items() if type(name) is str]
    pictures = (Drawn(_forms(data), name) for name, data in found)
    return tuple(picture for picture in pictures if picture.forms)


def gather(pictures: Sequence[Drawn]) -> Gathered:
    """Draws the pictures of one cell anew; the same input gives the same bytes."""
    kept: list[Picture] = []
    notes: list[str] = []
    room = _Room(MAX_FILE_BYTES, MAX_CELL_PIXELS, MAX_PICTURE_BYTES)
    for number, drawn in enumerate(pictures, start=1):
        if len(kept) == MAX_PICTURES or number > _MAX_TRIED:
            notes.append(
                f"picture {number} and those after it are left out: at most {MAX_PICTURES} of a cell are kept."
            )
            break
        try:
            mime, raw, changes = _drawn_anew(_opened(drawn, room), room.kept)
        except PictureError as error:
            notes.append(f"picture {number} {error}")
            continue
        except Exception:  # some faults show only when pixels are converted
            notes.append(f"picture {number} {_DAMAGED}")
            continue
        room.kept -= len(raw)
        notes += [f"picture {number} {change}" for change in changes]
        kept.append(Picture(mime, base64.b64encode(raw).decode("ascii"), drawn))
    return Gathered(tuple(kept), tuple(notes))


def _opened(drawn: Drawn, room: _Room) -> Image.Image:
    """The first form of a picture that Pillow can read, decoded and turned upright."""
    error = PictureError(
        "is SVG only, which can hold scripts; it is left out. Draw it as PNG, in matplotlib by "
        "`%config InlineBackend.figure_formats = ['png']`."
        if "image/svg+xml" in drawn.forms
        else "is no PNG, JPEG, GIF or WebP; it is left out. Draw it as PNG."
    )
    for mime in FORMATS:
        if mime in drawn.forms:
            try:
                return _decoded(drawn.forms[mime], room)
            except PictureError as found:
                error = found
    raise error


def _decoded(encoded: str, room: _Room) -> Image.Image:
    if len(encoded) > _BASE64 * room.files:
        raise PictureError(f"is left out: the cell's pictures have more than {MAX_FILE_BYTES // 2**20} MiB. {_SMALLER}")
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
        room.files -= len(raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is refused below, or does no harm
            image = Image.open(io.BytesIO(raw), formats=list(FORMATS.values()))
            size = image.width * image.height
            if size <= min(MAX_PIXELS, room.pixels):
                room.pixels -= size
                image.load()
                return _upright(image)
    except Image.DecompressionBombError:
        size = MAX_PIXELS + 1
    except Exception:  # a hostile picture can fail in as many ways as there are chunks
        raise PictureError(_DAMAGED) from None
    if size > MAX_PIXELS:
        raise PictureError(f"has more than {MAX_PIXELS:,} pixels; it is left out. {_SMALLER}")
    raise PictureError(f"is left out: the cell's pictures have more than {MAX_CELL_PIXELS:,} pixels. {_SMALLER}")


def _upright(image: Image.Image) -> Image.Image:
    """A photograph as its EXIF data say that it was held, which are not kept."""
    with contextlib.suppress(Exception):  # of damaged EXIF data
        turned = ImageOps.exif_transpose(image)
        turned.format = image.format
        turned.info["animated"] = getattr(image, "is_animated", False) and image.format not in _PHOTOGRAPHS
        return turned
    return image


def _drawn_anew(image: Image.Image, most: int) -> tuple[str, bytes, list[str]]:
    """MIME type and bytes of the picture, at most that many, and what had to be changed.

    A photograph stays JPEG, which is far smaller; the others become PNG, which loses nothing.
    """
    mime = "image/jpeg" if image.format in _PHOTOGRAPHS else "image/png"
    changes = ["is an animation; only its first frame is kept."] if image.info.get("animated") else []
    plain = _plain(image)
    raw = _encoded(plain, mime)
    if len(raw) > most:
        changes.append("is made smaller: the cell's pictures are too large.")
    while len(raw) > most:
        if min(plain.size) < 2 * _SMALLEST:
            raise PictureError(
                f"is left out: the cell's pictures have more than {MAX_PICTURE_BYTES // 2**20} MiB. {_SMALLER}"
            )
        plain = plain.reduce(2)
        raw = _encoded(plain, mime)
    return mime, raw, changes


def _plain(image: Image.Image) -> Image.Image:
    """The pixels with 8 bits for each of grey, RGB, or RGBA where something is transparent; no more."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda level: level / _FULL)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() == (255, 255):
            image = image.convert("RGB")
    else:
        image = image.convert("L" if image.mode in ("1", "L", "I") else "RGB")
    image.info = {}
    return image


def _encoded(image: Image.Image, mime: str) -> bytes:
    packed = io.BytesIO()
    image.save(packed, FORMATS[mime], quality=_QUALITY)
    return packed.getvalue()


def _forms(data: Any) -> dict[str, str]:
    """The pictures of one output, by MIME type."""
    forms = {}
    for mime, value in _some(data, dict).items():
        if type(value) is list and all(type(line) is str for line in value):
            value = "".join(value)
        if type(mime) is str and type(value) is str and mime.lower().startswith("image/"):
            forms[mime.lower().replace("image/jpg", "image/jpeg")] = value
    return forms


def _some(value: Any, kind: type) -> Any:
    """The value if it is exactly of that type, else an empty one."""
    return value if type(value) is kind else kind()
