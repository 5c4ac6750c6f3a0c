"""Writes files in which staff step through an item's first failing check: a script, a notebook, the student's cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.core.errors import SetupError
from autograder.core.files import write_atomically
from autograder.core.notebook_io import notebook_text
from autograder.core.text import printable
from autograder.course.seed import fingerprint
from autograder.grading.reference import split_statements
from autograder.inspect.inspection import ItemInspection
from autograder.inspect.recorder import Check
from autograder.inspect.replay import Replayed, cells_text
from autograder.inspect.subject import Subject

CELLS, SCRIPT, NOTEBOOK = "student_cells.py", "check.py", "check.ipynb"
_SECRET = "FOR STAFF ONLY: this file shows hidden tests. Never give it to students."
_CONFINED = (
    "The student's code runs in the sandbox, where a debugger cannot step into it: put print() into student_cells.py "
    "and run this again."
)
_UNCONFINED = (
    "WARNING: this runs the student's code OUTSIDE THE SANDBOX, with all your rights: it can read, change and send "
    "whatever you can, hidden tests and other submissions, too. Read student_cells.py before you run this."
)


def write_debug_files(subject: Subject, one: ItemInspection, to: Path, *, unconfined: bool = False) -> list[Path]:
    """Writes `to/<student>-<problem>-<item>/{student_cells.py, check.py, check.ipynb}` and returns their paths.

    Args:
        subject: the submission.
        one: the item; its first failing check is replayed.
        to: the folder.
        unconfined: whether the files run the student's code outside the sandbox.

    Raises:
        SetupError: no check of the item failed, or the files cannot be written.
    """
    if not one.failed:
        why = "all its checks pass" if one.checks else f"its test could not begin: {one.result.message}"
        raise SetupError(f"{one.item.id} has no failing check to replay: {why}")
    check = one.failed[0]
    what = Replayed(
        subject.problem.id,
        one.item.id,
        subject.asked,
        fingerprint(subject.seed),
        str(subject.problem.path.parent.parent),
        one.way.stand_ins,
    )
    warning = _UNCONFINED if unconfined else _CONFINED
    where = f"solutions/{subject.problem.path.name}:{one.first_line + check.statement.first}"
    title = f"{printable(subject.student)}, {subject.problem.id}, {one.item.id}: the check at {where}"
    name = re.sub(r"[^\w.@-]", "_", f"{subject.student}-{subject.problem.id}-{one.item.id}")
    folder = to / name
    begin = _begin(what, unconfined)
    statements = _statements(one, check)
    head = f'"""{_literal(title)}\n\n{_SECRET}\n{warning}\n\nRun it, or step through it: python -m pdb {SCRIPT}\n"""\n'
    script = [head, begin, f"# the test of {one.item.id}, up to the check that failed", *statements[:-1]]
    script += [f"# {where}: this check failed", _with_breakpoint(statements[-1], _line_of(one, check, statements))]
    cells_head = f"# The cells of {_literal(title)}\n# {warning if unconfined else _SECRET}\n"
    notebook = new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    notebook.cells = [
        new_markdown_cell(f"# {_literal(title)}\n\n**{_SECRET}** {warning}"),
        new_markdown_cell("\n\n".join(f"{used.title}\n\n{_fenced(used.built.source)}" for used in one.cells)),
        new_code_cell(begin.replace("Path(__file__).with_name", "Path")),
        *(new_code_cell(statement) for statement in statements[:-1]),
        new_code_cell(f"# {where}: this check failed\n{statements[-1]}"),
    ]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    texts = {
        CELLS: cells_text(one.ran, cells_head),
        SCRIPT: "\n".join(script) + "\n",
        NOTEBOOK: notebook_text(notebook),
    }
    for file, text in texts.items():
        write_atomically(folder / file, text)
    return [folder / file for file in texts]


def _begin(what: Replayed, unconfined: bool) -> str:
    fields = ",\n    ".join(f"{name}={value!r}" for name, value in asdict(what).items())
    last = ", unconfined=True" if unconfined else ""
    return (
        "from pathlib import Path\n\n"
        "from autograder.inspect.replay import Replayed, start\n\n"
        f"what = Replayed(\n    {fields},\n)\n"
        f'globals().update(start(what, Path(__file__).with_name("{CELLS}"){last}))\n'
    )


def _statements(one: ItemInspection, check: Check) -> list[str]:
    """The statements of the test as they stand in the source, up to the one with the check."""
    bodies, lines = _nodes(one)
    found = []
    last = 0
    for node in bodies:
        end = node.end_lineno or node.lineno
        found.append("\n".join(lines[last:end]).strip("\n"))
        last = end
        if end >= check.statement.first:
            break
    return found


def _nodes(one: ItemInspection) -> tuple[Sequence[ast.stmt], list[str]]:
    assert one.item.test is not None
    visible, hidden = split_statements(one.item.test.source, f"<{one.item.test.grade_id}>")
    return [*visible, *hidden], one.item.test.source.split("\n")


def _line_of(one: ItemInspection, check: Check, statements: Sequence[str]) -> int:
    """The line of the check within the last statement, counted from 0."""
    nodes, _ = _nodes(one)
    end = (nodes[len(statements) - 1].end_lineno or 0) - check.statement.first
    return len(statements[-1].split("\n")) - 1 - end


def _with_breakpoint(statement: str, line: int) -> str:
    """The statement with a breakpoint above one of its lines."""
    lines = statement.split("\n")
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    return "\n".join([*lines[:line], f"{indent}breakpoint()", *lines[line:]])


def _literal(text: str) -> str:
    """A text that may stand in a docstring, a comment or Markdown."""
    return re.sub(r'["\\<>`*\[\]\n]', "_", text)


def _fenced(source: str) -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", source) or [""]))
    return f"{fence}python\n{source}\n{fence}"
