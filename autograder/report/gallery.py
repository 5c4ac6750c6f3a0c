"""What the students' runs drew: small copies of the pictures of figure items.

Grading drew them anew, but the notebooks lie in a folder to which others may write. A picture is opened as one of the
formats that grading writes, looked at before it is unpacked, and what goes on the page is drawn anew from its pixels.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from autograder.core.results import Status
from autograder.core.text import printable
from autograder.course.problem import Problem
from autograder.report.load import Entry
from autograder.report.notebooks import read_answers
from autograder.submissions.pictures import FORMATS, KEPT, MAX_PIXELS

WIDEST, TALLEST = 340, 300
"""Pixels of a picture on the page."""
QUALITY = 55
AT_ONCE = 12
"""Pictures that are seen without asking for more."""


@dataclass(frozen=True)
class Picture:
    """One picture on the page."""

    student: str
    alt: str
    data: str
    """WebP, base64."""
    width: int
    height: int


@dataclass(frozen=True)
class Gallery:
    """The pictures of one figure item."""

    item: str
    pictures: tuple[Picture, ...]
    """One per student, by name."""
    left_out: int
    """Students whose picture there was no room for."""
    broken: tuple[str, ...]
    """Students whose picture cannot be shown: no PNG or JPEG, or too large."""


def galleries(
    out: Path, problem: Problem, entries: Sequence[Entry], drawn: Mapping[str, Sequence[str]], room: int
) -> tuple[Gallery, ...]:
    """The pictures of a problem's figure items.

    Where there are more than there is room for, students are taken at equal distances from the list of names.

    Args:
        out: where grading wrote.
        problem: the problem.
        entries: the class.
        drawn: item id → students who have a picture of it.
        room: bytes on the page, for all pictures together.
    """
    items = [item for item in problem.items if drawn.get(item.id)]
    results = {entry.student: entry for entry in entries}
    found = []
    for item in items:
        pictures, broken, left = [], [], room // len(items)
        waiting = spread(sorted(drawn[item.id]))
        looked_at = 0
        for student in waiting:
            answers = read_answers(out, student, problem)
            data = answers.pictures.get(item.id, ()) if answers else ()
            alt = f"{printable(student, 60)}: picture of {item.id}{_points(results[student], item.id)}"
            picture = thumbnail(data[-1], student, alt) if data else None
            if picture is None:
                broken.append(student)
            elif len(picture.data) > left:
                break
            else:
                pictures.append(picture)
                left -= len(picture.data) + 400
            looked_at += 1
        ordered = tuple(sorted(pictures, key=lambda picture: picture.student))
        found.append(Gallery(item.id, ordered, len(waiting) - looked_at, tuple(sorted(broken))))
    return tuple(found)


def _points(entry: Entry, item_id: str) -> str:
    """What the picture got, in brackets; nothing if the log does not know the item."""
    for result in entry.log.items:
        if result.id == item_id:
            waits = result.status is Status.MANUAL
            return " (waits for a person)" if waits else f" ({result.score:g} of {result.max_score:g} points)"
    return ""


def spread(students: Sequence[str]) -> list[str]:
    """The same students in an order whose every beginning is spread evenly over the list."""
    bits = max(1, (len(students) - 1).bit_length())
    places = (int(f"{number:0{bits}b}"[::-1], 2) for number in range(2**bits))
    return [students[place] for place in places if place < len(students)]


def thumbnail(data: str, student: str, alt: str) -> Picture | None:
    """A small copy of a picture; None if it is no PNG or JPEG, broken or too large.

    Args:
        data: the file in base64.
        student: whose.
        alt: what to say instead of it.
    """
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=[FORMATS[mime] for mime in KEPT]) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                small = _flat(image)
    except Exception:  # a hostile picture can fail in as many ways as there are chunks
        return None
    packed = io.BytesIO()
    small.save(packed, "WEBP", quality=QUALITY, method=4)
    return Picture(student, alt, base64.b64encode(packed.getvalue()).decode(), small.width, small.height)


def _flat(image: Image.Image) -> Image.Image:
    """The picture on white, small."""
    clear = image.convert("RGBA")
    clear.thumbnail((WIDEST, TALLEST))
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat
