"""The results of grading one submission, item by item.

The examiner builds these objects; no result is parsed from a cell's output. Everything downstream (gradebook,
`submission_log.json`, feedback page, `grades.csv`) is made from them.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from autograder.core.counts import Counts
from autograder.core.flags import Flag, FlagKind

if TYPE_CHECKING:
    from nbformat import NotebookNode


class Status(StrEnum):
    """How an item ended; the values are those of `submission_log.schema.json`."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    MISSING = "missing"
    MANUAL = "manual"
    GRADER_ERROR = "grader_error"
    """The test itself has an error, which is its author's: the student loses no points."""


class Outcome(StrEnum):
    """How grading a whole submission ended; the `status` column of `grades.csv`."""

    GRADED = "graded"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    WRONG_NOTEBOOK = "wrong_notebook"
    GRADER_ERROR = "grader_error"


NEEDS_GRADING = "Needs manual grading."
"""Message of an answered item that is graded by hand, until a grader gives points."""
GRADED_BY_HAND = "Graded by hand."
"""Message of an item to which a grader gave points, without a comment."""
STALE = (
    "You changed this answer after it was graded. The points are for the earlier answer; a grader will grade it again."
)
"""Message of an item whose manual score belongs to an earlier answer."""
DROPPED = "This question was dropped: it counts for no student."
"""Message of a dropped item that is graded by hand."""


def clamped(score: float, most: float) -> float:
    """A score limited to 0 up to the maximum; 0 if it is not finite."""
    return min(max(float(score), 0.0), float(most)) if math.isfinite(score) else 0.0


