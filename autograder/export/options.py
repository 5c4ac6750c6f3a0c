"""The words with which one says what to export, and how."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """For whom the file is."""

    CANVAS = "canvas"
    GRADESCOPE = "gradescope"
    PLAIN = "plain"


class Per(StrEnum):
    """What gets a column of its own."""

    HOMEWORK = "homework"
    PROBLEM = "problem"


class Unfinished(StrEnum):
    """What becomes of a grade while a person has yet to look at some of its items."""

    LEAVE = "leave"
    """It is left out and said so."""
    INCLUDE = "include"
    """The points so far are exported."""
    REFUSE = "refuse"
    """Nothing is exported for anybody."""
