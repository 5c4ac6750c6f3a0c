"""The known wrong solutions and right alternatives of a problem.

Each file `solutions/variants/<problem>/{wrong,right}/<item>/<slug>.py` is the whole source of one item's solution cell;
a file `<slug>.diff` has only the lines that differ from the solution (`patches`). It begins with a comment: in a wrong
solution `# misconception: ...`, one sentence addressed to the student; in a right alternative `# alternative: ...`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.core.errors import SourceError
from autograder.course.markers import without_markers
from autograder.course.patches import PatchError, patched
from autograder.course.problem import Problem

VariantKind = Literal["wrong", "right"]

WHOLE, PATCH = ".py", ".diff"
"""Endings of the files: with the whole source, and with a patch of the solution."""

_OPENING: dict[VariantKind, str] = {"wrong": "misconception:", "right": "alternative:"}


@dataclass(frozen=True)
class Variant:
    """One known solution of one item, other than the reference solution."""

    kind: VariantKind
    item: str
    """The item it answers."""
    slug: str
    """The file's name without its ending; for a wrong solution the name of the misconception."""
    path: Path
    text: str
    """The sentence of its opening comment."""
    source: str
    """The whole cell."""

    @property
    def name(self) -> str:
        """Its name in tables, e.g. `wrong/sample_gaussian/no_noise`."""
        return f"{self.kind}/{self.item}/{self.slug}"


class VariantError(SourceError):
    """The file of a variant cannot be used.

    Attributes:
        path: the file.
        line: the line, counted from 1.
        what: what is wrong, and what to do.
    """

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(f"{path}:{line}: {what}.")
        self.path, self.line, self.what = path, line, what


def variants(problem: Problem, kind: VariantKind) -> list[Variant]:
    """The known wrong solutions, or right alternatives, sorted by item, then name.

    Raises:
        SourceError: a folder is at its old path or not named after an item, or a file cannot be used.
    """
    return [read_variant(problem, path, kind) for path in variant_files(problem, kind)]


def variant_files(problem: Problem, kind: VariantKind) -> list[Path]:
    """The files of the variants of one kind, sorted by item, then name.

    Raises:
        SourceError: a folder is at its old path or not named after an item, or two files have one name.
    """
    folder = variants_folder(problem, kind)
    old = problem.path.parent.parent / "tests" / kind / problem.id
    if old.is_dir():
        raise SourceError(f"{old} is not read any more; move it: git mv {old} {folder}")
    known = [item.id for item in problem.items]
    strangers = [path for path in sorted(_files(folder, "*")) if path.parent.name not in known]
    if strangers:
        stranger = f"{strangers[0]}: its folder is not named after an item of {problem.id}"
        raise SourceError(f"{stranger}; rename the folder to one of {', '.join(known)}.")
    found = [path for item in known for path in sorted(_files(folder, item), key=lambda path: path.stem)]
    for path, following in itertools.pairwise(found):
        if path.with_suffix("") == following.with_suffix(""):
            raise SourceError(f"{path} and {following.name} are variants of one name; rename one of them.")
    return found


def read_variant(problem: Problem, path: Path, kind: VariantKind) -> Variant:
    """Reads one variant of a problem.

    Raises:
        VariantError: it does not begin with its comment, or is a patch that does not fit the solution.
    """
    source = path.read_text(encoding="utf-8")
    text = _sentence(path, source, kind)
    if path.suffix == PATCH:
        solution = without_markers(problem.item(path.parent.name).cell.source)
        try:
            source = patched(solution, source)
        except PatchError as error:
            raise VariantError(path, error.line, str(error)) from None
    return Variant(kind, path.parent.name, path.stem, path, text, source)


def misconception_text(problem: Problem, item_id: str, slug: str) -> str:
    """The sentence that explains a misconception to the student; empty if the slug is unknown."""
    folder = variants_folder(problem, "wrong")
    path = next((path for path in _files(folder, item_id) if slug and path.stem == slug), None)
    return "" if path is None else _sentence(path, path.read_text(encoding="utf-8"), "wrong")


def variants_folder(problem: Problem, kind: VariantKind) -> Path:
    """The folder of one kind, with a folder for each item: `solutions/variants/<problem>/<kind>`."""
    return problem.path.parent / "variants" / problem.id / kind


def _files(folder: Path, item: str) -> Iterator[Path]:
    return (path for path in folder.glob(f"{item}/*") if path.suffix in (WHOLE, PATCH))


def _sentence(path: Path, source: str, kind: VariantKind) -> str:
    """What the opening comment of a variant says."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), source.splitlines())
    text = " ".join(line.lstrip("#").strip() for line in comment)
    if not text.startswith(_OPENING[kind]):
        raise VariantError(path, 1, f"line 1 must be '# {_OPENING[kind]} <one sentence>'")
    return text.removeprefix(_OPENING[kind]).strip()
