"""Reads the output folder of `autograder grade`: logs and times of a class, problem by problem.

Only existing folders are read; names from a table are never used as a path. Missing or damaged files are reported in
notes and never stop the report.
"""

from __future__ import annotations

import contextlib
import csv
import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.tables import GRADES, TIMINGS, item_times, number
from autograder.core.errors import SetupError
from autograder.core.results import PHASES, GradedLog
from autograder.core.strict_json import read_json
from autograder.core.text import is_text, listed, printable
from autograder.course.digests_of_tests import changed_items, digests
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.submissions.reader import LOG_NAME, UnusableError, read_bytes
from homework.errors import LogError
from homework.hand_in.log import validate

MOST_LOG_BYTES = 8 * 2**20
"""A larger log is not read; grading writes at most a megabyte."""
MOST_NAMED = 12
"""Maximum number of students named in one note."""


@dataclass(frozen=True)
class Entry:
    """One submission of the class."""

    log: GradedLog
    """The graded log, without the answers on per-student inputs."""
    seconds: float | None = None
    """Wall-clock seconds of grading; None if no table has it."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase, see `results.PHASES`; empty if no table has them."""
    cached: bool = False
    """Whether any part of it came from the cache."""
    items: Mapping[str, float] = field(default_factory=dict)
    """Item id → seconds, for items that were measured in this run or an earlier one."""

    @property
    def student(self) -> str:
        """The name of the student's folder."""
        return self.log.student


@dataclass(frozen=True)
class Run:
    """The content of a folder for one problem."""

    problem: Problem
    entries: tuple[Entry, ...]
    """One per submission with a readable log, by student."""
    notes: tuple[str, ...]
    """Sentences for staff about missing or damaged files."""


def read_runs(out: Path, root: Path) -> tuple[list[Run], list[str]]:
    """Reads a folder: runs by problem in alphabetical order, and notes about the whole folder.

    Args:
        out: output folder of `autograder grade`.
        root: the course's root folder.

    Raises:
        SetupError: there is no such folder, or it holds no graded submission.
    """
    if not out.is_dir():
        raise SetupError(f"{out} is not a folder; give --out the folder that `autograder grade` wrote.")
    known = problem_ids(root)
    folders, notes = _folders(out, known)
    grades = _table(out / GRADES, notes)
    timings = _table(out / TIMINGS, notes)
    if strangers := sorted({row["problem"] for row in grades} - set(known)):
        notes.append(f"grades.csv has lines for problems that are not in this course: {_names(strangers)}.")
    runs = []
    for problem_id in known:
        listed = {row["student"]: row for row in grades if row["problem"] == problem_id}
        times = {row["student"]: row for row in timings if row["problem"] == problem_id}
        if listed or folders[problem_id]:
            runs.append(_run(out, load_problem(problem_id, root), folders[problem_id], listed, times))
    if not any(run.entries for run in runs):
        told = " ".join([*notes, *(note for run in runs for note in run.notes)])
        raise SetupError(
            f"{out} holds no graded submission (<student>/<problem>/{LOG_NAME}); give the folder that `autograder "
            f"grade --out` wrote to.{' ' + told if told else ''}"
        )
    return runs, notes


def _folders(out: Path, known: Sequence[str]) -> tuple[dict[str, set[str]], list[str]]:
    """Problem → students with a folder for it; and notes."""
    found: dict[str, set[str]] = defaultdict(set)
    links, unreadable = [], []
    for entry in sorted(os.scandir(out), key=lambda entry: entry.name):
        if not is_text(entry.name):
            unreadable.append(entry.name)
        elif entry.is_symlink():
            links.append(entry.name)
        elif entry.is_dir() and not entry.name.startswith("."):
            for problem_id in known:
                if os.path.lexists(out / entry.name / problem_id):
                    found[problem_id].add(entry.name)
    notes = [f"Links are not followed: {_names(links)}."] if links else []
    if unreadable:
        names = listed(list(map(ascii, unreadable)), MOST_NAMED)
        notes.append(f"{len(unreadable)} left out, because their names are not valid text: {names}.")
    return found, notes


