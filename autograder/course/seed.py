"""The seed of a grading run: what the inputs of hidden tests are drawn from, so that nobody knows them beforehand.

A course draws a seed of its own when it grades for the first time and keeps it, so that all its graders, commands and
repetitions put the same questions. A log names the seed by its fingerprint only: students may see logs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from autograder.course.config import course_folder
from autograder.core.errors import SetupError

SEED_VARIABLE = "AUTOGRADER_SEED"
"""Holds the seed to use in place of the course's own."""
NEW = "new"
"""In the place of a seed: the course draws a new one and keeps it from now on."""


def seeds_file(root: Path) -> Path:
    """All seeds the course ever used, a line each, `<fingerprint> <seed>`; the last one is in use."""
    return course_folder(root) / "seeds.txt"


def grading_seed(root: Path) -> str:
    """The seed to grade with: `$AUTOGRADER_SEED` if set, else the course's own, drawn now if there is none yet.

    Args:
        root: the course's root folder.

    Raises:
        SetupError: the course's seed cannot be read, or not be kept.
    """
    named = os.environ.get(SEED_VARIABLE)
    if named:
        return named
    path = seeds_file(root)
    try:
        if not path.exists():
            _create(path, seed_line(_drawn()))
        return _last(path)
    except OSError as error:
        raise SetupError(
            f"{path}, where the course keeps the seed of its hidden inputs, cannot be used ({error.strerror}); "
            f"mend that, or name a seed with ${SEED_VARIABLE}."
        ) from None


def new_seed(root: Path) -> str:
    """Draws a new seed for the course; it is used from now on.

    Raises:
        SetupError: it cannot be kept.
    """
    path, seed = seeds_file(root), _drawn()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii") as file:
            file.write(seed_line(seed))
    except OSError as error:
        raise SetupError(f"{path} cannot be written ({error.strerror}), so no new seed can be kept.") from None
    return seed


def fingerprint(seed: str) -> str:
    """Names a seed without giving it away: 12 hex digits of its SHA-256."""
    return hashlib.sha256(seed.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _drawn() -> str:
    return secrets.token_hex(16)


def seed_line(seed: str) -> str:
    """The line in the course's file that says that this seed is in use."""
    return f"{fingerprint(seed)} {seed}\n"


def _create(path: Path, text: str) -> None:
    """Makes the file with this text, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".seeds-")  # readable by its owner only
    try:
        with open(number, "w", encoding="ascii") as file:
            file.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _last(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    words = [line.split() for line in lines if line.strip()]
    if not words or len(words[-1]) != 2 or words[-1][0] != fingerprint(words[-1][1]):
        raise SetupError(
            f"the last line of {path} is not `<fingerprint> <seed>` as the autograder writes it; "
            "bring it back, or remove the line (or the file: a new seed is then drawn)."
        )
    return words[-1][1]
