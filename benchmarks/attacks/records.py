"""What one run gave, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """One submission graded by one system."""

    system: str
    submission: str
    """Name of the attack or of the honest student."""
    digest: str
    """Of what was handed in and of what graded it: a run with the same digest need not be repeated."""
    deserved: float
    points: float | None
    """What the system gave; None if the submission got no result at all."""
    maximum: float
    seconds: float
    neighbours: dict[str, float | None] = field(default_factory=dict)
    """Points of honest neighbours afterwards, by name; they deserve the maximum. Empty where there are none."""
    changed: tuple[str, ...] = ()
    """Files of the course or of the grader that were changed or made, other than the system's own results."""
    planted: dict[str, str] = field(default_factory=dict)
    """Files that an attack made outside of its own process -> what it wrote there."""
    processes_left: int = 0
    """Processes still alive a second and a half after the grader had ended."""
    connections: int = 0
    """How often "the network" was reached."""
    pages: tuple[str, ...] = ()
    """What the student's own result page or file holds that it should not: `hidden tests`, `script`."""
    stopped: str = ""
    """What ended the run, if not the system itself: `time`, `memory`, `signal`."""
    copied: bool = False
    """Was a file of the machine (`/etc/shadow`) copied to where results lie?"""
    said: str = ""
    """The end of what the system printed."""
    when: str = ""
    """Day of the run."""

    @property
    def undeserved(self) -> bool:
        """Did it get more than its answers deserve?"""
        return self.points is not None and self.points > self.deserved + 1e-9

    @property
    def lost(self) -> bool:
        """Did it get less than its answers deserve?"""
        return self.deserved > 0 and (self.points is None or self.points < self.deserved - 1e-9)

    @property
    def neighbour_missing(self) -> bool:
        """Did a neighbour get no result: the batch stopped, or the neighbour's work was destroyed?"""
        return any(points is None for points in self.neighbours.values())

    @property
    def outlived(self) -> bool:
        """Did processes of the student's outlive a grader that had ended by itself?"""
        return self.processes_left > 0 and self.stopped != "time"

    @property
    def neighbours_changed(self) -> bool:
        """Has a neighbour other points than deserved?"""
        return any(points is not None and points != self.maximum for points in self.neighbours.values())


class Records:
    """Runs as JSON lines; the last line about a system and a submission counts.

    Args:
        path: the file; made at the first `add`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._runs: dict[tuple[str, str], Run] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._take(_run(json.loads(line)))

    def add(self, run: Run) -> None:
        """Keeps a run."""
        self._take(run)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(run)) + "\n")

    def done(self, system: str, submission: str, digest: str) -> bool:
        """Is there a run of exactly this?"""
        run = self._runs.get((system, submission))
        return run is not None and run.digest == digest

    def of(self, systems: Iterable[str]) -> dict[tuple[str, str], Run]:
        """(system, submission) -> run."""
        wanted = set(systems)
        return {key: run for key, run in self._runs.items() if key[0] in wanted}

    def _take(self, run: Run) -> None:
        self._runs[run.system, run.submission] = run


def _run(entry: dict[str, Any]) -> Run:
    lists = {name: tuple(entry[name]) for name in ("changed", "pages")}
    return Run(**{**entry, **lists})
