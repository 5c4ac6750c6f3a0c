"""Writes the lists of problems in the documentation from `course.toml` and the sources: `make docs`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from autograder.core.errors import SourceError
from autograder.core.files import write_atomically
from autograder.course.config import load_course, root_folder
from autograder.course.problem import Item, Problem, load_problem

PAGE = Path("docs/instructors.md")
README = Path("README.md")
BEGIN = "<!-- The problems, written by `make docs`. -->\n"
END = "<!-- The end of the problems. -->\n"
_HEAD = """# What each problem asks for

For instructors who choose problems or points. Code is graded by tests, written answers and figures by people at the
[desk](desk.md). The items are in the notebook's order. `make docs` writes this page from the sources: the title, and of
each item the first line of its docstring, or its heading.
"""


def pages(root: Path) -> dict[Path, str]:
    """The pages that list all problems of the course: path relative to the root → text.

    Raises:
        SourceError: a problem of the course has no source, or the README has no place for the list.
        CourseError: `course.toml` cannot be used.
    """
    course = load_course(root)
    problems = [load_problem(problem, root) for problem in course.problems]
    rows = "".join(
        f"| `{problem.id}` | {course.homework_of(problem.id).id} | {_upper(problem.title)} |\n" for problem in problems
    )
    before, begin, rest = (root / README).read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SourceError(f"{root / README} has no place for the list of problems; add {BEGIN!r} and {END!r}.")
    table = f"| problem | homework | about |\n|---|---|---|\n{rows}"
    return {
        PAGE: "\n".join([_HEAD, *map(_section, problems)]),
        README: f"{before}{BEGIN}{table}{END}{after}",
    }


def _section(problem: Problem) -> str:
    by_hand = sum(item.points for item in problem.items if item.kind != "code")
    code = sum(item.points for item in problem.items) - by_hand
    rows = "".join(f"| `{item.id}` | {_about(problem, item)} | {item.points:g} |\n" for item in problem.items)
    return (
        f"## `{problem.id}`: {_upper(problem.title)}\n\n{code:g} points of code, {by_hand:g} by hand.\n\n"
        f"| item | what the student builds or answers | points |\n|---|---|---|\n{rows}"
    )


def _about(problem: Problem, item: Item) -> str:
    """The first sentence of a docstring; the heading above a written answer or a figure."""
    text = next(_docstrings(item), "") if item.kind == "code" else problem.heading(item.id)
    return text.split("\n\n")[0].replace("\n", " ").replace("|", "\\|").rstrip(".")


def _docstrings(item: Item) -> Iterator[str]:
    for node in ast.parse(item.cell.source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield ast.get_docstring(node) or ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    for path, text in pages(root_folder()).items():
        write_atomically(root_folder() / path, text)
