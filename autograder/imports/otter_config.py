"""Reads the settings in an otter notebook: those of the assignment, of a question, of a test."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from autograder.core.errors import SourceError

_ASSIGNMENT = (
    *("name", "config_file", "requirements", "overwrite_requirements", "environment", "run_tests", "solutions_pdf"),
    *("template_pdf", "init_cell", "check_all_cell", "export_cell", "seed", "generate", "save_environment"),
    *("ignore_modules", "files", "autograder_files", "student_files", "plugins", "tests", "show_question_points"),
    *("runs_on", "python_version", "channel_priority_strict", "strip_solutions_from_all_cells"),
    *("suppress_no_tests_warning", "variables", "test_files", "plugin_config", "colab"),
)
_QUESTION = ("name", "manual", "points", "check_cell", "export", "all_or_nothing")
_TEST = ("name", "hidden", "points", "success_message", "failure_message")
_LOST = {
    "files": "files that no cell names are not copied",
    "autograder_files": "the files are not copied",
    "student_files": "students submit the notebook and its log only",
    "requirements": "the packages must be installed where students and graders work",
    "environment": "the packages must be installed where students and graders work",
    "seed": "random numbers are not seeded before each cell",
    "plugins": "plugins do not run",
}
"""Setting → what an instructor must know, because it has no counterpart here."""
_LOST_IN_GRADING = {
    "points_possible": "the total is not scaled; change the points in the source",
    "points": "the total is not scaled; change the points in the source",
    "score_threshold": "there is no threshold: `[curve]` in course.toml changes scores",
    "threshold": "there is no threshold: `[curve]` in course.toml changes scores",
    "seed": _LOST["seed"],
    "seed_variable": _LOST["seed"],
    "plugins": _LOST["plugins"],
}
"""The same for settings inside of `generate`."""


@dataclass(frozen=True)
class Assignment:
    """What the settings of an assignment mean for its cells."""

    has_functions: bool = False
    """Whether each test is a function that raises (`tests: {ok_format: false}`), not a cell with its output."""
    strips_all: bool = False
    """Whether solutions are taken out of all code cells, not only of those in solution blocks."""
    look: str = ""
    """The settings that have no counterpart here."""


@dataclass(frozen=True)
class Question:
    """The settings of one question."""

    name: str
    manual: bool = False
    points: float | tuple[float | None, ...] | None = None
    """For all of it, or for each of its tests."""
    each: float | None = None
    """Points of each test, if given so."""
    all_or_nothing: bool = False


@dataclass(frozen=True)
class CaseSettings:
    """The settings of one test."""

    hidden: bool = False
    points: float | None = None
    failure_message: str = ""


def read_assignment(where: str, folder: Path, text: str) -> Assignment:
    """The settings of an assignment.

    Args:
        where: the cell, for messages.
        folder: the notebook's folder, to which the name of a file with more settings is relative.
        text: YAML.
    """
    data = _settings(where, text, _ASSIGNMENT)
    if name := data.get("config_file"):
        try:
            shared = (folder / str(name)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = f"cannot be read ({type(error).__name__})"
            raise SourceError(f"{where}: the file of settings {name!r} {why}; put it beside the notebook.") from None
        data = _settings(str(folder / str(name)), shared, _ASSIGNMENT) | data
    tests, grading = (data[key] if isinstance(data.get(key), dict) else {} for key in ("tests", "generate"))
    lost = [f"`{key}`: {why}" for key, why in _LOST.items() if data.get(key)]
    lost += [f"`generate: {key}`: {why}" for key, why in _LOST_IN_GRADING.items() if grading.get(key) is not None]
    return Assignment(
        tests.get("ok_format", True) is False, data.get("strip_solutions_from_all_cells") is True, "; ".join(lost)
    )


def read_question(where: str, text: str) -> Question:
    """The settings of a question."""
    data = _settings(where, text, _QUESTION)
    name = data.get("name")
    if name is None or not str(name).strip():
        raise SourceError(f"{where}: the question has no name; add a line such as `name: q1`.")
    points, each = data.get("points"), None
    if isinstance(points, dict):
        if set(points) != {"each"}:
            raise SourceError(f"{where}: its points are {points!r}; write a number, a list, or `each: <number>`.")
        each, points = _number(where, points["each"]), None
    elif isinstance(points, list):
        points = tuple(None if one is None else _number(where, one) for one in points)
    elif points is not None:
        points = _number(where, points)
    return Question(
        str(name).strip(), data.get("manual") is True, points, each, all_or_nothing=data.get("all_or_nothing") is True
    )


def read_case_settings(where: str, text: str) -> CaseSettings:
    """The settings of a test."""
    return case_settings(where, _settings(where, text, _TEST))


def case_settings(where: str, data: Mapping[str, Any]) -> CaseSettings:
    """The settings of a test, from values by name; those that are not known are left out."""
    points = data.get("points")
    return CaseSettings(
        data.get("hidden") is True,
        None if points is None else _number(where, points),
        str(data.get("failure_message") or ""),
    )


def _settings(where: str, text: str, known: Collection[str]) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        first = str(error).split("\n", 1)[0]
        raise SourceError(f"{where}: its settings are no valid YAML ({first}); correct them.") from None
    data = {} if data is None else data
    if not isinstance(data, dict):
        raise SourceError(f"{where}: its settings are {data!r}; write lines such as `name: q1`.")
    for key in (key for key in data if key not in known):
        near = difflib.get_close_matches(str(key), known, 1)
        meant = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}."
        raise SourceError(f"{where}: the setting {key!r} is unknown; remove or correct it: {meant}")
    return data


def _number(where: str, points: Any) -> float:
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    if not is_number or not math.isfinite(points) or points < 0:
        raise SourceError(f"{where}: its points are {points!r}; give a number, 0 or more.")
    return float(points)
