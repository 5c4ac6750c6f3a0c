"""Finds one student's submission and its earlier grading, and says what has changed since."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.batch.result_cache import latest_log
from autograder.batch.submitted_folder import submitted_folder
from autograder.core.errors import SetupError
from autograder.core.flags import FlagKind
from autograder.core.results import GradedLog, ItemResult, Outcome
from autograder.core.student_key import spellings, student_key
from autograder.core.text import is_text, listed, printable
from autograder.course.config import course_folder
from autograder.course.digests_of_tests import changed_items, digests
from autograder.course.problem import Item, Problem, load_problem
from autograder.course.seed import fingerprint, grading_seed, seed_with
from autograder.grading.grade import INPUTS_FROM, SOURCE_IS, asked_student
from autograder.inspect.remarks import of_environment
from autograder.report.load import read_graded_log
from autograder.submissions.class_folder import notebook_path
from autograder.submissions.log import read_log
from autograder.submissions.reader import Submission, UnusableError, read_cells, read_submission
from autograder.submissions.rebuild import Rebuilt, rebuild
from homework.errors import LogError


@dataclass(frozen=True)
class Subject:
    """One student's submission for one problem, and its earlier grading."""

    problem: Problem
    student: str
    """The name of the student's folder."""
    submitted: Path
    """The folder with the submissions."""
    out: Path
    """The folder with the results."""
    rebuilt: Rebuilt
    """The notebook as it is graded."""
    asked: str
    """The id for whose inputs the student's code is asked."""
    seed: str
    """The seed of the earlier grading if it is known, else the course's own."""
    recorded: GradedLog | None
    """The log of the earlier grading; None if there is none that can be read."""
    before: GradedLog | None
    """The log in the cache, if it differs from the recorded one."""
    notes: tuple[str, ...]
    """What has changed since the earlier grading, and what still holds."""

    def item(self, item_id: str) -> Item:
        """The item of that id.

        Raises:
            SetupError: the problem has no such item.
        """
        return item_of(self.problem, item_id)

    def recorded_item(self, item_id: str) -> ItemResult | None:
        """The recorded result of an item; None if there is none."""
        return next((one for one in (self.recorded.items if self.recorded else ()) if one.id == item_id), None)


def item_of(problem: Problem, item_id: str) -> Item:
    """The item of that id.

    Raises:
        SetupError: the problem has no such item.
    """
    found = next((item for item in problem.items if item.id == item_id), None)
    if found is None:
        ids = [item.id for item in problem.items]
        raise SetupError(
            f"{problem.id} has no item {printable(item_id)!r}.{_meant(item_id, ids)} Its items: {', '.join(ids)}."
        )
    return found


def find_subject(problem_id: str, student: str, out: Path, submitted: Path | None, root: Path) -> Subject:
    """Finds a submission and its earlier grading.

    Args:
        problem_id: problem id.
        student: the student's id, in any spelling of case.
        out: the folder that `autograder grade` wrote.
        submitted: the folder with the submissions; found if not given.
        root: the course's root folder.

    Raises:
        SourceError: unknown problem.
        SetupError: unknown student, no submission, no folder of submissions, or a notebook that cannot be graded.
    """
    problem = load_problem(problem_id, root)
    folder = _folder(submitted, out, problem_id, root)
    student = known_student(student, problem_id, out, folder)
    recorded, notes = _recorded(out, student, problem)
    submission = read_submission(notebook_path(folder, student, problem_id), student, folder)
    theirs, _ = read_log(submission.log, problem_id)
    try:
        if submission.fault:
            raise UnusableError(*submission.fault)
        rebuilt = rebuild(problem, read_cells(submission.notebook, submission.name), submission.name)
    except UnusableError as error:
        held = "" if recorded is None else f" The results in {out} say: {_standing(recorded)}."
        raise SetupError(
            f"{printable(student)} has no submission to {problem_id} that can be graded: {error}{held}"
        ) from None
    seed, said = _seed(recorded, root)
    notes += said
    if recorded is not None:
        notes += _changes(recorded, submission, problem)
    notes += of_environment(theirs.get("environment", {}))
    before = latest_log(root, problem_id, student)
    if before is not None and recorded is not None and _same(before, recorded):
        before = None
    return Subject(
        problem, student, folder, out, rebuilt, asked_student(theirs, student), seed, recorded, before, tuple(notes)
    )


def known_student(student: str, problem_id: str, out: Path, submitted: Path | None = None) -> str:
    """The name of the student's folder.

    Raises:
        SetupError: no student of that name has results or a submission.
    """
    names: list[str] = sorted({*_folders(out, problem_id), *(_folders(submitted, problem_id) if submitted else ())})
    if student in names:
        return student
    same = spellings(names).get(student_key(student), [])
    if len(same) == 1:
        return same[0]
    if same:
        raise SetupError(
            f"{printable(student)!r} may be {listed(list(map(repr, same)), 5)}; write it as the folder is named."
        )
    where = f"{out} or {submitted}" if submitted else f"{out}"
    told = _meant(student, names) or (
        f" Students there: {listed([printable(one) for one in names], 8)}." if names else ""
    )
    raise SetupError(
        f"unknown student {printable(student)!r}: no folder {printable(student)}/{problem_id} in {where}.{told}"
    )


