"""Expected ranges of the measured numbers, by metric and profile.

The ranges are a literal in the `log` cell of a problem's source: the notebook shows students their numbers beside them,
and staff read the same ranges from the source.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any, TypeAlias

from homework.profiles import PROFILES
from homework.scalars import is_whole

Band: TypeAlias = tuple[float | None, float | None]
"""Lowest and highest number, both included; None for no bound."""
Bands: TypeAlias = Mapping[str, Mapping[str, Band]]
"""Metric id → profile → range. In a metric id `*` matches any text."""


def wrong_with(bands: object) -> str:
    """Describes the first error in a table of ranges; empty if there is none."""
    if not isinstance(bands, Mapping):
        return "bands must be a dict: metric id → profile → (lowest, highest)"
    for name, by_profile in bands.items():
        if not isinstance(name, str) or not isinstance(by_profile, Mapping):
            return f"the entry {name!r} must be a metric id with a dict: profile → (lowest, highest)"
        for profile, band in by_profile.items():
            if profile not in PROFILES:
                return f"range of {name!r}: {profile!r} is not a profile; the profiles are {', '.join(PROFILES)}"
            if not isinstance(band, tuple) or len(band) != 2 or not all(end is None or _number(end) for end in band):
                return f"range of {name!r} in {profile}: {band!r} must be (lowest, highest), None for no bound"
            low, high = band
            if low is not None and high is not None and not low < high:
                return f"range of {name!r} in {profile}: {low} is not below {high}; write (lowest, highest)"
    return ""


def entry_for(name: str, bands: Mapping[str, object]) -> str | None:
    """The first entry of a table that matches a metric id; None if none does."""
    if name in bands:
        return name
    return next((entry for entry in bands if "*" in entry and fnmatch.fnmatchcase(name, entry)), None)


def is_within(number: float, band: Band) -> bool:
    """Is a number in a range, ends included? NaN is in none."""
    low, high = band
    return number == number and (low is None or number >= low) and (high is None or number <= high)


def in_words(band: Band) -> str:
    """The range in words, e.g. `95 to 108`, `at least 95`."""
    low, high = band
    if low is None:
        return "any number" if high is None else f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def measured(value: float | None, stderr: float | None = None, runs: int | None = None) -> str:
    """A measured number in words, e.g. `98.31 ± 0.42 (3 runs)`."""
    words = "not available" if value is None else f"{value:.5g}"
    words += "" if stderr is None else f" ± {stderr:.2g}"
    return words + (f" ({runs} runs)" if runs is not None and runs > 1 else "")


def numbers_table(metrics: Mapping[str, Mapping[str, Any]], bands: Bands, profile: str) -> str:
    """The measured numbers beside their expected ranges, as text; empty if there are none.

    Args:
        metrics: the metrics of a log.
        bands: the expected ranges.
        profile: the profile of the run.
    """
    entries = {name: entry_for(name, bands) for name in metrics}
    found = {name: None if entry is None else bands[entry].get(profile) for name, entry in entries.items()}
    rows = [("", "measured", "expected", "")]
    outside = False
    for name, band in found.items():
        record = metrics[name]
        value = record["value"]
        is_outside = band is not None and value is not None and not is_within(value, band)
        outside |= is_outside
        expected = "" if band is None else in_words(band)
        rows.append((name, measured(value, record["stderr"], record["runs"]), expected, "<- outside" * is_outside))
    for name, by_profile in bands.items():
        if name not in entries.values() and profile in by_profile:
            rows.append((name, "not measured", in_words(by_profile[profile]), ""))
    if len(rows) == 1:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join(part.ljust(width) for part, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
    ]
    advice = (
        "A number outside its range costs no points. Look at the figures of its training: did it run to the end, with "
        "the code as it is now?"
    )
    return "\n".join([*lines, *([advice] if outside else [])])


def _number(value: object) -> bool:
    return is_whole(value) or (isinstance(value, float) and abs(value) < float("inf"))
