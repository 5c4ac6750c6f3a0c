"""Begins a problem: copies a small complete one from `templates/new_problem/` and enters it in `course.toml`.

The template has the folders of a course. In its paths and texts the word `PROBLEM` stands for the new id and `TITLE`
for the title. `refuse_unusable`, `course_entry` and `write_all` also serve imported problems.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.core.errors import CourseError, SetupError, SourceError
from autograder.core.files import write_atomically, write_bytes
from autograder.course.config import COURSE_FILE, Course, load_course, root_folder
from autograder.course.variants import PATCH, WHOLE

TEMPLATE = Path(__file__).resolve().parents[1] / "templates" / "new_problem"
NEW_COURSE = """# What staff change from year to year. `autograder` refuses keys that it does not know.

[course]
id = "NAME"
title = "NAME"
# What the first cell of a notebook hands to `pip install`, if it needs the package `homework`.
student_package = "homework"
# Where the notebooks for students are published.
published = "https://example.org/NAME"

[[homework]]
id = "HOMEWORK"
title = "Homework HOMEWORK"
due = DUE
problems = PROBLEMS
"""
"""The `course.toml` of a new course, with words to replace."""
_ID = re.compile(r"[a-z][a-z0-9_]{0,49}")
_TABLE = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?", re.MULTILINE)
_PROBLEMS = re.compile(r"^[ \t]*problems\s*=\s*\[(?:[^\]\"'#]|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*)*\]", re.MULTILINE)


def new_problem(problem_id: str, *, title: str = "", homework: str = "", root: Path | None = None) -> list[Path]:
    """Writes a complete small problem, which is meant to be changed, and enters it in `course.toml`.

    Args:
        problem_id: the new id.
        title: the notebook's title; made from the id if not given.
        homework: id of the homework that gets the problem; the last one if not given.
        root: the course's root folder; found by `root_folder()` if not given.

    Returns:
        The files that were written: the source, its variants, and `course.toml` unless that names the problem already.

    Raises:
        SourceError: the id or the title cannot be used, or a file of a problem of this id exists; nothing was written.
        CourseError: `course.toml` cannot be used or changed; nothing was written.
        SetupError: a file cannot be written; those that were written are removed.
    """
    root = root or root_folder()
    refuse_unusable(problem_id, root)
    title = title or problem_id.replace("_", " ").capitalize()
    if not title.isprintable() or not title.strip():
        raise SourceError(f"the title {title!r} cannot be used; give one line of text.")
    files = {root / name: text for name, text in _filled(problem_id, title.strip()).items()}
    files |= course_entry(load_course(root), [problem_id], homework)
    write_all(files)
    return list(files)


def write_all(files: Mapping[Path, str | bytes]) -> None:
    """Writes files that do not exist yet, and `course.toml`, which must be the last of them; all or none.

    Raises:
        SetupError: a file cannot be written; those that were written are removed.
    """
    begun: list[Path] = []
    try:
        for path, text in files.items():
            if path.name != COURSE_FILE:
                begun.append(path)
            if isinstance(text, bytes):
                write_bytes(path, text)
            else:
                write_atomically(path, text)
    except SetupError:
        for path in begun:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a folder in which something else is
                for folder in path.parents:
                    folder.rmdir()
        raise


def refuse_unusable(problem_id: str, root: Path) -> None:
    """Raises where a new problem cannot have this id.

    Raises:
        SourceError: it is no id, or a problem of this id, or a part of one, exists; on some systems `VAE` and `vae` are
            one file.
    """
    if not _ID.fullmatch(problem_id):
        raise SourceError(
            f"{problem_id!r} cannot be the id of a problem; use a lower-case letter, then lower-case letters, digits "
            "and '_', at most 50 in all, e.g. batch_norm."
        )
    for folder, name in (("solutions", f"{problem_id}.py"), ("solutions/variants", problem_id)):
        if name in (entry.casefold() for entry in _entries(root / folder)):
            what = f"the problem {problem_id!r} exists" if name.endswith(".py") else "variants of such a problem exist"
            raise SourceError(f"{what}: {root / folder / name}; choose another id, or move this away.")
    if f"{problem_id}.ipynb" in (entry.casefold() for entry in _entries(root / "notebooks")):
        path = root / "notebooks" / f"{problem_id}.ipynb"
        raise SourceError(f"{path} exists and would be replaced by the next release; choose another id, or move it.")


def _entries(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


def _filled(problem_id: str, title: str) -> dict[str, str]:
    """The files of the template: path relative to the root → text."""
    return {
        path.relative_to(TEMPLATE).as_posix().replace("PROBLEM", problem_id): path.read_text(encoding="utf-8")
        .replace("PROBLEM", problem_id)
        .replace("TITLE", title)
        for path in sorted(TEMPLATE.rglob("*.*"))
        if path.suffix in (WHOLE, PATCH)
    }


def course_entry(course: Course, problem_ids: Sequence[str], homework: str) -> dict[Path, str]:
    """`course.toml` with problems in their homework: path → text; empty if a homework has each of them already.

    Args:
        course: the course.
        problem_ids: the new problems.
        homework: id of the homework that gets them; the last one if empty.

    Raises:
        CourseError: there is no such homework, another one has a problem already, or the text cannot be changed safely.
    """
    path = course.root / COURSE_FILE
    ids = [one.id for one in course.homeworks]
    number = ids.index(homework) if homework in ids else len(ids) - 1
    if homework and homework not in ids:
        raise CourseError(f"{path} has no homework {homework!r}; name one of {', '.join(ids)}.")
    text = before = path.read_bytes().decode("utf-8")
    for problem_id in problem_ids:
        if problem_id not in course.problems:
            text = _entered(path, text, ids[number], number, problem_id)
            continue
        named = course.homework_of(problem_id).id
        if homework not in ("", named):
            raise CourseError(f"{path}: homework {named} names {problem_id!r} already; leave --homework out.")
    return {path: text} if text != before else {}


def new_course(root: Path, problem_ids: Sequence[str], homework: str) -> dict[Path, str]:
    """The `course.toml` of a new course with one homework: path → text."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", root.name).strip("_") or "course"
    due = (datetime.now(UTC) + timedelta(days=14)).replace(microsecond=0).isoformat()
    values = {"NAME": name, "HOMEWORK": homework or "1", "DUE": due, "PROBLEMS": json.dumps(list(problem_ids))}
    text = NEW_COURSE
    for word, value in values.items():
        text = text.replace(word, value)
    return {root / COURSE_FILE: text}


def _entered(path: Path, text: str, homework: str, number: int, problem_id: str) -> str:
    """The text of `course.toml` with a problem in its homework."""
    wanted = tomllib.loads(text)
    wanted["homework"][number]["problems"].append(problem_id)
    changed = _with_problem(text, number, problem_id)
    if changed is None or tomllib.loads(changed) != wanted:
        raise CourseError(
            f"the `problems` of homework {homework} in {path} cannot be changed safely; add {problem_id!r} to them, "
            "then run the command again."
        )
    return changed


def _with_problem(text: str, number: int, problem_id: str) -> str | None:
    """The text of `course.toml` with the problem at the end of a homework's list; None if the list is not found."""
    homeworks = [table for table in _TABLE.finditer(text) if table[1] == "homework"]
    found = _PROBLEMS.search(text, homeworks[number].end()) if number < len(homeworks) else None
    if found is None:
        return None
    last = found[0].rfind("]")
    inside = found[0][:last].rstrip()
    comma = "" if inside.endswith((",", "[")) else ","
    gap = " " if "\n" not in found[0] else "\n    "
    end = "" if "\n" not in found[0] else ",\n"
    return f'{text[: found.start()]}{inside}{comma}{gap}"{problem_id}"{end}]{text[found.end() :]}'
