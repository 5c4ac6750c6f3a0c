"""Finds the files beside a notebook that it reads: tables of data, modules, pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.imports.original import Original

_NOT_TAKEN = (".ipynb", ".pyc")


def companions(notebook: Path, cells: Sequence[Original]) -> Mapping[str, Path]:
    """Path relative to the notebook → file, of each file in its folder that one of its cells names.

    A Python file is also named by an import of its module.
    """
    text = "\n".join(cell.source for cell in cells)
    folder = notebook.parent
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_hidden = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts)
        if is_hidden or not path.is_file() or path.is_symlink() or path.suffix in _NOT_TAKEN:
            continue
        module = re.escape(name.removesuffix(".py").replace("/", "."))
        is_imported = path.suffix == ".py" and re.search(rf"\b(?:import|from)\s+{module}\b", text)
        if is_imported or re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])", text):
            found[name] = path
    return found
