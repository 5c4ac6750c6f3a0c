"""The result of checking one student-written log: a verdict with a message for each item and each metric.

The messages may be shown to the student: none reveals a right answer or names another student. Information for staff
only is in `copied_from`, `flags` and `notes`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.core.files import write_atomically
from autograder.core.flags import Flag
from autograder.submissions.metrics import VerifiedMetric


class Verdict(StrEnum):
    """The verdict on the log's answer to one item."""

    RIGHT = "right"
    WRONG = "wrong"
    MISCONCEPTION = "misconception"
    """Wrong, and equal to the answer of a known wrong solution."""
    ERROR = "error"
    """The log says that the student's code raised."""
    MISSING = "missing"
    """Required, but not in the log."""
    COPIED = "copied"
    """Right, or at least logged, for another student's inputs."""


class CodeVerdict(StrEnum):
    """Whether the code that gave an answer is the code in the notebook."""

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
    """The message for the student."""
    misconception: str = ""
    """Name of the known wrong solution that gives this answer."""
    code: CodeVerdict = CodeVerdict.UNKNOWN


@dataclass(frozen=True)
class Verified:
    """The result of checking one log. All text is printable: text from the log is escaped and truncated."""

    path: Path
    student: str
    """The owner: the name of the submission folder, else the name in the log; empty if unknown."""
    problem: str
    """Problem id; empty for a log that cannot be used."""
    profile: str = ""
    device: str = ""
    items: tuple[VerifiedItem, ...] = ()
    """The items that the source requires, in its order."""
    metrics: tuple[VerifiedMetric, ...] = ()
    copied_from: tuple[str, ...] = ()
    """Students for whom these answers are right."""
    flags: tuple[Flag, ...] = ()
    """Findings about the whole log."""
    notes: tuple[str, ...] = ()
    """Remarks for staff that are not findings."""

    @property
    def right(self) -> int:
        """The number of right items."""
        return sum(item.verdict is Verdict.RIGHT for item in self.items)

    @property
    def ok(self) -> bool:
        """Whether the log has nothing to review."""
        code = all(item.code is not CodeVerdict.CHANGED for item in self.items)
        return code and self.right == len(self.items) and all(one.ok for one in self.metrics) and not self.flags

    def item(self, item_id: str) -> VerifiedItem:
        """The verdict on one item.

        Raises:
            KeyError: there is no item with this id.
        """
        return {item.id: item for item in self.items}[item_id]

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
            "items": [asdict(item) for item in self.items],
            "metrics": [asdict(metric) for metric in self.metrics],
            "copied_from": list(self.copied_from),
            "flags": [flag.as_json() for flag in self.flags],
            "notes": list(self.notes),
        }


def write_results(results: Sequence[Verified], path: Path) -> None:
    """Writes results atomically as strict JSON; equal results give equal bytes."""
    record = {"ok": all(one.ok for one in results), "logs": [one.as_json() for one in results]}
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text)
