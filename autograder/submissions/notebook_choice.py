"""Chooses among several notebooks of one student the one that is graded: by its answers, then by its name.

Dates do not matter: a student's computer or archive sets them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.core.text import listed
from autograder.course.problem import Problem
from autograder.submissions.archives import Found
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import rebuild

_COPY = re.compile(r"(?:\((\d{1,6})\)|-(\d{1,6}))\.ipynb$", re.IGNORECASE)
"""How browsers and platforms number later copies of a file: `vae (2).ipynb`, `vae-2.ipynb`."""


@dataclass(frozen=True)
class Candidate:
    """A notebook that may be the one."""

    file: Found
    data: bytes
    problem: Problem

    @functools.cached_property
    def answers(self) -> Mapping[str, str]:
        """Answered item → the answer; none for a notebook that cannot be graded."""
        try:
            rebuilt = rebuild(self.problem, read_cells(self.data, self.file.name), self.file.name)
        except Exception:  # grading will report it; here the other notebooks matter
            return {}
        return {item: rebuilt.source(item).strip() for item in rebuilt.answered}

    @property
    def described(self) -> str:
        """Its path and how much it answers."""
        return f"{self.file.path} ({len(self.answers)} of {len(self.problem.items)} items answered)"


@dataclass(frozen=True)
class Choice:
    """The notebook that counts."""

    candidate: Candidate
    note: str = ""
    """Why it counts; empty if there was no other."""
    is_doubtful: bool = False
    """Whether another notebook has different answers."""


def by_name(file: Found, problem_id: str) -> tuple[bool, int, str]:
    """Sorts notebooks without looking into them: the right name last, then the highest number in the name."""
    return file.name == f"{problem_id}.ipynb", _copy_number(file), file.path


def _copy_number(file: Found) -> int:
    found = _COPY.search(file.name)
    return int(found[1] or found[2]) if found else 0


def chosen(candidates: Sequence[Candidate], problem_id: str) -> Choice:
    """Chooses the notebook with answers; among several, those that answer more items, then by the names.

    Args:
        candidates: at least one notebook.
        problem_id: problem id.
    """
    if len(candidates) == 1:  # its answers need not be read
        return Choice(candidates[0])
    left = [one for one in candidates if not any(one.answers.keys() < other.answers.keys() for other in candidates)]
    differ = any(one.answers != left[0].answers for one in left)

    def order(one: Candidate) -> tuple[object, ...]:
        first = (len(one.answers), _copy_number(one.file)) if differ else ()
        return (*first, *by_name(one.file, problem_id))

    best = max(left, key=order)
    others = [other for other in candidates if other is not best]
    if all(other.answers.items() <= best.answers.items() for other in others):
        why = "it has the answers" if len(left) == 1 else "right name, then highest number"
        unused = listed([other.file.path for other in others], 5)
        return Choice(best, f"several notebooks; {best.file.path} was used ({why}), not {unused}")
    why = "most answers, then highest number in the name" if differ else "it answers more"
    unused = listed([other.described for other in others], 5)
    note = f"several notebooks with different answers; {best.described} was used ({why}), not {unused}"
    return Choice(best, f"{note}; check that it is the right one", is_doubtful=True)
