"""What a long run shows: a table on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from autograder.cli.progress import Counts, live_progress, table
from autograder.core.results import CACHED, Flag, Graded, GradedLog, ItemResult, Outcome, Status, Step


def a_result(student: str, seconds: float, *, status: Status = Status.PASSED, **changes: object) -> Graded:
    """A graded submission with one item."""
    item = ItemResult("f", 1.0, 1.0, status, "", seconds=seconds)
    log = GradedLog("toy", student, "", "grade", {}, {}, {}, {}, None, Outcome.GRADED, (item,))
    return Graded(replace(log, **changes), seconds)  # type: ignore[arg-type]


def test_rate_and_time_left_count_only_what_this_run_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("autograder.cli.progress.time.monotonic", lambda: now[0])
    counts = Counts("grading toy")
    assert counts.per_minute == 0 and counts.seconds_left is None
    cached = a_result("ada", 0.0, flags=(Flag(CACHED, ""),))
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


def test_the_table_shows_names_as_they_are_written() -> None:
    counts = Counts("grading [red]toy[/]")
    counts.add(Step(1, 2, a_result("[bold]ada", 3.25)))
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(table(counts))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "grading [red]toy[/]" in shown and "[bold]ada" in shown and "3.2" in shown and "1 of 2" in shown


def test_without_a_terminal_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("autograder.cli.progress.time.monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), force_terminal=False)
    with live_progress(console) as watch:
        watcher = watch("grading toy")
        for number in range(1, 101):
            now[0] += 1
            watcher(Step(number, 100, a_result("ada", 1.0)))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3 and lines[0] == "grading toy: 30 of 100, 60 a minute, 1 min left"


def test_a_run_that_has_not_begun_says_so() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with live_progress(console) as watch:
        watch("grading toy")
    assert "starting" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_terminal_gets_a_table_that_goes_away() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with live_progress(console) as watch:
        watch("checking")(Step(1, 2))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "checking" in shown and "1 of 2" in shown
