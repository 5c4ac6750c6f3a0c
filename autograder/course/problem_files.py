"""The files that a problem's notebook reads, e.g. a table of data: `solutions/files/<problem>/`.

Students get them beside their notebook. While homework is graded they are in the working folder of the student's code,
and in that of the reference.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from autograder.core.errors import SourceError
from autograder.core.hashing import key_of

MOST_BYTES = 50 * 2**20
"""Bytes that a problem's files may have together: each submission's process gets a copy."""


def files_folder(problem_id: str, root: Path) -> Path:
    """The folder of a problem's files, which need not exist."""
    return root / "solutions" / "files" / problem_id


def problem_files(problem_id: str, root: Path) -> Mapping[str, bytes]:
    """Path relative to the notebook → content, of each file of a problem.

    Raises:
        SourceError: a file cannot be read, is a link, or the files are too large.
    """
    return _found(problem_id, root)[0]


def files_digest(problem_id: str, root: Path) -> str:
    """Digest of a problem's files; empty if there are none.

    Raises:
        SourceError: as `problem_files`.
    """
    return _found(problem_id, root)[1]


def files_for_students(root: Path) -> Mapping[str, bytes]:
    """Path beside the notebooks → content, of the files of all problems.

    Raises:
        SourceError: as `problem_files`; or two problems have different files of one name, or one would replace a
            notebook.
    """
    found: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    for folder in sorted(path for path in files_folder("", root).glob("*") if path.is_dir()):
        for name, data in problem_files(folder.name, root).items():
            if name.endswith(".ipynb"):
                raise SourceError(f"{folder / name} is a notebook, which cannot stand beside the students'; remove it.")
            if found.setdefault(name, data) != data:
                raise SourceError(f"{folder / name} differs from that of {owners[name]!r}; rename one of them.")
            owners.setdefault(name, folder.name)
    return found


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes a problem's files into a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _found(problem_id: str, root: Path) -> tuple[Mapping[str, bytes], str]:
    folder = files_folder(problem_id, root)
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise SourceError(f"{path} is no plain file; put a copy of the file there.")
    return _read(folder, tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in paths))


@functools.lru_cache(maxsize=8)
def _read(folder: Path, paths: tuple[tuple[Path, int, int], ...]) -> tuple[Mapping[str, bytes], str]:
    """The content of these files and its digest; read again when a size or a time has changed."""
    total = sum(size for _, size, _ in paths)
    if total > MOST_BYTES:
        raise SourceError(
            f"{folder} has {total / 2**20:.0f} MB of files; a problem may have {MOST_BYTES / 2**20:.0f} MB: make a "
            "smaller file for the homework."
        )
    try:
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path, _, _ in paths}
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}.") from None
    digest = key_of({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return files, digest if files else ""
