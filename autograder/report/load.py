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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.tables import GRADES, TIMINGS, item_times, number
from autograder.core.errors import SetupError
from autograder.core.results import PHASES, GradedLog
from autograder.core.strict_json import read_json
from autograder.core.text import is_text, listed, printable
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
    grades, fault = _table(out / GRADES)
    timings, timing_fault = _table(out / TIMINGS)
    notes += [note for note in (fault, timing_fault) if note]
    strangers = sorted({row["problem"] for row in grades} - set(known))
    if strangers:
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
    links, odd = [], []
    for entry in sorted(os.scandir(out), key=lambda entry: entry.name):
        if not is_text(entry.name):
            odd.append(entry.name)
        elif entry.is_symlink():
            links.append(entry.name)
        elif entry.is_dir() and not entry.name.startswith("."):
            for problem_id in known:
                if os.path.lexists(out / entry.name / problem_id):
                    found[problem_id].add(entry.name)
    notes = [f"Links are not followed: {_names(links)}."] if links else []
    if odd:
        notes.append(
            f"{len(odd)} left out, because their names are not valid text: {listed(list(map(ascii, odd)), MOST_NAMED)}."
        )
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
    absent = sorted(listed.keys() - folders)
    if absent:
        notes.append(f"{len(absent)} in grades.csv have no folder here: {_names(absent)}.")
    entries, faults, other, renamed, older = [], defaultdict(list), [], [], []
    items = [item.id for item in problem.items]
    for student in sorted(folders):
        try:
            log = _log(out / student / problem.id / LOG_NAME, out)
            if log.problem != problem.id:
                raise LogError(f"the log is for another problem, {printable(log.problem)!r}")
        except (UnusableError, LogError) as error:
            faults[str(error)].append(student)
            continue
        if log.student != student:
            renamed.append(student)
        if [item.id for item in log.items] != items:
            older.append(student)
        row = listed.get(student)
        if row is not None and number(row.get("score")) not in (None, float(f"{log.score:.6g}")):
            other.append(student)
        entries.append(_entry(replace(log, student=student), times.get(student)))
    for fault, students in sorted(faults.items()):
        notes.append(f"{len(students)} left out, {fault}: {_names(students)}.")
    if renamed:
        notes.append(f"The log names another student than its folder: {_names(renamed)}.")
    if older:
        notes.append(f"Graded when the problem had other items; grade again: {_names(older)}.")
    if other:
        notes.append(f"grades.csv and the log have different scores; the log's are shown: {_names(other)}.")
    return Run(problem, tuple(entries), tuple(notes))


def _log(path: Path, out: Path) -> GradedLog:
    """Reads and validates a graded log.

    Raises:
        UnusableError: it is missing, behind a link, not a regular file, or cannot be read.
        LogError: grading did not write it.
    """
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
    return replace(log, answers={}, process={})  # not used here, and most of the log's size


def _entry(log: GradedLog, row: Mapping[str, str] | None) -> Entry:
    seconds = number(row.get("seconds")) if row else None
    if row is None or seconds is None:
        return Entry(log)
    phases = {phase: found for phase in PHASES if (found := number(row.get(phase))) is not None}
    return Entry(log, seconds, phases, row.get("cached") == "yes", item_times(row.get("items") or ""))


def _table(path: Path) -> tuple[list[dict[str, str]], str]:
    """The complete lines of a table, and a note about what is wrong with it."""
    if not path.is_file() or path.is_symlink():
        return [], f"{path.name} is missing."
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(_complete(csv.DictReader(file)))
    except (OSError, csv.Error) as error:
        return [], f"{path.name} cannot be read ({printable(str(error))})."
    return [row for row in rows if row is not None], f"{path.name} has damaged lines." if None in rows else ""


def _complete(reader: Iterable[dict[str | None, str | None]]) -> Iterator[dict[str, str] | None]:
    for row in reader:
        whole = {key: value for key, value in row.items() if key is not None and value is not None}
        yield whole if {"student", "problem"} <= whole.keys() and len(whole) == len(row) else None


def _names(names: Sequence[str]) -> str:
    return listed([printable(name, 40) for name in names], MOST_NAMED)
