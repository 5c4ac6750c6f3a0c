"""Whose work is more alike than chance explains? Compares the reduced answers of a class, item by item.

What a likeness is worth is measured on the class, in decimal digits, as `verify.copied_answers` measures answers: a
form or a passage that one student in a thousand writes is worth three digits to a pair that shares it. What the release
gives to everybody is worth nothing, nor is what many write, nor what our own solutions hold: that is how one writes it.
The length of what nobody else wrote adds to that. Digits of several items add up, but what a pair says again in another
item (an excuse under every question) counts once; a pair is reported above what the best of all pairs would reach by
chance, with a thousandfold margin.

The same work handed in many times counts once, so that a large ring does not make its own code common; nor does a ring
whose members each changed a little, as long as much of what they share is in the work of all of them and of nobody
else. Nothing is compared pair by pair: an index leads from what is rare to those who wrote it.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.report.code_fingerprint import Shape

MARGIN = 3.0
"""Digits above what the best of all pairs of a class has by chance."""
CODE_SHARE, TEXT_SHARE = 0.6, 0.3
"""Share of what is unusual in the one answer that the other must hold, too; below it an item is no evidence. Who has
less that is unusual decides, so that nobody hides a copy by padding it. One idea makes much of a function's code
alike."""
CODE_LENGTH, TEXT_LENGTH = 20.0, 5.0
"""Passages that nobody else wrote, for one more digit."""
LEAST_LENGTH = 1.0
"""Unusual passages that a pair must share, in units of `CODE_LENGTH` or `TEXT_LENGTH`."""
_OVERLAP = 6
"""Passages that one and the same place of an answer is part of, at most."""
RING_LENGTH = 2.0
"""What one and the same few wrote, and nobody else, is no common way if it is that long, in the same units."""
_RING, _SMALL_RING = 10, 5
"""The same from more than one in so many of a class, and from more than so many, is the usual way, not a ring."""


@dataclass(frozen=True)
class Work:
    """What one student wrote for one problem, reduced."""

    student: str
    shapes: Mapping[str, Shape]
    """Item id → shape, of the items that were answered."""


@dataclass(frozen=True)
class Known:
    """What is known about one item without looking at the class."""

    given: frozenset[int]
    """Passages that the release gives to everybody."""
    ours: tuple[Shape, ...]
    """Our own solution, right alternatives and known wrong solutions."""
    length: float = CODE_LENGTH
    """Passages that nobody else wrote, for one more digit."""
    share: float = CODE_SHARE
    """Of what is unusual, that must be in both."""


@dataclass(frozen=True)
class AlikeItem:
    """One item in which two works are alike."""

    item: str
    same: bool
    """Are the two the same once reduced?"""
    share: float
    """Of what is unusual in the one that has less of it: the share that the other holds, too, 0 to 1."""
    passages: int
    """Unusual passages that both hold."""
    length: float
    """The same in units of `Known.length`."""
    digits: float
    """What the likeness is worth."""


@dataclass(frozen=True)
class Group:
    """Students whose work is alike."""

    students: tuple[str, ...]
    pair: tuple[str, str]
    """Two of them whose work is most alike; the items below are theirs."""
    items: tuple[AlikeItem, ...]
    """In the order of the problem."""

    @property
    def digits(self) -> float:
        """What all items together are worth."""
        return math.fsum(item.digits for item in self.items)


@dataclass(frozen=True)
class _Node:
    """One work, and all who handed it in."""

    students: tuple[str, ...]
    shapes: Mapping[str, Shape]
    weight: int
    """How many it counts for."""


def threshold(students: int) -> float:
    """Digits from which a pair of a class of that size is reported."""
    return math.log10(max(1, students * (students - 1) // 2)) + MARGIN


def similar_groups(works: Sequence[Work], known: Mapping[str, Known]) -> list[Group]:
    """Groups of students whose work is alike, the most telling first.

    Args:
        works: the class, each student once.
        known: item id → what is known of it; items that are not in it are not compared.
    """
    nodes = _nodes(works, known)
    links: dict[tuple[int, int], list[AlikeItem]] = defaultdict(list)
    said = defaultdict[tuple[int, int], set[int]](set)
    for item, about in known.items():
        for pair, alike in _Item(item, about, nodes).alike(said).items():
            links[pair].append(alike)
    least = threshold(len(works))
    strong = {pair: items for pair, items in links.items() if _is_telling(items, least)}
    groups = [_group(part, nodes, strong) for part in _connected(strong)]
    return sorted(groups, key=lambda group: (-group.digits, group.students))


def _is_telling(items: Sequence[AlikeItem], least: float) -> bool:
    """Are there enough digits, and enough to look at? A few short lines may be alike by taste."""
    return (
        math.fsum(item.digits for item in items) >= least and math.fsum(item.length for item in items) >= LEAST_LENGTH
    )


def _nodes(works: Sequence[Work], known: Mapping[str, Known]) -> list[_Node]:
    together: dict[tuple[tuple[str, int], ...], list[Work]] = defaultdict(list)
    for work in works:
        together[tuple((item, work.shapes[item].form) for item in known if item in work.shapes)].append(work)
    most = _most_in_a_ring(len(works))
    return [
        _Node(tuple(sorted(work.student for work in same)), same[0].shapes, len(same) if len(same) > most else 1)
        for key, same in together.items()
        if key
    ]


def _most_in_a_ring(people: int) -> int:
    return max(_SMALL_RING, people // _RING)


class _Item:
    """One item of a class: how often what was written, and by whom."""

    def __init__(self, item: str, known: Known, nodes: Sequence[_Node]) -> None:
        self._item = item
        self._known = known
        self._nodes = [(number, node) for number, node in enumerate(nodes) if item in node.shapes]
        self._people = sum(node.weight for _, node in self._nodes)
        self._few = max(1, self._people // 100)
        """Others who may have written the same, for it to be unusual."""
        self._forms: Counter[int] = Counter()
        self._passages: Counter[int] = Counter()
        for _, node in self._nodes:
            shape = node.shapes[item]
            self._forms[shape.form] += node.weight
            self._passages.update(dict.fromkeys(shape.passages, node.weight))
        self._common_forms = {shape.form for shape in known.ours}
        self._common = known.given.union(*(shape.passages for shape in known.ours))
        self._of_rings = self._ring_passages(_most_in_a_ring(self._people))

    def _ring_passages(self, most: int) -> frozenset[int]:
        """The passages of which one and the same few wrote many, and nobody else any."""
        owners = _index({number: node.shapes[self._item].passages - self._common for number, node in self._nodes})
        sets: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for passage, numbers in owners.items():
            if 2 < len(numbers) <= most:
                sets[tuple(numbers)].append(passage)
        least = RING_LENGTH * self._known.length
        return frozenset(passage for passages in sets.values() if len(passages) >= least for passage in passages)

    def alike(self, said: defaultdict[tuple[int, int], set[int]]) -> dict[tuple[int, int], AlikeItem]:
        """Pair of nodes → how alike their answers are; a node that many handed in is a pair with itself.

        Args:
            said: pair of nodes → what counted in other items already; what counts here is added.
        """
        unusual = {number: self._unusual(node) for number, node in self._nodes}
        shared: dict[tuple[int, int], list[int]] = defaultdict(list)
        for passage, owners in _index(unusual).items():
            for pair in itertools.combinations(owners, 2):
                shared[pair].append(passage)
        rare_forms = {
            number: frozenset([node.shapes[self._item].form])
            for number, node in self._nodes
            if self._is_rare_form(node, 2)
        }
        for owners in _index(rare_forms).values():
            for pair in itertools.combinations(owners, 2):
                shared.setdefault(pair, [])
        for number, node in self._nodes:
            if len(node.students) > 1 and node.weight == 1 and self._is_rare_form(node, 1):
                shared[number, number] = list(unusual[number])
        nodes = dict(self._nodes)
        found = {}
        for pair, passages in shared.items():
            one, other = (nodes[number] for number in pair)
            whole = {one.shapes[self._item].form} & {other.shapes[self._item].form}
            new = [passage for passage in passages if passage not in said[pair]]
            if new or (not passages and not whole <= said[pair]):
                share = 1.0 if whole else len(passages) / max(1, min(len(unusual[number]) for number in pair))
                found[pair] = self._alike(one, other, share, new)
                said[pair].update(new, whole)
        return {pair: alike for pair, alike in found.items() if alike.digits > 0}

    def _unusual(self, node: _Node) -> frozenset[int]:
        """The passages of a node that at most a few others, two who share them aside, wrote."""
        most = self._few + 2
        return frozenset(
            passage
            for passage in node.shapes[self._item].passages
            if (self._passages[passage] <= most or passage in self._of_rings) and passage not in self._common
        )

    def _is_rare_form(self, node: _Node, own: int) -> bool:
        form = node.shapes[self._item].form
        return self._forms[form] - own <= self._few and form not in self._common_forms

    def _alike(self, one: _Node, other: _Node, share: float, passages: Sequence[int]) -> AlikeItem:
        """How alike two answers are, by the unusual passages that both hold; or a node's, handed in by many."""
        form = one.shapes[self._item].form
        same = form == other.shapes[self._item].form
        own = 1 if one is other else 2
        alone = sum(self._passages[p] == own or p in self._of_rings for p in passages) / self._known.length
        if same and self._is_rare_form(one, own):
            digits = self._worth(self._forms[form] - own, own) + alone
        elif share >= self._known.share and passages:
            counts = Counter(self._passages[passage] - own for passage in passages)
            every = math.fsum(count * self._worth(others, own) for others, count in sorted(counts.items()))
            digits = min(self._worth(min(counts), own) + alone, every / _OVERLAP)
        else:
            digits = 0.0
        return AlikeItem(self._item, same, share, len(passages), len(passages) / self._known.length, digits)

    def _worth(self, others: int, own: int) -> float:
        """Digits of what so many others wrote, beside those who share it."""
        people = max(1, self._people + len(self._known.ours) - own + 1)
        return max(0.0, math.log10(people / (others + 0.5)))


