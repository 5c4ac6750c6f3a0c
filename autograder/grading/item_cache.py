"""What an earlier grading of the same submission found, so that only what changed is examined again.

Each finding stands under the digest of all that decides over it: for a cell the cells that ran before it, for an item
also its test, the reference and the student's id. A finding that may be the machine's fault (time, memory, a crash) is
believed only after two examinations that agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.core.results import Status

DOUBTFUL = frozenset({Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.CRASHED})
"""Ends that a busy machine can cause."""
_AGREEING = 2


class Recall:
    """The findings of one submission, old and new.

    Args:
        entries: what `kept` held after the earlier grading; empty if there was none.
    """

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        self._old = entries or {}
        self.kept: dict[str, Any] = {}
        """What this grading used or found, for the next one; plain JSON."""
        self.items = 0
        """How many items were taken from the earlier grading."""

    def get(self, key: str) -> dict[str, Any] | None:
        """The finding, if there is one that can be believed."""
        entry = self._old.get(key)
        if entry is None or not _is_settled(entry):
            return None
        self.kept[key] = entry
        value: dict[str, Any] = entry["value"]
        return value

    def keep(self, key: str, value: dict[str, Any], end: str) -> bool:
        """Notes a finding of this grading; was there another one before, which only the machine can explain, or luck?

        Args:
            key: the digest of what decides over it.
            value: the finding, as plain JSON.
            end: how it ended: an item's status, or how a cell's process died.
        """
        before = self._old.get(key, {})
        seen = before["seen"] + 1 if before.get("value") == value else 1
        self.kept[key] = {"value": value, "seen": seen, "doubtful": end in DOUBTFUL}
        return bool(before) and before["value"] != value

    @property
    def is_settled(self) -> bool:
        """Can all findings be believed?"""
        return all(map(_is_settled, self.kept.values()))


def _is_settled(entry: Mapping[str, Any]) -> bool:
    return not entry["doubtful"] or entry["seen"] >= _AGREEING
