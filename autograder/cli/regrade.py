"""The command `autograder regrade`: notes a regrade request and its decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.folders import Out, results_folder
from autograder.core.errors import SetupError
from autograder.core.text import counted, printable
from autograder.course.config import root_folder
from autograder.course.regrades import Decision, decide_regrade, read_regrades, request_regrade

if TYPE_CHECKING:
    from autograder.course.regrades import Regrade


def regrade_command(
    student: Annotated[str | None, typer.Argument(help="Student id; lists the open requests if not given.")] = None,
    problem: Annotated[str | None, typer.Argument(help="Problem id, e.g. vae.")] = None,
    item: Annotated[str | None, typer.Argument(help="Item, e.g. sample_gaussian.")] = None,
    note: Annotated[str, typer.Option(help="A request: what the student says. The student reads it.")] = "",
    decide: Annotated[Decision | None, typer.Option(help="Decide the open requests about this item.")] = None,
    reason: Annotated[str, typer.Option(help="With --decide: why. The student reads it.")] = "",
    out: Out = None,
    every: Annotated[bool, typer.Option("--all", help="List decided requests, too.")] = False,
) -> None:
    """Notes a regrade request or its decision; without a student, lists the open requests.

    The student's feedback page and the class report show request, decision and reason. A decision changes no points:
    give them on the desk or in the form grader, or correct the test and grade again.
    """
    root = root_folder()
    if student is None:
        if note or decide or reason:
            raise SetupError("name the student, the problem and the item of the request.")
        shown = [one for one in read_regrades(root) if every or one.decision is None]
        for one in shown:
            typer.echo(_line(one))
        typer.echo(f"{counted(len(shown), 'regrade request')}{'' if every else ' open'}", err=True)
        return
    if problem is None or item is None:
        raise SetupError("name the problem and the item after the student.")
    if not note and decide is None:
        raise SetupError("give --note with the request, or --decide accepted or declined with --reason.")
    if (decide is None) != (not reason):
        raise SetupError("--decide and --reason belong together: the student reads why.")
    from autograder.course.problem import load_problem
    from autograder.inspect.feedback_again import write_feedback_again
    from autograder.inspect.subject import item_of, known_student

    results = results_folder(out)
    item_of(load_problem(problem, root), item)
    student = known_student(student, problem, results)
    if note:
        typer.echo(_line(request_regrade(root, student, problem, item, note)))
    if decide is not None:
        for one in decide_regrade(root, student, problem, item, decide, reason):
            typer.echo(_line(one))
        if decide is Decision.ACCEPTED:
            typer.echo("Points do not change by this: give them on the desk, or correct the test and grade again.")
    page = write_feedback_again(results, student, problem, root)
    typer.echo(f"{page}" if page else "The feedback page shows it when `autograder grade` runs again.")


def _line(one: Regrade) -> str:
    state = f"open since {one.at}" if one.decision is None else f"{one.decision} {one.decided_at}: {one.reason}"
    return printable(f"{one.student} {one.problem}/{one.item}: {one.note} ({state})", 5_000)
