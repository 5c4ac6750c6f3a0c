"""Keeps earlier runs of a results' folder in its hidden folder `.runs`, so that a grading can be compared and undone.

A run is a manifest, which names the files of every student by their content; equal files of several runs are stored
once. The store is limited in size: the oldest runs are dropped. Only staff's tools read it, and git ignores it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.core.errors import SetupError
from autograder.core.files import write_atomically, write_bytes
from autograder.core.locks import locked
from autograder.core.results import GradedLog
from autograder.submissions.reader import LOG_NAME

_log = logging.getLogger("autograder")

FOLDER = ".runs"
MOST_BYTES = 1 << 30
"""Size of the store above which the oldest runs are dropped; the latest of each problem is always kept."""
_WAIT_SECONDS = 60.0
_ID = re.compile(r"([a-z][a-z0-9_]*)-([1-9][0-9]*)")


class Why(StrEnum):
    """Why a run was kept."""

    GRADED_AGAIN = "graded again"
    """A grading wrote over it."""
    UNDONE = "undone"
    """`autograder undo` went back behind it."""


@dataclass(frozen=True)
class Run:
    """An earlier run of one problem."""

    id: str
    """e.g. `vae-3`."""
    problem: str
    kept_at: str
    """When it was kept, UTC."""
    why: Why
    files: Mapping[str, Mapping[str, str]]
    """Student → name of a file → digest of its content."""
    listed: tuple[str, ...]
    """The students in `grades.csv`."""
    gradebook: str = ""
    """Digest of the gradebook's rows; empty if they were not kept."""
    timings: str = ""
    """Digest of the lines of `timings.csv`; empty if they were not kept."""

    @property
    def number(self) -> int:
        """The number in its id."""
        return int(self.id.rpartition("-")[2])

    def same_content(self, other: Run) -> bool:
        """Whether both have the same files and rows; times differ from one grading to the next."""
        return (self.files, self.listed, self.gradebook) == (other.files, other.listed, other.gradebook)


class RunStore:
    """The earlier runs of a results' folder.

    Args:
        out: the folder that `autograder grade` wrote.
        most_bytes: size above which the oldest runs are dropped.
    """

    def __init__(self, out: Path, most_bytes: int = MOST_BYTES) -> None:
        self._out, self._folder, self._most = out, out / FOLDER, most_bytes

    def runs(self, problem: str = "") -> list[Run]:
        """The runs of a problem, or of all, by problem and number; damaged manifests are left out."""
        found = []
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                record = json.loads(path.read_text(encoding="utf-8"))
                run = Run(**{**record, "why": Why(record["why"]), "listed": tuple(record["listed"])})
                if _ID.fullmatch(run.id) and path.stem == run.id and problem in ("", run.problem):
                    found.append(run)
        return sorted(found, key=lambda run: (run.problem, run.number))

    def run(self, run_id: str) -> Run:
        """The run of this id.

        Raises:
            SetupError: there is none.
        """
        runs = self.runs()
        for run in runs:
            if run.id == run_id:
                return run
        known = ", ".join(run.id for run in runs) or "none"
        raise SetupError(f"{self._out} has no run {run_id!r}; its runs: {known}, and `now`.")

    def save(self, problem: str, why: Why, files: Mapping[str, Mapping[str, Path]], **rest: Any) -> Run:
        """Keeps the present state; returns the run.

        Args:
            problem: the problem.
            why: why it is kept.
            files: student → name → file.
            **rest: `listed`, and as plain JSON, or None, `gradebook` (rows) and `timings` (lines of `timings.csv`).

        Raises:
            SetupError: the folder cannot be written or is in use.
        """
        with self._locked():
            self._ignored_by_git()
            kept = {student: dict(self._put_all(student, named)) for student, named in sorted(files.items())}
            rows, timings = (self._put_json(rest.get(name)) for name in ("gradebook", "timings"))
            runs = self.runs(problem)
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            number = max((run.number for run in runs), default=0) + 1
            run = Run(f"{problem}-{number}", problem, now, why, kept, tuple(rest["listed"]), rows, timings)
            latest = runs[-1] if runs else None
            if latest is not None and latest.same_content(run):
                run = replace(latest, why=why)
            text = json.dumps(asdict(run), sort_keys=True, indent=1) + "\n"
            write_atomically(self._folder / f"{run.id}.json", text)  # last: now all that it names is there
            self._drop_oldest()
        return run

    def remove(self, run: Run) -> None:
        """Forgets a run."""
        with self._locked():
            self._manifest(run).unlink(missing_ok=True)
            self._drop_oldest()

    def content(self, digest: str) -> bytes:
        """The content of a file.

        Raises:
            SetupError: it is missing or damaged.
        """
        path = self._object(digest)
        try:
            data = zlib.decompress(path.read_bytes())
        except (OSError, zlib.error) as error:
            raise SetupError(f"{path} cannot be read ({error}): this run cannot be used any more.") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise SetupError(f"{path} is damaged: this run cannot be used any more.")
        return data

    def rows(self, digest: str) -> Any:
        """What was kept as plain JSON; None if nothing was.

        Raises:
            SetupError: as `content`.
        """
        return json.loads(self.content(digest)) if digest else None

    def logs(self, run: Run) -> dict[str, GradedLog]:
        """Student → log of a run.

        Raises:
            SetupError: a file of the run is missing or damaged.
        """
        found = {}
        for student, named in run.files.items():
            if LOG_NAME in named:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # it was damaged when it was kept
                    found[student] = GradedLog.from_json(json.loads(self.content(named[LOG_NAME])))
        return found

    def _locked(self) -> AbstractContextManager[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return locked(self._folder / ".lock", f"another program is using {self._folder}; try again.", _WAIT_SECONDS)

    def _ignored_by_git(self) -> None:
        write_atomically(self._folder / ".gitignore", "*\n")

    def _put_all(self, student: str, files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
        """Stores a student's files; yields name and digest. One that cannot be read is left out, after a warning."""
        for name, path in sorted(files.items()):
            try:
                data = path.read_bytes()
            except OSError as error:
                _log.warning("%s, %s: it cannot be read (%s), so it is not kept", student, path, error.strerror)
            else:
                yield name, self._put(data)

    def _put_json(self, rows: Any) -> str:
        return "" if rows is None else self._put(json.dumps(rows, sort_keys=True).encode())

    def _put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._object(digest)
        if not path.is_file():
            write_bytes(path, zlib.compress(data, 1))
        return digest

    def _object(self, digest: str) -> Path:
        return self._folder / "objects" / digest[:2] / digest[2:]

    def _manifest(self, run: Run) -> Path:
        return self._folder / f"{run.id}.json"

    def _drop_oldest(self) -> None:
        """Drops the oldest runs until the store is small enough, and removes what no run names."""
        runs = self.runs()
        latest = {run.problem: run.id for run in runs}
        droppable = sorted((run for run in runs if latest[run.problem] != run.id), key=lambda run: run.kept_at)
        sizes = {path: path.stat().st_size for path in (self._folder / "objects").glob("*/*")}
        while True:
            used = {self._object(digest) for run in runs for digest in _digests(run)}
            if sum(size for path, size in sizes.items() if path in used) <= self._most or not droppable:
                break
            oldest = droppable.pop(0)
            runs.remove(oldest)
            self._manifest(oldest).unlink(missing_ok=True)
        for path in sizes.keys() - used:
            path.unlink(missing_ok=True)


def _digests(run: Run) -> Iterator[str]:
    for named in run.files.values():
        yield from named.values()
    yield from filter(None, (run.gradebook, run.timings))
