"""Finds the files beside a notebook that it reads: tables of data, modules, pictures.

Students get these files. So only what the notebook shows them counts, not what solutions and hidden checks name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from autograder.course.markers import HIDDEN, RUBRIC, SOLUTION, region_lines, replaced
from autograder.course.name_analysis import imported_modules
from autograder.course.python_cells import syntax_tree
from autograder.imports.original import Original

_WORDS = re.compile(r"[^\s\"'`()<>\[\]{},;|]+")
_NOT_TAKEN = (".ipynb", ".pyc")


def companions(notebook: Path, cells: Sequence[Original]) -> Mapping[str, Path]:
    """Path relative to the notebook → file, of each file in its folder that it shows by name.

    A Python file is also named by an import of its module.
    """
    shown = [_shown(cell) for cell in cells]
    words = {word.removeprefix("./").rstrip(".:") for text in shown for word in _WORDS.findall(text)}
    code = [text for cell, text in zip(cells, shown, strict=True) if cell.cell_type == "code" and syntax_tree(text)]
    words |= {f"{module.replace('.', '/')}.py" for module in imported_modules(code)}
    return {word: notebook.parent / word for word in sorted(words) if _is_beside(notebook.parent, word)}


def _shown(cell: Original) -> str:
    """What students see of a cell."""
    if cell.role in ("solution", "manual") and not region_lines(cell.source, SOLUTION):
        return ""
    source = cell.source
    for kind in (HIDDEN, SOLUTION, RUBRIC):
        source = replaced(source, kind, None)
    return source


def _is_beside(folder: Path, name: str) -> bool:
    """Whether this is the path of a plain file in the folder, which is not hidden."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or any(part.startswith(".") or part == "__pycache__" for part in parts):
        return False
    path = folder / name
    links = [folder.joinpath(*parts[: number + 1]).is_symlink() for number in range(len(parts))]
    return len(name) < 200 and path.suffix not in _NOT_TAKEN and not any(links) and path.is_file()
