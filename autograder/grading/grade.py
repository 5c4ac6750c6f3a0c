"""Grades one submission: from its bytes to explicit results and an executed notebook. Needs no database."""

from __future__ import annotations

import atexit
import functools
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.core.errors import SetupError, SourceError
from autograder.core.flags import Flag, FlagKind
from autograder.core.notebook_io import graded_text
from autograder.core.results import GradedLog, Grading, ItemResult, Outcome
from autograder.core.student_key import same_student
from autograder.core.text import listed, well_formed
from autograder.course.cell_selection import warm_modules
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import IS_INSIDE, Problem, load_problem
from autograder.course.seed import fingerprint, grading_seed
from autograder.grading.examiner import Examined, OnItem, examine
from autograder.grading.executed_notebook import executed_notebook
from autograder.grading.failed import ANONYMOUS, environment, failed_grading, rfc3339, ungraded
from autograder.grading.item_cache import ItemCache
from autograder.grading.limits import ATTEMPTS
from autograder.grading.log_check import disagreements
from autograder.sandbox.host import Host
from autograder.sandbox.probes import ensure_confinement
from autograder.submissions.log import read_log
from autograder.submissions.metrics import numbers_in_words
from autograder.submissions.reader import Submission, UnusableError, read_cells, read_submission
from autograder.submissions.rebuild import Rebuilt, rebuild
from homework.hand_in.source_hash import source_hash

INPUTS_FROM = "Inputs were drawn from the seed with fingerprint {}."
"""Message of the flag `INPUTS`."""
SOURCE_IS = "The problem's source had the SHA-256 {}."
"""Message of the flag `SOURCE`."""


def grade(
    problem: str, notebook_path: str | Path, *, student: str | None = None, root: Path | None = None
) -> GradedLog:
    """Grades one notebook file; also reads a `submission_log.json` beside it. Needs no database.

    Args:
        problem: problem id.
        notebook_path: the submitted notebook.
        student: student id; the log's if not given, else `anonymous`.
        root: the course's root folder; found if not given.

    Returns:
        The graded log. A notebook that cannot be graded gets one too: score 0 and the reason in the messages.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: student code cannot be run on this machine.
    """
    grading = grade_file(problem, Path(notebook_path), student=student, root=root)
    if grading.traceback:
        logging.getLogger("autograder").error("%s: the autograder failed:\n%s", notebook_path, grading.traceback)
    return grading.log


def grade_file(
    problem_id: str,
    path: Path,
    *,
    student: str | None = None,
    root: Path | None = None,
    submitted: Path | None = None,
) -> Grading:
    """Like `grade`, with the executed notebook. Below the folder `submitted` no symbolic link is followed."""
    return grade_or_say_why(problem_id, read_submission(path, student, submitted), root=root)


def grade_or_say_why(
    problem_id: str,
    submission: Submission,
    *,
    root: Path | None = None,
    host: Host | None = None,
    cached_items: Mapping[str, Any] | None = None,
) -> Grading:
    """Like `grade_submission`, but an error of the autograder affects only this submission; its result says why.

    Raises:
        SourceError: unknown problem, or a fault in its source.
        SetupError: nothing can be graded on this machine.
    """
    try:
        grading = grade_submission(problem_id, submission, root=root, host=host, cached_items=cached_items)
        for text in (grading.log.as_text(), grading.text):
            text.encode()  # text that cannot be encoded is reported here, with its traceback
        return grading
    except (SourceError, SetupError):
        raise
    except Exception as error:
        return failed_grading(load_problem(problem_id, root), submission, error)


