"""Packs everything that grading needs as bytes, for machines that share no files with the sender."""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core.software import software
from autograder.core.zips import zip_of
from autograder.course.config import COURSE_FILE
from autograder.course.seed import grading_seed
from autograder.sandbox.host import wanted_level


@dataclass(frozen=True)
class Kit:
    """The sources of the problems, and everything else that scores depend on."""

    problems: tuple[str, ...]
    files: bytes
    """A zip archive of the part of the course that grading reads."""
    seed: str
    isolation: str
    """The requested isolation level; empty for the strongest."""
    software: str
    """The sender's software versions; a machine with other versions must not grade."""

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the kit, in hex; identifies it."""
        parts = [self.files, repr((self.problems, self.seed, self.isolation, self.software)).encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def pack(problems: Sequence[str], root: Path) -> Kit:
    """Packs the files that grading these problems needs.

    Args:
        problems: problem ids.
        root: the course's root folder.
    """
    paths = [root / COURSE_FILE, *sorted((root / "solutions").glob("*.py"))]
    for problem in problems:
        paths += sorted((root / "solutions" / "variants" / problem / "wrong").rglob("*.py"))
    files = zip_of({path.relative_to(root).as_posix(): path.read_bytes() for path in paths})
    return Kit(tuple(problems), files, grading_seed(root), wanted_level(), software())


def unpack(kit: Kit, folder: Path) -> None:
    """Extracts a kit into a folder, which is then a course's root folder."""
    with zipfile.ZipFile(io.BytesIO(kit.files)) as files:
        files.extractall(folder)
