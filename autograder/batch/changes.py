"""Compares two gradings of a class: for which students an item's score, or the whole score, went up or down."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from autograder.core.results import GradedLog, ItemResult

_SAME = 1e-9
"""Two roundings of one score may differ by this many points."""


@dataclass(frozen=True)
class Moved:
    """A student's score before and after."""

    student: str
    before: float
    after: float
    most_before: float
    most_after: float

    def __str__(self) -> str:
        return f"{self.before:g} of {self.most_before:g} → {self.after:g} of {self.most_after:g}"


@dataclass(frozen=True)
class Change:
    """What happens to one item, or to the whole score."""

    name: str
    """The item's id; empty for the whole score."""
    up: tuple[Moved, ...]
    down: tuple[Moved, ...]
    same: int
    worth_before: str
    """The item's points in words; `–` where it did not exist."""
    worth_after: str

    @property
    def is_change(self) -> bool:
        """Whether anything differs."""
        return bool(self.up or self.down or self.worth_before != self.worth_after)


@dataclass(frozen=True)
class Changes:
    """The differences between two gradings of the students who are in both."""

    items: tuple[Change, ...]
    total: Change
    words: int
    """Students with equal scores whose feedback or status differs."""
    new: tuple[str, ...] = ()
    """Students who have a result only after."""
    gone: tuple[str, ...] = ()
    """Students who have a result only before."""

    @property
    def compared(self) -> int:
        """Students with a result before and after."""
        return len(self.total.up) + len(self.total.down) + self.total.same

    @property
    def losers(self) -> dict[str, list[str]]:
        """Student → what goes down, in words; the whole score comes first. Also students whose result is gone."""
        found: dict[str, list[str]] = {student: ["has no submission any more"] for student in self.gone}
        for change in (self.total, *self.items):
            for moved in change.down:
                found.setdefault(moved.student, []).append(f"{change.name or 'score'} {moved}")
        return dict(sorted(found.items()))

    @property
    def is_empty(self) -> bool:
        """Whether no score, no maximum and no student differs."""
        return not (self.new or self.gone or any(change.is_change for change in (*self.items, self.total)))


@dataclass
class _Column:
    """The scores of one item so far."""

    up: list[Moved] = field(default_factory=list)
    down: list[Moved] = field(default_factory=list)
    same: int = 0
    before: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)

    def add(self, moved: Moved) -> None:
        if moved.after > moved.before + _SAME:
            self.up.append(moved)
        elif moved.after < moved.before - _SAME:
            self.down.append(moved)
        else:
            self.same += 1

    def change(self, name: str) -> Change:
        worth = (" or ".join(sorted(words)) or "–" for words in (self.before, self.after))
        return Change(name, tuple(self.up), tuple(self.down), self.same, *worth)


def compare(
    before: Mapping[str, GradedLog], after: Mapping[str, GradedLog], gone: Collection[str] | None = None
) -> Changes:
    """Compares two gradings.

    Args:
        before: student → log.
        after: student → log.
        gone: students who have a result only before; computed if not given.
    """
    items: dict[str, _Column] = {}
    total, words = _Column(), 0
    for student in sorted(before.keys() & after.keys()):
        old, new = before[student], after[student]
        total.add(Moved(student, old.score, new.score, old.max_score, new.max_score))
        total.before.add(f"{old.max_score:g}")
        total.after.add(f"{new.max_score:g}")
        olds, news = ({item.id: item for item in log.items} for log in (old, new))
        for name in [*news, *(name for name in olds if name not in news)]:
            _add(items.setdefault(name, _Column()), student, olds.get(name), news.get(name))
        words += old.score == new.score and _words(old) != _words(new)
    return Changes(
        tuple(column.change(name) for name, column in items.items()),
        total.change(""),
        words,
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys() if gone is None else gone)),
    )


def _add(column: _Column, student: str, old: ItemResult | None, new: ItemResult | None) -> None:
    scores = [one.score if one else 0.0 for one in (old, new)]
    most = [one.max_score if one else 0.0 for one in (old, new)]
    column.add(Moved(student, scores[0], scores[1], most[0], most[1]))
    for one, worth in ((old, column.before), (new, column.after)):
        if one is not None:
            worth.add(one.label)


def _words(log: GradedLog) -> list[tuple[object, ...]]:
    """What students see of their items beside the scores."""
    return [(item.id, item.status, item.message, item.misconceptions, item.output) for item in log.items]