def grade_submission(
    problem_id: str,
    submission: Submission,
    *,
    root: Path | None = None,
    host: Host | None = None,
    cached_items: Mapping[str, Any] | None = None,
    on_item: OnItem | None = None,
    attempts: int = ATTEMPTS,
    seconds: float = math.inf,
) -> Grading:
    """Grades one submission.

    Args:
        problem_id: problem id.
        submission: the student's files, as bytes.
        root: the course's root folder; found if not given.
        host: forks the processes for student code, its sandbox already tested; this process's own host if not given.
        cached_items: results of an earlier grading of this student (`Grading.cached_items`); no cache if not given.
        on_item: called with each item's result as soon as it is known; never for a notebook that cannot be graded.
        attempts: how many times student code must end its process before it is blamed. 1 if nothing else runs on the
            machine, so that code which uses up all memory does so only once.
        seconds: the time for the grading; tests get shorter limits so that it is enough for all.
    """
    started = time.monotonic()
    problem = load_problem(problem_id, root)
    theirs, flags = read_log(submission.log, problem.id)
    if submission.log is None and not problem.has_log:
        flags = []
    if submission.log_fault:
        flags = [Flag(FlagKind.LOG_UNUSABLE, f"submission_log.json could not be read: {submission.log_fault}.")]
    student = well_formed(submission.student or theirs.get("student") or ANONYMOUS)
    try:
        if submission.fault:
            raise UnusableError(*submission.fault)
        rebuilt = rebuild(problem, read_cells(submission.notebook, submission.name), submission.name)
    except UnusableError as error:
        return ungraded(problem, replace(submission, student=student), error)
    course = problem.path.parent.parent
    seed = grading_seed(course)
    if host is None:
        host = host_for(problem)
    read = time.monotonic()
    cache = ItemCache(cached_items)
    examined = examine(
        problem,
        rebuilt,
        host,
        student=asked_student(theirs, student),
        seed=seed,
        cache=cache,
        on_item=None if on_item is None else lambda result: on_item(_counted(problem, result)),
        attempts=attempts,
        seconds=seconds - (time.monotonic() - started),
    )
    asked = time.monotonic()
    flags += [*rebuilt.flags, *examined.flags]
    if theirs:
        flags += disagreements(theirs, rebuilt, examined.answers, student)
    flags.append(Flag(FlagKind.INPUTS, INPUTS_FROM.format(fingerprint(seed))))
    flags.append(Flag(FlagKind.SOURCE, SOURCE_IS.format(problem.sha256)))
    flags.append(Flag(FlagKind.ISOLATION, f"Student code ran at isolation level '{host.level}'."))
    if inside := [item.id for item in problem.items if item.is_in_process]:
        flags.append(Flag(FlagKind.IN_PROCESS, f"{listed(inside, 6)}: {IS_INSIDE}"))
    if cache.items:
        codes = sum(item.kind == "code" for item in problem.items)
        flags.append(
            Flag(FlagKind.CACHED, f"{cache.items} of {codes} items have cached results from an earlier grading.")
        )
    log = _log(problem, student, submission, theirs, rebuilt, examined, tuple(flags))
    results = {result.id: result for result in examined.results}
    logged = numbers_in_words(theirs.get("metrics", {}), declared_ranges(problem), theirs.get("profile", "grade"))
    text = graded_text(executed_notebook(problem, rebuilt, examined.runs, results, logged))
    end = time.monotonic()
    phases = {"read": read - started, **examined.phases, "write": end - asked}
    return Grading(log, text, end - started, phases, cache.kept, cache.is_settled)


def asked_student(theirs: Mapping[str, Any], student: str) -> str:
    """The id for whose inputs the student's code is asked: as the student's log writes it, if it is the same student's.

    Args:
        theirs: the student's log; empty if there is none.
        student: the student's id.
    """
    named = str(theirs.get("student", student))
    return named if same_student(named, student) else student


_hosts: list[Host] = []
"""This process's hosts."""
_offered: list[Mapping[str, Any]] = []


def offer_host(forked: Mapping[str, Any]) -> None:
    """Gives this process a host that was forked from it; the next problem uses it.

    Args:
        forked: see `autograder.sandbox.launch.HostFolder.beside`.
    """
    _offered.append(forked)


def host_for(problem: Problem, root: Path | None = None) -> Host:
    """This process's warm host for the student code of a problem; closed at exit.

    Args:
        problem: the problem.
        root: the root folder of the course that remembers the sandbox's tests; the problem's if not given.

    Raises:
        SetupError: student code cannot be run on this machine.
    """
    return _host(warm_modules([problem]), root or problem.path.parent.parent)


@functools.cache
def _host(modules: tuple[str, ...], root: Path) -> Host:
    host = Host(modules)
    _hosts.append(host)
    if _offered:
        host.adopt(_offered.pop())
    ensure_confinement(host, root)
    return host


@atexit.register
def close_hosts() -> None:
    """Closes this process's warm hosts."""
    for host in _hosts:
        host.close()


def _log(
    problem: Problem,
    student: str,
    submission: Submission,
    theirs: dict[str, Any],
    rebuilt: Rebuilt,
    examined: Examined,
    flags: tuple[Flag, ...],
) -> GradedLog:
    codes = {item.id for item in problem.items if item.kind == "code"}
    return GradedLog(
        problem=problem.id,
        student=student,
        created_at=theirs.get("created_at") or rfc3339(submission.submitted_at),
        profile=theirs.get("profile", "grade"),
        environment=theirs.get("environment") or environment(),
        answers=examined.answers,
        metrics=theirs.get("metrics", {}),
        code={item: source_hash(rebuilt.source(item)) for item in sorted(rebuilt.answered & codes)},
        notebook_sha256=submission.notebook_sha256,
        outcome=Outcome.GRADED,
        items=tuple(_counted(problem, result) for result in examined.results),
        flags=flags,
        process=theirs.get("process", {}) if isinstance(theirs.get("process", {}), dict) else {},
    )


def _counted(problem: Problem, result: ItemResult) -> ItemResult:
    """The result as the item counts. The examiner tests a dropped item like any other: other items may build on it."""
    return result.counted(problem.item(result.id).counts)
