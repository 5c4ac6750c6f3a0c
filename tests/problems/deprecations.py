"""Records what cells use that is deprecated: warnings of Python, and what libraries write to their loggers instead."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

CATEGORIES = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


@contextlib.contextmanager
def deprecations() -> Iterator[list[str]]:
    """Gives the list of what was deprecated in the block, each once: who used it and what was said.

    Everything counts, whichever library raised it: with decorators between a cell and the library's own warning, the
    line that Python names is often not the cell's. Other warnings are shown as usual.
    """
    found: list[str] = []
    show, make_record = warnings.showwarning, logging.getLogRecordFactory()

    def note(message: str) -> None:
        said = f"{_who()}: {message}"
        if said not in found:
            found.append(said)

    def show_or_note(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, CATEGORIES):
            note(f"{category.__name__} at {filename}:{lineno}: {message}")
        else:
            show(message, category, filename, lineno, file, line)

    def make_and_note(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make_record(*arguments, **named)
        if "deprecat" in str(record.msg).lower():
            note(f"logger {record.name}: {record.getMessage()}")
        return record

    with warnings.catch_warnings():
        for category in CATEGORIES:
            warnings.simplefilter("always", category)
        warnings.showwarning = show_or_note
        logging.setLogRecordFactory(make_and_note)
        try:
            yield found
        finally:
            logging.setLogRecordFactory(make_record)


def _who() -> str:
    """The innermost cell on the stack, as `<problem, code cell 3>:17`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<") and "code cell" in frame.f_code.co_filename:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "no cell"
