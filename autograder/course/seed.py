"""The seed of the inputs of hidden tests, which students cannot predict.

A course draws its seed at the first grading and keeps it, so that all workers, commands and repeated runs use the same
inputs. A log contains only the seed's fingerprint, because students may see logs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from autograder.core.errors import SetupError
from autograder.course.config import course_folder

SEED_VARIABLE = "AUTOGRADER_SEED"
"""Environment variable with a seed to use instead of the course's own."""
NEW = "new"
"""Given in place of a seed: the course draws and keeps a new one."""


def seeds_file(root: Path) -> Path:
    """The file with all seeds of the course, one line `<fingerprint> <seed>` each; the last one is in use."""
    return course_folder(root) / "seeds.txt"


def grading_seed(root: Path) -> str:
    """The seed to grade with: `$AUTOGRADER_SEED` if set, else the course's own, drawn now if it has none yet.

    Args:
        root: the course's root folder.

    Raises:
        SetupError: the course's seed cannot be read or written.
    """
    if named := os.environ.get(SEED_VARIABLE):
        return named
    path = seeds_file(root)
    try:
        if not path.exists():
            _create(path, seed_line(secrets.token_hex(16)))
        return _last(path)
    except OSError as error:
        raise SetupError(
            f"{path} holds the seed of the hidden inputs and cannot be used ({error.strerror}); "
            f"fix that, or set a seed with ${SEED_VARIABLE}."
        ) from None


def seed_with(root: Path, wanted: str) -> str | None:
    """The seed with this fingerprint: the one in use, or an earlier one of the course; None if it is not known.

    Args:
        root: the course's root folder.
        wanted: the fingerprint.

    Raises:
        SetupError: the course's seed cannot be read.
    """
    if fingerprint(now := grading_seed(root)) == wanted:
        return now
    path = seeds_file(root)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return next((words[1] for line in lines if len(words := line.split()) == 2 and words[0] == wanted), None)


def new_seed(root: Path) -> str:
    """Draws a new seed, which the course uses from now on, and returns it.

    Raises:
        SetupError: the seed cannot be written.
    """
    path, seed = seeds_file(root), secrets.token_hex(16)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii") as file:
            file.write(seed_line(seed))
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written ({error.strerror}), so no new seed can be saved; make room or fix the folder."
        ) from None
    return seed


def fingerprint(seed: str) -> str:
    """Identifies a seed without revealing it: 12 hex digits of its SHA-256."""
    return hashlib.sha256(seed.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def seed_line(seed: str) -> str:
    """The line of a seed in the course's seeds file."""
    return f"{fingerprint(seed)} {seed}\n"


def _create(path: Path, text: str) -> None:
    """Creates the file with this text, unless another process has created it."""
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
    last = path.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2].split()
    if len(last) != 2 or last[0] != fingerprint(last[1]):
        raise SetupError(
            f"the last line of {path} is not `<fingerprint> <seed>` as the autograder writes it; "
            "restore it, or remove the line (or the file; the autograder then draws a new seed)."
        )
    return last[1]
