"""The settings of a zip for Gradescope: one small JSON file that the runner reads before it imports anything heavy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.core.errors import SetupError

SETTINGS_FILE = "settings.json"
METADATA_FILE = "submission_metadata.json"
"""The platform's data about the submission, beside its folders."""
VERIFY, REFUSE = "verify", "refuse"
LOG_ALONE = (VERIFY, REFUSE)
"""Choices for a log that was submitted without a notebook."""


@dataclass(frozen=True)
class ListedItem:
    """The data of one item that the runner needs to list it."""

    id: str
    number: str
    """Its position in the problem, counted from 1."""
    kind: str
    """`code`, `written` or `figure`."""
    points: float
    counts: str = ""
    """`dropped`, `bonus`, or empty."""


@dataclass(frozen=True)
class Settings:
    """The choices made when the zip was made."""

    problem: str
    title: str
    items: tuple[ListedItem, ...]
    minutes: float
    """Gradescope's time limit for the assignment."""
    log_alone: str
    """`verify` or `refuse`."""
    leaderboard: str
    """Id of the metric to show on the leaderboard; empty for none."""
    lowest_first: bool
    """Whether lower values of the metric are better."""
    isolation: str
    """The isolation level; empty for the strongest that the container offers."""
    seed: str
    """Fingerprint of the seed in the zip."""

    @property
    def seconds(self) -> float:
        """For grading; the rest of the platform's time limit is for what comes before and after."""
        return max(1.0, self.minutes * 60 - min(30.0, self.minutes * 6))

    @property
    def auto_points(self) -> float:
        """Points of the automatically graded items."""
        return sum(item.points for item in self.items if item.kind == "code" and not item.counts)

    def text(self) -> str:
        """The file's text; the same settings give the same bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_settings(source: Path) -> Settings:
    """Reads the settings from the folder of the unpacked zip.

    Raises:
        SetupError: they are missing, or not in the format of `Settings.text`.
    """
    path = source / SETTINGS_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Settings(**record | {"items": tuple(ListedItem(**item) for item in record["items"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(f"{path} cannot be used ({error}); make the zip again with `autograder gradescope`.") from None
