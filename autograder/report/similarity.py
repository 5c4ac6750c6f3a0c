"""Finds students whose work is more similar than chance explains, by comparing reduced answers item by item.

Similarity is measured on the class in decimal digits, as in `verify.copied_answers`: if two students share a form or a
passage that one student in a thousand writes, that is evidence of three digits. Passages that the release gives, that
many students write, or that our own solutions hold do not count. A longer text that only the pair wrote adds digits.
Digits of several items are summed, but a passage that a pair repeats in other items counts once. A pair is reported if
it exceeds what the best pair would reach by chance, with a margin of a factor of a thousand.

The same work submitted many times counts once, so that a large ring does not make its own code common. A ring whose
members each changed a little is found too, as long as all of them, and no other student, share enough passages. The
work is not compared pair by pair: an index leads from rare passages to the students who wrote them.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.report.code_fingerprint import Shape

MARGIN = 3.0
"""Margin in digits above the chance level of the best of all pairs in a class."""
CODE_SHARE, TEXT_SHARE = 0.6, 0.3
"""Minimum share of one answer's unusual passages that the other must also have; below it an item is no evidence. The
answer with fewer unusual passages decides, so that padding does not hide a copy. For code the share is higher, since
one idea makes much of a function's code similar.
"""
CODE_LENGTH, TEXT_LENGTH = 20.0, 5.0
"""Number of passages that only the pair wrote for one more digit."""
LEAST_LENGTH = 1.0
"""Minimum number of unusual passages that a pair must share, in units of `CODE_LENGTH` or `TEXT_LENGTH`."""
_OVERLAP = 6
"""Maximum number of passages that include the same position of an answer."""
RING_LENGTH = 2.0
"""Minimum length, in the same units, of passages shared by exactly the same few students that make them a ring."""
_RING, _SMALL_RING = 10, 5
"""A ring has at most a tenth of the class, but a group of 5 is always small enough; larger groups are no evidence."""


@dataclass(frozen=True)
class Work:
    """One student's answers to one problem, reduced."""

    student: str
    shapes: Mapping[str, Shape]
    """Item id → shape, for the items that were answered."""


@dataclass(frozen=True)
class Known:
    """What is known about one item independently of the class."""

    given: frozenset[int]
    """Passages in the release."""
    ours: tuple[Shape, ...]
    """Shapes of our own solution, right alternatives and known wrong solutions."""
    length: float = CODE_LENGTH
    """Number of passages that only the pair wrote for one more digit."""
    share: float = CODE_SHARE
    """Minimum share of unusual passages that must be in both."""


@dataclass(frozen=True)
class SimilarItem:
    """One item in which two works are similar."""

    item: str
    same: bool
    """Whether the two reduced answers are identical."""
    share: float
    """Share of the unusual passages that the other answer also has, 0 to 1; of the answer with fewer of them."""
    passages: int
    """Number of unusual passages in both."""
    length: float
    """The same number in units of `Known.length`."""
    digits: float
    """Evidence in digits."""


@dataclass(frozen=True)
class Group:
    """Students with similar work."""

    students: tuple[str, ...]
    pair: tuple[str, str]
    """The two with the most similar work; `items` are about them."""
    items: tuple[SimilarItem, ...]
    """In the problem's order."""

    @property
    def digits(self) -> float:
        """Evidence of all items together."""
        return math.fsum(item.digits for item in self.items)


@dataclass(frozen=True)
class _Node:
    """One work, and all students who submitted it."""

    students: tuple[str, ...]
    shapes: Mapping[str, Shape]
    weight: int
    """Number of students it counts for."""


