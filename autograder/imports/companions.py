"""Finds the files beside a notebook that it reads: tables of data, modules, pictures.

Students get these files. So only what the notebook shows them counts, not what solutions and hidden checks name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from autograder.course.markers import HIDDEN, RUBRIC, SOLUTION, region_lines, replaced
from autograder.course.name_analysis import imported_modules
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.original import Original

_NAMED = re.compile(r"""\]\(([^)\s]+)|src=["']([^"']+)["']|`([^`\n]+)`""")
"""A link, a picture or code in a text."""
_NOT_TAKEN = (".ipynb", ".pyc")


def companions(notebook: Path, cells: Sequence[Original]) -> Mapping[str, Path]:
    """Path relative to the notebook → file, of each file in its folder that it shows by name.

    A Python file is also named by an import of its module.
    """
    shown = [_shown(cell) for cell in cells]
    code = [text for cell, text in zip(cells, shown, strict=True) if cell.cell_type == "code"]
    texts = [text for cell, text in zip(cells, shown, strict=True) if cell.cell_type == "markdown"]
    words = {word for text in texts for found in _NAMED.findall(text) for word in found if word}
    words |= {word for text in code for word in _constants(text)}
    words |= {f"{module.replace('.', '/')}.py" for module in imported_modules(filter(syntax_tree, code))}
    names = {word.removeprefix("./") for word in words}
    return {name: notebook.parent / name for name in sorted(names) if _is_beside(notebook.parent, name)}


def _constants(source: str) -> Iterator[str]:
    """The texts in code; magics count as comments."""
    tree = syntax_tree(plain_python(source))
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


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
    if (
        "." not in name
        or "\0" in name
        or name.startswith("/")
        or len(name) >= 200
        or any(part.startswith(".") or part == "__pycache__" for part in parts)
    ):
        return False
    path = folder / name
    links = [folder.joinpath(*parts[: number + 1]).is_symlink() for number in range(len(parts))]
    return path.suffix not in _NOT_TAKEN and not any(links) and path.is_file()
