"""Makes thumbnails of the students' pictures for figure items.

Grading has re-encoded the pictures, but other users may write to the notebooks' folder. So a picture is opened only in
the formats that grading writes, its size is checked before it is decoded, and the page gets a newly encoded copy.
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
"""Maximum width and height of a picture on the page, in pixels."""
QUALITY = 55
AT_ONCE = 12
"""Number of pictures shown before "more" is selected."""


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
    """One per student, in order of names."""
    left_out: int
    """Number of students whose picture did not fit."""
    broken: tuple[str, ...]
    """Students whose picture cannot be shown: not a PNG or JPEG, or too large."""


def galleries(
    out: Path, problem: Problem, entries: Sequence[Entry], drawn: Mapping[str, Sequence[str]], room: int
) -> tuple[Gallery, ...]:
    """Makes the galleries of a problem's figure items.

    If not all pictures fit, students are chosen at equal distances in the list of names.

    Args:
        out: the folder of the results.
        problem: the problem.
        entries: the class.
        drawn: item id → students who have a picture of it.
        room: maximum bytes of all pictures together.
    """
    items = [item for item in problem.items if drawn.get(item.id)]
    results = {entry.student: entry for entry in entries}
    found = []
    for item in items:
        pictures, broken, left = [], [], room // len(items)
        for student in spread(sorted(drawn[item.id])):
            answers = read_answers(out, student, problem)
            data = answers.pictures.get(item.id, ()) if answers else ()
            alt = f"{printable(student, 60)}: picture of {item.id}{_points(results[student], item.id)}"
            picture = thumbnail(data[-1], student, alt) if data else None
            if picture is None:
                broken.append(student)
                continue
            left -= len(picture.data)
            if left < 0:
                break
            pictures.append(picture)
            left -= 400  # the HTML around it
        ordered = tuple(sorted(pictures, key=lambda picture: picture.student))
        left_out = len(drawn[item.id]) - len(pictures) - len(broken)
        found.append(Gallery(item.id, ordered, left_out, tuple(sorted(broken))))
    return tuple(found)


def _points(entry: Entry, item_id: str) -> str:
    """The points of the picture's item, in brackets; empty if the log does not have the item."""
    result = next((result for result in entry.log.items if result.id == item_id), None)
    if result is None:
        return ""
    waits = result.status is Status.MANUAL
    return " (needs manual grading)" if waits else f" ({result.score:g} of {result.max_score:g} points)"


def spread(students: Sequence[str]) -> list[str]:
    """Reorders the students so that each prefix is spread evenly over the list."""
    bits = max(1, (len(students) - 1).bit_length())
    places = (int(f"{number:0{bits}b}"[::-1], 2) for number in range(2**bits))
    return [students[place] for place in places if place < len(students)]


def thumbnail(data: str, student: str, alt: str) -> Picture | None:
    """A thumbnail of a picture; None if it is not a PNG or JPEG, damaged or too large.

    Args:
        data: the file in base64.
        student: the picture's owner.
        alt: alternative text.
    """
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=[FORMATS[mime] for mime in KEPT]) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                small = _flat(image)
    except Exception:  # a malicious picture can raise many kinds of errors
        return None
    packed = io.BytesIO()
    small.save(packed, "WEBP", quality=QUALITY, method=4)
    return Picture(student, alt, base64.b64encode(packed.getvalue()).decode(), small.width, small.height)


def _flat(image: Image.Image) -> Image.Image:
    """A thumbnail of the picture on white."""
    clear = image.convert("RGBA")
    clear.thumbnail((WIDEST, TALLEST))
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat
