"""One cell of an imported notebook, and what all formats share: opening the file, checking the markers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode

from autograder.core.errors import SourceError
from autograder.course.markers import KINDS, read_marker

Role = Literal["given", "solution", "test", "manual", "task"]
"""What a cell is: text or code that students only read, an answer with tests, a test, an answer that a person grades,
or a task for a person to grade whose answer may be in any cells."""


@dataclass(frozen=True)
class Original:
    """One cell of the imported notebook, with our markers around what students must not see."""

    number: int
    """Its position, from 1."""
    cell_type: Literal["code", "markdown", "raw"]
    source: str
    role: Role
    grade_id: str
    """The name that the other autograder has for it; empty for a cell without one."""
    points: float
    has_attachments: bool = False
    """Whether pictures are stored inside the cell."""
    left_out: str = ""
    """Why a cell has no source here; empty if it has one."""
    look: str = ""
    """What the report tells to look at; empty if nothing."""

    @property
    def place(self) -> str:
        """The cell in words, for messages."""
        return f"cell {self.number}" + (f" ({self.grade_id})" if self.grade_id else "")


def read_notebook(path: Path) -> NotebookNode:
    """The notebook in a file.

    Raises:
        SourceError: the file is no notebook, or none in Python.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (UnicodeDecodeError, json.JSONDecodeError, nbformat.reader.NotJSONError) as error:
        raise SourceError(f"{path} is no notebook ({type(error).__name__}); give a .ipynb file.") from None
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        first = str(error).split("\n", 1)[0][:200]
        raise SourceError(f"{path} is no valid notebook ({first}); open and save it in Jupyter.") from None
    language = str(notebook.metadata.get("kernelspec", {}).get("language", "python")).lower()
    if language != "python":
        raise SourceError(f"{path} is a notebook in {language}; only Python notebooks can be imported.")
    assert isinstance(notebook, NotebookNode)
    return notebook


def check_markers(where: str, lines: Sequence[str]) -> None:
    """Checks that the regions of a cell close.

    Raises:
        SourceError: they do not, so that one cannot tell what students may see.
    """
    opened = ""
    for line in lines:
        marker = read_marker(line)
        if marker is None or not marker.exact:
            continue  # the linter reports what only looks like a marker
        if (marker.verb == "BEGIN") == bool(opened) or (opened and marker.kind != opened):
            raise SourceError(
                f"{where}: {line.strip()!r} does not fit the markers above it; each of "
                f"{', '.join(KINDS)} needs its BEGIN and its END."
            )
        opened = marker.kind if marker.verb == "BEGIN" else ""
    if opened:
        raise SourceError(f"{where}: BEGIN {opened} is never closed; add '### END {opened}'.")
