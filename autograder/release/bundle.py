"""Writes the student release into a folder, e.g. a clone of the public repository (`published` in `course.toml`).

A manifest in the folder (`.bundle.json`) lists the files that a bundle wrote. Other files are not touched, and files
changed by hand are not overwritten.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.core.errors import ReleaseError, SetupError
from autograder.core.files import write_atomically, write_bytes
from autograder.core.text import listed
from autograder.core.zips import zip_of
from autograder.course.config import load_course, mismatches, root_folder
from autograder.course.problem import problem_ids
from autograder.course.urls import repository_name
from autograder.release.leaks import secrets_in
from autograder.release.student_files import student_files

_log = logging.getLogger("autograder")

MANIFEST = ".bundle.json"
_ABOUT = "Files that the course's staff tools write and replace; they do not change files that are not listed here."
_NAMED = 10
"""Maximum number of files or findings in a message."""


@dataclass(frozen=True)
class Bundled:
    """The result of writing a bundle."""

    folder: Path
    files: tuple[str, ...]
    """Every file of the release."""
    changed: tuple[str, ...]
    """New and changed files."""
    removed: tuple[str, ...]
    """Removed files of an earlier bundle."""


def bundle(
    out: Path, problems: Iterable[str] | None = None, *, zip_to: Path | None = None, root: Path | None = None
) -> Bundled:
    """Writes the student release into a folder.

    Args:
        out: a new or empty folder, a clone with no files but `.git`, or the folder of an earlier bundle.
        problems: the problems to publish; if not given, all problems of all homeworks that have a source.
        zip_to: a zip file to write the same files to; None: no zip.
        root: the course's root folder; found by `root_folder()` if not given.

    Raises:
        ReleaseError: a file contains secrets, a notebook is stale, or a file in the folder is not from a bundle;
            nothing was written.
        CourseError: `course.toml` cannot be used.
        SourceError: a problem has no source.
        SetupError: the folder cannot be written.
    """
    course = load_course(root or root_folder())
    sources = problem_ids(course.root)
    for mismatch in mismatches(course, sources):
        _log.warning("%s", mismatch)
    chosen = list(problems or [problem for problem in course.problems if problem in sources])
    files = student_files(course, chosen)
    found = secrets_in(files, course.root)
    if found:
        more = [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        lines = "\n".join([*found[:_NAMED], *more])
        raise ReleaseError(f"nothing was written, because students would see:\n{lines}")
    before = _manifest(out)
    stale = _refuse_what_is_not_ours(out, files, before)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # If this run is interrupted, the next one must recognize every file as written by a bundle.
        new = {name: _hash(data) for name, data in files.items()}
        write_atomically(out / MANIFEST, _manifest_text({**new, **before}))
        changed = [name for name, data in files.items() if write_bytes(out / name, data)]
        for name in stale:
            _remove(out, name)
        write_atomically(out / MANIFEST, _manifest_text(new))
    except OSError as error:
        raise SetupError(f"{error.filename or out} cannot be written: {error.strerror or error}.") from error
    if zip_to is not None:
        folder = repository_name(course)
        write_bytes(zip_to, zip_of({f"{folder}/{name}": data for name, data in files.items()}))
    return Bundled(out, tuple(files), tuple(changed), tuple(stale))


def _manifest(out: Path) -> dict[str, str]:
    """Path → hash of the files of an earlier bundle in a folder; empty if there was none.

    Raises:
        ReleaseError: the folder contains other files, or its manifest is invalid.
    """
    path = out / MANIFEST
    if not path.exists():
        try:
            strange = sorted(entry.name for entry in out.iterdir() if entry.name != ".git") if out.exists() else []
        except OSError as error:
            raise ReleaseError(f"{out} cannot be used: {error.strerror}; give a folder.") from None
        if strange:
            raise ReleaseError(
                f"{out} has files that are not from a bundle ({listed(strange, _NAMED)}); give an empty folder or "
                "a clone without files, or move these files away."
            )
        return {}
    try:
        files: dict[str, str] = json.loads(path.read_bytes())["files"]
        if not all(_is_inside(name) and isinstance(sha, str) for name, sha in files.items()):
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ReleaseError(
            f"{path} does not say which files are from a bundle; restore it from git, or empty the folder."
        ) from None
    return files


def _is_inside(name: str) -> bool:
    """Returns whether this is the path of a file below the folder and outside `.git`."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and not {"..", ".git"} & set(path.parts) and "\\" not in name


def _refuse_what_is_not_ours(out: Path, files: Mapping[str, bytes], before: Mapping[str, str]) -> list[str]:
    """The files of the earlier bundle to remove.

    Raises:
        ReleaseError: a file to replace or remove was changed by hand, or is not from a bundle.
    """
    stale, foreign = [], []
    for name in sorted({*files, *before}):
        path = out / name
        if any(parent.is_symlink() for parent in (path, *path.parents[: len(PurePosixPath(name).parts) - 1])):
            foreign.append(f"{name} (a link)")
        elif path.exists():
            now = _hash(path.read_bytes()) if path.is_file() else ""
            if now != before.get(name) and not (name in files and now == _hash(files[name])):
                foreign.append(f"{name} (changed by hand)" if name in before else name)
            elif name not in files:
                stale.append(name)
    if foreign:
        raise ReleaseError(
            f"nothing was written; files in {out} are not as a bundle wrote them: {listed(foreign, _NAMED)}. "
            "Copy changes that you want to keep into the course's own files, delete these files, then bundle again."
        )
    return stale


def _remove(out: Path, name: str) -> None:
    """Removes a file and its parent folders that become empty."""
    (out / name).unlink()
    for parent in list(PurePosixPath(name).parents)[:-1]:
        if any((out / parent).iterdir()):
            break
        (out / parent).rmdir()


def _manifest_text(files: Mapping[str, str]) -> str:
    return json.dumps({"about": _ABOUT, "files": dict(sorted(files.items()))}, indent=1) + "\n"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