def _folders(folder: Path, problem_id: str) -> Iterator[str]:
    """The students with a folder for the problem."""
    if folder.is_dir():
        for name in sorted(os.listdir(folder)):
            if (
                not name.startswith(".")
                and is_text(name)
                and os.path.lexists(notebook_path(folder, name, problem_id).parent)
            ):
                yield name


def _folder(submitted: Path | None, out: Path, problem_id: str, root: Path) -> Path:
    """The folder with the submissions."""
    if submitted is not None:
        return submitted
    noted = submitted_folder(out, problem_id)
    if noted is not None:
        return noted
    nbgraders = course_folder(root) / "submitted"
    if any(True for _ in _folders(nbgraders, problem_id)):
        return nbgraders
    raise SetupError(
        f"{out} does not say which folder of submissions was graded, or it is not there any more; give --submitted the "
        f"folder with <student>/{problem_id}/{problem_id}.ipynb."
    )


def _recorded(out: Path, student: str, problem: Problem) -> tuple[GradedLog | None, list[str]]:
    """The recorded log, and notes about it."""
    if not (out / student / problem.id).is_dir():
        return None, [f"Not graded yet: {out} has no results of {printable(student)} for {problem.id}."]
    try:
        return read_graded_log(out, student, problem.id), []
    except (UnusableError, LogError) as error:
        return None, [f"The recorded results cannot be used ({error}), e.g. because an older version wrote them."]


def _seed(recorded: GradedLog | None, root: Path) -> tuple[str, list[str]]:
    now = grading_seed(root)
    said = _flag(recorded, FlagKind.INPUTS, INPUTS_FROM)
    if recorded is None:
        return now, []
    if said is None:
        return now, ["The recorded results do not name their seed (an older version): hidden inputs may be others."]
    found = seed_with(root, said)
    if found is None:
        return now, [
            f"Graded with another seed (fingerprint {said}), which the course does not have (now {fingerprint(now)}): "
            "hidden inputs are others. Give it with `autograder --seed`. Visible checks are the same."
        ]
    if found != now:
        return found, [f"Graded with an earlier seed of the course (fingerprint {said}); it is used here, too."]
    return found, []


def _changes(recorded: GradedLog, submission: Submission, problem: Problem) -> list[str]:
    """What has changed since the recorded grading."""
    notes = []
    if recorded.notebook_sha256 != submission.notebook_sha256:
        notes.append(
            "The submitted notebook is not the one that was graded: it was replaced since. What follows is about the "
            "new one; `autograder grade` records it."
        )
    version = _flag(recorded, FlagKind.SOURCE, SOURCE_IS)
    if version is None and recorded.outcome is Outcome.GRADED:
        notes.append("An older version wrote the results: it is not known whether the problem's source changed since.")
    elif version is not None and version != problem.sha256:
        changed = changed_items(problem, digests(recorded.items))
        what = f"the tests or solutions of {listed(changed, 10)}" if changed else "but no test and no solution"
        notes.append(
            f"{problem.path.name} changed since this was graded ({what}): checks, points and inputs below are today's. "
            "The recorded scores hold until `autograder grade` runs again; where the score below is the same, the "
            "change does not matter."
        )
    points = {item.id: item.points for item in problem.items}
    others = [one.id for one in recorded.items if points.get(one.id) != one.max_score]
    others += [item.id for item in problem.items if item.id not in {one.id for one in recorded.items}]
    if others:
        notes.append(f"Items or their points changed since: {listed(others, 10)}.")
    return notes


def _flag(log: GradedLog | None, kind: FlagKind, message: str) -> str | None:
    """What stands in the place of `{}` in a flag's message; None if there is no such flag."""
    pattern = re.escape(message).replace(r"\{\}", r"(\w+)")
    found = (re.fullmatch(pattern, flag.message) for flag in (log.flags if log else ()) if flag.kind == kind)
    return next((match[1] for match in found if match), None)


def _standing(log: GradedLog) -> str:
    return f"{log.outcome}, {log.score:g} of {log.max_score:g} points"


def _same(one: GradedLog, other: GradedLog) -> bool:
    return one.notebook_sha256 == other.notebook_sha256 and [
        (item.id, item.score) for item in one.items if not item.graded_by_hand
    ] == [(item.id, item.score) for item in other.items if not item.graded_by_hand]


def _meant(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=3)
    return f" Did you mean {' or '.join(map(printable, near))}?" if near else ""
