"""What an unfinished batch has done already, so that the same command goes on where it was cut off.

One line of JSON per submission, in a hidden file of the results' folder, written after the submission's files are in
place; the file is gone when the batch is done. A line counts only for the same input, source, software and seed. A line
that was cut off is taken off the file, so that the next one begins on a line of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.core.results import Graded, GradedLog
from autograder.core.software import software
from autograder.course.problem import Problem
from autograder.course.seed import fingerprint

_LONGEST = 1e9
"""Seconds that one submission can have taken; a line that says more is broken."""


class Journal:
    """The journal of one batch.

    Args:
        out: the results' folder.
        problem: what is graded.
        seed: of the grading run.
    """

    def __init__(self, out: Path, problem: Problem, seed: str) -> None:
        self._out = out
        self._problem = problem
        self._path = out / f".grading-{problem.id}.jsonl"
        self._key = {"source": problem.sha256, "software": software(), "seed": fingerprint(seed)}
        self._done = dict(self._read())
        if not self._done:
            self._path.write_text(json.dumps(self._key) + "\n", encoding="utf-8")

    def done(self, student: str, digest: str) -> Graded | None:
        """The result of a submission that was graded before the batch was cut off; None if it must be graded."""
        entry = self._done.get(student)
        if entry is None or entry[0] != digest:
            return None
        folder = self._out / student / self._problem.id
        path = folder / "submission_log.json"
        try:
            for other in (f"{self._problem.id}.ipynb", "feedback.html"):
                if not (folder / other).stat().st_size:  # as a power cut may leave it
                    return None
            return Graded(GradedLog.from_json(json.loads(path.read_text(encoding="utf-8"))), entry[1])
        except Exception:  # whatever is wrong with the file: it is written anew
            return None

    def note(self, student: str, digest: str, seconds: float) -> None:
        """Notes that all files of a submission are in place."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([student, digest, seconds]) + "\n")

    def finish(self) -> None:
        """The batch is done: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> Iterator[tuple[str, tuple[str, float]]]:
        """Student → digest and seconds, of an earlier batch of the same kind; cuts off the half line at the end."""
        if not self._path.is_file():
            return
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            with self._path.open("r+b") as file:
                file.truncate(len(whole))
        key, *lines = [_record(line) for line in whole.splitlines()] or [None]
        if key != self._key:
            return
        for line in lines:
            match line:
                case [str(student), str(digest), int() | float() as seconds] if 0 <= seconds < _LONGEST:
                    yield student, (digest, float(seconds))


def _record(line: bytes) -> Any:
    """What a line of JSON says; None for a broken one, as a full disk or a power cut leaves it."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
