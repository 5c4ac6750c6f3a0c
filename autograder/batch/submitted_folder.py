"""Notes in the folder of results which folder of submissions was graded, so that later commands find it."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.core.files import write_atomically


def note_submitted(out: Path, problem_id: str, submitted: Path) -> None:
    """Notes the folder of the submissions to a problem.

    Raises:
        SetupError: the note cannot be written.
    """
    write_atomically(_note(out, problem_id), json.dumps({"submitted": str(submitted.resolve())}) + "\n")


def submitted_folder(out: Path, problem_id: str) -> Path | None:
    """The folder that was graded; None if it is not known (results of an older version) or is not there any more."""
    try:
        noted = json.loads(_note(out, problem_id).read_text(encoding="utf-8"))["submitted"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(noted) if isinstance(noted, str) and Path(noted).is_dir() else None


def _note(out: Path, problem_id: str) -> Path:
    return out / f".submitted-{problem_id}.json"
