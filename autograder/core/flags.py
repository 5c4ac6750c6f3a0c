"""The notes for staff in a graded log: their kinds, and which kinds say that a person should look at the submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FlagKind(StrEnum):
    """The kinds of flags; the values stand in `submission_log.json`."""

    # about the submission
    MISSING = "missing"
    UNREADABLE = "unreadable"
    WRONG_NOTEBOOK = "wrong_notebook"
    MISSING_CELL = "missing_cell"
    REPAIRED = "repaired"
    PICTURE = "picture"
    FAILED_CELL = "failed_cell"
    TEST_HELPER = "test_helper"
    # about the student's log
    NO_LOG = "no_log"
    LOG_UNUSABLE = "log_unusable"
    LOG_TAMPERED = "log_tampered"
    LOG_DISAGREES = "log_disagrees"
    LOG_ALONE = "log_alone"
    ANONYMOUS = "anonymous"
    OTHER_STUDENT = "other_student"
    STRANGE_STUDENT = "strange_student"
    OTHER_PROFILE = "grade_profile"
    NOT_CHECKED = "not_checked"
    # about the grading
    GRADER_ERROR = "grader_error"
    UNSTEADY = "unsteady"
    WHOLE_NOTEBOOK = "whole_notebook"
    INPUTS = "inputs"
    SOURCE = "source"
    ISOLATION = "isolation"
    IN_PROCESS = "in_process"
    CACHED = "cached"


@dataclass(frozen=True)
class Flag:
    """A note for staff, e.g. about a repair, or a log that disagrees with the notebook."""

    kind: str
    """A `FlagKind`; a log from a later version may have another."""
    message: str

    def as_json(self) -> dict[str, str]:
        """The flag as plain JSON values for the log."""
        return {"kind": str(self.kind), "message": self.message}


DESCRIPTIONS: Mapping[str, str] = {
    FlagKind.MISSING: "no notebook",
    FlagKind.UNREADABLE: "the notebook is unreadable",
    FlagKind.WRONG_NOTEBOOK: "the wrong notebook",
    FlagKind.MISSING_CELL: "no cell that can be graded answers an item",
    FlagKind.REPAIRED: "the notebook was repaired",
    FlagKind.PICTURE: "a picture was left out or changed",
    FlagKind.FAILED_CELL: "a cell failed while it was graded",
    FlagKind.TEST_HELPER: "a helper of the tests was redefined",
    FlagKind.NO_LOG: "no log was submitted",
    FlagKind.LOG_UNUSABLE: "the log cannot be used",
    FlagKind.LOG_TAMPERED: "the log contained grades",
    FlagKind.LOG_DISAGREES: "log and notebook disagree",
    FlagKind.LOG_ALONE: "scored from the log, without code",
    FlagKind.ANONYMOUS: "the log has no student id",
    FlagKind.OTHER_STUDENT: "the log is another student's",
    FlagKind.STRANGE_STUDENT: "the log's student id is invalid",
    FlagKind.OTHER_PROFILE: "the log is of another profile",
    FlagKind.NOT_CHECKED: "the log could not be checked",
    FlagKind.GRADER_ERROR: "grader error",
    FlagKind.UNSTEADY: "flaky: the same code had another result before",
    FlagKind.WHOLE_NOTEBOOK: "the whole notebook had to be run",
    FlagKind.INPUTS: "source of the hidden inputs",
    FlagKind.SOURCE: "version of the problem's source",
    FlagKind.ISOLATION: "isolation level of student code",
    FlagKind.IN_PROCESS: "tested inside the student's process, where code can forge the result",
    FlagKind.CACHED: "cached result of an earlier run",
}
"""Kind of flag → what it says, in the class report."""
NEEDS_REVIEW = (
    FlagKind.LOG_TAMPERED,
    FlagKind.LOG_DISAGREES,
    FlagKind.LOG_UNUSABLE,
    FlagKind.MISSING_CELL,
    FlagKind.UNSTEADY,
    FlagKind.TEST_HELPER,
)
"""Kinds that put a submission on the class report's review list, most urgent first."""
ROUTINE = frozenset({FlagKind.INPUTS, FlagKind.SOURCE, FlagKind.ISOLATION, FlagKind.IN_PROCESS, FlagKind.CACHED})
"""Kinds that every submission may have; they say nothing about the student's work."""
