"""Holds the results of a batch back until they may be written, in a temporary file: those of a class are large."""

from __future__ import annotations

import pickle
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace

from autograder.core.results import Graded, GradedLog, Grading
from autograder.submissions.reader import Submission


class HeldResults:
    """Results that are not written yet; a context manager that removes the temporary file, which has no name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="autograder-")
        self._places: dict[str, tuple[int, int]] = {}
        self.logs: dict[str, GradedLog] = {}
        """Student → log without manual scores and without the answers on per-student inputs."""

    def __enter__(self) -> HeldResults:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, submission: Submission, grading: Grading) -> Graded:
        """Holds a result."""
        packed = zlib.compress(pickle.dumps((submission, replace(grading, cached_items={}))), 1)
        self._places[str(submission.student)] = (self._file.seek(0, 2), len(packed))
        self._file.write(packed)
        self.logs[str(submission.student)] = replace(grading.log, answers={})
        return Graded(grading.log, grading.seconds, grading.phases)

    def whole(self) -> Iterator[tuple[Submission, Grading]]:
        """Each submission with its result, by student."""
        for _, (place, size) in sorted(self._places.items()):
            self._file.seek(place)
            submission, grading = pickle.loads(zlib.decompress(self._file.read(size)))  # we wrote it
            yield submission, grading
