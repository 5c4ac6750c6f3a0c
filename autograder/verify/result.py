"""What checking one student-written log found out: a verdict with a message for each item and each metric.

The messages may be shown to the student: none gives a right answer away or names another student. What only staff may
read stands in `copied_from`, `flags` and `notes`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.core.files import write_atomically
from autograder.core.results import Flag
from autograder.submissions.metrics import VerifiedMetric


class Verdict(StrEnum):
    """How the log's answer to one item is."""

    RIGHT = "right"
    WRONG = "wrong"
    MISCONCEPTION = "misconception"
    """Wrong as a known wrong solution is."""
    ERROR = "error"
    """The log says that the student's code raised."""
    MISSING = "missing"
    """Asked, and not in the log."""
    COPIED = "copied"
    """Right, or at least logged, for another student's inputs."""


class CodeVerdict(StrEnum):
    """Is the code that gave an answer the code in the notebook?"""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """No notebook, no hash, or no such cell."""


@dataclass(frozen=True)
class VerifiedItem:
    """One item of one log."""

    id: str
    verdict: Verdict
    message: str
    """What the student may read."""
    misconception: str = ""
    """Name of the known wrong solution whose answer it is."""
    code: CodeVerdict = CodeVerdict.UNKNOWN


@dataclass(frozen=True)
class Verified:
    """One log, checked. All text in it is printable: what came from the log is escaped and cut."""

    path: Path
    student: str
    """Whose it is: the folder it was handed in from, else what the log says; empty if nobody can tell."""
    problem: str
    """Problem id; empty for a log that cannot be used."""
    profile: str = ""
    device: str = ""
    items: tuple[VerifiedItem, ...] = ()
    """The items that the source asks for, in its order."""
    metrics: tuple[VerifiedMetric, ...] = ()
    copied_from: tuple[str, ...] = ()
    """Students whose right answers these are."""
    flags: tuple[Flag, ...] = ()
    """Findings about the log as a whole."""
    notes: tuple[str, ...] = ()
    """What staff should know; no finding."""

    @property
    def right(self) -> int:
        """How many items are right?"""
        return sum(item.verdict is Verdict.RIGHT for item in self.items)

    @property
    def ok(self) -> bool:
        """Is there nothing to look at?"""
        code = all(item.code is not CodeVerdict.CHANGED for item in self.items)
        return code and self.right == len(self.items) and all(one.ok for one in self.metrics) and not self.flags

    def item(self, item_id: str) -> VerifiedItem:
        """The verdict on one item.

        Raises:
            KeyError: no item of that id.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values, without NaN."""
        return {
            "path": str(self.path).encode("utf-8", "backslashreplace").decode(),
            "student": self.student,
            "problem": self.problem,
            "profile": self.profile,
            "device": self.device,
            "ok": self.ok,
            "right": self.right,
            "items": [
                {
                    "id": item.id,
                    "verdict": str(item.verdict),
                    "message": item.message,
                    "misconception": item.misconception,
                    "code": str(item.code),
                }
                for item in self.items
            ],
            "metrics": [
                {"id": one.id, "verdict": str(one.verdict), "message": one.message, "value": one.value}
                for one in self.metrics
            ],
            "copied_from": list(self.copied_from),
            "flags": [flag.as_json() for flag in self.flags],
            "notes": list(self.notes),
        }


def write_results(results: Sequence[Verified], path: Path) -> None:
    """Writes results as strict JSON, whole or not at all; equal results give equal bytes."""
    record = {"ok": all(one.ok for one in results), "logs": [one.as_json() for one in results]}
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text)
