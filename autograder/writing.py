"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from autograder.errors import SetupError


def write_atomically(path: Path, text: str) -> bool:
    """Writes a text file so that it is never half written; returns whether its bytes changed.

    Raises:
        SetupError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    return write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> bool:
    """Like `write_atomically`, for bytes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror or error}; make room or mend the folder."
        ) from error
    return True
