"""What an unfinished batch has done already, so that the same command goes on where it was cut off.

One line of JSON per submission, in a hidden file of the results' folder, written after the submission's files are in
place; the file is gone when the batch is done. A line counts only for the same input, source, software and seed.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from autograder.problem import Problem
from autograder.results import Graded, GradedLog
from autograder.seed import fingerprint
from autograder.software import software


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
        self._done = self._read()
        if not self._done:
            self._path.write_text(json.dumps(self._key) + "\n", encoding="utf-8")

    def done(self, student: str, digest: str) -> Graded | None:
        """The result of a submission that was graded before the batch was cut off; None if it must be graded."""
        entry = self._done.get(student)
        if entry is None or entry[0] != digest:
            return None
        path = self._out / student / self._problem.id / "submission_log.json"
        try:
            return Graded(GradedLog.from_json(json.loads(path.read_text(encoding="utf-8"))), entry[1])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, student: str, digest: str, seconds: float) -> None:
        """Notes that all files of a submission are in place."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([student, digest, seconds]) + "\n")

    def finish(self) -> None:
        """The batch is done: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, tuple[str, float]]:
        if not self._path.is_file():
            return {}
        lines = []
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):  # the last one may be half a line
                lines.append(json.loads(line))
        if not lines or lines[0] != self._key:
            return {}
        return {student: (digest, float(seconds)) for student, digest, seconds in lines[1:]}
