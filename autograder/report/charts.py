"""Computes the geometry of the page's charts, in units of an SVG's view box; a template draws them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy

from homework.hand_in.expected_ranges import Band

WIDTH, HEIGHT = 360.0, 118.0
"""Size of a histogram's plotting area, without the axis labels below it."""
_LEFT = 4.0
_GAP = 1.5
_METRIC_BARS = 24
_NEAREST = 34.0
"""Minimum distance of two axis labels; closer ones are left out."""


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram, or one part of a stacked bar."""

    x: float
    y: float
    width: float
    height: float
    label: str
    """Description in words."""
    tone: str = ""
    """The style class of a part; empty for a bar of a histogram."""


@dataclass(frozen=True)
class Tick:
    """A label on the axis."""

    x: float
    text: str
    anchor: str
    """`start`, `middle` or `end`."""


@dataclass(frozen=True)
class Histogram:
    """The geometry of a histogram."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    highest: int
    """The count of the highest bar."""
    middle: float | None
    """Position of the median."""
    band: tuple[float, float] | None
    """Start and width of the expected range."""
    below: int
    """Count of the numbers left of the axis, included in the first bar."""
    above: int
    """Count of the numbers right of the axis, included in the last bar."""


def points_histogram(points: Sequence[float], most: float) -> Histogram:
    """A histogram of points from 0 to `most`, with one bar per point unless there would be too many bars.

    Args:
        points: one number per submission, at least one.
        most: the maximum.
    """
    step = _step(most, 30)
    end = math.floor(most / step + 1e-9)  # index of the last bar
    slot = (WIDTH - 2 * _LEFT) / (end + 1)
    numbers = [int(_clipped(math.floor(point / step + 1e-9), 0, end)) for point in points]
    labels = [*(f"{index * step:g}" for index in range(end)), f"{most:g}"]
    spans = labels
    if step != 1:
        spans = [f"{index * step:g} to below {index * step + step:g}" for index in range(end)]
        spans.append(f"{end * step:g} to {most:g}" if end * step < most else f"{most:g}")
    even = (index for index in range(end) if index * step % _step(most, 8) == 0 and (end - index) * slot > _NEAREST)
    ticks = [(_LEFT + (index + 0.5) * slot, labels[index]) for index in sorted({0, *even, end})]
    middle = _LEFT + (median(points) / step + 0.5) * slot
    bars = _bars(numbers, [f"{words} points" for words in spans])
    return Histogram(bars, _anchored(ticks), _highest(numbers), min(middle, WIDTH - _LEFT), None, 0, 0)


def metric_histogram(values: Sequence[float], band: Band | None) -> Histogram:
    """A histogram of measured numbers, on an axis that covers the expected range and most of the numbers.

    Args:
        values: finite numbers, at least one.
        band: lowest and highest expected number, None where there is no bound; None if there is no expected range.
    """
    low, high = _axis(sorted(values), band or (None, None))
    size = (high - low) / _METRIC_BARS
    numbers = [min(int((_clipped(value, low, high) - low) / size), _METRIC_BARS - 1) for value in values]
    labels = [f"{low + index * size:.4g} to {low + (index + 1) * size:.4g}" for index in range(_METRIC_BARS)]

    def place(value: float) -> float:
        return _LEFT + (_clipped(value, low, high) - low) / (high - low) * (WIDTH - 2 * _LEFT)

    ends = [end for end in band or () if end is not None]
    ticks = [(place(end), f"{end:.4g}") for end in ends] or [(place(low), f"{low:.4g}"), (place(high), f"{high:.4g}")]
    area = None
    if ends and band is not None:
        left, right = place(low if band[0] is None else band[0]), place(high if band[1] is None else band[1])
        area = (left, right - left)
    return Histogram(
        _bars(numbers, labels),
        _anchored(ticks),
        _highest(numbers),
        place(median(values)),
        area,
        sum(value < low for value in values),
        sum(value > high for value in values),
    )


def stacked(parts: Sequence[tuple[str, int, str]]) -> tuple[Bar, ...]:
    """A stacked bar of the parts of a whole, with a total width of 100.

    Args:
        parts: name, count and style class of each; empty ones are left out.
    """
    total = sum(count for _, count, _ in parts)
    bars, x = [], 0.0
    for name, count, tone in parts:
        if count:
            size = 100 * count / total
            bars.append(Bar(round(x, 2), 0, round(size, 2), 1, f"{name}: {count}", tone))
            x += size
    return tuple(bars)


def _bars(numbers: Sequence[int], labels: Sequence[str]) -> tuple[Bar, ...]:
    """One bar for each index that is among the numbers; its height shows how often."""
    slot, highest = (WIDTH - 2 * _LEFT) / len(labels), _highest(numbers)
    bars = []
    for index, count in sorted(Counter(numbers).items()):
        height = max(2.0, HEIGHT * count / highest)
        x, y, width = _LEFT + index * slot + _GAP / 2, HEIGHT - height, slot - _GAP
        bars.append(Bar(round(x, 2), round(y, 2), round(width, 2), round(height, 2), f"{labels[index]}: {count}"))
    return tuple(bars)


def _highest(numbers: Sequence[int]) -> int:
    return max(Counter(numbers).values())


def _step(most: float, parts: int) -> float:
    """A round number of points that divides the axis into at most this many parts."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000, most) if most / step <= parts)


def _axis(ordered: Sequence[float], band: Band) -> tuple[float, float]:
    """Lower and upper end of the axis: the expected range and nine tenths of the numbers, with a margin."""
    ends = [end for end in band if end is not None]
    inner = numpy.quantile(ordered, (0.05, 0.95), method="lower").tolist()  # without interpolation, which overflows
    if len(ends) == 2:  # limits how far the axis extends beyond the expected range
        room = 1.5 * (ends[1] - ends[0])
        inner = [_clipped(value, ends[0] - room, ends[1] + room) for value in inner]
    low, high = (_clipped(end([*inner, *ends]), -1e300, 1e300) for end in (min, max))
    room = 0.08 * (high - low) or max(abs(low) * 0.1, 0.5)
    return low - room, high + room


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _anchored(ticks: Sequence[tuple[float, str]]) -> tuple[Tick, ...]:
    """The labels, those near an end of the axis aligned to it."""
    found = []
    for x, text in ticks:
        x, anchor = (2.0, "start") if x < 20 else (WIDTH - 2, "end") if x > WIDTH - 20 else (x, "middle")
        found.append(Tick(round(x, 2), text, anchor))
    return tuple(found)
