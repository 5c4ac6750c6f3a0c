"""Prints an inspection in the terminal: the student's code, then each failing check with inputs and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from autograder.core.text import printable
from autograder.inspect.values import Value
from autograder.inspect.view import CallView, CellView, CheckView, CodeLine, InspectionView, ItemView


def print_inspection(screen: Console, view: InspectionView) -> None:
    """Prints all of it. Texts of the student's are printed as they are, without rich's markup."""
    head = f"{view.student}, {view.problem}" + (f": {view.recorded} (recorded)" if view.recorded else "")
    screen.print(Text(head, style="bold"))
    for note in (*view.notes, *filter(None, [view.before])):
        screen.print(Text(f"note: {note}", style="yellow"))
    for item in view.items:
        _print_item(screen, item)


def print_sentences(screen: Console, title: str, sentences: Iterable[str]) -> None:
    """Prints a title and sentences below it."""
    screen.print(Rule(Text(title, style="bold"), align="left"))
    for sentence in sentences:
        screen.print(Text(f"  {sentence}"))


def _print_item(screen: Console, item: ItemView) -> None:
    screen.print()
    screen.print(Rule(Text(f"{item.id}: {item.heading}", style="bold"), align="left"))
    if item.recorded:
        screen.print(Text(f"recorded: {item.recorded}"))
    if item.now:
        screen.print(Text(f"now:      {item.now}", style="red" if item.is_other else ""))
    if item.by_hand:
        screen.print(Text(f"a grader gave {item.by_hand}"))
    if item.counts:
        screen.print(Text(f"checks:   {item.counts}"))
    if item.way:
        screen.print(Text(f"how:      {item.way}"))
    for remark in item.remarks:
        screen.print(Text(f"remark:   {remark}", style="yellow"))
    for slug, sentence in item.agreeing:
        screen.print(Text(f"gives the answers of the known wrong solution {slug}: {sentence}", style="yellow"))
    if item.message:
        screen.print(Text("the student reads:"))
        screen.print(_block(item.message.split("\n")))
    if item.own:
        _print_cell(screen, item.own)
    for number, check in enumerate(item.checks, 1):
        _print_check(screen, check, f"{number} of {len(item.checks)}")
    for line in item.skipped:
        screen.print(Text(f"could not run: {line}"))
    if item.others:
        screen.print(Text("\nother cells that the answer uses", style="bold"))
    for cell in item.others:
        _print_cell(screen, cell)
    if item.given:
        screen.print(Text(f"given cells that it uses: {item.given}"))


def _print_cell(screen: Console, cell: CellView) -> None:
    screen.print(Text(f"\n{cell.title}", style="bold"))
    screen.print(_code(cell.code))
    if cell.output:
        screen.print(Text("printed:"))
        screen.print(_block(cell.output))
    if cell.error:
        screen.print(Text("raised:", style="red"))
        screen.print(_block(cell.error))


def _print_check(screen: Console, check: CheckView, number: str) -> None:
    screen.print(Text.assemble("\n", (f"failing check {number}: {check.where}", "bold red"), f" ({check.kind})"))
    screen.print(Text(f"  {check.fate}"))
    if check.made:
        screen.print(Text("  inputs made by"))
        screen.print(_code(check.made))
    screen.print(Text("  check"))
    screen.print(_code(check.code))
    for call in check.calls:
        screen.print(_block(_call_lines(call)))
    if check.more_calls:
        screen.print(Text(f"  and {check.more_calls} further calls"))
    for value in check.values:
        screen.print(_block(value_lines(value)))
    if check.detail:
        screen.print(Text("  difference"))
        screen.print(_block(check.detail.split("\n")))
    if check.error:
        screen.print(Text("  the student's code raised", style="red"))
        screen.print(_block(check.error))
    screen.print(Text(f"  the check says: {check.hint}"))


def value_lines(value: Value) -> list[str]:
    """A value in lines: what it is, then its numbers."""
    role = f"{value.role}: " if value.role else ""
    lines = value.text.split("\n")
    head = f"{role}{value.name} = "
    if len(lines) == 1:
        return [f"{head}{lines[0]}  ({value.kind})"]
    return [f"{head}({value.kind})", *(f"    {line}" for line in lines)]


def _call_lines(call: CallView) -> Iterator[str]:
    yield f"called {call.function}"
    for argument in call.arguments:
        yield from (f"    {line}" for line in value_lines(argument))
    yield from (f"  printed: {line}" for line in call.printed)
    if call.result is not None:
        yield from (f"  → {line}" for line in value_lines(call.result))
    yield from (f"  → {line}" for line in call.error)


def _code(lines: Sequence[CodeLine]) -> Padding:
    shown = Text()
    for line in lines:
        shown.append(f"{line.number:>5}  ", style="dim")
        shown.append(line.text + "\n")
    shown.rstrip()
    return Padding(shown, (0, 0, 0, 2))


def _block(lines: Iterable[str]) -> Padding:
    return Padding(Text("\n".join(printable(line, 1_000) for line in lines)), (0, 0, 0, 4))
