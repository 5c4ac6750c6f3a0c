"""The student id of a log: from the environment, from a question, or `anonymous`."""

from __future__ import annotations

import builtins
import os
import sys
import unicodedata

from homework.notebook_names import notebook_shell

ANONYMOUS = "anonymous"
LONGEST_ID = 100

_answered: str | None = None


def student_id(given: str | None = None, *, may_ask: bool = True) -> str:
    """The student id: as given, else `$HOMEWORK_STUDENT`, else asked for (once per session), else `anonymous`.

    Args:
        given: takes precedence over all other sources.
        may_ask: may the function ask the student? It asks only in a notebook or a terminal.

    Raises:
        ValueError: the id is empty, longer than 100 characters or holds control characters.
    """
    global _answered
    if given is not None:
        return checked(given)
    from_environment = os.environ.get("HOMEWORK_STUDENT", "").strip()
    if from_environment:
        return checked(from_environment)
    if may_ask and _answered is None and _can_answer():
        try:
            _answered = builtins.input("Your student id (as your course knows you): ").strip() or None
        except (EOFError, OSError, NotImplementedError):  # a notebook that a program runs refuses questions
            _answered = None
    if _answered:
        return checked(_answered)
    print(
        f"student id unknown: the log says {ANONYMOUS!r}, and your answers will not count as yours. "
        "Set the environment variable HOMEWORK_STUDENT, or write SubmissionLog(run, student='your id')."
    )
    return ANONYMOUS


def checked(name: str) -> str:
    """The id without surrounding white space.

    Raises:
        ValueError: it is empty, longer than 100 characters or holds control characters.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_ID or any(unicodedata.category(ch).startswith("C") for ch in name):
        raise ValueError(
            f"{name[:LONGEST_ID]!r} is not a student id: it must have 1 to {LONGEST_ID} visible characters. "
            "Set HOMEWORK_STUDENT to the id your course knows you by."
        )
    return name


def _can_answer() -> bool:
    try:
        return notebook_shell() is not None or (sys.stdin is not None and sys.stdin.isatty())
    except ValueError:  # standard input has been closed
        return False
