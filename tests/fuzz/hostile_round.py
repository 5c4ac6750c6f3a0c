"""One round: a folder with a hostile class, and the honest neighbours it is graded with.

The folder holds `round.json`, `submitted/` (graded as it is) and `incoming/` (read by `autograder intake` first). It is
all that a replay needs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from autograder.core.student_key import student_key
from tests.attacks.files import HONEST
from tests.fuzz import archives, logs, notebooks, replies, sources
from tests.fuzz.attacker import Attacker

GENERATORS: Mapping[str, Callable[[Random, str], Attacker]] = {
    "notebook": notebooks.attacker,
    "source": sources.attacker,
    "log": logs.attacker,
    "reply": replies.attacker,
    "archive": archives.attacker,
}
"""What is fuzzed: name → makes an attacker of that name."""
NEIGHBOURS = {"honest": "honest_right", "honest_part": "honest_part"}
"""Honest students of `submitted/`, by the file that they submit; `incoming/` has the two of `INCOMING`."""
INCOMING = {"honest_zip.zip": "honest_zip", "honest folder": "honest folder"}
"""Entry of `incoming/` → honest student; both are right everywhere."""


@dataclass(frozen=True)
class Hostile:
    """What a round says about an attacker."""

    how: str
    line: float
    row: bool
    tops: list[str]
    """Entries of `incoming/`; empty if the files are in `submitted/`."""


@dataclass(frozen=True)
class Round:
    """A hostile class: how it is graded, and who is in it."""

    seed: int
    workers: int
    as_zip: bool
    """Whether intake reads one zip of the whole class."""
    attackers: Mapping[str, Hostile]

    @property
    def honest(self) -> dict[str, float]:
        """The honest students and their scores."""
        deserved = {student: HONEST[name].score for student, name in NEIGHBOURS.items()}
        by_intake = any(attacker.tops for attacker in self.attackers.values())
        return deserved | dict.fromkeys(INCOMING.values() if by_intake else (), HONEST["honest_right"].score)

    def save(self, folder: Path) -> None:
        """Writes `round.json`."""
        (folder / "round.json").write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def saved(folder: Path) -> Round:
    """The round of a folder."""
    record = json.loads((folder / "round.json").read_text(encoding="utf-8"))
    return Round(**{**record, "attackers": {name: Hostile(**one) for name, one in record["attackers"].items()}})


def new_round(folder: Path, seed: int, attackers: int, only: Sequence[str] = ()) -> Round:
    """Writes a random round into a new folder.

    Args:
        folder: the folder.
        seed: decides everything.
        attackers: how many.
        only: names of `GENERATORS`; all if empty.
    """
    draw = Random(seed)
    (folder / "submitted").mkdir()
    hostile, taken = {}, {student_key(top) for top in INCOMING}
    for number in range(attackers):
        name = f"eve{number:02}"
        made = GENERATORS[draw.choice(list(only or GENERATORS))](draw, name)
        tops = made.tops if made.by_intake else []
        keys = {student_key(top) for top in tops}
        if keys & taken:  # two attackers have no file in common
            continue
        taken |= keys
        made.write(folder / "incoming" if made.by_intake else folder / "submitted" / name / "toy")
        hostile[name] = Hostile(made.how, made.line, made.row, tops)
    made_up = Round(seed, draw.choice([1, 2, 2]), draw.random() < 0.3, hostile)
    made_up.save(folder)
    return made_up


def without(folder: Path, kept: Sequence[str], to: Path) -> Path:
    """Copies a round with only these attackers to a new folder, and returns the folder."""
    before = saved(folder)
    gone = {name: one for name, one in before.attackers.items() if name not in kept}
    ignored = {"submitted": set(gone), "incoming": {top for one in gone.values() for top in one.tops}}

    def left_out(place: str, names: list[str]) -> set[str]:
        at_the_top = Path(place).parent == folder
        return ignored[Path(place).name] & set(names) if at_the_top else set()

    for name in ignored:
        if (folder / name).exists():
            shutil.copytree(folder / name, to / name, symlinks=True, ignore=left_out)
    replace(before, attackers={name: before.attackers[name] for name in kept}).save(to)
    return to
