"""Writes files in which staff step through an item's failing checks: a script, a notebook, the student's cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.core.errors import SetupError
from autograder.core.files import write_atomically
from autograder.core.notebook_io import notebook_text
from autograder.core.text import listed, printable
from autograder.course.seed import fingerprint
from autograder.grading.reference import split_statements
from autograder.inspect.inspection import ItemInspection, in_source
from autograder.inspect.recorder import Check
from autograder.inspect.replay import Replayed, cells_text
from autograder.inspect.subject import Subject

CELLS, SCRIPT, NOTEBOOK = "student_cells.py", "check.py", "check.ipynb"
_INDENT = "    "
_REPLAY = "__replay__"
"""Name of the module `replay` in the files: no test has a name like this."""
_END = f"{_REPLAY}.finish()"
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
        one: the item; all its failing checks are replayed.
        to: the folder.
        unconfined: whether the files run the student's code outside the sandbox.

    Raises:
        SetupError: no check of the item failed, or the files cannot be written.
    """
    if not one.failed:
        why = "all its checks pass" if one.checks else f"its test could not begin: {one.result.message}"
        raise SetupError(f"{one.item.id} has no failing check to replay: {why}")
    what = Replayed(
        subject.problem.id,
        one.item.id,
        subject.asked,
        fingerprint(subject.seed),
        str(subject.problem.path.parent.parent),
        one.way.stand_ins,
    )
    warning = _UNCONFINED if unconfined else _CONFINED
    place = in_source(subject.problem, one.first_line + 1)
    many = "failing check" if len(one.failed) == 1 else f"{len(one.failed)} failing checks"
    title = f"{printable(subject.student)}, {subject.problem.id}, {one.item.id}: the {many} of the test at {place}"
    name = re.sub(r"[^\w.@-]", "_", f"{subject.student}-{subject.problem.id}-{one.item.id}")
    folder = to / name
    begin = _begin(what, unconfined)
    head = f'"""{_literal(title)}\n\n{_SECRET}\n{warning}\n\nRun it, or step through it: python -m pdb {SCRIPT}\n"""\n'
    script = [head, begin, *_steps(subject, one, stop=True), "", _END]
    cells_head = f"# The cells of {_literal(title)}\n# {warning if unconfined else _SECRET}\n"
    notebook = new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    notebook.cells = [
        new_markdown_cell(f"# {_literal(title)}\n\n**{_SECRET}** {warning}"),
        new_markdown_cell("\n\n".join(f"{used.title}\n\n{_fenced(used.built.source)}" for used in one.cells)),
        new_code_cell(begin.replace("Path(__file__).with_name", "Path")),
        *(new_code_cell(step) for step in _steps(subject, one, stop=False)),
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
        f"import autograder.inspect.replay as {_REPLAY}\n\n"
        f"what = {_REPLAY}.Replayed(\n    {fields},\n)\n"
        f'globals().update({_REPLAY}.start(what, Path(__file__).with_name("{CELLS}"){last}))\n'
    )


def _steps(subject: Subject, one: ItemInspection, *, stop: bool) -> list[str]:
    """The statements of the test up to the last one that fails; each failure is told, and the next statements follow.

    Args:
        subject: the submission.
        one: the item.
        stop: whether to stop in a debugger at each failing check.
    """
    nodes, lines = _nodes(one)
    in_text = {line for node in nodes for line in _inside_texts(node)}
    deeper = [0] * len(lines)
    above: list[list[str]] = [[] for _ in lines]
    told = [check for check in one.checks if check.is_bad or check.fate == "skipped"]
    for check in sorted(told, key=lambda check: (check.statement.first, -check.statement.last)):
        first = check.statement.first - 1
        own = lines[first][: len(lines[first]) - len(lines[first].lstrip())] + deeper[first] * _INDENT
        above[first].append(f"{own}with {_REPLAY}.telling({_told(subject, one, check)!r}):")
        if stop and check.is_bad:
            above[first].append(f"{own}{_INDENT}breakpoint()")
        for line in range(first, check.statement.last):
            deeper[line] += 0 if line in in_text else 1
    ready = ["\n".join([*new, depth * _INDENT + line]) for new, depth, line in zip(above, deeper, lines, strict=True)]
    steps = []
    begin, last = 0, max(check.statement.first for check in told if check.is_bad)
    for node in nodes:
        end = node.end_lineno or node.lineno
        steps.append("\n".join(ready[begin:end]).strip("\n"))
        begin = end
        if end >= last:
            break
    return steps


def _told(subject: Subject, one: ItemInspection, check: Check) -> str:
    """What is told of a check that fails when it is replayed."""
    place = in_source(subject.problem, one.first_line + check.statement.first)
    if check.fate == "skipped":
        return f"{place} needs {listed(check.lacks, 6)}, which a failed line should have made"
    return f"failing check {one.failed.index(check) + 1} of {len(one.failed)}: {place}"


def _nodes(one: ItemInspection) -> tuple[Sequence[ast.stmt], list[str]]:
    assert one.item.test is not None
    visible, hidden = split_statements(one.item.test.source, f"<{one.item.test.grade_id}>")
    return [*visible, *hidden], one.item.test.source.split("\n")


def _inside_texts(node: ast.stmt) -> Iterator[int]:
    """The lines, counted from 0, that begin inside a text: these cannot be indented."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant | ast.JoinedStr):
            yield from range(inner.lineno, inner.end_lineno or inner.lineno)


def _literal(text: str) -> str:
    """A text that may stand in a docstring, a comment or Markdown."""
    return re.sub(r'["\\<>`*\[\]\n]', "_", text)


def _fenced(source: str) -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", source) or [""]))
    return f"{fence}python\n{source}\n{fence}"
