"""What was measured, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """One measurement."""

    part: str
    """Which part of the benchmark: see `parts.PARTS`."""
    system: str = "ours"
    submissions: int = 0
    workers: int = 1
    gradebook: bool = False
    run: int = 1
    """The first, second, ... run of the same."""
    seconds: float = 0.0
    cpu: float | None = None
    memory: float = 0.0
    main_memory: float = 0.0
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """Student → item id → points."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds per submission by phase."""
    details: dict[str, Any] = field(default_factory=dict)
    """Other notes of a part."""
    when: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")

    @property
    def what(self) -> tuple[object, ...]:
        """What was measured, in whichever run."""
        return self.part, self.system, self.submissions, self.workers, self.gradebook

    @property
    def each(self) -> float:
        """Wall seconds per submission."""
        return self.seconds / max(1, self.submissions)

    @property
    def cpu_each(self) -> float | None:
        """Seconds of processor time per submission."""
        return None if self.cpu is None else self.cpu / max(1, self.submissions)


def load(path: Path) -> list[Measured]:
    """The measurements in a file; none if there is no file."""
    return [Measured(**one) for one in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def added(found: Sequence[Measured], new: Measured) -> list[Measured]:
    """The measurements with a new one in place of older ones of the same run and of later runs of the same."""
    return [*(one for one in found if one.what != new.what or one.run < new.run), new]


def save(path: Path, found: Sequence[Measured]) -> None:
    """Writes all measurements to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")
