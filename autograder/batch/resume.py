"""The journal of an unfinished batch: the same command continues where the batch was interrupted.

The journal is a hidden file in the results' folder, with one line of JSON per submission, written after the
submission's files. It is removed when the batch is done. A line is valid only for the same input, source, software and
seed. An incomplete last line is cut off, so that the next line starts on its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.batch.earlier import earlier_log
from autograder.core.results import Graded
from autograder.core.software import software
from autograder.course.problem import Problem
from autograder.course.seed import fingerprint

_LONGEST = 1e9
"""Maximum seconds for one submission; a line with more is invalid."""


class Journal:
    """The journal of one batch.

    Args:
        out: the results' folder.
        problem: the problem.
        seed: of the grading run.
    """

    def __init__(self, out: Path, problem: Problem, seed: str) -> None:
        self._out = out
        self._problem = problem
        self._path = out / f".grading-{problem.id}.jsonl"
        counts = {item.id: str(item.counts) for item in problem.items if item.counts}
        self._key = {"source": problem.sha256, "counts": counts, "software": software(), "seed": fingerprint(seed)}
        self._done = dict(self._read())

    def begin(self) -> None:
        """Writes the first line, unless the batch continues an interrupted one."""
        if not self._done:
            self._path.write_text(json.dumps(self._key) + "\n", encoding="utf-8")

    @property
    def students(self) -> set[str]:
        """The students whom the interrupted batch had graded."""
        return set(self._done)

    def done(self, student: str, digest: str) -> Graded | None:
        """The result of a submission that was graded before the interruption; None if it must be graded."""
        entry = self._done.get(student)
        if entry is None or entry[0] != digest:
            return None
        folder = self._out / student / self._problem.id
        try:
            for other in (f"{self._problem.id}.ipynb", "feedback.html"):
                if not (folder / other).stat().st_size:  # a power cut can leave an empty file
                    return None
        except OSError:
            return None
        log = earlier_log(self._out, student, self._problem.id)
        return None if log is None else Graded(log, entry[1])

    def note(self, student: str, digest: str, seconds: float) -> None:
        """Records that all files of a submission are written."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([student, digest, seconds]) + "\n")

    def finish(self) -> None:
        """Removes the journal; the batch is done."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> Iterator[tuple[str, tuple[str, float]]]:
        """Yields student → digest and seconds of an earlier equal batch; cuts off an incomplete last line."""
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
    """Parses a line of JSON; None for a damaged line, e.g. after a full disk or a power cut."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
