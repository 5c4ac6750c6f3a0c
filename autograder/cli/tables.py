"""Tables for the terminal; plain text with 120 columns elsewhere."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from autograder.core.results import GradedLog, Outcome, Status
from autograder.core.text import listed, printable

if TYPE_CHECKING:  # imports much
    from autograder.batch.mutant_check import Tried
    from autograder.cli.check import CheckRow
    from autograder.sandbox.probes import Finding
    from autograder.verify.result import Verified

PLAIN_WIDTH = 120


@dataclass(frozen=True)
class GradeLine:
    """A row of a grades table."""

    log: GradedLog
    seconds: float
    story: str = ""
    """A made-up student's case; if no line has one, the table has no such column."""
    surprises: tuple[str, ...] | None = None
    """Differences from the expected result; None if there is no expected result."""


def console(file: IO[str] | None = None) -> Console:
    """A console as wide as the terminal; without a terminal 120 columns and no colours."""
    file = file or sys.stdout
    plain = not file.isatty()
    return Console(file=file, highlight=False, width=PLAIN_WIDTH if plain else None, no_color=plain or None)


def grades_table(title: str, lines: Sequence[GradeLine]) -> Group:
    """One row per submission: student, total points, points by item, outcome, time.

    Column headings are the numbers of the items; the line below the table names them.
    """
    with_story = any(line.story for line in lines)
    with_check = any(line.surprises is not None for line in lines)
    points = {item.id: item.label for line in lines for item in line.log.items}
    table = plain_table(title)
    table.add_column("student", no_wrap=True)
    if with_story:
        table.add_column("submission", overflow="fold")
    for heading in ("score", *map(str, range(1, len(points) + 1))):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    if with_check:
        table.add_column("as expected", justify="center")
    for line in lines:
        log = line.log
        row = [escape(log.student)]
        if with_story:
            row.append(escape(line.story))
        row.append(f"{log.score:g} / {log.max_score:g}")
        marks = {item.id: "-" if item.status is Status.MANUAL else f"{item.score:g}" for item in log.items}
        row += [marks.get(item_id, "") for item_id in points]
        outcome = log.outcome.value.replace("_", " ")
        row += [outcome if log.outcome is Outcome.GRADED else f"[yellow]{outcome}[/]", f"{line.seconds:.1f}"]
        if with_check:
            row.append("[red]NO[/]" if line.surprises else "yes")
        table.add_row(*row)
    return Group(table, _legend(points))


def answer_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """The answer to a question about a class."""
    table = plain_table("")
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else escape(_shown(value)) for value in row))
    return table


def columns_table(tables: Mapping[str, Mapping[str, str]]) -> Table:
    """The tables that can be asked, and what their columns hold."""
    table = plain_table("")
    for heading in ("table", "column", "what it holds"):
        table.add_column(heading, overflow="fold")
    for name, columns in tables.items():
        for number, (column, what) in enumerate(columns.items()):
            table.add_row("" if number else name, column, what)
        table.add_section()
    return table


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value), 500)


def check_table(lines: Iterable[CheckRow]) -> Table:
    """One row per variant of a problem: expected and actual result."""
    table = plain_table("Self-test")
    for heading in ("problem", "variant", "expected", "got"):
        table.add_column(heading, overflow="fold")
    table.add_column("ok", justify="center")
    table.add_column("s", justify="right", no_wrap=True)
    for line in lines:
        ok = "yes" if line.ok else "[red]NO[/]"
        texts = (line.problem, line.variant, line.expected, line.got)
        table.add_row(*(escape(str(text)) for text in texts), ok, f"{line.seconds:.1f}")
    return table


def mutant_table(tried: Iterable[Tried]) -> Group:
    """One row per item: what became of its mutants and rewritings; below it, what an author must look at."""
    table = plain_table("Mutants and rewritings")
    columns = (
        "problem",
        "item",
        "mutants",
        "lost points",
        "too slow",
        "equal",
        "explained",
        "survived",
        "rewritings",
        "full marks",
    )
    for heading in columns:
        table.add_column(heading, overflow="fold", justify="left" if heading in columns[:2] else "right")
    rows: dict[tuple[str, str], Counter[str]] = {}
    below: list[Text] = []
    for one in tried:
        row = rows.setdefault((one.problem, one.item), Counter())
        row["mutants" if one.is_mutant else "rewritings"] += 1
        if one.fate == "as expected":
            row["lost points" if one.is_mutant else "full marks"] += 1
        elif one.fate != "lost points":
            row[str(one.fate)] += 1
        if one.fate in ("survived", "lost points"):
            why = f": {one.message}" if one.message else ""
            below.append(Text(f"{one.fate}: {one.problem} {one.item} ({one.base}), {one.change}{why}"))
    for (problem, item), row in rows.items():
        table.add_row(problem, item, *(str(row[heading]) for heading in columns[2:]))
    return Group(table, *below)


def doctor_table(level: str, findings: Iterable[Finding]) -> Table:
    """One row per attempt to leave the sandbox."""
    table = plain_table(f"Sandbox for student code: isolation level {level}")
    for heading in ("student code tried to", "what succeeded", "as promised"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        promise = ("yes" if finding.promised else "not promised") if finding.ok else "[red]NO[/]"
        table.add_row(escape(finding.name), escape(finding.managed or "nothing"), promise)
    return table


def logs_table(results: Iterable[Verified]) -> Table:
    """One row per checked log: student, run, right answers, remarks."""
    table = plain_table("Logs")
    for heading in ("student", "problem", "run"):
        table.add_column(heading, overflow="fold")
    table.add_column("right", no_wrap=True)
    for heading in ("code", "metrics", "copied from", "notes"):
        table.add_column(heading, overflow="fold")
    for one in results:
        changed = sum(item.code == "changed" for item in one.items)
        compared = sum(item.code != "unknown" for item in one.items)
        not_ok: dict[str, list[str]] = {}
        for metric in one.metrics:
            if not metric.ok:
                not_ok.setdefault(str(metric.verdict), []).append(metric.id.removeprefix(f"{one.problem}/"))
        within = sum(metric.verdict == "in band" for metric in one.metrics)
        mistakes = [
            f"{item.id}: {item.misconception.replace('_', ' ') or item.verdict}"
            for item in one.items
            if item.verdict not in ("right", "copied")
        ]
        row = (
            one.student or str(one.path),
            one.problem or "-",
            " ".join((one.profile, one.device.split(" ")[0])).strip() or "-",
            f"{one.right} of {len(one.items)}" if one.items else "-",
            f"{changed} changed" if changed else "same" if compared else "-",
            "\n".join(f"{word}: {listed(names, 1)}" for word, names in not_ok.items())
            or (f"{within} in band" if within else "-"),
            "\n".join(one.copied_from) or "-",
            "\n".join([*mistakes, *(flag.message for flag in one.flags), *one.notes]),
        )
        cells = [escape("\n".join(printable(line, 200) for line in text.split("\n"))) for text in row]
        table.add_row(*cells, style="" if one.ok else "yellow")
    return table


def plain_table(title: str) -> Table:
    """An empty table in the style of all tables."""
    return Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _legend(points: Mapping[str, str]) -> Text:
    """The names of the numbered columns; lines break only between entries."""
    entries = [f"{number} {item_id} ({most})" for number, (item_id, most) in enumerate(points.items(), 1)]
    entries.append("- needs manual grading")
    lines = textwrap.wrap("   ".join(entry.replace(" ", "\xa0") for entry in entries), width=100)
    return Text("\n".join(lines).replace("\xa0", " ") + "\n")
