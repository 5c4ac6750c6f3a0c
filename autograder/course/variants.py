"""The known wrong solutions and right alternatives of a problem.

Each file `solutions/variants/<problem>/{wrong,right}/<item>/<slug>.py` is the whole source of one item's solution cell.
It begins with a comment: in a wrong solution `# misconception: ...`, one sentence addressed to the student; in a right
alternative `# alternative: ...`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.core.errors import SourceError
from autograder.course.problem import Problem

VariantKind = Literal["wrong", "right"]

_OPENING: dict[VariantKind, str] = {"wrong": "misconception:", "right": "alternative:"}


@dataclass(frozen=True)
class Variant:
    """One known solution of one item, other than the reference solution."""

    kind: VariantKind
    item: str
    """The item it answers."""
    slug: str
    """The file's name without `.py`; for a wrong solution the name of the misconception."""
    path: Path
    text: str
    """The sentence of its opening comment."""
    source: str
    """The whole cell."""

    @property
    def name(self) -> str:
        """Its name in tables, e.g. `wrong/sample_gaussian/no_noise`."""
        return f"{self.kind}/{self.item}/{self.slug}"


def variants(problem: Problem, kind: VariantKind) -> list[Variant]:
    """The known wrong solutions, or right alternatives, sorted by item, then name.

    Raises:
        SourceError: a folder is at its old path or not named after an item, or a file does not begin with its comment.
    """
    folder = variants_folder(problem, kind)
    old = problem.path.parent.parent / "tests" / kind / problem.id
    if old.is_dir():
        raise SourceError(f"{old} is not read any more; move it: git mv {old} {folder}")
    known = [item.id for item in problem.items]
    strangers = [path for path in sorted(folder.glob("*/*.py")) if path.parent.name not in known]
    if strangers:
        stranger = f"{strangers[0]}: its folder is not named after an item of {problem.id}"
        raise SourceError(f"{stranger}; rename the folder to one of {', '.join(known)}.")
    return [_read(path, kind) for item in known for path in sorted((folder / item).glob("*.py"))]


def misconception_text(problem: Problem, item_id: str, slug: str) -> str:
    """The sentence that explains a misconception to the student; empty if the slug is unknown."""
    path = variants_folder(problem, "wrong") / item_id / f"{slug}.py"
    return _read(path, "wrong").text if slug and path.is_file() else ""


def variants_folder(problem: Problem, kind: VariantKind) -> Path:
    """The folder of one kind, with a folder for each item: `solutions/variants/<problem>/<kind>`."""
    return problem.path.parent / "variants" / problem.id / kind


def _read(path: Path, kind: VariantKind) -> Variant:
    source = path.read_text(encoding="utf-8")
    comment = itertools.takewhile(lambda line: line.startswith("#"), source.splitlines())
    text = " ".join(line.lstrip("#").strip() for line in comment)
    if not text.startswith(_OPENING[kind]):
        raise SourceError(f"{path}: line 1 must be '# {_OPENING[kind]} <one sentence>'.")
    return Variant(kind, path.parent.name, path.stem, path, text.removeprefix(_OPENING[kind]).strip(), source)
