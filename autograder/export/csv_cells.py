"""Formats CSV cells: numbers, times, and text that no spreadsheet reads as a formula.

Text that a spreadsheet would read as a formula (`=HYPERLINK(...)`, `+1`, `@x`) gets an apostrophe in front, also after
a semicolon, a tab or a new line, where the spreadsheet may split the text. `unescaped` removes exactly these
apostrophes, so ids can be read back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime, tzinfo

_FORMULA = re.compile(r"(?:\A|(?<=[;\t\r\n]))'*(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])|\A'*(?=[\t\r\n])")
"""The start of a possible formula, with any apostrophes in front of it."""


def escaped(text: str) -> str:
    """Escapes the text of a cell: puts an apostrophe before each possible formula."""
    return _FORMULA.sub(lambda start: f"'{start.group()}", text)


def unescaped(cell: str) -> str:
    """Reverses `escaped`."""
    return _FORMULA.sub(lambda start: start.group()[1:], cell)


def points_text(points: float) -> str:
    """Formats points with at most two decimals, the platforms' precision: `12`, `7.5`, `13.33`."""
    text = f"{points:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def cell_text(value: object) -> str:
    """Formats a value of a table: text escaped, an empty cell for None."""
    return escaped(value) if isinstance(value, str) else "" if value is None else str(value)


def duration_text(seconds: float) -> str:
    """Formats hours, minutes and seconds as in Gradescope's lateness: `26:03:10`."""
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def moment_text(moment: datetime | None, zone: tzinfo | None, form: str = "%Y-%m-%dT%H:%M:%S%z") -> str:
    """Formats a time in a time zone; empty if it is unknown."""
    return "" if moment is None else moment.astimezone(zone).strftime(form)


def csv_text(rows: Iterable[Iterable[str]], delimiter: str = ",", newline: str = "\n") -> str:
    """Formats rows as CSV text; cells are quoted where needed."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return text.getvalue()
