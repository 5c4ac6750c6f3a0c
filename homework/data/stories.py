"""Short news stories with one-sentence summaries: XSum in profile `full`, else stories from a grammar.

    data = stories(run)
    data.train.documents[0], data.train.summaries[0]

A story of the grammar has four to six sentences. One sentence tells the main event, and one says who or where. The
others are distractors: details, an older event of the same kind with other people, a comment of a bystander, or the
summary of another story. The summary states the main event in other words.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from homework.data.pairs import Pairs, Stories
from homework.data.story_grammar import Kind, grammar
from homework.data.xsum import xsum
from homework.profiles import Run

T = TypeVar("T")

SEED: Final = 11
SIZES: Final = {"test": 400, "validation": 400, "train": 4_000}
"""Number of stories in each labelled part, in the order of their generation."""

UNLABELLED: Final = 20_000

_DRAWN: Final = {
    "first": 4,
    "last": 4,
    "place": 4,
    "day": 2,
    "month": 2,
    "job": 4,
    "number": 4,
    "large": 2,
    "score": 2,
    "crime": 2,
    "scandal": 2,
    "office": 2,
    "food": 2,
    "illness": 2,
    "building": 2,
    "work": 2,
    "artwork": 2,
    "subject": 2,
    "workers": 2,
    "past": 1,
}
"""Slot → number of different words that a story draws for it: `place`, `place2`, `place3`, `place4`."""


@dataclass(frozen=True)
class Story:
    """One story of the grammar, with its parts."""

    document: str
    """All sentences."""
    summary: str
    """One sentence that states the main event."""
    sentences: tuple[str, ...]
    """The document's sentences, in order."""
    main: int
    """Index of the sentence that tells the main event."""
    kind: str
    """E.g. `takeover`."""
    facts: tuple[str, ...]
    """The kind and the words that identify the event."""


def stories(run: Run) -> Stories:
    """News stories with summaries for this run: XSum in profile `full`, else the embedded stories.

    XSum is read from `$HOMEWORK_DATA/xsum`, else from the cache, else a fixed subset is downloaded
    (see `homework.data.xsum`).

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: XSum is not available or damaged; the message says what to do.
    """
    return xsum() if run.profile == "full" else embedded_stories()


@cache
def embedded_stories() -> Stories:
    """4,000 training, 400 validation and 400 test stories from the grammar, the same ones on every machine."""
    made = labelled()
    pairs = {
        name: Pairs(tuple(story.document for story in part), tuple(story.summary for story in part))
        for name, part in made.items()
    }
    return Stories(pairs["train"], pairs["validation"], pairs["test"], "embedded stories")


def labelled() -> dict[str, list[Story]]:
    """The stories to train and evaluate on, by split: `test`, `validation` and `train`; no two tell the same event."""
    told: set[tuple[str, ...]] = set()
    source = random.Random(SEED)
    parts: dict[str, list[Story]] = {name: [] for name in SIZES}
    for name, part in parts.items():
        while len(part) < SIZES[name]:
            story = make_story(source)
            if story.facts not in told:
                told.add(story.facts)
                part.append(story)
    return parts


def unlabelled() -> list[Story]:
    """20,000 further stories for pre-training; none tells an event of a labelled story."""
    told = {story.facts for part in labelled().values() for story in part}
    source = random.Random(SEED + 1)
    made: dict[str, Story] = {}
    while len(made) < UNLABELLED:
        story = make_story(source)
        if story.facts not in told:
            made.setdefault(story.document, story)
    return list(made.values())


def make_story(source: random.Random) -> Story:
    """Generates one story.

    Args:
        source: only its `random()` is used; Python guarantees that its numbers never change.
    """
    rules = grammar()
    kind = _pick(source, rules.kinds)
    cast = _cast(source)

    def say(patterns: Sequence[str]) -> str:
        return _sentence(_pick(source, patterns), cast)

    main, context = say(kind.told), say(kind.context)
    others = [_sentence(pattern, cast) for pattern in _few(source, kind.details, 1 + _below(source, 2))]
    if source.random() < 0.75:
        others.append(say(kind.older))
    if source.random() < 0.7:
        others.append(say(rules.asides))
    else:
        quoted = _pick(source, rules.elsewhere)
        others.append(f"{quoted} {_summary(source, _pick(source, rules.kinds), _cast(source))}")
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


def _cast(source: random.Random) -> dict[str, str]:
    """Slot → words, for all slots; `place` and `place2` differ, and so on."""
    words, cast = grammar().words, {}
    for slot, count in _DRAWN.items():
        for index, word in enumerate(_few(source, words[slot], count)):
            cast[slot if index == 0 else f"{slot}{index + 1}"] = word
    names = _few(source, words["company"], 4)
    for slot, name in zip(("org", "rival", "org2", "rival2"), names, strict=True):
        cast[slot] = f"{name} {_pick(source, words['trade'])}"
    for slot, place in zip(("club", "opponent", "club2", "club3"), _few(source, words["place"], 4), strict=True):
        cast[slot] = f"{place} {_pick(source, words['club'])}"
    return cast


def _summary(source: random.Random, kind: Kind, cast: dict[str, str]) -> str:
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
    """`count` different choices, in random order."""
    left = list(choices)
    return [left.pop(_below(source, len(left))) for _ in range(count)]
