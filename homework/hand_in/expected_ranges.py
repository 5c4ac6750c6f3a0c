"""Expected ranges of the measured numbers, by metric and profile.

The table is a literal in the `log` cell of a problem's source: the notebook tells a student whose number is outside its
range where to look, and staff read the same table from the source.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import TypeAlias

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


def remark(name: str, number: float, bands: Bands, profile: str) -> str:
    """One line for the student if the number is outside its expected range; else empty."""
    entry = entry_for(name, bands)
    band = None if entry is None else bands[entry].get(profile)
    if band is None or is_within(number, band):
        return ""
    return (
        f"metric {name!r} is {number:.4g}; runs of this size gave {in_words(band)}. Look at the figures of its "
        "training: did it run to the end, with the code as it is now? This costs no points."
    )


def _number(value: object) -> bool:
    return is_whole(value) or (isinstance(value, float) and abs(value) < float("inf"))
