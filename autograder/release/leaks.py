"""The leak test: searches released texts for lines of solutions, hidden tests and rubrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.markers import KINDS, read_marker
from autograder.course.percent import TextCell, numbers_inside, split_cells
from autograder.course.problem import Problem

SHORTEST = 12
"""Lines with fewer characters (white space not counted) are too short to be a leak."""
LONG = 24
"""Lines with at least this many characters are also searched for inside longer lines."""

_IDIOMS = frozenset(
    {
        # Lines that are in any PyTorch program and reveal nothing.
        "super().__init__()",
        "optimizer.zero_grad()",
        "optimizer.step()",
        "loss.backward()",
        "with torch.no_grad():",
        "with torch.inference_mode():",
        "import torch.nn.functional as F",
        "from torch import nn",
        "model.eval()",
        "model.train()",
        "def forward(self, x):",
    }
)
_EMPTY = re.compile(r"for \w+ in range\(\d+\):|except \w+( as \w+)?:|\w+\.requires_grad_\(\)")
"""Loop headers, exception handlers and `requires_grad_` calls, which reveal nothing."""


@dataclass(frozen=True)
class Leak:
    """One secret line that is in a released text."""

    problem: str
    source_line: int
    """Line number in the problem's source."""
    kind: str
    """`SOLUTION`, `HIDDEN TESTS` or `MARK SCHEME`."""
    where: str
    """Name of the released text."""
    line: int
    """Line number in the released text; for a notebook, in the concatenated text of its cells."""
    text: str

    def __str__(self) -> str:
        return (
            f"{self.where}, line {self.line}: shows a line of a {self.kind.lower()} region of {self.problem} "
            f"(source line {self.source_line}): {self.text!r}"
        )


def _says_nothing(line: str) -> bool:
    return line in _IDIOMS or _EMPTY.fullmatch(line) is not None


def leaks(problem: Problem, texts: Mapping[str, str]) -> list[Leak]:
    """The secret lines of a problem that are in released texts.

    A line is secret if it is in a solution, hidden-test or rubric region, has at least `SHORTEST` characters that are
    not white space, and is not also in the visible part of the source. Indentation, comment marks and repeated blanks
    are ignored.

    Args:
        problem: the problem with the secret lines.
        texts: file name → text; if the name ends in `.ipynb` or `.json`, every string in it is searched.

    Returns:
        The leaks; empty if there are none.
    """
    secrets = secret_lines(problem)
    long_secrets = {line: place for line, place in secrets.items() if len(_dense(line)) >= LONG}
    found = []
    for name, text in texts.items():
        lines = [_normal(line) for line in plain_lines(name, text)]
        whole = "\n".join(lines)
        somewhere = [secret for secret in long_secrets if secret in whole]
        for number, said in enumerate(lines, start=1):
            if said in secrets:
                hits = [said]
            elif somewhere and len(_dense(said)) > LONG:
                hits = [secret for secret in somewhere if secret in said]
            else:
                hits = []
            found += [Leak(problem.id, *secrets[hit], name, number, hit) for hit in hits]
    return found


def secret_lines(problem: Problem) -> dict[str, tuple[int, str]]:
    """The secret lines of a problem: normalized text → (line number in the source, kind of region)."""
    cells = split_cells(problem.path.read_text(encoding="utf-8"))
    visible = {_normal(line) for cell in cells for line in _visible(cell)}
    shown = "\n".join(visible)
    secrets: dict[str, tuple[int, str]] = {}
    for cell in cells:
        for kind in KINDS:
            inside = numbers_inside(cell, kind)
            for line in cell.lines:
                said = _normal(line.text)
                if line.number not in inside or len(_dense(said)) < SHORTEST or _says_nothing(said):
                    continue
                if said not in shown:
                    secrets.setdefault(said, (line.number, kind))
    return secrets


def released_texts(root: Path) -> dict[str, str]:
    """Path relative to the root → text of the notebooks and the Python files of `homework/`."""
    paths = [*(root / "notebooks").rglob("*.ipynb"), *(root / "homework").rglob("*.py")]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted(paths)}


def _visible(cell: TextCell) -> Iterator[str]:
    secret = frozenset[int]().union(*(numbers_inside(cell, kind) for kind in KINDS))
    for line in cell.lines:
        if line.number not in secret and not read_marker(line.text):
            yield line.text


def plain_lines(name: str, text: str) -> Iterator[str]:
    """The lines of a text; for a notebook or another JSON file, the lines of every string in it."""
    if not name.endswith((".ipynb", ".json")):
        yield from text.splitlines()
        return
    try:
        whole = json.loads(text)
    except ValueError:  # not JSON, despite its name
        whole = text
    for value in _strings(whole):
        yield from value.splitlines()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        if value and all(isinstance(inner, str) for inner in value):
            yield "".join(value)
        else:
            for inner in value:
                yield from _strings(inner)


def _normal(line: str) -> str:
    """A line without indentation, leading comment marks and repeated blanks."""
    return " ".join(line.strip().lstrip("#").split())


def _dense(line: str) -> str:
    return "".join(line.split())
