"""Chooses the folder with results where none is given, and keeps staff's files out of students' folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from autograder.core.errors import SetupError
from autograder.course.config import course_folder, root_folder

OUT = "graded"
Out = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="The folder that `autograder grade` wrote; `graded` if not given."),
]


def results_folder(out: Path | None) -> Path:
    """The folder that `autograder grade` wrote: the given one, `graded`, or the demonstration's.

    Raises:
        SetupError: none is given, and neither of the two exists.
    """
    if out is not None:
        return out
    demo = course_folder(root_folder()) / "demo" / "graded"
    found = next((path for path in (Path(OUT), demo) if path.is_dir()), None)
    if found is None:
        raise SetupError("there is no folder `graded` here; give --out the folder that `autograder grade` wrote.")
    return found


def require_staff_path(path: Path, folders: Iterable[Path]) -> None:
    """Refuses a path in a student's folder.

    Args:
        path: a file that shows hidden tests.
        folders: folders with one folder per student.

    Raises:
        SetupError: the path is below a student's folder.
    """
    resolved = path.resolve()
    for folder in folders:
        top = folder.resolve()
        if resolved.is_relative_to(top) and len(resolved.relative_to(top).parts) > 1 or resolved == top:
            raise SetupError(
                f"{path} is in a student's folder of {folder}, and it would show hidden tests; choose another place."
            )
