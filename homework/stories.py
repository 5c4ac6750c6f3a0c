"""Short news stories with one-sentence summaries: XSum in profile `full`, else stories that a grammar makes.

    data = stories(run)
    data.train.documents[0], data.train.summaries[0]

A made-up story has four to six sentences. One tells the main event, and tells it once; one says who or where; the others
are distractors: details, an older event of the same kind that happened to somebody else, what a bystander said, the summary of another
story. The
summary states the main event in other words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from homework import story_grammar as grammar
from homework.profiles import Run

T = TypeVar("T")

SEED: Final = 11
SIZES: Final = {"test": 400, "validation": 400, "train": 4_000, "unlabelled": 20_000}
"""How many stories each part has, in the order in which the grammar makes them."""

_DRAWN: Final = {
    "first": (grammar.FIRST_NAMES, 4),
    "last": (grammar.SURNAMES, 4),
    "place": (grammar.PLACES, 4),
    "day": (grammar.WEEKDAYS, 2),
    "month": (grammar.MONTHS, 2),
    "job": (grammar.JOBS, 4),
    "number": (grammar.NUMBERS, 4),
    "large": (grammar.LARGE_NUMBERS, 2),
    "score": (grammar.SCORES, 2),
    "crime": (grammar.CRIMES, 2),
    "scandal": (grammar.SCANDALS, 2),
    "office": (grammar.OFFICES, 2),
    "food": (grammar.FOODS, 2),
    "illness": (grammar.ILLNESSES, 2),
    "building": (grammar.BUILDINGS, 2),
    "work": (grammar.WORKS, 2),
    "artwork": (grammar.ARTWORKS, 2),
    "subject": (grammar.SUBJECTS, 2),
    "workers": (grammar.WORKERS, 2),
    "past": (grammar.PAST, 1),
}
"""Slot → the words it is drawn from, and how many different ones a story's cast has (`place`, `place2`, …)."""


@dataclass(frozen=True)
class Story:
    """One story of the grammar, taken apart."""

    document: str
    """All sentences."""
    summary: str
    """One sentence that states the main event."""
    sentences: tuple[str, ...]
    """The document's sentences, in order."""
    main: int
    """Which of them tells the main event."""
    kind: str
    """E.g. `takeover`."""
    facts: tuple[str, ...]
    """What makes two events the same: the kind and its slots."""


@dataclass(frozen=True)
class Pairs:
    """Documents and their summaries, equally many."""

    documents: tuple[str, ...]
    """The stories."""
    summaries: tuple[str, ...]
    """`summaries[i]` belongs to `documents[i]`."""

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.documents)

    def __repr__(self) -> str:
        """The size, not the texts."""
        return f"Pairs({len(self):,})"


@dataclass(frozen=True)
class Stories:
    """News stories with one-sentence summaries, in three disjoint parts."""

    train: Pairs
    """For training."""
    validation: Pairs
    """For choices."""
    test: Pairs
    """For the numbers that are reported."""
    name: str
    """`XSum` or `embedded stories`."""

    def __repr__(self) -> str:
        """Name and sizes, not the texts."""
        sizes = f"{len(self.train):,} training, {len(self.validation):,} validation and {len(self.test):,} test stories"
        return f"Stories({self.name}: {sizes})"


def stories(run: Run) -> Stories:
    """News stories with summaries for this run: XSum in profile `full`, else the embedded stories.

    XSum is looked for in `$HOMEWORK_DATA/xsum`, then in the cache, else a fixed subset is downloaded
    (see `homework.xsum`).

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: XSum cannot be had or is damaged; the message says what to do.
    """
    if run.profile != "full":
        return embedded_stories()
    from homework.xsum import xsum

    return xsum()


