"""All that a machine needs to grade, as bytes: it shares no files with the machine that sends them."""

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
    """The sources of the problems, and what else decides over a score."""

    problems: tuple[str, ...]
    files: bytes
    """A zip archive of the part of the course that grading reads."""
    seed: str
    isolation: str
    """The isolation level asked for; empty for the strongest."""
    software: str
    """What the sender runs: a machine with other software must not grade."""

    @functools.cached_property
    def digest(self) -> str:
        """Names this kit."""
        parts = [self.files, repr((self.problems, self.seed, self.isolation, self.software)).encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def pack(problems: Sequence[str], root: Path) -> Kit:
    """Packs what is needed to grade these problems.

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
    """Lays a kit's files out in a folder, which is then a course's root folder."""
    with zipfile.ZipFile(io.BytesIO(kit.files)) as files:
        files.extractall(folder)
