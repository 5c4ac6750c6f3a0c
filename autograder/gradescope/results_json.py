"""Writes `results.json` in Gradescope's format: what the student sees, and what is kept for staff.

Two rules of the platform determine its form. A test case with visibility `hidden` hides the total score from the
student. So information for staff is not a test case: it is printed (`stdout_visibility` is `hidden`) and kept in
`extra_data`. Manual points belong to questions of the outline, so items that are graded by hand are listed without a
score.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.core.counts import Counts
from autograder.core.files import write_atomically
from autograder.core.results import DROPPED, ItemResult, Status
from autograder.core.text import printable
from autograder.gradescope.settings import ListedItem, Settings

RESULTS_FILE = "results.json"
_MOST_LINES = 40
"""Maximum number of lines in one text for the student."""

Tell = Callable[[Mapping[str, Any]], None]
"""Called by the grading with each finding, as plain JSON; see `Progress.take_note`."""


class End(StrEnum):
    """The state of the grading."""

    RUNNING = "running"
    DONE = "done"
    LATE = "late"
    """The time limit was reached."""
    FAULT = "fault"
    """The autograder or its container failed, without fault of the student."""


@dataclass
class Progress:
    """The findings about one submission so far."""

    items: dict[str, ItemResult] = field(default_factory=dict)
    """Item id → result, for items that have one; their messages are for the student."""
    notes: list[str] = field(default_factory=list)
    """Remarks for the student about the whole submission."""
    staff: list[str] = field(default_factory=list)
    """Remarks for staff only."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Information for staff as plain JSON, for programs."""
    leaderboard: list[dict[str, Any]] = field(default_factory=list)
    """In Gradescope's format."""
    end: End = End.RUNNING
    seconds: float = 0.0
    """Wall-clock seconds since the start."""

    def give_up(self, *staff: str) -> None:
        """Discards all findings after a failure of the autograder, which these lines describe to staff."""
        self.items, self.notes, self.extra, self.leaderboard = {}, [], {}, []
        self.staff = [*self.staff, *staff]
        self.end = End.FAULT

    def take_note(self, message: Mapping[str, Any]) -> None:
        """Adds a message of the grading: `item` with its `seconds`, `notes`, `staff`, `extra`, `leaderboard`, `end`."""
        if "item" in message:
            item = ItemResult.from_json(message["item"])
            self.items[item.id] = replace(item, seconds=message["seconds"])
        for name, known in (("notes", self.notes), ("staff", self.staff), ("leaderboard", self.leaderboard)):
            known += message.get(name, ())
        self.extra.update(message.get("extra", {}))
        if "end" in message:
            self.end = End(message["end"])


def results(settings: Settings, progress: Progress) -> dict[str, Any]:
    """The content of `results.json`."""
    record: dict[str, Any] = {
        "execution_time": round(progress.seconds),
        "extra_data": {"end": str(progress.end), "staff": list(map(_readable, progress.staff)), **progress.extra},
        "output": "\n".join(map(_readable, (*progress.notes, *_about_the_end(settings, progress.end)))),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "test_name_format": "text",
        "test_output_format": "text",
        "tests": [_test(item, progress, settings) for item in settings.items],
    }
    if progress.leaderboard:
        record["leaderboard"] = progress.leaderboard
    return record


def write_results(folder: Path, settings: Settings, progress: Progress) -> None:
    """Writes `results.json` atomically; a link with this name is replaced, never followed.

    Raises:
        SetupError: the folder cannot be written.
    """
    path = folder / RESULTS_FILE
    if path.is_symlink():
        path.unlink()
    write_atomically(
        path, json.dumps(results(settings, progress), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )


def _about_the_end(settings: Settings, end: End) -> list[str]:
    """A sentence for the student if the grading did not end as it should."""
    sentences = {
        End.FAULT: "The autograder failed. This is not your fault and costs you no points: this run does not count. "
        "Your submission is saved, and the teaching staff will grade it again.",
        End.LATE: f"Grading stopped at the time limit of {settings.minutes:g} minutes.",
        End.RUNNING: "Grading did not finish; the results until now are below. If this message stays, it is not your "
        "fault and costs you no points: submit again, or ask the teaching staff to grade it again.",
    }
    return [sentences[end]] if end in sentences else []


def _test(item: ListedItem, progress: Progress, settings: Settings) -> Mapping[str, Any]:
    """One test case. If the autograder failed, items without a result are hidden, and so is the total score."""
    result = progress.items.get(item.id)
    test: dict[str, Any] = {"name": item.id, "number": item.number, "visibility": "visible"}
    if item.counts == Counts.DROPPED:
        return test | {"output": DROPPED, "status": "passed"}
    if item.kind != "code":
        is_missing = result is not None and result.status is Status.MISSING
        by_hand = f"A grader reads this answer and gives up to {item.points:g} points for it."
        test["output"] = "Not answered." if is_missing else by_hand
        test["status"] = "failed" if is_missing else "passed"
        return test
    test["max_score"] = 0.0 if item.counts else item.points  # Gradescope adds points above the maximum: a bonus
    if result is None:
        test |= {"score": 0.0, "status": "failed", "output": _not_reached(progress.end, settings)}
        if progress.end in (End.FAULT, End.RUNNING):  # a file that still says `running` is of a dead grading
            test["visibility"] = "hidden"
        return test
    test["score"] = result.score
    test["status"] = "passed" if result.score >= result.max_score else "failed"
    test["output"] = _readable(result.message)
    return test


def _not_reached(end: End, settings: Settings) -> str:
    sentences = {
        End.FAULT: "Not graded because of an error in the autograder.",
        End.LATE: f"Not graded within {settings.minutes:g} minutes: code that runs before it took too long. Look in "
        "the cells above for an endless loop or unnecessary work, then submit again.",
    }
    return sentences.get(end, "Not graded yet.")


def _readable(text: str) -> str:
    """A text of several lines without control characters, limited in length."""
    lines = text.splitlines()
    shown = [printable(line, 600) for line in lines[:_MOST_LINES]]
    return "\n".join([*shown, "…"] if len(lines) > _MOST_LINES else shown)