@dataclass(frozen=True)
class ItemResult:
    """One graded item of one submission."""

    id: str
    """The item's id, e.g. `sample_gaussian` or `written_terms`."""
    score: float
    """Points given so far; 0 for an item that still needs manual grading."""
    max_score: float
    """Points the item is worth, from the source; 0 if it is dropped. `worth` is what it adds to the maximum."""
    status: Status
    message: str
    """Text for the student: names the likely mistake, never shows a hidden test. If a grader gave a tested item points
    or a comment, the first line says so and the rest is the tests' verdict."""
    seconds: float = 0.0
    """Wall time the examiner spent on the item; 0 if the result is cached, or the item is graded by hand."""
    manual: bool = False
    """Whether the item is graded by hand."""
    graded_by_hand: bool = False
    """Whether a grader gave the points. For a tested item they replace those of the tests."""
    tests_score: float | None = None
    """Points of the tests where a grader's points replace them; else None."""
    comment: str = ""
    """The grader's comment; empty if none."""
    stale: bool = False
    """Whether the answer changed after a grader gave the points."""
    misconception: str = ""
    """Name of the known wrong solution that gives the same answers, e.g. `std_is_variance`; empty if none."""
    part_misconceptions: tuple[str, ...] = ()
    """If no known wrong solution gives the same answers: names of those that give different parts of them."""
    output: tuple[str, ...] = ()
    """If points were lost: the answer on the per-student inputs beside the right one, in sentences (see
    `autograder.grading.answer_diff`)."""
    depends_on: tuple[str, ...] = ()
    """If points were lost: the items that this item's code depends on and that did not pass either."""
    counts: Counts = Counts.NORMALLY
    """How the item counts towards the score."""
    test_digest: str = ""
    """Digest of the test and the solution with which the item was graded; empty if it was not tested."""

    @property
    def worth(self) -> float:
        """Points that the item adds to the maximum: none if it is a bonus, or dropped."""
        return self.counts.worth(self.max_score)

    @property
    def label(self) -> str:
        """What the item is worth, in words."""
        return self.counts.label(self.max_score)

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Names of the known wrong solutions that explain the answers, as a whole or different parts of them."""
        return (self.misconception,) if self.misconception else self.part_misconceptions

    @property
    def is_overruled(self) -> bool:
        """Whether a grader gave fewer points than the tests give now."""
        return self.tests_score is not None and self.score < self.tests_score

    @property
    def is_dropped(self) -> bool:
        """Whether it counts for no student."""
        return self.counts is Counts.DROPPED

    def counted(self, counts: Counts) -> ItemResult:
        """The item as `course.toml` lets it count; a dropped one has no points and needs no manual grading."""
        if counts is not Counts.DROPPED:
            return replace(self, counts=counts)
        by_hand = {"status": Status.PASSED, "message": DROPPED} if self.status is Status.MANUAL else {}
        return replace(self, counts=counts, score=0.0, max_score=0.0, **by_hand)  # type: ignore[arg-type]

    @property
    def verdict(self) -> str:
        """The tests' part of the message."""
        starts_with_grader = not self.manual and not self.is_dropped and (self.graded_by_hand or self.comment)
        return self.message.partition("\n")[2] if starts_with_grader else self.message

    def with_grading_by_hand(self, points: float | None, comment: str) -> ItemResult:
        """The item with a grader's points and comment; the points replace those of the tests.

        Args:
            points: None if the grader only wrote a comment.
            comment: empty if the grader only gave points.
        """
        if self.is_dropped:
            return replace(self, comment=comment)
        one_line = " ".join(comment.split())  # one line, since the tests' verdict follows below it
        if points is None:
            verdict = "" if self.status in (Status.MANUAL, Status.PASSED) else self.message
            message = f"{comment} {verdict}" if self.manual else f"A grader wrote: {one_line}\n{verdict}"
            return replace(self, message=message.strip(), comment=comment)
        status = Status.PASSED if points >= self.max_score else Status.PARTIAL if points > 0 else Status.FAILED
        verdict = "" if Status.PASSED in (status, self.status) else self.message
        message = (
            (comment or GRADED_BY_HAND) if self.manual else f"{GRADED_BY_HAND} {one_line}".strip() + f"\n{verdict}"
        )
        tests = None if self.manual else self.tests_score if self.graded_by_hand else self.score
        return replace(
            self,
            score=points,
            status=status,
            message=message.strip(),
            graded_by_hand=True,
            tests_score=tests,
            comment=comment,
        )

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> ItemResult:
        """Reads an item that `as_json` wrote; raises the same errors as `GradedLog.from_json`."""
        return ItemResult(
            id=record["id"],
            score=float(record["score"]),
            max_score=float(record["max_score"]),
            status=Status(record["status"]),
            message=record["message"],
            manual=bool(record.get("manual", False)),
            graded_by_hand=bool(record.get("graded_by_hand", False)),
            tests_score=record.get("tests_score"),
            comment=record.get("comment", ""),
            stale=bool(record.get("stale", False)),
            misconception=record.get("misconception", ""),
            part_misconceptions=tuple(record.get("part_misconceptions", ())),
            output=tuple(record.get("output", ())),
            depends_on=tuple(record.get("leans_on", ())),
            counts=Counts(record.get("counts", "")),
            test_digest=record.get("test", ""),
        )

    def as_json(self) -> dict[str, Any]:
        """The item as plain JSON values for the log, without its seconds, so that equal input gives equal bytes."""
        record: dict[str, Any] = {
            "id": self.id,
            "score": self.score,
            "max_score": self.max_score,
            "status": str(self.status),
            "message": self.message,
        }
        for name in ("manual", "graded_by_hand", "stale"):
            if getattr(self, name):
                record[name] = True
        if self.tests_score is not None:
            record["tests_score"] = self.tests_score
        if self.comment:
            record["comment"] = self.comment
        if self.misconception:
            record["misconception"] = self.misconception
        if self.part_misconceptions:
            record["part_misconceptions"] = list(self.part_misconceptions)
        if self.output:
            record["output"] = list(self.output)
        if self.depends_on:
            record["leans_on"] = list(self.depends_on)
        if self.counts:
            record["counts"] = str(self.counts)
        if self.test_digest:
            record["test"] = self.test_digest
        return record


