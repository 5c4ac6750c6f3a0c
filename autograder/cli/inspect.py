"""The command `autograder inspect`: from a complaint to its cause."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.beside import go_on_beside_host
from autograder.cli.folders import Out, require_staff_path, results_folder
from autograder.core.errors import SetupError
from autograder.course.config import root_folder

if TYPE_CHECKING:  # imports much
    from autograder.inspect.inspection import ItemInspection
    from autograder.inspect.subject import Subject

Student = Annotated[str, typer.Argument(help="Student id: the name of the student's folder.")]
Problem = Annotated[str, typer.Argument(help="Problem id, e.g. vae.")]


def inspect_command(
    student: Student,
    problem: Problem,
    item: Annotated[
        str | None, typer.Argument(help="Item, e.g. sample_gaussian; all that lost points if not given.")
    ] = None,
    out: Out = None,
    submitted: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder with the submissions; the one that was graded if not given."
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Also write this page. It shows hidden tests: for staff only.")
    ] = None,
    try_file: Annotated[
        Path | None,
        typer.Option(
            "--try",
            exists=True,
            dir_okay=False,
            help="A corrected answer to ITEM, a .py file or a notebook: show what it changes.",
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Also write a script and a notebook that replay ITEM's failing checks.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(file_okay=False, help="With --debug: the folder to write; `inspect` if not given.")
    ] = None,
    unconfined: Annotated[
        bool,
        typer.Option(
            "--run-student-code-unconfined",
            help="With --debug: the files run the student's code outside the sandbox, where a debugger can step into "
            "it, and where it can read and change whatever you can.",
        ),
    ] = False,
) -> None:
    """Shows why an item lost points: the student's code, each failing check, its inputs, got and expected.

    Grades the submission again in the sandbox, with the seed of the recorded grading, and goes on after failing checks.
    Changes no record. What it shows contains hidden tests: for staff only. Exit status 1 if an item now gets another
    score than was recorded.
    """
    if item is None and (try_file or debug):
        raise SetupError("--try and --debug are for one item: name it after the problem.")
    if (unconfined or to) and not debug:
        raise SetupError("--to and --run-student-code-unconfined belong to --debug; add it.")
    go_on_beside_host(problem)
    from autograder.cli.inspection import print_inspection, print_sentences
    from autograder.cli.tables import console
    from autograder.inspect.inspection import inspect_items, items_to_inspect
    from autograder.inspect.subject import find_subject
    from autograder.inspect.view import view_of

    subject = find_subject(problem, student, results_folder(out), submitted, root_folder())
    folders = [subject.out, subject.submitted]
    chosen = items_to_inspect(subject) if item is None else [subject.item(item)]
    for path in filter(None, (html, to and to / "check.py")):
        require_staff_path(path, folders)
    if (try_file or debug) and chosen[0].kind != "code":
        raise SetupError(f"{item} is graded by hand and has no test; --try and --debug are for tested items.")
    if debug and chosen[0].is_in_process and not unconfined:
        raise SetupError(
            f"the test of {item} runs inside the student's process, where no debugger gets; add "
            "--run-student-code-unconfined to step through it outside the sandbox, or use --try."
        )
    screen = console()
    inspections = inspect_items(subject, chosen)
    view = view_of(subject, inspections)
    print_inspection(screen, view)
    if not chosen:
        typer.echo("no item lost points; name an item to see its checks")
    changes: tuple[str, ...] = ()
    if try_file:
        changes = _tried(subject, inspections[0], try_file)
        print_sentences(screen, f"with the answer in {try_file}", changes)
    if html:
        from autograder.core.files import write_atomically
        from autograder.inspect.page import inspection_html

        write_atomically(html, inspection_html(view, changes))
        typer.echo(f"{html}   # shows hidden tests: for staff only")
    if debug:
        from autograder.inspect.debug_files import write_debug_files

        for path in write_debug_files(subject, inspections[0], to or Path("inspect"), unconfined=unconfined):
            typer.echo(f"{path}")
    raise typer.Exit(1 if view.has_other_score else 0)


def _tried(subject: Subject, old: ItemInspection, path: Path) -> tuple[str, ...]:
    """What another answer changes."""
    from autograder.inspect.inspection import inspect_items
    from autograder.inspect.replacement import read_replacement, with_answer
    from autograder.inspect.view import compared, item_view

    rebuilt = with_answer(subject.rebuilt, old.item, read_replacement(path, old.item))
    new = inspect_items(subject, [old.item], rebuilt)[0]
    message = item_view(subject, new).message
    return (*compared(old, new), f"the student would read: {message}")
