"""Re-encodes the pictures in a submission, so that only their pixels are kept.

Text, EXIF data, color profiles, further frames and appended data are dropped. Only four formats are decoded, and a
picture's size is checked before it is decoded. If a picture cannot be kept, a note tells student and grader why.
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

FORMATS: Mapping[str, str] = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
"""MIME types that are read, the preferred first → Pillow's name."""
KEPT = ("image/png", "image/jpeg")
"""MIME types of re-encoded pictures."""
MAX_PICTURES = 12
"""Maximum number of pictures kept per cell."""
MAX_PIXELS = 20_000_000
"""A picture with more pixels is not decoded."""
MAX_CELL_PIXELS = 40_000_000
"""Maximum number of pixels decoded per cell."""
MAX_FILE_BYTES = 16 * 2**20
"""Maximum bytes of picture files read per cell."""
MAX_PICTURE_BYTES = 4 * 2**20
"""Maximum bytes of all pictures kept per cell."""
_SMALLER = "Make it smaller; in matplotlib, use `figsize` and `dpi`."
_DAMAGED = "is damaged; it is left out. Draw it again and save the notebook."
_PHOTOGRAPHS = ("JPEG", "MPO")
"""Pillow's names for JPEG files; cameras write MPO, which adds a preview after the picture."""
_BASE64 = 1.37
"""Characters of base64 per byte, including line breaks."""
_SMALLEST = 64
"""Minimum side length, in pixels, after a reduction."""


@dataclass(frozen=True)
class SubmittedPicture:
    """A picture in a submission, untrusted."""

    forms: Mapping[str, str]
    """MIME type → base64 (for SVG the text): the same picture in several formats."""
    name: str = ""
    """Name of a text cell's attachment; empty for an output."""

    @property
    def digest(self) -> str:
        """Identifies the picture as submitted, independent of the re-encoding software: 12 hex digits of a SHA-256."""
        return hashlib.sha256(repr(sorted(self.forms.items())).encode("utf-8", "backslashreplace")).hexdigest()[:12]


@dataclass(frozen=True)
class Picture:
    """A re-encoded picture."""

    mime: str
    """One of `KEPT`."""
    data: str
    """Base64."""
    drawn: SubmittedPicture
    """The picture as submitted."""


@dataclass(frozen=True)
class Gathered:
    """The re-encoded pictures of one cell."""

    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]
    """Sentences on pictures that were left out or changed, without the item's name."""


class PictureError(Exception):
    """A picture cannot be kept; the message continues a sentence that begins with "picture 1"."""


@dataclass
class _Budget:
    """Remaining limits for the pictures of one cell, valid or damaged."""

    files: int
    """Bytes that may still be read."""
    pixels: int
    """Pixels that may still be decoded."""
    kept: int
    """Bytes that may still be kept."""


def attached_to(cell: Mapping[str, Any]) -> tuple[SubmittedPicture, ...]:
    """The pictures that are attached to a cell of the notebook's JSON, not decoded."""
    attached = _some(cell.get("attachments"), dict).items()
    found = (picture_of(data, name) for name, data in attached if type(name) is str)
    return tuple(picture for picture in found if picture is not None)


def picture_of(data: Any, name: str = "") -> SubmittedPicture | None:
    """The picture in the data of an output or an attachment (MIME type → content); None if there is none."""
    forms = _forms(data)
    return SubmittedPicture(forms, name) if forms else None


def gather(pictures: Sequence[SubmittedPicture]) -> Gathered:
    """Re-encodes the pictures of one cell; the same input gives the same bytes."""
    kept: list[Picture] = []
    notes: list[str] = []
    room = _Budget(MAX_FILE_BYTES, MAX_CELL_PIXELS, MAX_PICTURE_BYTES)
    for number, drawn in enumerate(pictures, start=1):
        if len(kept) == MAX_PICTURES or number > 2 * MAX_PICTURES:  # pictures that cannot be kept also cost time
            rest = f"and those after it are left out: at most {MAX_PICTURES} pictures per cell are kept."
            notes.append(f"picture {number} {rest}")
            break
        try:
            mime, raw, changes = _drawn_anew(_opened(drawn, room), room.kept)
            room.kept -= len(raw)
            kept.append(Picture(mime, base64.b64encode(raw).decode("ascii"), drawn))
        except PictureError as error:
            changes = [str(error)]
        except Exception:  # some damage shows only when pixels are converted
            changes = [_DAMAGED]
        notes += [f"picture {number} {change}" for change in changes]
    return Gathered(tuple(kept), tuple(notes))


