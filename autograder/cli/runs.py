"""The commands about earlier runs: `autograder diff`, `autograder undo`, `autograder runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.core.errors import SetupError
from autograder.core.text import counted, listed, printable
from autograder.course.config import root_folder

Out = Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder that `autograder grade` wrote to.")]
ProblemOption = Annotated[
    str, typer.Option("--problem", help="Problem id; needed if the folder has earlier runs of several problems.")
]


def diff_command(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN_A RUN_B]", help="Two runs, e.g. vae-2 now; the last two if not given."),
    ] = None,
    out: Out = Path("graded"),
    problem: ProblemOption = "",
    list_runs: Annotated[bool, typer.Option("--list", help="List the runs instead.")] = False,
) -> None:
    """Compares two runs: for each item, whose score went up, down, or stayed.

    `now` is the present state of the folder.
    """
    from autograder.batch.changes import compare
    from autograder.batch.run_store import RunStore
    from autograder.batch.runs import NOW, logs_of
    from autograder.cli.changes import show_changes, show_ups

    if list_runs:
        runs_command(out, problem)
        return
    store = RunStore(out)
    if not runs:
        problem = _problem(out, problem)
        runs = [store.runs(problem)[-1].id, NOW]
    if len(runs) != 2:
        raise SetupError("name two runs, e.g. `autograder diff vae-2 now`, or none for the last two.")
    problems = {store.run(name).problem for name in runs if name != NOW}
    if len(problems) > 1 or problem and problems - {problem}:
        raise SetupError(f"{listed(runs, 2)} are runs of different problems; compare two of the same.")
    chosen = problems.pop() if problems else _problem(out, problem)
    before, after = (logs_of(out, chosen, name) for name in runs)
    changes = compare(before, after)
    show_changes(f"{chosen}: from {runs[0]} to {runs[1]}", changes)
    show_ups(changes)


def undo_command(
    problem: Annotated[
        str, typer.Argument(help="Problem id; needed if the folder has earlier runs of several problems.")
    ] = "",
    out: Out = Path("graded"),
    to: Annotated[str, typer.Option(metavar="RUN", help="Go to this run; the one before if not given.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change; write nothing.")] = False,
) -> None:
    """Goes back to the run before the latest grading.

    Logs, notebooks, feedback pages, grades.csv and the scores of tests in the gradebook become what they were. Manual
    scores and comments that graders gave since then stay. The present state is kept: `--to` goes back to it.
    """
    from autograder.batch.changes import compare
    from autograder.batch.run_store import RunStore
    from autograder.batch.runs import NOW, logs_of, target, undo
    from autograder.cli.changes import can_ask, show_changes
    from autograder.cli.release import out_of_date

    root = root_folder()
    if not problem:
        problem = RunStore(out).run(to).problem if to else _problem(out, "")
    run = target(out, problem, to)
    changes = compare(logs_of(out, problem, NOW), logs_of(out, problem, run.id))
    show_changes(f"{problem}: going back to {run.id}, kept at {run.kept_at}", changes)
    if dry_run:
        typer.echo("nothing was written (--dry-run)")
        return
    if not yes and can_ask() and not typer.confirm("Go back to this run?", default=False):
        typer.echo("nothing was written", err=True)
        raise typer.Exit(1)
    if not yes and not can_ask():
        raise SetupError("nothing was written: there is no terminal to ask; look at the table, then repeat with --yes.")
    done = undo(root, out, problem, run.id)
    typer.echo(
        f"{problem}: logs, notebooks, feedback pages and grades.csv of {counted(len(done.after), 'student')} are those "
        f"of {run.id} again{', and the scores of tests in the gradebook' if run.gradebook else ''}."
    )
    if done.removed:
        typer.echo(f"taken out, because that run did not have them: {', '.join(map(printable, done.removed))}")
    for note in done.notes:
        typer.echo(printable(note, 2_000), err=True)
    typer.echo(f"What was there before is kept: `autograder undo {problem} --out {out} --to {done.kept.id}`.")
    if reasons := out_of_date(problem, root):
        typer.echo(
            f"The source or course.toml has changed since that run ({'; '.join(reasons)}): put it back, or grade "
            "again, before you export.",
            err=True,
        )


def runs_command(out: Out = Path("graded"), problem: ProblemOption = "") -> None:
    """Lists the earlier runs that are kept in a results' folder."""
    from autograder.batch.run_store import RunStore
    from autograder.cli.tables import console, plain_table

    store = RunStore(out)
    runs = store.runs(problem)
    if not runs:
        typer.echo(f"{out} has no earlier runs; the next `autograder grade` keeps the present one")
        return
    table = plain_table(f"Earlier runs in {out}")
    for heading in ("run", "kept at (UTC)", "students", "points", "why"):
        table.add_column(heading, justify="right" if heading in ("students", "points") else "left", no_wrap=True)
    for run in runs:
        points = sum(log.score for student, log in store.logs(run).items() if student in run.listed)
        table.add_row(run.id, run.kept_at, str(len(run.listed)), f"{points:g}", str(run.why))
    console().print(table)


def _problem(out: Path, named: str) -> str:
    """The problem of which there are earlier runs.

    Raises:
        SetupError: there are none, or of several problems.
    """
    from autograder.batch.run_store import RunStore

    found = sorted({run.problem for run in RunStore(out).runs(named)})
    if not found:
        of = f" of {named}" if named else ""
        raise SetupError(f"{out} has no earlier run{of}: `autograder grade` keeps one when it grades again.")
    if len(found) > 1:
        raise SetupError(f"{out} has earlier runs of {', '.join(found)}; say of which problem.")
    return found[0]
