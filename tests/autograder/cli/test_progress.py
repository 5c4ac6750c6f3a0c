"""The progress of a long run: a table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from autograder.cli.progress import Counts, live_progress, table
from autograder.core.flags import Flag, FlagKind
from autograder.core.results import Graded, ItemResult, Outcome, Status, Step
from tests.autograder.graded_folder import log_of


def a_result(student: str, seconds: float, *, status: Status = Status.PASSED, **changes: object) -> Graded:
    """A graded submission with one item."""
    item = ItemResult("f", 1.0, 1.0, status, "", seconds=seconds)
    return Graded(log_of(student, items=(item,), **changes), seconds)


def a_console(is_terminal: bool = False) -> tuple[Console, io.StringIO]:
    """A console and what it shows."""
    shown = io.StringIO()
    return Console(file=shown, width=100, force_terminal=is_terminal), shown


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test can change."""
    now = [100.0]
    monkeypatch.setattr("autograder.cli.progress.time.monotonic", lambda: now[0])
    return now


def test_rate_and_time_left_are_computed_from_the_submissions_of_this_run(now: list[float]) -> None:
    counts = Counts("grading toy")
    assert counts.per_minute == 0 and counts.seconds_left is None
    cached = a_result("ada", 0.0, flags=(Flag(FlagKind.CACHED, ""),))
    counts.add(Step(501, 1000, cached))  # 500 were done by the run before
    assert counts.per_minute == 0
    now[0] += 60  # the start
    for number in range(20):
        now[0] += 3
        counts.add(Step(502 + number, 1000, a_result(f"s{number}", 1.0 + number)))
    assert counts.per_minute == 20
    assert counts.seconds_left == pytest.approx(60 * (1000 - 521) / 20)
    assert counts.line() == "grading toy: 521 of 1,000, 20 a minute, 24 min left, 1 from the cache"
    assert [student for _, student, _ in counts.slowest] == ["s19", "s18", "s17", "s16", "s15"]


def test_failures_are_counted_by_submission() -> None:
    counts = Counts("t")
    counts.add(Step(1, 3, a_result("ada", 1.0, status=Status.TIMEOUT)))
    counts.add(Step(2, 3, a_result("bela", 1.0, status=Status.FAILED)))
    counts.add(Step(3, 3, a_result("chen", 0.0, outcome=Outcome.WRONG_NOTEBOOK)))
    assert counts.failures == {"timeout": 1, "wrong notebook": 1}
    assert counts.line().endswith("1 timeout, 1 wrong notebook")


def test_the_table_shows_markup_in_names_as_text() -> None:
    counts = Counts("grading [red]toy[/]")
    counts.add(Step(1, 2, a_result("[bold]ada", 3.25)))
    console, shown = a_console()
    console.print(table(counts))
    for words in ("grading [red]toy[/]", "[bold]ada", "3.2", "1 of 2"):
        assert words in shown.getvalue()


def test_without_a_terminal_a_line_is_printed_now_and_then(now: list[float]) -> None:
    console, shown = a_console()
    with live_progress(console) as watch:
        watcher = watch("grading toy")
        for number in range(1, 101):
            now[0] += 1
            watcher(Step(number, 100, a_result("ada", 1.0)))
    lines = shown.getvalue().splitlines()
    assert len(lines) == 3 and lines[0] == "grading toy: 30 of 100, 60 a minute, 1 min left"


def test_a_terminal_shows_the_start_and_a_table() -> None:
    console, shown = a_console(is_terminal=True)
    with live_progress(console) as watch:
        watch("grading toy")
    assert "starting" in shown.getvalue()
    with live_progress(console) as watch:
        watch("checking")(Step(1, 2))
    assert "checking" in shown.getvalue() and "1 of 2" in shown.getvalue()
