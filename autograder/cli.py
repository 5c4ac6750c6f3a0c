"""The command line: parses, calls the library, prints. Every option is an argument of the function it calls.

Exit status: 0 all is well; 1 it ran, and found something wrong; 2 it could not run (one clear message on standard
error). The library is imported by each command when it runs, so that `autograder --help` answers at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import autograder.quick_imports  # noqa: F401  (acts before anything imports jsonschema)
from autograder.errors import AutograderError


class _Group(TyperGroup):
    """Prints what we raise on purpose as one message instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AutograderError as error:
            message = str(error)
        except OSError as error:
            if isinstance(error, BrokenPipeError) or error.filename is None:
                raise
            message = f"{error.filename}: {error.strerror}"
        typer.echo(f"autograder: {message}", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    cls=_Group,
    help="Releases, checks and grades deep-learning homework.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Problems = Annotated[list[str] | None, typer.Argument(help="Problem ids, e.g. vae; all that have a source if none.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes side by side; one per core if not given.")]


@app.command("release")
def release_command(problems: Problems = None) -> None:
    """Writes the students' notebooks from the sources."""
    from autograder.release import release

    for released in release(problems or None):
        typer.echo(f"{released.problem}: {released.path} {'written' if released.changed else 'unchanged'}")


@app.command("lint")
def lint_command(problems: Problems = None) -> None:
    """Checks the markers and metadata of the sources."""
    from autograder.lint import lint_problem
    from autograder.problem import problem_ids

    chosen = problems or problem_ids()
    findings = [finding for problem in chosen for finding in lint_problem(problem)]
    for finding in findings:
        typer.echo(f"{finding.path}:{finding.line}: {finding.rule}: {finding.message}")
    typer.echo(f"{_count(len(findings), 'finding')} in {_count(len(chosen), 'source')}", err=True)
    raise typer.Exit(1 if findings else 0)


@app.command("check")
def check_command(problems: Problems = None, workers: Workers = None) -> None:
    """Proves the tests: the solution gets full marks, the release none, each wrong solution loses its item."""
    from autograder.check import check
    from autograder.problem import problem_ids
    from autograder.table import check_table, console, live_progress

    with live_progress() as bars:
        rows = check(problems or problem_ids(), workers=workers, progress=bars("checking"))
    console().print(check_table(rows))
    wrong = sum(not row.ok for row in rows)
    typer.echo(f"{len(rows) - wrong} of {len(rows)} as expected")
    raise typer.Exit(1 if wrong else 0)


@app.command("grade")
def grade_command(
    problem: Annotated[str, typer.Argument(help="Problem id, e.g. vae.")],
    submitted: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Folder with <student>/<problem>/<problem>.ipynb.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for logs, feedback pages and grades.csv.")],
    workers: Workers = None,
) -> None:
    """Grades one problem for everybody in a folder."""
    from autograder.batch import grade_folder
    from autograder.demo import read_graded_log
    from autograder.results import Outcome
    from autograder.table import GradeLine, console, grades_table, live_progress

    with live_progress() as bars:
        rows = grade_folder(problem, submitted, out, workers=workers, progress=bars(f"grading {problem}"))
    logs = [read_graded_log(out / row.student / problem / "submission_log.json") for row in rows]
    console().print(grades_table(problem, [GradeLine(log, row.seconds) for log, row in zip(logs, rows, strict=True)]))
    typer.echo(f"{out / 'grades.csv'}")
    raise typer.Exit(1 if any(log.outcome is Outcome.GRADER_ERROR for log in logs) else 0)


@app.command("grade-one")
def grade_one_command(
    notebook: Annotated[Path, typer.Argument(help="The notebook that was handed in.")],
    problem: Annotated[str, typer.Option(help="Problem id, e.g. vae.")],
    student: Annotated[str | None, typer.Option(help="Student id; taken from the notebook's log if not given.")] = None,
) -> None:
    """Grades one notebook and prints the graded log as JSON."""
    from autograder import grade

    with _nothing_else_on_stdout():
        log = grade(problem, notebook, student=student)
    typer.echo(json.dumps(log.as_json(), indent=2, ensure_ascii=False, allow_nan=False))


@app.command("demo")
def demo_command(
    problems: Problems = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the run; course/demo if not given.")] = None,
    workers: Workers = None,
) -> None:
    """Releases all problems, grades a small made-up class and shows its grades."""
    from autograder.demo import demo
    from autograder.table import console, grades_table, live_progress

    with live_progress() as bars:
        results = demo(problems or (), out, workers=workers, progress=lambda problem: bars(f"grading {problem}"))
    screen = console()
    for result in results:
        screen.print(grades_table(result.problem, result.lines))
        for label in ("grades_csv", "submission_log", "feedback"):
            typer.echo(f"{label.replace('_', ' '):>16}  {getattr(result, label)}")
        for line in result.lines:
            for surprise in line.surprises or ():
                typer.echo(f"not as expected: {line.log.student}: {surprise}")
        typer.echo()
    students = sum(len(result.lines) for result in results)
    bad = sum(bool(line.surprises) for result in results for line in result.lines)
    typer.echo(f"{students - bad} of {students} submissions came out as expected")
    raise typer.Exit(1 if bad else 0)


@contextlib.contextmanager
def _nothing_else_on_stdout() -> Iterator[None]:
    """Sends whatever this process or its children print on standard output to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


if __name__ == "__main__":
    app()
