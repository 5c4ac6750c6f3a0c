"""Removes the marks of emphasis from prose.

More cautious than markdown: marks within words, and those that may be products, stay.
"""

from __future__ import annotations

import re
from collections import defaultdict

from autograder.desk.held_spans import LITERAL

_RUN = re.compile(r"\*+|_+")


def without_emphasis(text: str) -> str:
    """Removes the marks of emphasis; other `*` and `_` get full width."""
    runs = list(_RUN.finditer(text))
    if not runs:
        return text
    opened: list[int] = []
    waiting: defaultdict[str, int] = defaultdict(int)
    dropped: set[int] = set()
    for number, run in enumerate(runs):
        mark = run.group()
        before, after = text[max(0, run.start() - 1) : run.start()], text[run.end() : run.end() + 1]
        if len(mark) > 3:
            continue
        if waiting[mark] and not before.isspace() and (not after or after.isspace() or after in ".,;:!?)]}\"'*_-/"):
            while runs[opened[-1]].group() != mark:
                waiting[runs[opened.pop()].group()] -= 1
            opening = opened.pop()
            waiting[mark] -= 1
            start = runs[opening]
            if not _may_be_no_emphasis(mark, text[start.end() : min(run.start(), start.end() + 80)], start.start() > 0):
                dropped.update((opening, number))
        elif after and not after.isspace() and (not before or before.isspace() or before in "([{\"'*_-/"):
            opened.append(number)
            waiting[mark] += 1
    parts, at = [], 0
    for number, run in enumerate(runs):
        parts.append(text[at : run.start()])
        if number not in dropped:
            parts.append(run.group().translate(LITERAL))
        at = run.end()
    parts.append(text[at:])
    return "".join(parts)


def _may_be_no_emphasis(mark: str, inner: str, follows_text: bool) -> bool:
    """Whether marks may be a product (`2 *3* 4`) or part of a Python name (`__init__`)."""
    if mark == "*":
        return follows_text and re.fullmatch(r"\w|[\d.,]+", inner) is not None
    return mark == "__" and inner.isidentifier() and inner.islower()
