"""Records the deprecated calls of cells: warnings of Python, and messages that libraries write to their loggers."""

from __future__ import annotations

import contextlib
import logging
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

CATEGORIES = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


@contextlib.contextmanager
def deprecations() -> Iterator[list[str]]:
    """Gives the list of deprecations in the block, each once: the cell that caused it and the message.

    Everything counts, whichever library raised it: with decorators between a cell and the library's own warning, the
    line that Python names is often not the cell's. Other warnings are shown as usual.
    """
    found: list[str] = []
    show, make_record = warnings.showwarning, logging.getLogRecordFactory()

    def note(message: str) -> None:
        said = f"{_who()}: {message}"
        if said not in found:
            found.append(said)

    def show_or_note(message: Any, category: type[Warning], filename: str, lineno: int, *others: Any) -> None:
        if issubclass(category, CATEGORIES):
            note(f"{category.__name__} at {filename}:{lineno}: {message}")
        else:
            show(message, category, filename, lineno, *others)

    def make_and_note(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make_record(*arguments, **named)
        if "deprecat" in str(record.msg).lower():
            note(f"logger {record.name}: {record.getMessage()}")
        return record

    with warnings.catch_warnings():
        for category in CATEGORIES:
            warnings.simplefilter("always", category)
        warnings.showwarning = show_or_note  # type: ignore[assignment]
        logging.setLogRecordFactory(make_and_note)
        try:
            yield found
        finally:
            logging.setLogRecordFactory(make_record)


def _who() -> str:
    """The innermost cell on the stack, as `<problem, code cell 3>:17`."""
    stack = traceback.walk_stack(None)
    places = (f"{frame.f_code.co_filename}:{line}" for frame, line in stack)
    return next((place for place in places if place.startswith("<") and "code cell" in place), "no cell")