@cache
def embedded_stories() -> Stories:
    """4,000 training, 400 validation and 400 test stories made by the grammar, the same ones everywhere."""
    made = iter(_stream())
    parts = {name: [next(made) for _ in range(SIZES[name])] for name in ("test", "validation", "train")}
    pairs = {
        name: Pairs(tuple(story.document for story in part), tuple(story.summary for story in part))
        for name, part in parts.items()
    }
    return Stories(pairs["train"], pairs["validation"], pairs["test"], "embedded stories")


def unlabelled_stories() -> list[str]:
    """20,000 further stories without summaries, for pre-training; none tells an event of the labelled ones."""
    labelled = SIZES["test"] + SIZES["validation"] + SIZES["train"]
    made = iter(_stream())
    for _ in range(labelled):
        next(made)
    return [next(made).document for _ in range(SIZES["unlabelled"])]


def generate(seed: int) -> Iterator[Story]:
    """Stories without end, the same ones for the same seed, no main event twice.

    Only `random.Random.random` is asked, whose numbers Python promises to keep.

    Args:
        seed: another seed gives other stories.
    """
    source = random.Random(seed)
    told: set[tuple[str, ...]] = set()
    while True:
        story = make_story(source)
        if story.facts not in told:
            told.add(story.facts)
            yield story


def make_story(source: random.Random) -> Story:
    """One story.

    Args:
        source: where chance comes from.
    """
    kind = _pick(source, grammar.KINDS)
    cast = _cast(source)

    def say(patterns: Sequence[str]) -> str:
        return _sentence(_pick(source, patterns), cast)

    main, context = say(kind.told), say(kind.context)
    others = [_sentence(pattern, cast) for pattern in _few(source, kind.details, 1 + _below(source, 2))]
    if source.random() < 0.75:
        others.append(say(kind.older))
    if source.random() < 0.7:
        others.append(say(grammar.ASIDES))
    else:
        others.append(f"{_pick(source, grammar.ELSEWHERE)} {_summary(source, _pick(source, grammar.KINDS), _cast(source))}")
    sentences = _few(source, others, len(others))
    sentences.insert(_below(source, len(sentences)), context)
    place = _below(source, 4)
    sentences.insert(place, main)
    return Story(
        document=" ".join(sentences),
        summary=_summary(source, kind, cast),
        sentences=tuple(sentences),
        main=place,
        kind=kind.name,
        facts=(kind.name, *(cast[slot] for slot in kind.facts)),
    )


def _stream() -> Iterator[Story]:
    return generate(SEED)


def _cast(source: random.Random) -> dict[str, str]:
    """Slot → words, for all slots; `place` and `place2` differ, and so on."""
    cast: dict[str, str] = {}
    for slot, (words, count) in _DRAWN.items():
        for index, word in enumerate(_few(source, words, count)):
            cast[slot if index == 0 else f"{slot}{index + 1}"] = word
    names = _few(source, grammar.COMPANY_NAMES, 4)
    for slot, name in zip(("org", "rival", "org2", "rival2"), names, strict=True):
        cast[slot] = f"{name} {_pick(source, grammar.TRADES)}"
    for slot, place in zip(("club", "opponent", "club2", "club3"), _few(source, grammar.PLACES, 4), strict=True):
        cast[slot] = f"{place} {_pick(source, grammar.CLUBS)}"
    return cast


def _summary(source: random.Random, kind: grammar.Kind, cast: dict[str, str]) -> str:
    usual, other = kind.summed
    return _sentence(usual if source.random() < 0.8 else other, cast)  # not fully predictable, as with people


def _sentence(pattern: str, cast: dict[str, str]) -> str:
    text = pattern.format_map(cast)
    return text[0].upper() + text[1:]


def _below(source: random.Random, count: int) -> int:
    return int(source.random() * count)


def _pick(source: random.Random, choices: Sequence[T]) -> T:
    return choices[_below(source, len(choices))]


def _few(source: random.Random, choices: Sequence[str], count: int) -> list[str]:
    """`count` different ones, in random order."""
    left = list(choices)
    return [left.pop(_below(source, len(left))) for _ in range(count)]
