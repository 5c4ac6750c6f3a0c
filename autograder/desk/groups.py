"""Groups of answers that are equal or nearly equal, and what is different between two answers.

Equal answers (`desk.normal_form`) can get one score. Nearly equal ones differ in a few ordinary words, never in
numbers, symbols or negations; a grader sees them one after another, with the differences marked.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from autograder.desk.features import Matrix
from autograder.desk.normal_form import normal_form
from autograder.desk.shown_text import FORMULA

NEAR = 0.75
"""Minimum similarity of characters of any two answers of a near group (docs/results.md says how often scores agree)."""
_EXACT = re.compile(
    r"!\[\]\([^()\s]*\)|\\[A-Za-z]+|(?<![^\W_])[^\W\d_]*+\d[^\W_]*+|\b(?:not|no|none|never|nor|neither|without|cannot)\b|n't\b"
    r"|\b(?![aAiI]\b)[^\W\d_]\b|[^\w\s.,;:!?'\"()-]",
)
"""What must be the same in nearly equal answers, in the same order: numbers, symbols, single letters, negations."""
_WORD = re.compile(rf"{FORMULA}|\w+|[^\w\s]")
"""A formula is one word."""
_MOST_COMPARED = 400
"""Longer rests (in words) are compared only by which words occur in them: alignment takes quadratic time and more."""


def equal_groups(texts: Sequence[str]) -> list[list[int]]:
    """The numbers of equal answers, group by group, in the order of their first ones; empty answers are one group."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        groups[normal_form(text)].append(number)
    return list(groups.values())


def near_groups(
    forms: Sequence[str], characters: Matrix, representatives: Sequence[int], least: float = NEAR
) -> list[list[int]]:
    """Joins groups of equal answers to groups of nearly equal ones, by complete linkage.

    Args:
        forms: the N answers in normal form.
        characters: their similarity `[N, N]` (`TextFeatures.characters`).
        representatives: the number of one answer of each group of equal ones.
        least: minimum similarity of any two answers in a group.

    Returns:
        Groups of representatives, in the order of their first ones; an answer that has no near one is alone.
    """
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number in sorted(representatives):
        alike[tuple(_EXACT.findall(forms[number]))].append(number)
    found = [group for numbers in alike.values() for group in _linked(numbers, characters, least)]
    return sorted(found, key=lambda group: group[0])


def _linked(numbers: list[int], characters: Matrix, least: float) -> list[list[int]]:
    if len(numbers) < 2:
        return [numbers]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    part = characters[np.ix_(numbers, numbers)]
    distances = squareform(np.clip(1 - (part + part.T) / 2, 0, 1), checks=False)
    labels = fcluster(linkage(distances, "complete"), 1 - least, "distance")
    groups: dict[int, list[int]] = defaultdict(list)
    for number, label in zip(numbers, labels.tolist(), strict=True):
        groups[label].append(number)
    return list(groups.values())


def marked_differences(text: str, reference: str) -> list[tuple[str, bool]]:
    """Cuts a text into pieces and says which are different from another text, word by word; case counts as equal.

    Returns:
        Pieces that together are `text`, each with whether it is different. An empty different piece stands where the
        reference has words that the text lacks.
    """
    found = list(_WORD.finditer(text))
    words = [word.group().casefold() for word in found]
    others = [word.casefold() for word in _WORD.findall(reference)]
    changed, missing = _changes(words, others)
    pieces: list[tuple[str, bool]] = []
    at = 0
    for number, word in enumerate(found):
        gap = text[at : word.start()]
        if number in missing:
            pieces += [(gap, False), ("", True)]
            gap = ""
        is_in_change = changed[number] and number > 0 and changed[number - 1]
        pieces += [(gap, is_in_change), (word.group(), changed[number])]
        at = word.end()
    if len(found) in missing:
        pieces.append(("", True))
    pieces.append((text[at:], False))
    return _joined(pieces)


def _changes(words: Sequence[str], others: Sequence[str]) -> tuple[list[bool], set[int]]:
    """Which words are different, and before which ones other words are missing."""
    begin = _common(words, others)
    end = _common(words[begin:][::-1], others[begin:][::-1])
    mine, theirs = words[begin : len(words) - end], others[begin : len(others) - end]
    changed = [False] * len(words)
    missing = set()
    if max(len(mine), len(theirs)) > _MOST_COMPARED:
        left = Counter(theirs)
        for number, word in enumerate(mine):
            changed[begin + number] = left[word] <= 0
            left[word] -= 1
        if any(count > 0 for count in left.values()):
            missing.add(begin + len(mine))
        return changed, missing
    for tag, first, last, start, stop in difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if tag != "equal":
            changed[begin + first : begin + last] = [True] * (last - first)
            if stop - start > last - first:
                missing.add(begin + last)
    return changed, missing


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """The number of words at the begin that are the same."""
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _joined(pieces: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    joined: list[tuple[str, bool]] = []
    for piece, is_different in pieces:
        if not piece and not is_different:
            continue
        if joined and piece and joined[-1][0] and joined[-1][1] == is_different:
            joined[-1] = (joined[-1][0] + piece, is_different)
        else:
            joined.append((piece, is_different))
    return joined
