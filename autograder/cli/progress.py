"""Shows the progress of a long run on standard error: rate, time left, failures, the slowest items.

On a terminal it shows a table that is updated in place; elsewhere a line of text from time to time. `rich.progress`
would count cached results in its rate, shows no second table, and prints nothing where there is no terminal.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autograder.core.flags import FlagKind
from autograder.core.results import Outcome, Status, Step

LINE_SECONDS = 30.0
"""Seconds between two lines if there is no terminal."""

_ENDS = (Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.CRASHED)
"""Statuses of items that are shown during the run, because a process died."""


class Counts:
    """The counts of a run so far."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.step = Step(0, 0)
        self.fresh = 0
        """Submissions graded in this run, without those from an earlier run or the cache, which take no time."""
        self._first: tuple[int, float] | None = None
        """Count and time at the first result, so that the rate excludes the time for starting."""
        self.failures: Counter[str] = Counter()
        self.cached = 0
        self.slowest: list[tuple[float, str, str]] = []
        """(seconds, student, item) of the five slowest items, slowest first."""

    def add(self, step: Step) -> None:
        """Updates the counts."""
        self.step = step
        if step.latest is None:
            self.fresh = step.done
        else:
            log = step.latest.log
            is_cached = log.has(FlagKind.CACHED)
            self.cached += is_cached
            self.fresh += not is_cached
            ends = {item.status for item in log.items if item.status in _ENDS}
            outcomes = [log.outcome] if log.outcome is not Outcome.GRADED else []
            self.failures.update(str(end).replace("_", " ") for end in (*outcomes, *ends))
            timed = [(item.seconds, log.student, item.id) for item in log.items if item.seconds > 0]
            self.slowest = sorted(self.slowest + timed, reverse=True)[:5]
        if self._first is None and self.fresh:
            self._first = (self.fresh, time.monotonic())

    @property
    def per_minute(self) -> float:
        """Submissions graded per minute since the first one; 0 if unknown."""
        fresh, begun = self._first or (0, time.monotonic())
        seconds = time.monotonic() - begun
        return 60 * (self.fresh - fresh) / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds left at this rate; None if unknown."""
        left = self.step.total - self.step.done
        return 60 * left / self.per_minute if self.per_minute else None

    def line(self) -> str:
        """All counts in one line of text."""
        if not self.step.total:
            return f"{self.title}: starting"
        words = [f"{self.title}: {self.step.done:,} of {self.step.total:,}"]
        if self.per_minute:
            words.append(f"{self.per_minute:.0f} a minute")
        if self.seconds_left is not None and self.step.done < self.step.total:
            words.append(f"{_duration(self.seconds_left)} left")
        if self.cached:
            words.append(f"{self.cached:,} from the cache")
        words += [f"{count:,} {name}" for name, count in sorted(self.failures.items())]
        return ", ".join(words)


def table(counts: Counts) -> RenderableType:
    """The table that is updated in place."""
    bar = Table.grid(padding=(0, 1))
    total = counts.step.total or None
    bar.add_row(escape(counts.title), ProgressBar(total=total, completed=counts.step.done, width=40))
    rows: list[RenderableType] = [bar, Text(counts.line().partition(": ")[2])]
    if counts.slowest:
        slow = Table(box=None, pad_edge=False, title="slowest items", title_justify="left", title_style="dim")
        slow.add_column("s", justify="right", style="dim")
        slow.add_column("item", style="dim")
        slow.add_column("student", style="dim")
        for seconds, student, item in counts.slowest:
            slow.add_row(f"{seconds:.1f}", escape(item), escape(student))
        rows.append(slow)
    return Group(*rows)


class Watch:
    """Takes a run's title and returns the function to call after each of its submissions.

    Args:
        show: shows the counts of a run.
        live: the table on a terminal; None elsewhere.
    """

    def __init__(self, show: Callable[[Counts], None], live: Live | None) -> None:
        self._show, self._live = show, live

    def __call__(self, title: str) -> Callable[[Step], None]:
        """Begins a run."""
        counts = Counts(title)

        def add(step: Step) -> None:
            counts.add(step)
            self._show(counts)

        self._show(counts)
        return add

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hides the table while the block runs, e.g. for a question."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()


@contextmanager
def live_progress(console: Console | None = None) -> Iterator[Watch]:
    """Yields a `Watch`; the latest run is shown until the block ends."""
    console = console or Console(stderr=True, highlight=False)
    live = Live(console=console, transient=True, refresh_per_second=4) if console.is_terminal else None
    last_line = time.monotonic()

    def show(counts: Counts) -> None:
        nonlocal last_line
        if live is not None:
            live.update(table(counts))
        elif time.monotonic() - last_line >= LINE_SECONDS:
            last_line = time.monotonic()
            console.print(counts.line(), markup=False, soft_wrap=True)

    with live or nullcontext():
        yield Watch(show, live)


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
