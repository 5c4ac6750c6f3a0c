"""Keeps findings: a folder for each new one, with the smallest class that shows it."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.grading import Graded, graded
from tests.fuzz.hostile_round import saved, without
from tests.fuzz.invariants import Finding, findings

MOST_TRIES = 8
"""How often a class is graded again to make it smaller."""


@dataclass
class Keeper:
    """Grades rounds and keeps what it finds."""

    course: Path
    """The released course."""
    command: Sequence[str]
    """`autograder`, or what stands in for it."""
    to: Path
    """Where the folders of findings are made."""
    kept: dict[str, Path] = field(default_factory=dict)
    """Kind of a finding → its folder."""
    seen: dict[str, int] = field(default_factory=dict)
    """Kind of a finding → in how many rounds it occurred."""

    def findings(self, folder: Path) -> tuple[list[Finding], Graded]:
        """Grades a round; returns the invariants that it broke."""
        with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as work:
            result = graded(folder, self.course, Path(work), self.command)
            return findings(saved(folder), result, self.course), result

    def keep(self, folder: Path, found: Sequence[Finding]) -> None:
        """Counts findings, and keeps a small round for each new kind."""
        for kind in dict.fromkeys(one.kind for one in found):
            self.seen[kind] = self.seen.get(kind, 0) + 1
            if kind in self.kept:
                continue
            first = next(one for one in found if one.kind == kind)
            place = self.kept[kind] = self.to / f"{saved(folder).seed}-{_slug(kind)}"
            self._write(place, folder, first, "as it was found")  # whole, in case Ctrl-C comes while it gets smaller
            with tempfile.TemporaryDirectory(prefix="fuzz-small-", ignore_cleanup_errors=True) as work:
                small = self._smaller(folder, first, Path(work))
                again = "no smaller class shows it" if small == folder else "a smaller class shows it, too"
                self._write(place, small, first, again)

    @staticmethod
    def _write(place: Path, folder: Path, finding: Finding, note: str) -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder, place, symlinks=True)
        text = f"{finding.kind}\n{finding.student}\n{note}\n\n{finding.detail}\n"
        (place / "finding.txt").write_text(text, encoding="utf-8", errors="replace")

    def _smaller(self, folder: Path, finding: Finding, work: Path) -> Path:
        """The round with as few attackers as show the finding."""
        names, tries = list(saved(folder).attackers), 0
        parts = [[finding.student]] if finding.student else []
        while tries < MOST_TRIES:
            half = len(names) // 2
            for part in parts or [part for part in (names[:half], names[half:]) if part]:
                tries += 1
                smaller = without(folder, part, work / str(tries))
                if any(one.kind == finding.kind for one in self.findings(smaller)[0]):
                    folder, names, parts = smaller, part, []
                    break
            else:
                break
            if len(names) <= 1:
                break
        return folder


def _slug(kind: str) -> str:
    """A short name for a folder."""
    return re.sub(r"\W+", "-", kind)[:50].strip("-") + "-" + hashlib.sha256(kind.encode()).hexdigest()[:4]
