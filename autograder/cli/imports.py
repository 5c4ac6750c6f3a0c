"""The command `autograder import`: makes sources of an assignment of another autograder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """Autograders whose assignments can be imported."""

    NBGRADER = "nbgrader"
    OTTER = "otter"


def import_command(
    path: Annotated[Path, typer.Argument(help="The instructor's notebook, or a folder with notebooks.")],
    format_: Annotated[Format, typer.Option("--format", help="Autograder that the assignment was made for.")],
    to: Annotated[Path | None, typer.Option(help="The course's folder of sources, solutions/ if not given.")] = None,
    problem: Annotated[str, typer.Option(help="The new problem's id; made from the file's name if not given.")] = "",
    homework: Annotated[str, typer.Option(help="Homework that gets the problem; the last one if not given.")] = "",
) -> None:
    """Makes a source of an existing assignment, enters it in course.toml, and reports what became of each cell.

    Tests that mean the same outside the student's process are rewritten; the item of any other test is graded by hand,
    with the same points. The report is printed and written beside the source, as <problem>.import.md. Nothing is
    written if a notebook cannot be imported or a problem of that id exists.
    """
    from autograder.course.config import root_folder
    from autograder.imports.assignment import import_assignment  # slow import

    imported = import_assignment(path, format_.value, problem=problem, to=to, homework=homework)
    for one in imported:
        typer.echo(one.report)
    for one in imported:
        typer.echo(f"{one.source}\n{one.report_path}")
    names = " ".join(one.problem for one in imported)
    root = imported[0].source.parents[1]
    if root != root_folder():
        typer.echo(f"cd {root}")
    for step in ("lint", "check", "release"):
        typer.echo(f"autograder {step} {names}")