def threshold(students: int) -> float:
    """Minimum digits for reporting a pair in a class of this size."""
    return math.log10(max(1, students * (students - 1) // 2)) + MARGIN


def similar_groups(works: Sequence[Work], known: Mapping[str, Known]) -> list[Group]:
    """Groups of students with similar work, strongest evidence first.

    Args:
        works: the class, each student once.
        known: item id → what is known about it; items without an entry are not compared.
    """
    nodes = _nodes(works, known)
    links: dict[tuple[int, int], list[SimilarItem]] = defaultdict(list)
    counted = defaultdict[tuple[int, int], set[int]](set)
    for item, about in known.items():
        for pair, similar in _Item(item, about, nodes).similar(counted).items():
            links[pair].append(similar)
    least = threshold(len(works))
    strong = {
        pair: items
        for pair, items in links.items()
        if math.fsum(item.digits for item in items) >= least
        and math.fsum(item.length for item in items) >= LEAST_LENGTH  # a few short lines can be similar by style
    }
    groups = [_group(part, nodes, strong) for part in _connected(strong)]
    return sorted(groups, key=lambda group: (-group.digits, group.students))


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
    """One item of a class: counts of its forms and passages."""

    def __init__(self, item: str, known: Known, nodes: Sequence[_Node]) -> None:
        self._item = item
        self._known = known
        self._nodes = {number: node for number, node in enumerate(nodes) if item in node.shapes}
        self._people = sum(node.weight for node in self._nodes.values())
        self._few = max(1, self._people // 100)
        """An unusual passage is shared by at most this many others."""
        self._forms: Counter[int] = Counter()
        self._passages: Counter[int] = Counter()
        for node in self._nodes.values():
            shape = node.shapes[item]
            self._forms[shape.form] += node.weight
            self._passages.update(dict.fromkeys(shape.passages, node.weight))
        self._common_forms = {shape.form for shape in known.ours}
        self._common = known.given.union(*(shape.passages for shape in known.ours))
        self._of_rings = self._ring_passages(_most_in_a_ring(self._people))

    def _ring_passages(self, most: int) -> frozenset[int]:
        """The passages of rings: many passages shared by exactly the same few students."""
        owners = _index({n: node.shapes[self._item].passages - self._common for n, node in self._nodes.items()})
        sets: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for passage, numbers in owners.items():
            if 2 < len(numbers) <= most:
                sets[tuple(numbers)].append(passage)
        least = RING_LENGTH * self._known.length
        return frozenset(passage for passages in sets.values() if len(passages) >= least for passage in passages)

    def similar(self, counted: defaultdict[tuple[int, int], set[int]]) -> dict[tuple[int, int], SimilarItem]:
        """Returns pair of nodes → similarity; a node with several students is a pair with itself.

        Args:
            counted: pair of nodes → passages that already counted in other items; extended here.
        """
        unusual = {number: self._unusual(node) for number, node in self._nodes.items()}
        shared: dict[tuple[int, int], list[int]] = defaultdict(list)
        for passage, owners in _index(unusual).items():
            for pair in itertools.combinations(owners, 2):
                shared[pair].append(passage)
        rare = {
            number: frozenset([node.shapes[self._item].form])
            for number, node in self._nodes.items()
            if self._is_rare_form(node, 2)
        }
        for owners in _index(rare).values():
            for pair in itertools.combinations(owners, 2):
                shared.setdefault(pair, [])
        for number, node in self._nodes.items():
            if len(node.students) > 1 and node.weight == 1 and self._is_rare_form(node, 1):
                shared[number, number] = list(unusual[number])
        found = {}
        for pair, passages in shared.items():
            one, other = (self._nodes[number] for number in pair)
            whole = {one.shapes[self._item].form} & {other.shapes[self._item].form}
            new = [passage for passage in passages if passage not in counted[pair]]
            if new or (not passages and not whole <= counted[pair]):
                share = 1.0 if whole else len(passages) / max(1, min(len(unusual[number]) for number in pair))
                similar = self._similar_item(one, other, share, new)
                counted[pair].update(new, whole)
                if similar.digits > 0:
                    found[pair] = similar
        return found

    def _unusual(self, node: _Node) -> frozenset[int]:
        """The passages of a node that, apart from the two who share them, at most a few others wrote."""
        most = self._few + 2
        return frozenset(
            passage
            for passage in node.shapes[self._item].passages
            if (self._passages[passage] <= most or passage in self._of_rings) and passage not in self._common
        )

    def _is_rare_form(self, node: _Node, own: int) -> bool:
        form = node.shapes[self._item].form
        return self._forms[form] - own <= self._few and form not in self._common_forms

    def _similar_item(self, one: _Node, other: _Node, share: float, passages: Sequence[int]) -> SimilarItem:
        """The similarity of two answers by their shared unusual passages, or of one node's students."""
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
        return SimilarItem(self._item, same, share, len(passages), len(passages) / self._known.length, digits)

    def _worth(self, others: int, own: int) -> float:
        """Digits of evidence of a passage or form that this many others wrote, besides those who share it."""
        people = max(1, self._people + len(self._known.ours) - own + 1)
        return max(0.0, math.log10(people / (others + 0.5)))


def _index(sets: Mapping[int, frozenset[int]]) -> dict[int, list[int]]:
    """Element → owners, for elements with several owners."""
    owners: dict[int, list[int]] = defaultdict(list)
    for owner, elements in sets.items():
        for element in elements:
            owners[element].append(owner)
    return {element: each for element, each in owners.items() if len(each) > 1}


def _connected(pairs: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The connected components of the links."""
    parts: list[set[int]] = []
    for pair in pairs:
        apart = [part for part in parts if part.isdisjoint(pair)]
        parts = [*apart, set(pair).union(*(part for part in parts if not part.isdisjoint(pair)))]
    return parts


def _group(members: set[int], nodes: Sequence[_Node], links: Mapping[tuple[int, int], Sequence[SimilarItem]]) -> Group:
    def strength(link: tuple[int, int]) -> tuple[float, tuple[str, ...]]:
        one, other = link
        return -math.fsum(item.digits for item in links[link]), (*nodes[one].students, *nodes[other].students)

    one, other = strongest = min((link for link in links if link[0] in members), key=strength)
    pair = nodes[one].students[:2] if one == other else (nodes[one].students[0], nodes[other].students[0])
    first, second = sorted(pair)
    students = sorted(student for number in members for student in nodes[number].students)
    return Group(tuple(students), (first, second), tuple(links[strongest]))
