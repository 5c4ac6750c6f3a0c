"""A small assignment for otter in its current and its older format, and cells to write others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from tests.autograder.imports.notebooks import written_to

MEAN = '''def mean(values):
    """The mean of some numbers."""
    return sum(values) / len(values) # SOLUTION'''
SPREAD = '''def spread(values):
    """Largest and smallest number, as a pair."""
    low = min(values) # SOLUTION
    # BEGIN SOLUTION NO PROMPT
    high = max(values)
    # END SOLUTION
    """ # BEGIN PROMPT
    high = ...
    """; # END PROMPT
    return low, high'''
PLOT = "# BEGIN SOLUTION\nimport matplotlib.pyplot as plt\nplt.hist(rents)\n# END SOLUTION"
SAMPLE = "The mean follows one very large rent, the median does not."


def raw(*lines: str) -> NotebookNode:
    """A raw cell."""
    cell: NotebookNode = new_raw_cell("\n".join(lines))
    return cell


def text(*lines: str) -> NotebookNode:
    """A text cell."""
    cell: NotebookNode = new_markdown_cell("\n".join(lines))
    return cell


def code(source: str, value: str = "", printed: str = "", *, was_run: bool = True) -> NotebookNode:
    """A code cell with its output."""
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    outputs += [new_output("execute_result", {"text/plain": value}, execution_count=1)] if value else []
    cell: NotebookNode = new_code_cell(source, outputs=outputs, execution_count=1 if was_run else None)
    return cell


def block(kind: str, *cells: NotebookNode) -> list[NotebookNode]:
    """The cells of a block in the current format."""
    return [raw(f"# BEGIN {kind}"), *cells, raw(f"# END {kind}")]


def question(settings: str, *cells: NotebookNode) -> list[NotebookNode]:
    """A question in the current format."""
    return [raw("# BEGIN QUESTION", settings), *cells, raw("# END QUESTION")]


def solved(source: str, *tests: NotebookNode, settings: str = "name: q1") -> list[NotebookNode]:
    """A question in the current format, of one solution cell and tests."""
    tested = block("TESTS", *tests) if tests else []
    return question(settings, text("Do it."), *block("SOLUTION", code(source)), *tested)


def older(settings: str, *cells: NotebookNode) -> list[NotebookNode]:
    """A question in the older format."""
    return [text("```", "BEGIN QUESTION", settings, "```", "Do it."), *cells]


def current_rents(folder: Path) -> Path:
    """The assignment in the current format."""
    return written_to(
        folder / "rents.ipynb",
        raw("# ASSIGNMENT CONFIG", "init_cell: false", "files: [rents.csv]"),
        text("# Rents"),
        code('import otter\ngrader = otter.Notebook("rents.ipynb")'),
        code("rents = [500, 700, 900, 4000]"),
        *question(
            "name: q1\npoints: 3",
            text("**1.** Write `mean`."),
            *block("SOLUTION", code(MEAN)),
            *block(
                "TESTS",
                code("mean([1, 2, 3])", "2.0"),
                code("mean([4]) == 4", "True"),
                code("# HIDDEN\nmean([2, 2, 5])", "3.0"),
            ),
        ),
        *question(
            "name: q2\nall_or_nothing: true\npoints: 2",
            text("**2.** Write `spread`."),
            *block("SOLUTION", code(SPREAD)),
            *block(
                "TESTS",
                code("low, high = spread([3, 1, 2])\n(low, high)", "(1, 3)"),
                code("# HIDDEN\nprint(spread([7]))", printed="(7, 7)\n"),
            ),
        ),
        *question(
            "name: q3\nmanual: true\npoints: 2",
            text("**3.** Mean or median?"),
            *block("SOLUTION", text(SAMPLE)),
        ),
        *question(
            "name: q4\nmanual: true\npoints: 1",
            text("**4.** Draw the rents."),
            *block("SOLUTION", code(PLOT)),
        ),
        *question(
            "name: q5",
            text("**5.** The mean of the rents."),
            *block("SOLUTION", code("mean_rent = mean(rents) # SOLUTION")),
            *block("TESTS", code("mean_rent", "1525.0")),
        ),
        code("## Ignore ##\nprint('for us only')"),
        code("grader.export()"),
    )


def older_rents(folder: Path) -> Path:
    """The same assignment in the older format, which has no `all_or_nothing`."""
    return written_to(
        folder / "rents.ipynb",
        text("```", "BEGIN ASSIGNMENT", "init_cell: false", "files: [rents.csv]", "```"),
        text("# Rents"),
        code('import otter\ngrader = otter.Notebook("rents.ipynb")'),
        code("rents = [500, 700, 900, 4000]"),
        text("**1.** Write `mean`.", "", "```", "BEGIN QUESTION", "name: q1", "points: 3", "```"),
        code(MEAN),
        code("# TEST\nmean([1, 2, 3])", "2.0"),
        code("## Test ##\nmean([4]) == 4", "True"),
        code("# HIDDEN TEST\nmean([2, 2, 5])", "3.0"),
        text("**2.** Write `spread`.", "```", "BEGIN QUESTION", "name: q2", "points: 2", "```"),
        code(SPREAD),
        code("# TEST\nlow, high = spread([3, 1, 2])\n(low, high)", "(1, 3)"),
        code("# HIDDEN TEST\nprint(spread([7]))", printed="(7, 7)\n"),
        text("**3.** Mean or median?", "```", "BEGIN QUESTION", "name: q3", "manual: true", "points: 2", "```"),
        text("**SOLUTION:** " + SAMPLE),
        text("**4.** Draw the rents.", "```", "BEGIN QUESTION", "name: q4", "manual: true", "points: 1", "```"),
        code(PLOT),
        text("**5.** The mean of the rents.", "```", "BEGIN QUESTION", "name: q5", "```"),
        code("mean_rent = mean(rents) # SOLUTION"),
        code("# TEST\nmean_rent", "1525.0"),
        code("## Ignore ##\nprint('for us only')"),
        code("grader.export()"),
    )


def in_r() -> dict[str, Any]:
    """The metadata of a notebook in R."""
    return {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