def _opened(drawn: SubmittedPicture, room: _Budget) -> Image.Image:
    """Decodes the first form of a picture that Pillow can read, and rotates it by its EXIF orientation."""
    error = PictureError(
        "is SVG only, which can contain scripts; it is left out. Draw it as PNG; in matplotlib, use "
        "`%config InlineBackend.figure_formats = ['png']`."
        if "image/svg+xml" in drawn.forms
        else "is not a PNG, JPEG, GIF or WebP; it is left out. Draw it as PNG."
    )
    for mime in FORMATS:
        if mime in drawn.forms:
            try:
                return _decoded(drawn.forms[mime], room)
            except PictureError as found:
                error = found
    raise error


def _decoded(encoded: str, room: _Budget) -> Image.Image:
    if len(encoded) > _BASE64 * room.files:
        raise PictureError(f"is left out: the cell's pictures have more than {MAX_FILE_BYTES // 2**20} MiB. {_SMALLER}")
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
        room.files -= len(raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's warnings are harmless, or the picture is refused below
            image = Image.open(io.BytesIO(raw), formats=list(FORMATS.values()))
            size = image.width * image.height
            if size <= min(MAX_PIXELS, room.pixels):
                room.pixels -= size
                image.load()
                return _upright(image)
    except Image.DecompressionBombError:
        size = MAX_PIXELS + 1
    except Exception:  # a malicious picture may raise any error
        raise PictureError(_DAMAGED) from None
    if size > MAX_PIXELS:
        raise PictureError(f"has more than {MAX_PIXELS:,} pixels; it is left out. {_SMALLER}")
    raise PictureError(f"is left out: the cell's pictures have more than {MAX_CELL_PIXELS:,} pixels. {_SMALLER}")


def _upright(image: Image.Image) -> Image.Image:
    """The picture, rotated by its EXIF orientation."""
    with contextlib.suppress(Exception):  # damaged EXIF data
        turned = ImageOps.exif_transpose(image)
        turned.format = image.format
        turned.info["animated"] = getattr(image, "is_animated", False) and image.format not in _PHOTOGRAPHS
        return turned
    return image


def _drawn_anew(image: Image.Image, most: int) -> tuple[str, bytes, list[str]]:
    """MIME type and bytes of the re-encoded picture, at most `most` bytes, and notes on changes.

    A photograph stays JPEG, which is much smaller; other pictures become PNG, which is lossless.
    """
    mime = "image/jpeg" if image.format in _PHOTOGRAPHS else "image/png"
    changes = ["is an animation; only its first frame is kept."] if image.info.get("animated") else []
    plain = _plain(image)
    raw = _encoded(plain, mime)
    if len(raw) > most:
        changes.append("is made smaller: the cell's pictures are too large.")
    while len(raw) > most:
        if min(plain.size) < 2 * _SMALLEST:
            limit = f"{MAX_PICTURE_BYTES // 2**20} MiB"
            raise PictureError(f"is left out: the cell's pictures have more than {limit}. {_SMALLER}")
        plain = plain.reduce(2)
        raw = _encoded(plain, mime)
    return mime, raw, changes


def _plain(image: Image.Image) -> Image.Image:
    """Only the pixels, with 8 bits per channel: gray, RGB, or RGBA if there are transparent pixels."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda level: level / 257)  # from 16 to 8 bits
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
    image.save(packed, FORMATS[mime], quality=90)
    return packed.getvalue()


def _forms(data: Any) -> dict[str, str]:
    """MIME type → data of one output's picture."""
    forms = {}
    for mime, value in _some(data, dict).items():
        if type(value) is list and all(type(line) is str for line in value):
            value = "".join(value)
        if type(mime) is str and type(value) is str and mime.lower().startswith("image/"):
            forms[mime.lower().replace("image/jpg", "image/jpeg")] = value
    return forms


def _some(value: Any, kind: type) -> Any:
    """The value if it has exactly this type, else an empty value of the type."""
    return value if type(value) is kind else kind()
