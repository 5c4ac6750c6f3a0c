"""The commands of the grading desk: `autograder desk [PROBLEM ...]`, `desk invite`, `desk rubric`."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from autograder.cli.folders import Out, results_folder
from autograder.core.errors import SetupError
from autograder.course.config import root_folder

_SERVE = "serve"


class _ServeByDefault(TyperGroup):
    """`desk vae` is `desk serve vae`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the command's name in front where there is none."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = [_SERVE, *args]
        found: list[str] = super().parse_args(ctx, args)
        return found


desk_app = typer.Typer(
    cls=_ServeByDefault,
    help="Serves the web page on which people grade written answers and figures: `autograder desk [PROBLEM ...]`.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DatabaseAddress = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="AUTOGRADER_DESK_DATABASE",
        help="Address of the desk's database, e.g. postgresql+psycopg://host/desk; course/desk.db if not given.",
    ),
]


@desk_app.command(_SERVE)
def serve(
    problem: Annotated[
        list[str] | None, typer.Argument(help="Problem ids, e.g. vae; all in the folder if none.")
    ] = None,
    out: Out = None,
    database: DatabaseAddress = "",
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines can reach the desk if it is not 127.0.0.1.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Name by which browsers reach the desk, e.g. behind a proxy; may be repeated."),
    ] = None,
    https: Annotated[bool, typer.Option("--https", help="Browsers reach the desk by HTTPS, through a proxy.")] = False,
    browser: Annotated[bool, typer.Option(help="Whether to open a browser.")] = True,
    second: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the answers that two graders grade.")
    ] = 0.05,
) -> None:
    """Serves the desk until Ctrl-C. (`serve` may be left out.)"""
    import uvicorn

    from autograder.desk.desk import Desk
    from autograder.desk.pages import app

    desk = Desk(root_folder(), results_folder(out), problem or (), database=database, second_share=second)
    listening = _listening(host, port)
    port = int(listening.getsockname()[1])
    token = desk.graders.admit(getpass.getuser())
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    link = f"http://{shown}:{port}/enter?token={token}"
    hosts = {"127.0.0.1", "localhost", "::1", host, shown, *(name or ())}
    for note in desk.notes:
        typer.echo(f"desk: {note}", err=True)
    progress = desk.progress()
    total, done = sum(one.total for one in progress), sum(one.done for one in progress)
    graded = f", {done} of {total} are graded" if done else ""
    typer.echo(f"desk: {total - done} answers to grade{graded}, at\n")
    typer.echo(f"    {link}\n\ndesk: Ctrl-C ends it; everything is saved at once.")
    server = uvicorn.Server(uvicorn.Config(app(desk, hosts, secure=https), log_level="warning", server_header=False))
    if browser:
        webbrowser.open(link)
    with contextlib.suppress(KeyboardInterrupt):  # raised after everything was closed
        asyncio.run(server.serve(sockets=[listening]))
    typer.echo("\ndesk: ended; everything is saved. The same command goes on.")


@desk_app.command("invite")
def invite(
    grader: Annotated[str, typer.Argument(help="Name of the grader.")],
    database: DatabaseAddress = "",
    url: Annotated[str, typer.Option(help="Where graders reach the desk.")] = "http://127.0.0.1:8765",
) -> None:
    """Prints a link with a new token for a grader; an earlier link stops working."""
    from autograder.desk.database import Database, default_address
    from autograder.desk.graders import Graders

    opened = Database(database or default_address(root_folder()))
    typer.echo(f"{url.rstrip('/')}/enter?token={Graders(opened).invite(grader)}")
    opened.close()


@desk_app.command("rubric")
def rubric(
    place: Annotated[str, typer.Argument(metavar="PROBLEM/ITEM", help="A question, e.g. vae/written_beta.")],
    to: Annotated[
        Path | None,
        typer.Option(help="File to write: a .py source gets the rubric as its mark scheme, another file YAML."),
    ] = None,
    database: DatabaseAddress = "",
) -> None:
    """Prints the rubric of a question as YAML, or writes it to a file or back into the source."""
    from autograder.core.files import write_atomically
    from autograder.course.problem import load_problem
    from autograder.desk.database import Database, default_address
    from autograder.desk.decisions import Decisions
    from autograder.desk.place import Place
    from autograder.desk.rubric import rubric_of
    from autograder.desk.rubric_in_source import with_rubric

    problem, _, item = place.partition("/")
    source = load_problem(problem, root_folder())
    wanted = next((one for one in source.items if one.id == item and one.kind != "code"), None)
    if wanted is None:
        known = ", ".join(f"{problem}/{one.id}" for one in source.items if one.kind != "code")
        raise SetupError(f"{place!r} is not graded by hand; these are: {known}.")
    opened = Database(database or default_address(root_folder()))
    now = Decisions(opened).rubric(Place(problem, item), rubric_of(wanted))
    opened.close()
    if to is None:
        typer.echo(now.as_yaml(), nl=False)
    elif to.suffix == ".py":
        write_atomically(to, with_rubric(to.read_text(encoding="utf-8"), wanted, now))
        typer.echo(f"desk: {to} has version {now.version} of the rubric; run `autograder lint {problem}`.")
    else:
        write_atomically(to, now.as_yaml())


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(128)  # browsers that come before the server is ready wait
    except OSError as error:
        raise SetupError(
            f"the desk cannot listen on {host}:{port} ({error.strerror}); another desk may run there: give --port 0."
        ) from error
    return found
