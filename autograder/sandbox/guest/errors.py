"""Describes exceptions of student code as plain values, with their places in the notebook's cells."""

from __future__ import annotations

import builtins
import traceback
from typing import Any

from .wire import UnsendableError, WireError

_MESSAGE = 2000
_PREFIX, _SUFFIX = "<cell ", ">"


def cell_file(name: str) -> str:
    """The file name of a cell's code in tracebacks."""
    return f"{_PREFIX}{name}{_SUFFIX}"


def _cell_name(file: str) -> str:
    return file[len(_PREFIX) : -len(_SUFFIX)][:80]


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as plain values: type, message, cell and line of each frame in a cell, whether memory ran out."""
    kind = type(error)
    name = kind.__name__ if getattr(builtins, kind.__name__, None) is kind else _first_builtin_base(kind)
    try:
        message = str(error)[:_MESSAGE]
    except Exception:
        message = "(the exception cannot be printed)"
    if isinstance(error, WireError):
        name = "TypeError" if isinstance(error, UnsendableError) else "RuntimeError"
    lines = []
    for frame in traceback.extract_tb(error.__traceback__)[-20:]:
        if frame.filename.startswith(_PREFIX):
            lines.append([_cell_name(frame.filename), frame.lineno or 0])
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(_PREFIX):
        lines = [[_cell_name(error.filename or ""), error.lineno or 0]]
    short = "can't allocate memory" in message or "not enough memory" in message
    memory = isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and short)
    return {"type": name, "message": message, "lines": lines, "memory": memory}


def _first_builtin_base(kind: type[BaseException]) -> str:
    for base in kind.__mro__:
        name = str(base.__name__)
        if getattr(builtins, name, None) is base:
            return name
    return "Exception"
