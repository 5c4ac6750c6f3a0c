"""Lists the students' folders in the folder of a class, and says where in it a submission is.

A folder that cannot be read counts as a student's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from autograder.core.errors import SetupError
from autograder.core.regular_file import why
from autograder.core.student_key import spellings
from autograder.core.text import is_text, listed


def students_in(submitted: Path, problem_id: str) -> list[str]:
    """The names of the students' folders, sorted.

    Raises:
        SetupError: the folder does not exist, cannot be read, has no student folders, names that are not UTF-8 or two
            folders of one student, or no student has a folder for the problem.
    """
    if not submitted.is_dir():
        raise SetupError(f"{submitted} is not a folder; give --submitted a folder with one folder per student.")
    try:
        names = sorted(os.listdir(submitted))
    except OSError as error:
        raise SetupError(f"{submitted} cannot be read: {why(error)}; nothing was graded.") from error
    students = [name for name in names if not name.startswith(".") and _may_be_folder(submitted / name)]
    odd = [name for name in students if not is_text(name)]
    if odd:
        raise SetupError(
            f"{submitted}: {len(odd)} folders have names that cannot be written into a table (the first: {odd[0]!a}); "
            "rename them (`autograder intake` renames them), then grade. Nothing was graded."
        )
    if twice := [names for names in spellings(students).values() if len(names) > 1]:
        pairs = listed([" and ".join(map(repr, names)) for names in twice], 10)
        raise SetupError(
            f"{submitted}: these folders have the same student id in different spellings (case, Unicode form or "
            f"blanks): {pairs}. Keep one folder for each student. Nothing was graded."
        )
    if not students:
        raise SetupError(
            f"{submitted} contains no student folder; expected {submitted}/<student>/<problem>/<problem>.ipynb."
        )
    if not any(_may_exist(notebook_path(submitted, student, problem_id).parent) for student in students):
        raise SetupError(
            f"no student in {submitted} has a folder {problem_id}; expected {submitted}/<student>/{problem_id}/"
            f"{problem_id}.ipynb.{_meant(submitted, problem_id, students)} Nothing was graded."
        )
    return students


def notebook_path(submitted: Path, student: str, problem_id: str) -> Path:
    """Where a student's notebook is, or would be: `<student>/<problem>/<problem>.ipynb`.

    In the folder of another nbgrader course it is in the folder of an assignment, which may have several notebooks.
    """
    usual = submitted / student / problem_id / f"{problem_id}.ipynb"
    if _may_exist(usual.parent):
        return usual
    others = sorted((submitted / student).glob(f"*/{problem_id}.ipynb"))
    return others[0] if len(others) == 1 else usual


def _may_be_folder(path: Path) -> bool:
    """Returns whether a path is a folder, a link to a folder, or cannot be examined."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        return not _is_absent(error)


def _may_exist(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        return not _is_absent(error)
    return True


def _is_absent(error: OSError) -> bool:
    return isinstance(error, FileNotFoundError | NotADirectoryError)


def _meant(submitted: Path, problem_id: str, students: Sequence[str]) -> str:
    """A hint for the error that no student in the folder has the problem; empty if there is none."""
    if problem_id in students:
        return f" It looks like the folder of one student; use the folder above it: {submitted.resolve().parent}."
    others = sorted({path.parent.name for path in submitted.glob("*/*/*.ipynb") if path.stem == path.parent.name})
    return f" It contains submissions for {', '.join(others[:9])}." if others else ""
