"""Shows what a grading changes for whom, and asks before earlier results are overwritten."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import typer
from rich.console import Group
from rich.markup import escape
from rich.text import Text

from autograder.batch.changes import Change, Changes
from autograder.cli.tables import console, plain_table
from autograder.core.errors import SetupError
from autograder.core.results import GradedLog
from autograder.core.text import counted, printable

_WIDTH = 110


class Question:
    """Decides whether a grading may overwrite earlier results; the `confirm` of `grade_folder`.

    Args:
        problem: problem id.
        yes: whether to write without asking.
        dry_run: whether nothing is written anyway.
        paused: hides the progress display while there is a question.
    """

    def __init__(
        self,
        problem: str,
        *,
        yes: bool = False,
        dry_run: bool = False,
        paused: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._problem, self._yes, self._dry_run, self._paused = problem, yes, dry_run, paused
        self.is_refused = False
        """Whether the answer was no."""
        self.was_asked = False
        """Whether there were earlier results."""

    def __call__(self, changes: Changes) -> bool:
        """Shows what changes; returns whether to write it.

        Raises:
            SetupError: a student loses points, and no person can be asked.
        """
        self.was_asked = True
        with self._paused():
            show_changes(f"{self._problem}: changes to the earlier results", changes)
            if self._dry_run:
                return False
            if changes.is_empty or self._yes:
                return True
            if can_ask():
                self.is_refused = not typer.confirm("Write these results?", default=not changes.losers)
                return not self.is_refused
        if changes.losers:
            raise SetupError(
                f"nothing was written, because {counted(len(changes.losers), 'student')} would lose points (see the "
                "table) and there is no terminal to ask. Look at it (--dry-run), then repeat the command with --yes."
            )
        return True


def can_ask() -> bool:
    """Whether a person at a terminal can answer."""
    return sys.stdin.isatty()


def show_changes(title: str, changes: Changes) -> None:
    """Prints the table of changes, and who loses."""
    if changes.is_empty:
        said = f"; what they read changes for {counted(changes.words, 'student')}" if changes.words else ""
        typer.echo(f"{title}: no score changes for {counted(changes.compared, 'student')}{said}")
        return
    console().print(changes_table(title, changes))


def changes_table(title: str, changes: Changes) -> Group:
    """One row per item: points before and after, for how many students the score goes up, down, or stays."""
    table = plain_table(title)
    table.add_column("item", overflow="fold")
    for heading in ("points before", "points after", "up", "down", "same"):
        table.add_column(heading, justify="right", no_wrap=True)
    for change in (*changes.items, changes.total):
        down = f"[red]{len(change.down)}[/]" if change.down else "0"
        row = (escape(change.name or "all"), change.worth_before, change.worth_after, str(len(change.up)), down)
        table.add_row(*row, str(change.same), style="" if change.is_change else "dim")
    return Group(table, *(Text(line) for line in _below(changes)))


def _below(changes: Changes) -> Iterable[str]:
    losers = changes.losers
    for student, what in losers.items():
        yield from _wrapped(f"loses: {printable(student)}: {'; '.join(what)}")
    if changes.new:
        yield from _wrapped(f"new: {_names(changes.new)}")
    if changes.words:
        yield f"{counted(changes.words, 'student')} with the same score read something else on the feedback page"
    yield f"{counted(len(losers), 'student')} would lose points" if losers else "No student loses points."


def show_ups(changes: Changes) -> None:
    """Prints who gains, item by item; `changes_table` has who loses."""
    for change in changes.items:
        if change.up:
            for line in _wrapped(f"{change.name}, up: {_moves(change)}"):
                typer.echo(line)


def _moves(change: Change) -> str:
    return ", ".join(f"{printable(moved.student)} {moved.before:g} → {moved.after:g}" for moved in change.up)


def overruled_lines(logs: Iterable[GradedLog]) -> list[str]:
    """Sentences about manual scores that lie below what the tests give now, item by item; empty if there are none."""
    found: dict[str, list[str]] = {}
    for log in logs:
        for item in log.items:
            if item.is_overruled:
                said = f"{printable(log.student)} ({item.score:g}, tests {item.tests_score:g})"
                found.setdefault(item.id, []).append(said)
    return [
        f"{item}: {counted(len(students), 'manual score')} below what the tests give now; manual scores count, so "
        f"change or remove them in the form grader if they should not: {', '.join(students)}"
        for item, students in found.items()
    ]


def _names(names: Sequence[str]) -> str:
    return ", ".join(printable(name) for name in names)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
