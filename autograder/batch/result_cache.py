"""Caches results by content, so that an unchanged class is graded again in seconds.

The cache has one row per student and problem, in `course/cache.db`. Only the process that grades a class uses it. If
nothing changed, the whole row is used; otherwise only the cached item results that are still valid
(`grading.item_cache`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder.core.flags import Flag, FlagKind
from autograder.core.hashing import key_of
from autograder.core.results import GradedLog, Grading, Outcome
from autograder.core.software import software
from autograder.course.config import COURSE_FILE, course_folder
from autograder.course.problem import Problem
from autograder.course.seed import fingerprint
from autograder.course.variants import variants
from autograder.sandbox.host import wanted_level
from autograder.submissions.reader import Submission

_log = logging.getLogger("autograder")

_TABLE = """
CREATE TABLE IF NOT EXISTS results (problem TEXT, student TEXT, key TEXT, found BLOB, PRIMARY KEY (problem, student))
"""


@dataclass(frozen=True)
class CachedResult:
    """The cached data of one submission."""

    grading: Grading | None = None
    """The whole result; None if anything changed."""
    cached_items: Mapping[str, Any] = field(default_factory=dict)


class Cache:
    """The cache of one problem; a context manager. If it cannot be used, everything is graded.

    Args:
        root: the course's root folder.
        problem: the problem.
        seed: of the grading run.
    """

    def __init__(self, root: Path, problem: Problem, seed: str) -> None:
        self._path = course_folder(root) / "cache.db"
        self._problem = problem.id
        wrong = [[variant.name, variant.source] for variant in variants(problem, "wrong")]
        course = (root / COURSE_FILE).read_text(encoding="utf-8", errors="replace")
        self._release = key_of(software(), problem.sha256, wrong, course, fingerprint(seed), wanted_level())
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Cache:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, timeout=20, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = OFF")  # rows lost in a power cut are graded again
            self._database.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def find(self, submission: Submission) -> CachedResult:
        """Returns the cached data of a submission."""
        row = None
        if self._database is not None:
            try:
                row = self._database.execute(
                    "SELECT key, found FROM results WHERE problem = ? AND student = ?",
                    (self._problem, submission.student),
                ).fetchone()
            except sqlite3.Error as error:
                self._give_up(error)
        if row is None:
            return CachedResult()
        try:
            found = json.loads(zlib.decompress(row[1]))
            whole = found["log"] if row[0] == self._key(submission) else None
            return CachedResult(_whole(whole, found["text"]) if whole else None, dict(found["cached_items"]))
        except Exception:  # a damaged row counts as missing
            return CachedResult()

    def keep(self, submission: Submission, grading: Grading) -> None:
        """Caches a result; if it is not confirmed yet, only its item results are cached."""
        if self._database is None or grading.log.outcome is not Outcome.GRADED:
            return
        found = {
            "log": grading.log.as_json() if grading.is_settled else None,
            "text": grading.text,
            "cached_items": grading.cached_items,
        }
        try:
            text = json.dumps(found, allow_nan=False)
        except (ValueError, TypeError, RecursionError):  # a result that cannot be cached is graded again
            return
        row = (self._problem, submission.student, self._key(submission), zlib.compress(text.encode(), 1))
        try:
            self._database.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            self._give_up(error)

    def _key(self, submission: Submission) -> str:
        return key_of(self._release, submission.digest)

    def _give_up(self, error: Exception) -> None:
        """Warns that the cache cannot be used and closes it; grading goes on without it."""
        _log.warning("the cache %s cannot be used (%s): everything is graded again; delete it.", self._path, error)
        if self._database is not None:
            self._database.close()
            self._database = None


def latest_log(root: Path, problem_id: str, student: str) -> GradedLog | None:
    """The log of the latest grading in the cache, whatever has changed since; None if there is none."""
    path = course_folder(root) / "cache.db"
    if not path.is_file():
        return None
    try:
        is_quiet = not path.with_name(f"{path.name}-wal").exists()  # else reading leaves files beside it
        address = f"{path.as_uri()}?mode=ro{'&immutable=1' if is_quiet else ''}"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=5)) as database:
            row = database.execute(
                "SELECT found FROM results WHERE problem = ? AND student = ?", (problem_id, student)
            ).fetchone()
        record = None if row is None else json.loads(zlib.decompress(row[0]))["log"]
        return GradedLog.from_json(record) if record else None
    except Exception:  # a damaged row counts as missing
        return None


def _whole(record: dict[str, Any], text: str) -> Grading:
    log = GradedLog.from_json(record)
    flags = tuple(flag for flag in log.flags if flag.kind != FlagKind.CACHED)
    flags += (Flag(FlagKind.CACHED, "Nothing has changed since an earlier grading; this is its cached result."),)
    return Grading(replace(log, flags=flags), text, is_known=True)
