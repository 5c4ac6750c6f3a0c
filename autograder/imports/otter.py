"""Reads the notebook from which `otter assign` makes an assignment, in its current and its older format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from nbformat import NotebookNode

from autograder.core.errors import SourceError
from autograder.imports.original import Original, read_notebook
from autograder.imports.otter_answers import question_answers
from autograder.imports.otter_blocks import Block, current_blocks, is_current, is_older, older_blocks
from autograder.imports.otter_config import Assignment, Question
from autograder.imports.otter_own import graders, without_otter
from autograder.imports.otter_solution import is_marked, solution
from autograder.imports.otter_tests import question_tests


def read_otter(path: Path) -> list[Original]:
    """The cells of a notebook for `otter assign`.

    Raises:
        SourceError: the file is no such notebook in Python, or its blocks, settings or comments cannot be used; the
            message says which cell and what to do.
    """
    if path.suffix.lower() in (".rmd", ".qmd"):
        raise SourceError(f"{path} is an R Markdown or Quarto document; only Python notebooks can be imported.")
    cells = read_notebook(path).cells
    current, older = is_current(cells), is_older(cells)
    if not current and not older:
        raise SourceError(f"{path} {_what_it_is(cells)}")
    if current and older:
        raise SourceError(
            f"{path} has raw cells (# BEGIN QUESTION) and fenced blocks (BEGIN QUESTION) too; write all in one format."
        )
    assignment, blocks = current_blocks(path, cells) if current else older_blocks(path, cells)
    if not any(block.question for block in blocks):
        raise SourceError(f"{path} has no question; add # BEGIN QUESTION and # END QUESTION around each.")
    names = graders(node.source for node in cells if node.cell_type == "code")
    return list(_originals(assignment, blocks, names))


def _what_it_is(cells: Sequence[NotebookNode]) -> str:
    """Why a notebook is none for `otter assign`, and which one to give."""
    code = [node.source for node in cells if node.cell_type == "code"]
    if any("otter.Notebook(" in source or "grader.check(" in source for source in code):
        return (
            "is a notebook that `otter assign` made: its tests are in its metadata or in the folder tests/, which "
            "cannot be imported. Give the notebook that `otter assign` reads, with the BEGIN QUESTION cells."
        )
    return "has no BEGIN QUESTION cell; give the notebook that `otter assign` reads."


def _originals(assignment: Assignment, blocks: Sequence[Block], names: Collection[str]) -> Iterator[Original]:
    questions: dict[Question, list[Block]] = {}
    for block in blocks:
        if block.question:
            questions.setdefault(block.question, []).append(block)
    made: dict[Block, Original] = {}
    for question, own in questions.items():
        cells = [block for block in own if block.kind == "test"]
        tests = question_tests(question, cells, assignment) if cells else {}
        made |= {**tests, **question_answers(question, own, any(test.points for test in tests.values()))}
    for block in blocks:
        yield made[block] if block in made else _given(block, assignment, names)


def _given(block: Block, assignment: Assignment, names: Collection[str]) -> Original:
    """A cell that students get, or that otter does not show to them either."""
    if block.kind == "left out":
        return block.left_out(block.why, block.look)
    source = block.source
    if block.is_code and is_marked(source):
        if not assignment.strips_all:
            raise SourceError(
                f"{block.place} has a solution, but is in no solution block, so that otter shows it to students; put "
                "it between raw cells # BEGIN SOLUTION and # END SOLUTION of a question."
            )
        found = solution(block.place, source)
        return block.original(found.source, "solution", look=found.look)
    if block.kind == "solution" and not block.question:
        return block.original(source, "solution")
    if not block.is_code:
        return block.original(source, "given", look=block.look)
    source, removed = without_otter(source, names)
    if removed and not source:
        return block.left_out("otter's own: " + ", ".join(removed))
    return block.original(source, "given", look=f"left out: {', '.join(removed)}" if removed else "")
