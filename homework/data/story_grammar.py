"""Words and sentence patterns of the embedded news stories, read from `embedded/stories.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parents[1] / "embedded" / "stories.toml"


@dataclass(frozen=True)
class Kind:
    """One kind of event; the strings are patterns with `{slots}`."""

    name: str
    """E.g. `takeover`."""
    facts: tuple[str, ...]
    """The slots that identify an event of this kind."""
    told: tuple[str, ...]
    """The main event, as a story tells it."""
    summed: tuple[str, ...]
    """The main event, as a summary states it: the usual pattern and the other one."""
    context: tuple[str, ...]
    """Each story has one of these: it says who or where, which the summary needs."""
    details: tuple[str, ...]
    """Further sentences on the same people, places and organisations."""
    older: tuple[str, ...]
    """Earlier events of the same kind with other people."""


@dataclass(frozen=True)
class Grammar:
    """The contents of `stories.toml`."""

    words: dict[str, tuple[str, ...]]
    """Slot → its words."""
    kinds: tuple[Kind, ...]
    """The kinds of events."""
    asides: tuple[str, ...]
    """Sentences that any story may have."""
    elsewhere: tuple[str, ...]
    """Introductions of the summary of another story, which a story quotes."""


@cache
def grammar() -> Grammar:
    """The grammar of the embedded stories."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return Grammar(
        words={slot: tuple(words) for slot, words in found["words"].items()},
        kinds=tuple(
            Kind(name=kind.pop("name"), **{part: tuple(patterns) for part, patterns in kind.items()})
            for kind in found["kinds"]
        ),
        asides=tuple(found["asides"]),
        elsewhere=tuple(found["elsewhere"]),
    )
