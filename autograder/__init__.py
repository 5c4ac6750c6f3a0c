"""Grades deep-learning homework: releases problems, examines submissions, proves its own tests.

`autograder.grade(problem, notebook_path, *, student=None) -> GradedLog` is the library's front door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autograder.core.fast_imports  # noqa: F401  (acts before anything imports jsonschema, in every process)

if TYPE_CHECKING:
    from autograder.core.results import GradedLog
    from autograder.grading.grade import grade

__all__ = ["GradedLog", "grade"]


def __getattr__(name: str) -> Any:
    """Imports the front door when it is first asked for: it imports much."""
    if name == "grade":
        from autograder.grading.grade import grade

        return grade
    if name == "GradedLog":
        from autograder.core.results import GradedLog

        return GradedLog
    raise AttributeError(f"module 'autograder' has no attribute {name!r}")
