"""Whose log is it? The student id from the environment, from a question, or `anonymous`."""

from __future__ import annotations

import builtins
import os
import sys
import unicodedata

ANONYMOUS = "anonymous"
LONGEST_ID = 100

_answered: str | None = None


def student_id(given: str | None = None, *, may_ask: bool = True) -> str:
    """The student id: as given, else `$HOMEWORK_STUDENT`, else asked for (once per session), else `anonymous`.

    Args:
        given: an id that goes before all others.
        may_ask: may the student be asked? Never done where nobody can answer.

    Raises:
        ValueError: the id is empty, longer than 100 characters or holds control characters.
    """
    global _answered
    if given is not None:
        return checked(given)
    from_environment = os.environ.get("HOMEWORK_STUDENT", "").strip()
    if from_environment:
        return checked(from_environment)
    if may_ask and _answered is None and _somebody_is_there():
        try:
            _answered = builtins.input("Your student id (as your course knows you): ").strip() or None
        except (EOFError, OSError, NotImplementedError):  # notebooks run by a program refuse questions
            _answered = None
    if _answered:
        return checked(_answered)
    print(
        f"student id unknown: the log says {ANONYMOUS!r}, and answers on your personal inputs will not count as yours. "
        "Set the environment variable HOMEWORK_STUDENT, or write SubmissionLog(run, student='your id')."
    )
    return ANONYMOUS


def checked(name: str) -> str:
    """The id without white space around it.

    Raises:
        ValueError: it is empty, longer than 100 characters or holds control characters.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_ID or any(unicodedata.category(ch).startswith("C") for ch in name):
        raise ValueError(
            f"{name[:LONGEST_ID]!r} is no student id: it must have 1 to {LONGEST_ID} visible characters. "
            "Set HOMEWORK_STUDENT to the id your course knows you by."
        )
    return name


def _somebody_is_there() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is not None and hasattr(shell, "kernel"):
        return True
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # standard input has been closed
        return False
