"""Caches results of one submission, so that a later grading examines only what changed.

The key of a result is the digest of everything it depends on: for a cell the cells that ran before it, for an item also
its test, the reference and the student's id. A result that the machine may have caused (time, memory, a crash) is used
only after two examinations agreed on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.core.results import Status

DOUBTFUL = frozenset({Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.CRASHED})
"""Statuses that a busy machine can cause."""
_AGREEING = 2


class ItemCache:
    """The cached results of one submission, old and new.

    Args:
        entries: `kept` of the earlier grading; empty if there was none.
    """

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        self._old = entries or {}
        self.kept: dict[str, Any] = {}
        """Results that this grading used or found, for the next one; plain JSON."""
        self.items = 0
        """How many items were taken from the cache."""

    def get(self, key: str) -> dict[str, Any] | None:
        """The cached result; None if there is none or it is not confirmed yet."""
        entry = self._old.get(key)
        if entry is None or not _is_settled(entry):
            return None
        self.kept[key] = entry
        value: dict[str, Any] = entry["value"]
        return value

    def keep(self, key: str, value: dict[str, Any], end: str) -> bool:
        """Caches a result of this grading; returns whether the earlier grading had another result for the same key.

        Another result for the same key means that the machine or chance decided.

        Args:
            key: the digest of what the result depends on.
            value: the result, as plain JSON.
            end: how it ended: an item's status, or how a cell's process died.
        """
        before = self._old.get(key, {})
        seen = before["seen"] + 1 if before.get("value") == value else 1
        self.kept[key] = {"value": value, "seen": seen, "doubtful": end in DOUBTFUL}
        return bool(before) and before["value"] != value

    @property
    def is_settled(self) -> bool:
        """Whether all results are confirmed."""
        return all(map(_is_settled, self.kept.values()))


def _is_settled(entry: Mapping[str, Any]) -> bool:
    return not entry["doubtful"] or entry["seen"] >= _AGREEING
