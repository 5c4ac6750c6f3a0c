"""The report of an import: what became of every cell, the points before and after, and what to look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from autograder.core.text import counted
from autograder.imports.source import Fate
from autograder.imports.trial import Tried
from autograder.release.lint import Finding


def report_text(path: Path, problem_id: str, tried: Tried, files: Collection[str], findings: Sequence[Finding]) -> str:
    """The report as Markdown.

    Args:
        path: the original notebook.
        problem_id: the new problem.
        tried: what was decided, and the new source.
        files: names of the files beside the notebook that were copied.
        findings: what the linter says about it.
    """
    plan, written = tried.plan, tried.written
    before = sum(cell.points for cell in plan.cells)
    code = [answer for answer in plan.answers if answer.is_code]
    inside = [answer for answer in code if answer.is_in_process]
    hand = [answer for answer in plan.answers if answer.item and not answer.is_code]
    lines = [
        f"# `{problem_id}`, imported from {path.name}",
        "",
        f"Points: {before:g} before, {written.points:g} after. "
        f"{sum(answer.points for answer in code):g} are graded by tests ({counted(len(code), 'item')}, "
        f"{len(inside)} of them inside the student's process), "
        f"{sum(answer.points for answer in hand):g} by hand ({counted(len(hand), 'item')}).",
        "",
        "| cell | id | points | what became of it |",
        "|---|---|---|---|",
        *(_row(fate) for fate in written.fates),
        "",
        "## What to look at",
        "",
        *([f"- copied beside the notebook, for students too: {', '.join(files)}"] if files else []),
        *([f"- the tests were not tried on the solution: {tried.fault}"] if tried.fault else []),
        *(f"- {fate.cell.place}: {fate.look}" for fate in written.fates if fate.look),
        *(f"- line {one.line} of the source ({one.rule}): {one.message}" for one in findings),
    ]
    if code:
        names = ", ".join(f"`{answer.item}`" for answer in code)
        lines += [
            f"- write wrong and right variants of {names}, so that `autograder check` can prove the tests; "
            "`autograder lint` counts them",
        ]
    kept = [fate for fate in written.fates if fate.kept]
    if kept:
        lines += ["", "## Kept here only"]
        for fate in kept:
            lines += ["", f"{fate.cell.place}:", "", *(f"    {line}".rstrip() for line in fate.kept.split("\n"))]
    return "\n".join(lines) + "\n"


def _row(fate: Fate) -> str:
    cell = fate.cell
    points = f"{cell.points:g}" if cell.role in ("test", "manual", "task") else ""
    identity = f"`{cell.grade_id}`" if cell.grade_id else ""
    return f"| {cell.number} ({cell.cell_type}) | {identity} | {points} | {fate.became.replace('|', chr(92) + '|')} |"
