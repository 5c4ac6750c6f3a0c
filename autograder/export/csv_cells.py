"""Cells of the files we write: numbers, times, and texts that no spreadsheet takes for a formula.

Where a spreadsheet would take a text for a formula (`=HYPERLINK(...)`, `+1`, `@x`) it gets an apostrophe in front; so
does what would be one if the spreadsheet cuts the text at a semicolon, a tab or a new line. `as_it_was` takes exactly
these apostrophes away again, so that no id is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

_FORMULA = re.compile(r"(?:\A|(?<=[;\t\r\n]))'*(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])|\A'*(?=[\t\r\n])")
"""The start of what a spreadsheet could take for a cell with a formula, with the apostrophes that are there already."""


def harmless(text: str) -> str:
    """The text of a cell, with an apostrophe wherever a spreadsheet could see a formula begin."""
    return _FORMULA.sub(lambda start: f"'{start.group()}", text)


def as_it_was(cell: str) -> str:
    """The text that `harmless` was given."""
    return _FORMULA.sub(lambda start: start.group()[1:], cell)


def points_text(points: float) -> str:
    """Points with two decimals at most, the precision of the platforms: `12`, `7.5`, `13.33`."""
    text = f"{points:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def duration_text(seconds: float) -> str:
    """Hours, minutes and seconds, as Gradescope writes lateness: `26:03:10`."""
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def moment_text(moment: datetime | None, form: str = "%Y-%m-%dT%H:%M:%S%z") -> str:
    """A time; empty if it is not known."""
    return "" if moment is None else moment.strftime(form)


def csv_text(rows: Iterable[Sequence[str]], delimiter: str = ",", newline: str = "\n") -> str:
    """Rows as the text of a CSV file; cells are quoted where they must be."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return text.getvalue()