def _run(
    out: Path,
    problem: Problem,
    folders: set[str],
    listed: Mapping[str, Mapping[str, str]],
    times: Mapping[str, Mapping[str, str]],
) -> Run:
    notes = []
    if (out / f".grading-{problem.id}.jsonl").is_file():
        notes.append(
            "Grading was interrupted or is still running; to finish it, run the same `autograder grade` again."
        )
    elif left := sorted(folders - listed.keys()) if listed else []:
        folders = folders & listed.keys()
        notes.append(
            f"{len(left)} left out: they have a folder, but no line in grades.csv (e.g. from an earlier run with other "
            f"submissions): {_names(left)}."
        )
    if absent := sorted(listed.keys() - folders):
        notes.append(f"{len(absent)} in grades.csv have no folder here: {_names(absent)}.")
    entries, faults, findings = [], defaultdict(list), defaultdict(list)
    items = [item.id for item in problem.items]
    for student in sorted(folders):
        try:
            log = read_graded_log(out, student, problem.id)
        except (UnusableError, LogError) as error:
            faults[str(error)].append(student)
            continue
        if log.student != student:
            findings["The log names another student than its folder"].append(student)
        if [item.id for item in log.items] != items:
            findings["Graded when the problem had other items; grade again"].append(student)
        elif [item.label for item in log.items] != [item.label for item in problem.items]:
            findings["Graded with other points than the source has now; grade again"].append(student)
        if changed := changed_items(problem, digests(log.items)):
            tests = f"Graded with other tests than the source has now ({_names(changed)}); grade again"
            findings[tests].append(student)
        if number(listed.get(student, {}).get("score")) not in (None, float(f"{log.score:.6g}")):
            findings["grades.csv and the log have different scores; the log's are shown"].append(student)
        entries.append(_entry(replace(log, student=student), times.get(student, {})))
    notes += [f"{len(students)} left out, {fault}: {_names(students)}." for fault, students in sorted(faults.items())]
    notes += [f"{finding}: {_names(students)}." for finding, students in sorted(findings.items())]
    return Run(problem, tuple(entries), tuple(notes))


def read_graded_log(out: Path, student: str, problem: str) -> GradedLog:
    """Reads and validates a student's graded log, without the answers on per-student inputs.

    Raises:
        UnusableError: it is missing, behind a link, not a regular file, or cannot be read.
        LogError: grading did not write it, or for another problem.
    """
    path = out / student / problem / LOG_NAME
    with contextlib.suppress(OSError):  # reading it will report the error
        if path.stat().st_size > MOST_LOG_BYTES:
            raise LogError("the log is too large to be from `autograder grade`")
    try:
        data = read_bytes(path, out, MOST_LOG_BYTES)
    except UnusableError as error:
        raise UnusableError(error.outcome, "the log is missing or not a regular file") from None
    try:
        record = read_json(data)
        validate(record)
        log = GradedLog.from_json(record)
        if not all(math.isfinite(item.score) and math.isfinite(item.max_score) for item in log.items):
            raise LogError("points that are not numbers")
    except (ValueError, ArithmeticError, TypeError, KeyError, AttributeError, RecursionError, LogError):
        raise LogError("the log is damaged or has no grades") from None
    if log.problem != problem:
        raise LogError(f"the log is for another problem, {printable(log.problem)!r}")
    return replace(log, answers={}, process={})  # not used here, and most of the log's size


def _entry(log: GradedLog, row: Mapping[str, str]) -> Entry:
    seconds = number(row.get("seconds"))
    if seconds is None:
        return Entry(log)
    phases = {phase: found for phase in PHASES if (found := number(row.get(phase))) is not None}
    return Entry(log, seconds, phases, row.get("cached") == "yes", item_times(row.get("items") or ""))


def _table(path: Path, notes: list[str]) -> list[dict[str, str]]:
    """The complete lines of a table; adds a note if something is wrong with it."""
    if not path.is_file() or path.is_symlink():
        notes.append(f"{path.name} is missing.")
        return []
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.DictReader(file))
    except (OSError, csv.Error) as error:
        notes.append(f"{path.name} cannot be read ({printable(str(error))}).")
        return []
    whole = [row for row in rows if {"student", "problem"} <= row.keys() and None not in (*row, *row.values())]
    if len(whole) < len(rows):
        notes.append(f"{path.name} has damaged lines.")
    return whole


def _names(names: Sequence[str]) -> str:
    return listed([printable(name, 40) for name in names], MOST_NAMED)