@dataclass(frozen=True)
class GradedLog:
    """All results of grading one submission; `as_json()` is `submission_log.json` with grades."""

    problem: str
    student: str
    created_at: str
    """UTC, RFC 3339, when the submission was graded (or, if a log was submitted, when the student wrote it)."""
    profile: str
    environment: dict[str, str]
    answers: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    code: dict[str, str]
    notebook_sha256: str | None
    outcome: Outcome
    items: tuple[ItemResult, ...]
    flags: tuple[Flag, ...] = ()
    process: dict[str, Any] = field(default_factory=dict)
    """The student's answers to the process question (sources, people, hours), as submitted."""

    @property
    def score(self) -> float:
        """Points so far, over all items."""
        return sum(item.score for item in self.items)

    @property
    def max_score(self) -> float:
        """Points of the assignment, from its source, without those of bonus and dropped items."""
        return sum(item.worth for item in self.items)

    @property
    def auto_score(self) -> float:
        """Points of the items that are not graded by hand."""
        return sum(item.score for item in self.items if not item.manual)

    @property
    def auto_max_score(self) -> float:
        """Maximum points of the items that are not graded by hand."""
        return sum(item.worth for item in self.items if not item.manual)

    def has(self, kind: FlagKind) -> bool:
        """Whether it has a flag of this kind."""
        return any(flag.kind == kind for flag in self.flags)

    @property
    def test_faults(self) -> list[str]:
        """What is wrong in tests of the problem, which is their author's fault; in sentences for staff."""
        if not any(item.status is Status.GRADER_ERROR for item in self.items):
            return []
        return [flag.message for flag in self.flags if flag.kind == FlagKind.GRADER_ERROR]

    def item(self, item_id: str) -> ItemResult:
        """The result of one item.

        Raises:
            KeyError: no item of that id.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> GradedLog:
        """Reads a log that `as_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: `as_json` did not write it.
        """
        grades = record["grades"]
        return GradedLog(
            problem=record["problem"],
            student=record["student"],
            created_at=record["created_at"],
            profile=record["profile"],
            environment=record["environment"],
            answers=record["answers"],
            metrics=record["metrics"],
            code=record["code"],
            notebook_sha256=record["notebook_sha256"],
            outcome=Outcome(grades["outcome"]),
            items=tuple(ItemResult.from_json(item) for item in grades["items"]),
            flags=tuple(Flag(flag["kind"], flag["message"]) for flag in grades["flags"]),
            process=record.get("process", {}),
        )

    def as_json(self) -> dict[str, Any]:
        """The log as plain JSON values, valid against `submission_log.schema.json`."""
        record: dict[str, Any] = {
            "schema_version": 1,
            "problem": self.problem,
            "student": self.student,
            "created_at": self.created_at,
            "profile": self.profile,
            "environment": dict(self.environment),
            "answers": dict(self.answers),
            "metrics": dict(self.metrics),
            "code": dict(self.code),
            "notebook_sha256": self.notebook_sha256,
            "grades": {
                "score": self.score,
                "max_score": self.max_score,
                "auto_score": self.auto_score,
                "auto_max_score": self.auto_max_score,
                "outcome": str(self.outcome),
                "items": [item.as_json() for item in self.items],
                "flags": [flag.as_json() for flag in self.flags],
            },
        }
        if self.process:
            record["process"] = dict(self.process)
        return record

    def as_text(self) -> str:
        """The log as a file's text: strict JSON."""
        return json.dumps(self.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


@dataclass(frozen=True)
class Grading:
    """One graded submission."""

    log: GradedLog
    text: str
    """The executed notebook as a file's text; for an unreadable submission, the release with the reason on top."""
    seconds: float = 0.0
    """Wall time of the grading."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase: see `PHASES`."""
    cached_items: Mapping[str, Any] = field(default_factory=dict)
    """Results that the next grading of this student may reuse: see `autograder.grading.item_cache`."""
    is_settled: bool = False
    """Whether grading the same submission again certainly gives the same result."""
    is_known: bool = False
    """Whether the whole result is a cached one."""
    traceback: str = ""
    """Traceback of the autograder's own error, else empty. For staff only: it may quote hidden tests."""

    @functools.cached_property
    def notebook(self) -> NotebookNode:
        """The executed notebook."""
        from autograder.core.notebook_io import graded_notebook

        return graded_notebook(self.text)


PHASES = ("read", "start", "cells", "tests", "answers", "write")
"""Reading and rebuilding the notebook; starting and ending the student's processes; the student's cells; tests; answers
on per-student inputs; writing the log and the executed notebook."""


@dataclass(frozen=True)
class Graded:
    """One graded submission of a batch: its log and its timing."""

    log: GradedLog
    seconds: float
    """Wall time."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase: see `PHASES`."""


@dataclass(frozen=True)
class Step:
    """Progress of a run over many submissions."""

    done: int
    """Submissions with a result, including those of an earlier interrupted run."""
    total: int
    latest: Graded | None = None
    """The latest result."""
