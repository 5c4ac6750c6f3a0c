"""Numbers as words and rows as Markdown; what was not measured says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

NONE = "not measured"
NOISE = "lost in noise"
"""Where a difference of two measurements came out at zero or below."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float | None, digits: int) -> str:
    """A number with so many digits after the point."""
    return NONE if value is None else f"{value:,.{digits}f}"


def seconds(value: float | None) -> str:
    """Seconds with about three figures."""
    if value is None:
        return NONE
    return number(value, 4 if abs(value) < 0.01 else 3 if abs(value) < 1 else 2)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, and in brackets the smallest and the largest."""
    if not values:
        return NONE
    text = number(median(values), digits)
    return text if len(values) == 1 else f"{text} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def share(value: float | None, parts: float | None) -> float | None:
    """One of so many equal parts; None if there is nothing to share."""
    return None if value is None or not parts else value / parts


def times(value: float | None, base: float | None) -> str:
    """How many times the base a value is."""
    if value is None or base is None:
        return NONE
    if value <= 0 or base <= 0:
        return NOISE
    return f"{value / base:.2g}" if value / base < 10 else f"{value / base:,.0f}"


def count(how_many: int, noun: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{how_many} {noun}" if how_many == 1 else f"{how_many} {noun}s"
