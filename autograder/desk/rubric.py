"""The rubric of one question at the desk: its items, how a score follows from them, how it changes while people grade.

A rubric adds points (from 0) or takes them off (from the maximum), by the sign of its items. It begins as the bullets
of the source's mark scheme. Each change gives a new version; decisions keep the keys of ticked items, so that a
reworded or revalued item stays ticked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from autograder.core.errors import AutograderError
from autograder.core.results import clamped
from autograder.core.text import counted
from autograder.course.mark_scheme import criteria
from autograder.course.problem import Item

MOST_ITEMS = 20
"""Maximum number of items of a rubric: more cannot be judged at a glance."""
_KEY = re.compile(r"r[0-9]{1,6}")
_LONGEST = 500
"""Maximum length of an item's text, in characters."""


class RubricError(AutograderError):
    """A rubric that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class RubricItem:
    """One criterion."""

    key: str
    """Identifies it over all versions, e.g. `r2`."""
    points: float
    """Points that it adds; negative: that it takes off."""
    text: str


@dataclass(frozen=True)
class Rubric:
    """One version of a question's rubric."""

    items: tuple[RubricItem, ...]
    most: float
    """Points of the question."""
    version: int = 1

    @property
    def takes_off(self) -> bool:
        """Whether a score begins at the maximum, and ticked items take points off."""
        return bool(self.items) and all(item.points < 0 for item in self.items)

    def score(self, ticked: Collection[str], adjustment: float = 0.0) -> float:
        """The score with these items ticked, between 0 and the maximum."""
        start = self.most if self.takes_off else 0.0
        points = sum(item.points for item in self.items if item.key in ticked)
        return clamped(start + points + adjustment, self.most)

    @property
    def doubts(self) -> str:
        """What is odd about it, in a sentence; empty if nothing is."""
        total = sum(abs(item.points) for item in self.items)
        if not self.items:
            return "This rubric has no items: give points by adjustment, or add items."
        if any(item.points < 0 for item in self.items) and not self.takes_off:
            best = sum(max(0.0, item.points) for item in self.items)
            end = "" if abs(best - self.most) <= 1e-9 else f" and end at {best:g} of {self.most:g}"
            return f"Some items add points and some take them off; scores begin at 0{end}."
        if abs(total - self.most) > 1e-9 and not self.takes_off:
            return f"The items add up to {total:g} points, and the question has {self.most:g}."
        return ""

    def as_yaml(self) -> str:
        """The rubric as text, for `from_yaml`."""
        items = [{"key": item.key, "points": item.points, "text": item.text} for item in self.items]
        return str(
            yaml.safe_dump({"points": self.most, "items": items}, sort_keys=False, allow_unicode=True, width=100)
        )

    def as_mark_scheme(self) -> str:
        """The rubric as the bullets of a source's mark scheme.

        Raises:
            RubricError: its items take points off, or do not add up, which a source cannot have.
        """
        total = sum(item.points for item in self.items)
        if any(item.points < 0 for item in self.items) or abs(total - self.most) > 1e-9:
            raise RubricError(
                f"a source's rubric adds up to the points of its question ({self.most:g}), and this one to {total:g}; "
                "change its items first."
            )
        return "\n".join(f"- {counted(f'{item.points:g}', 'point')}: {item.text}" for item in self.items)

    def with_items(self, items: Iterable[RubricItem]) -> Rubric:
        """The next version, with these items.

        Raises:
            RubricError: the items cannot be used.
        """
        found = tuple(items)
        if len(found) > MOST_ITEMS:
            raise RubricError(f"a rubric has at most {MOST_ITEMS} items, and this one {len(found)}; merge some.")
        if len({item.key for item in found}) < len(found):
            raise RubricError("two items have the same key; give each its own.")
        for item in found:
            if not item.text.strip():
                raise RubricError("an item has no text; say what an answer must have for its points.")
            if len(item.text) > _LONGEST:
                raise RubricError(f"an item has {len(item.text)} characters; at most {_LONGEST} can be shown.")
            if not 0 < abs(item.points) <= 1000:  # false for nan
                raise RubricError(f"the item {item.text[:40]!r} has {item.points:g} points; give it a number, not 0.")
        return replace(self, items=found, version=self.version + 1)

    def new_key(self) -> str:
        """A key that no item of this version has."""
        numbers = [int(item.key[1:]) for item in self.items if item.key[1:].isdigit()]
        return f"r{max(numbers, default=0) + 1}"

    def as_json(self) -> dict[str, Any]:
        """The rubric as plain JSON."""
        return {"most": self.most, "items": [[item.key, item.points, item.text] for item in self.items]}

    @staticmethod
    def from_json(record: Mapping[str, Any], version: int) -> Rubric:
        """Reads what `as_json` made."""
        return Rubric(tuple(RubricItem(*item) for item in record["items"]), record["most"], version)


def rubric_of(item: Item) -> Rubric:
    """The rubric of an item's source."""
    found = criteria(item.rubric)
    return Rubric(
        tuple(RubricItem(f"r{number}", one.points, one.text) for number, one in enumerate(found, start=1)), item.points
    )


def from_yaml(text: str, now: Rubric) -> Rubric:
    """The next version of a rubric from an exported text.

    Raises:
        RubricError: the text is not a rubric.
    """
    form = "write `items:`, and below it `- points: 1` and `text: ...` for each item"
    try:
        record = yaml.safe_load(text)
        entries = [(entry.get("key"), float(entry["points"]), entry["text"]) for entry in record["items"]]
        if not all(isinstance(words, str) for _, _, words in entries):  # an alias may stand for gigabytes
            raise TypeError("text")
    except (yaml.YAMLError, TypeError, ValueError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise RubricError(f"this is not a rubric ({type(error).__name__}); {form}.") from error
    items: list[RubricItem] = []
    for key, points, words in entries:
        taken = {item.key for item in items}
        fresh = Rubric(tuple(items) + now.items, now.most).new_key()
        is_key = isinstance(key, str) and _KEY.fullmatch(key) is not None and key not in taken
        items.append(RubricItem(key if is_key else fresh, points, words))
    return now.with_items(items)


def merged(rubric: Rubric, keys: Collection[str], text: str) -> tuple[Rubric, dict[str, str]]:
    """The next version with several items as one; and old key → key of the item that is ticked in its place.

    Raises:
        RubricError: fewer than two of the keys are items of the rubric.
    """
    chosen = [item for item in rubric.items if item.key in keys]
    if len(chosen) < 2:
        raise RubricError("choose two items or more to merge.")
    one = replace(chosen[0], points=sum(item.points for item in chosen), text=text)
    items = [one if item is chosen[0] else item for item in rubric.items if item is chosen[0] or item not in chosen]
    return rubric.with_items(items), {item.key: one.key for item in chosen}
