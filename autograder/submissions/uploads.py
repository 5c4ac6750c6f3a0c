"""Records beside a submission how the download of the course platform named the student's upload.

The platforms take feedback back under these names: see `autograder.report.feedback_zip`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from autograder.core.files import write_bytes
from autograder.core.regular_file import opened
from autograder.core.text import is_text

RECORD = ".uploaded_as.json"
"""File beside a student's notebook, written by `autograder intake`."""
_LONGEST = 4096
_UNSAFE = re.compile(r"[\\\\/:*?\"<>|\x00-\x1f\x7f]")
"""Characters that mean something in paths of some system."""


@dataclass(frozen=True)
class Upload:
    """A file or folder at the top of a download, with the files of one student."""

    name: str
    """Its name in the download."""
    own_file: str = ""
    """The end of the name that the student chose; empty for a folder, and if the platform added nothing."""
    is_file: bool = False
    platform: str = ""
    """The platform whose names the download has; empty if `intake` does not know it."""

    def path_of(self, file: str) -> str:
        """The path in a zip by which the platform finds the student for a file."""
        if self.own_file:
            return self.name.removesuffix(self.own_file) + file
        folder = PurePosixPath(self.name).stem if self.is_file else self.name
        if not self.platform:  # the student's own name: safe to unpack on every system
            folder = _UNSAFE.sub("_", folder)
        folder = folder.strip(". ") or "submission"  # `...ipynb` would lead out of the zip
        return f"{folder}/{file}"


def record_upload(folder: Path, upload: Upload | None) -> None:
    """Writes the record into the folder of a submission; without an upload, removes an earlier record.

    Raises:
        SetupError: the folder cannot be written.
    """
    if upload is None or not is_text(upload.name):
        (folder / RECORD).unlink(missing_ok=True)
    else:
        write_bytes(folder / RECORD, json.dumps(asdict(upload), ensure_ascii=False).encode())


def recorded_upload(folder: Path) -> Upload | None:
    """The record in the folder of a submission; None if there is none, or if `intake` did not write it."""
    try:
        with opened(folder / RECORD) as file:
            found = Upload(**json.loads(file.read(_LONGEST)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    fields = asdict(found)
    is_file = fields.pop("is_file")
    if not isinstance(is_file, bool) or not all(isinstance(text, str) and is_text(text) for text in fields.values()):
        return None
    is_name = found.name not in ("", "..") and PurePosixPath(found.name).name == found.name and "\0" not in found.name
    return found if is_name else None
