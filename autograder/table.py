"""Tables and progress on the terminal; without one, plain text 120 columns wide."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.results import GradedLog, Outcome, Status

PLAIN_WIDTH = 120


class CheckLine(Protocol):
    """A row of `autograder check`: one variant of one problem."""

    @property
    def problem(self) -> str:
        """Problem id."""

    @property
    def variant(self) -> str:
        """`solution`, `release`, `wrong/<item>/<slug>` or `right/<item>/<slug>`."""

    @property
    def expected(self) -> str:
        """What should have come out, in words."""

    @property
    def got(self) -> str:
        """What came out, in words."""

    @property
    def ok(self) -> bool:
        """Are the two the same?"""

    @property
    def seconds(self) -> float:
        """Wall time."""


@dataclass(frozen=True)
class GradeLine:
    """A row of a grades table."""

    log: GradedLog
    seconds: float
    story: str = ""
    """What a made-up student did; no column when no line has one."""
    surprises: tuple[str, ...] | None = None
    """What came out otherwise than expected; None where nothing was expected."""

    @property
    def marks(self) -> dict[str, str]:
        """Item id -> points as the table shows them; `-` while the item waits for a person."""
        return {item.id: "-" if item.status is Status.MANUAL else f"{item.score:g}" for item in self.log.items}


def console(file: IO[str] | None = None) -> Console:
    """A console as wide as the terminal; 120 columns and no colours where there is none."""
    file = file or sys.stdout
    return (
        Console(file=file, highlight=False)
        if file.isatty()
        else Console(file=file, width=PLAIN_WIDTH, no_color=True, highlight=False)
    )


def grades_table(title: str, lines: Sequence[GradeLine]) -> Table:
    """One row per submission: who, points in all and by item, how it went, how long it took."""
    with_story = any(line.story for line in lines)
    with_check = any(line.surprises is not None for line in lines)
    item_ids = list(dict.fromkeys(item_id for line in lines for item_id in line.marks))
    table = _table(title)
    table.caption = "-  waits for a person"
    table.add_column("student", no_wrap=True)
    if with_story:
        table.add_column("what was handed in")
    table.add_column("score", justify="right", no_wrap=True)
    for item_id in item_ids:
        table.add_column(_broken(item_id), justify="right")
    table.add_column("status")
    table.add_column("s", justify="right", no_wrap=True)
    if with_check:
        table.add_column("as expected", justify="center")
    for line in lines:
        log = line.log
        row = [escape(log.student)]
        if with_story:
            row.append(escape(line.story))
        row.append(f"{log.score:g} / {log.max_score:g}")
        row += [line.marks.get(item_id, "") for item_id in item_ids]
        row += [_outcome(log.outcome), f"{line.seconds:.1f}"]
        if with_check:
            row.append("[red]NO[/]" if line.surprises else "yes")
        table.add_row(*row)
    return table


def check_table(lines: Iterable[CheckLine]) -> Table:
    """One row per variant of a problem: what it should get and what it got."""
    table = _table("Self-test")
    for heading in ("problem", "variant", "expected", "got"):
        table.add_column(heading, overflow="fold")
    table.add_column("ok", justify="center")
    table.add_column("s", justify="right", no_wrap=True)
    for line in lines:
        ok = "yes" if line.ok else "[red]NO[/]"
        texts = (line.problem, line.variant, line.expected, line.got)
        table.add_row(*(escape(str(text)) for text in texts), ok, f"{line.seconds:.1f}")
    return table


class Ticker:
    """The moving end of a progress bar: called after each piece of work with (done, total)."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Moves the bar to `done` of `total`."""
        self._progress.update(self._task, completed=done, total=total)


class Bars:
    """Progress bars below each other, one per description."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, description: str) -> Ticker:
        """A new bar."""
        return Ticker(self._progress, description)


@contextmanager
def live_progress() -> Iterator[Bars]:
    """Progress bars on standard error, so that standard output stays clean; silent without a terminal."""
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        yield Bars(progress)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", caption_justify="left", header_style="bold")


def _broken(item_id: str) -> str:
    """`kl_standard_normal` over several short lines, so that many items fit side by side."""
    return item_id.replace("_", "_\n")


def _outcome(outcome: Outcome) -> str:
    words = outcome.value.replace("_", " ")
    return words if outcome is Outcome.GRADED else f"[yellow]{words}[/]"
