"""The command `autograder new`: begins a problem."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.course.config import COURSE_FILE, root_folder


def new_command(
    problem: Annotated[str, typer.Argument(help="The new problem's id, e.g. batch_norm.")],
    title: Annotated[str, typer.Option(help="Title of the notebook; made from the id if not given.")] = "",
    homework: Annotated[str, typer.Option(help="Homework that gets the problem; the last one if not given.")] = "",
) -> None:
    """Begins a problem with a small complete example: source, wrong and right variants, entry in course.toml.

    The example passes `lint`, `check` and `release` at once; change it piece by piece. Nothing is written where files
    of such a problem exist.
    """
    from autograder.course.new_problem import new_problem  # slow import

    root = root_folder()
    written = new_problem(problem, title=title, homework=homework, root=root)
    source, *variants = [path for path in written if path.name != COURSE_FILE]
    typer.echo(f"{source.relative_to(root)}")
    typer.echo(f"{len(variants)} wrong and right variants in {variants[0].parents[2].relative_to(root)}")
    if root / COURSE_FILE in written:
        typer.echo(f"{COURSE_FILE}: {problem} added")
    for step in ("lint", "check", "release"):
        typer.echo(f"autograder {step} {problem}")
