"""Checks a class's student-written logs without running student code.

A log holds the answers of the student's code on per-student inputs. Here the reference computes the answers on the same
inputs, and the two are compared.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from autograder.core.errors import AutograderError, traceback_of
from autograder.core.flags import Flag, FlagKind
from autograder.core.offenders import without_offenders
from autograder.core.text import printable
from autograder.course.config import root_folder
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.grading.reference import quiet_process
from autograder.grading.tolerance import small_enough
from autograder.submissions.log import read_any_log
from autograder.submissions.metrics import judge_metrics
from autograder.submissions.reader import UnusableError, read_cells
from autograder.submissions.rebuild import rebuild
from autograder.verify.class_check import UsableLog, judge_class
from autograder.verify.discover import FoundLog, find_logs, read_found, read_notebook_beside
from autograder.verify.result import CodeVerdict, Verified
from homework.hand_in.identity import checked
from homework.hand_in.source_hash import source_hash

_log = logging.getLogger("autograder")

_LONGEST_MESSAGE = 300


def verify(
    paths: Iterable[str | Path],
    *,
    root: Path | None = None,
    misconceptions: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Verified]:
    """Checks the logs of a class, for one problem or several.

    Args:
        paths: logs, and folders with `<student>/<problem>/submission_log.json`.
        root: the course's root folder; found by `root_folder()` if not given.
        misconceptions: whether to name the known misconception behind a wrong answer; costs time for each wrong answer.
        progress: called with (done, total) steps.

    Returns:
        One result for each log, valid or not: in the given order, those of one folder in alphabetical order.

    Raises:
        AutograderError: there is no log, or a problem's source cannot be used.
    """
    found = find_logs(paths)
    root = root or root_folder()
    known = frozenset(problem_ids(root))
    steps = itertools.count(1)

    def tick() -> None:
        if progress:
            progress(next(steps), 3 * len(found))

    results: dict[FoundLog, Verified] = {}
    usable = defaultdict(list)
    for one in found:
        try:
            outcome = _read(one, known, root)
        except AutograderError:
            raise
        except Exception as error:
            outcome = _not_checked(one, error)
        tick()
        if isinstance(outcome, UsableLog):
            usable[outcome.problem].append(outcome)
        else:
            results[one] = outcome
            tick()
            tick()
    with quiet_process():
        for problem_id, logs in usable.items():
            judge = functools.partial(judge_class, load_problem(problem_id, root), misconceptions=misconceptions)
            try:
                checked = judge(logs, tick=tick)
            except AutograderError:
                raise
            except Exception:
                logs, offenders = without_offenders(logs, functools.partial(judge, tick=lambda: None))
                if not offenders:
                    raise
                results.update({log.found: _not_checked(log.found, error) for log, error in offenders})
                checked = judge(logs, tick=lambda: None)
            results.update(zip((log.found for log in logs), checked, strict=True))
    return [results[one] for one in found]


def _not_checked(found: FoundLog, error: Exception) -> Verified:
    """The result of a log for which the check itself failed."""
    _log.error("%s: the check failed:\n%s", printable(str(found.path), 500), traceback_of(error))
    message = f"The check failed on this log ({type(error).__name__}); please report this error, and review the log."
    folder = found.path.absolute().parent
    flag = Flag(FlagKind.NOT_CHECKED, message)
    return Verified(found.path, printable(folder.parent.name), printable(folder.name), flags=(flag,))


def _read(found: FoundLog, known: frozenset[str], root: Path) -> UsableLog | Verified:
    """Reads a log and reduces it to what is compared; returns the result directly if the log cannot be used."""
    try:
        log, flags = read_any_log(read_found(found))
    except UnusableError as error:
        log, flags = {}, [Flag(FlagKind.LOG_UNUSABLE, str(error))]
    if log and log["problem"] not in known:
        message = f"unknown problem {log['problem'][:80]!r}; this course has {', '.join(sorted(known))}."
        log, flags = {}, [Flag(FlagKind.LOG_UNUSABLE, message)]
    flags = [Flag(flag.kind, printable(flag.message, _LONGEST_MESSAGE)) for flag in flags]
    folder = found.path.absolute().parent
    if not log:
        student, problem_id = (printable(folder.parent.name), folder.name) if folder.name in known else ("", "")
        return Verified(found.path, student, problem_id, flags=tuple(flags))
    problem = load_problem(log["problem"], root)
    named = log["student"].strip()
    try:
        checked(named)
    except ValueError:
        flags.append(Flag(FlagKind.STRANGE_STUDENT, f"'{printable(named)}' is not a valid student id."))
    if log["profile"] == "grade":
        message = "The log has profile 'grade' (a few steps for the autograder): it is not from a training run."
        flags.append(Flag(FlagKind.OTHER_PROFILE, message))
    code, notes = _code(problem, log.get("code", {}), found)
    strangers = sorted(set(log["answers"]) - {item.id for item in problem.items})
    if strangers:
        notes.append(f"Answers to {len(strangers)} unknown items, e.g. {printable(strangers[0], 40)}; ignored.")
    owner = folder.parent.name if folder.name == problem.id else named
    return UsableLog(
        found=found,
        problem=problem.id,
        owner=owner,
        named=named,
        device=log["environment"]["device"],
        answers={
            item.id: log["answers"][item.id] if small_enough(log["answers"][item.id]) else ...
            for item in problem.items
            if item.id in log["answers"]
        },
        code=code,
        verified=Verified(
            path=found.path,
            student=printable(owner),
            problem=problem.id,
            profile=log["profile"],
            device=printable(log["environment"]["device"], 40),
            metrics=judge_metrics(log["metrics"], declared_ranges(problem), log["profile"]),
            flags=tuple(flags),
            notes=tuple(notes),
        ),
    )


def _code(problem: Problem, hashes: dict[str, str], found: FoundLog) -> tuple[dict[str, CodeVerdict], list[str]]:
    """Item id → whether its code is that of the notebook beside the log; and notes about the notebook."""
    try:
        notebook = read_notebook_beside(found, problem.id)
        if notebook is None:
            return {}, ["No notebook beside the log."]
        name = printable(notebook[0])
        rebuilt = rebuild(problem, read_cells(notebook[1], name), name)
    except UnusableError as error:
        return {}, [f"The code was not compared: {printable(str(error), _LONGEST_MESSAGE)}"]
    except (RecursionError, MemoryError) as error:
        what = f"the notebook is too deeply nested or too large ({type(error).__name__})"
        return {}, [f"The code was not compared: {what}."]
    items = sorted(rebuilt.found & hashes.keys())
    same = {item for item in items if hashes[item] == source_hash(rebuilt.source(item))}
    return {item: CodeVerdict.SAME if item in same else CodeVerdict.CHANGED for item in items}, []
