"""The files of the student release: the notebooks, the package `homework`, and the files of the repository's root.

Only listed files are included. `leaks.secrets_in` then searches all of them for text that students must not see.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.core.errors import ReleaseError
from autograder.core.html import template
from autograder.core.notebook_io import notebook_text
from autograder.course.config import Course
from autograder.course.problem import Problem, load_problem
from autograder.course.problem_files import files_for_students
from autograder.course.urls import BADGE, clone_address, colab_address
from autograder.release.notebook import released_notebook

PACKAGE = "homework"
_COPIED = ("LICENSE", "data/README.md", "docs/students.md")
_TABLES = re.compile(r"\[(build-system|project|tool\.setuptools\b.*)\]")
"""The tables of `pyproject.toml` in the student release."""
_IGNORED = """# What running a notebook leaves behind
__pycache__/
.ipynb_checkpoints/
/.venv/
/build/
/dist/
*.egg-info/
checkpoints/
submission_log.json
"""


def student_files(course: Course, problems: Iterable[str]) -> dict[str, bytes]:
    """Path → content of every file of the student release; the same sources give the same bytes.

    Args:
        course: the course, with the root folder of the sources.
        problems: ids of the problems to include.

    Raises:
        ReleaseError: a notebook is stale, a file is missing, or a file in `homework/` does not belong to the package.
        SourceError: a problem has no source.
    """
    loaded = [load_problem(problem, course.root) for problem in problems]
    root = course.root
    files = {f"notebooks/{problem.id}.ipynb": _notebook(root, problem) for problem in loaded}
    files_for_students(root)  # which refuses different files of one name
    files |= {f"notebooks/{name}": data for problem in loaded for name, data in problem.files.items()}
    texts = {"README.md": _readme(course, loaded), ".gitignore": _IGNORED}
    if any(problem.imports_homework for problem in loaded):
        files |= _package(root)
        files |= {name: _bytes(root / name) for name in _COPIED}
        data = sorted((root / "data").glob("build_*.py"))
        files |= {path.relative_to(root).as_posix(): _bytes(path) for path in data}
        texts |= {
            "CHANGELOG.md": changes_for_students(_text(root / "CHANGELOG.md")),
            "pyproject.toml": project_of_students(_text(root / "pyproject.toml")),
            "environment.yml": _environment(_text(root / "environment.yml")),
        }
    files |= {name: text.encode() for name, text in texts.items()}
    return dict(sorted(files.items()))


def project_of_students(text: str) -> str:
    """The student package's part of `pyproject.toml`: build system, project and setuptools; no extras, no comments.

    Raises:
        ReleaseError: the tables cannot be cut out line by line.
    """
    kept, inside = [], False
    for line in text.splitlines():
        if re.match(r"\[[^\[\]]+\]\s*(#.*)?$", line) or line.startswith("[["):
            inside = _TABLES.match(line) is not None
        if inside and not line.lstrip().startswith("#"):
            kept.append(line)
    written = "\n".join(kept).rstrip() + "\n"
    whole = tomllib.loads(text)
    wanted: dict[str, Any] = {name: whole[name] for name in ("build-system", "project") if name in whole}
    wanted["project"] = {key: value for key, value in wanted["project"].items() if key != "optional-dependencies"}
    if "setuptools" in whole.get("tool", {}):
        wanted["tool"] = {"setuptools": whole["tool"]["setuptools"]}
    if tomllib.loads(written) != wanted:
        raise ReleaseError(
            "pyproject.toml cannot be shortened for students: write its tables [build-system], [project] and "
            "[tool.setuptools...] with one heading each, at the start of a line."
        )
    return written


def changes_for_students(text: str) -> str:
    """The changelog with only the entries that concern students: those on texts and stubs."""
    versions = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    parts = ["# Changes\n\n`text:` is about what a notebook says, `stub:` about what you fill in.\n"]
    for version in versions:
        heading, *entries = re.split(r"^(?=- )", version, flags=re.MULTILINE)
        kept = "".join(entry for entry in entries if entry.startswith(("- text:", "- stub:")))
        parts.append(f"{heading.rstrip()}\n\n{kept.rstrip() or 'No notebook changed.'}\n")
    return "\n".join(parts)


def _notebook(root: Path, problem: Problem) -> bytes:
    path = root / "notebooks" / f"{problem.id}.ipynb"
    data = notebook_text(released_notebook(problem)).encode()
    if not path.is_file() or path.read_bytes() != data:
        state = "does not match its source" if path.is_file() else "is missing"
        raise ReleaseError(f"{path} {state}; run `autograder release {problem.id}` and check the changes.")
    return data


def _package(root: Path) -> dict[str, bytes]:
    """The files of the package `homework`: Python files and the package data listed in `pyproject.toml`.

    Raises:
        ReleaseError: the folder contains a link or another file, or is not a package.
    """
    folder = root / PACKAGE
    tool = tomllib.loads(_text(root / "pyproject.toml")).get("tool", {}).get("setuptools", {})
    patterns = ["**/*.py", *tool.get("package-data", {}).get(PACKAGE, [])]
    listed = {path for pattern in patterns for path in folder.glob(pattern)}
    there = [
        path
        for path in sorted(folder.rglob("*"))
        if not any(part == "__pycache__" or part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    for path in there:
        if path.is_symlink() or (path.is_file() and path not in listed):
            what = "is a link" if path.is_symlink() else "does not belong to the package (pyproject.toml, package-data)"
            raise ReleaseError(f"{path} {what}; move it elsewhere, because students would get it.")
    files = {path.relative_to(root).as_posix(): _bytes(path) for path in there if path.is_file()}
    if f"{PACKAGE}/__init__.py" not in files:
        raise ReleaseError(f"{folder} is not a Python package, but students' notebooks import it.")
    return files


def _readme(course: Course, problems: list[Problem]) -> str:
    known = {problem.id: problem for problem in problems}
    homeworks = [(one, [known[problem] for problem in one.problems if problem in known]) for one in course.homeworks]
    return template("student_readme.md", escapes=False).render(
        course=course,
        has_package=any(problem.imports_homework for problem in problems),
        clone=clone_address(course),
        homeworks=[(homework, listed) for homework, listed in homeworks if listed],
        due=_moment,
        cell=lambda text: text.replace("|", "\\|"),
        example=problems[0].id if problems else "",
        colab={problem.id: colab_address(course, problem.id) for problem in problems},
        badge=BADGE,
    )


def _moment(moment: datetime) -> str:
    """A date and time for readers: `Sunday, 17 January 2027, 23:59 (UTC+01:00)`."""
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M} (UTC{moment.isoformat()[-6:]})"


def _environment(text: str) -> str:
    """`environment.yml` with a comment for students in place of its comments."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("name:")), "")
    head = f"# For conda users: conda env create -f environment.yml && conda activate {name}"
    return "\n".join((head, *lines)) + "\n"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror}); the student release needs it.") from None


def _text(path: Path) -> str:
    return _bytes(path).decode()
