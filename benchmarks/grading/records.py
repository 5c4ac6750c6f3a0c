"""What was measured, and the file that keeps it, so that a run which was cut off goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

Key = tuple[str, str, int, int, bool, int]


@dataclass(frozen=True)
class Measured:
    """One measurement."""

    part: str
    """Which part of the benchmark: `class`, `phases`, `floor`, `sizes`, `starts`, `regrade`, `verify` or
    `machine`."""
    system: str = "ours"
    submissions: int = 0
    workers: int = 1
    gradebook: bool = False
    run: int = 1
    """The first, second, ... run of the same."""
    digest: str = ""
    """Of all that decides over the result: a measurement with the same digest need not be repeated."""
    when: str = ""
    """Day of the run."""
    seconds: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    main_memory: float = 0.0
    unread: int = 0
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """Student → item id → points."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds per submission by phase."""
    details: dict[str, Any] = field(default_factory=dict)
    """What else a part notes."""

    @property
    def key(self) -> Key:
        """What was measured."""
        return self.part, self.system, self.submissions, self.workers, self.gradebook, self.run

    @property
    def each(self) -> float:
        """Wall seconds per submission."""
        return self.seconds / max(1, self.submissions)


class Records:
    """Measurements as JSON lines; the last line about the same counts.

    Args:
        path: the file; made at the first `add`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[Key, Measured] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._take(Measured(**json.loads(line)))

    def add(self, measured: Measured) -> None:
        """Keeps a measurement."""
        self._take(measured)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(measured)) + "\n")

    def done(self, wanted: Measured) -> bool:
        """Is there a measurement of exactly this?"""
        found = self._found.get(wanted.key)
        return found is not None and found.digest == wanted.digest

    def all(self) -> list[Measured]:
        """All measurements, in the order in which they were first taken."""
        return list(self._found.values())

    def _take(self, measured: Measured) -> None:
        self._found[measured.key] = measured


def pick(found: Iterable[Measured], part: str, system: str = "ours", **fields: Any) -> list[Measured]:
    """The measurements of a part and a system in which these fields have these values."""
    return [
        one
        for one in found
        if one.part == part
        and one.system == system
        and all(getattr(one, name) == value for name, value in fields.items())
    ]


def middle(found: Iterable[Measured], field_name: str = "seconds") -> float | None:
    """The median of a field over runs of the same; None if there is none."""
    values = [float(getattr(one, field_name)) for one in found]
    return median(values) if values else None
