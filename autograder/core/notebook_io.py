"""Notebooks as text: released ones written by nbformat, graded ones by a faster writer, one cell per line.

nbformat's writer copies, validates and indents each notebook in Python, which takes longer than grading some items. A
graded notebook is built from a valid release, so it needs no validation; every notebook reader can read it.
"""

from __future__ import annotations

import json

import nbformat
from nbformat import NotebookNode, from_dict


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