def _index(sets: Mapping[int, frozenset[int]]) -> dict[int, list[int]]:
    """Element → owners, of the elements that several own."""
    owners: dict[int, list[int]] = defaultdict(list)
    for owner, elements in sets.items():
        for element in elements:
            owners[element].append(owner)
    return {element: each for element, each in owners.items() if len(each) > 1}


def _connected(pairs: Mapping[tuple[int, int], object]) -> list[list[int]]:
    """The nodes that are linked, directly or through others."""
    leader: dict[int, int] = {}

    def find(node: int) -> int:
        while leader.setdefault(node, node) != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for one, other in pairs:
        leader[find(one)] = find(other)
    parts = defaultdict(list)
    for node in sorted(leader):
        parts[find(node)].append(node)
    return list(parts.values())


def _group(
    members: Sequence[int], nodes: Sequence[_Node], links: Mapping[tuple[int, int], Sequence[AlikeItem]]
) -> Group:
    inside = [(pair, items) for pair, items in links.items() if pair[0] in members]

    def strength(link: tuple[tuple[int, int], Sequence[AlikeItem]]) -> tuple[float, tuple[str, ...]]:
        (one, other), items = link
        return -math.fsum(item.digits for item in items), (*nodes[one].students, *nodes[other].students)

    (one, other), items = min(inside, key=strength)
    pair = nodes[one].students[:2] if one == other else (nodes[one].students[0], nodes[other].students[0])
    first, second = sorted(pair)
    students = sorted(student for number in members for student in nodes[number].students)
    return Group(tuple(students), (first, second), tuple(items))
