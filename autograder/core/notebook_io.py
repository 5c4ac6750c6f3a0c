"""Notebooks as text: released ones written by nbformat, graded ones by a faster writer, one cell per line.

nbformat's writer copies, validates and indents each notebook in Python, which takes longer than grading some items. A
graded notebook is built from a valid release, so it needs no validation; every notebook reader can read it.
"""

from __future__ import annotations

import html
import json

import nbformat
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output

from autograder.core.results import DROPPED, ItemResult, clamped


def notebook_text(notebook: NotebookNode) -> str:
    """A notebook as text: sorted keys, one-space indentation, a newline at the end."""
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def graded_text(notebook: NotebookNode) -> str:
    """A notebook as text: sorted keys, a line for each cell, a newline at the end."""
    frame = {key: value for key, value in notebook.items() if key != "cells"}
    cells = ",\n".join(_json(cell) for cell in notebook.cells)
    return f'{{"cells": [\n{cells}\n],\n{_json(frame)[1:]}\n'


def graded_notebook(text: str) -> NotebookNode:
    """Parses a notebook's text, without validation."""
    notebook: NotebookNode = from_dict(json.loads(text))
    return notebook


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def verdict_outputs(item: ItemResult | None, points: float) -> list[NotebookNode]:
    """The outputs of a test cell that show how its item went, to people and to nbgrader's `determine_grade` alike.

    Args:
        item: None if there is no verdict.
        points: of the test cell.

    Returns:
        No output for full marks, one error for none, one number for a part.
    """
    if item is not None and item.is_dropped:
        data = {"text/plain": "0.0", "text/html": f"<p>{DROPPED}</p>"}
        return [new_output("execute_result", data=data, execution_count=None)]
    score = 0.0 if item is None else clamped(item.score, points)
    if score == points:
        return []
    message = "no result; ask the course staff" if item is None else (item.message or str(item.status))
    if score == 0:
        name = "NoPoints" if item is None else str(item.status)
        return [new_output("error", ename=name, evalue=message, traceback=[f"0 of {points:g} points: {message}"])]
    said = html.escape(f"{score:g} of {points:g} points: {message}")
    data = {"text/plain": repr(score), "text/html": f"<p>{said}</p>"}
    return [new_output("execute_result", data=data, execution_count=None)]
