"""Options of an export."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """The format of the file."""

    CANVAS = "canvas"
    GRADESCOPE = "gradescope"
    PLAIN = "plain"


class Per(StrEnum):
    """Whether each homework or each problem gets its own column."""

    HOMEWORK = "homework"
    PROBLEM = "problem"


class Unfinished(StrEnum):
    """What happens to a grade while some of its items need manual grading."""

    LEAVE = "leave"
    """It is left out and listed."""
    INCLUDE = "include"
    """The points so far are exported."""
    REFUSE = "refuse"
    """Nothing is exported."""
