"""Checks the answers in a class's logs to one problem: right, wrong in a known way, or copied from another student."""

from __future__ import annotations

import functools
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.core.errors import SourceError
from autograder.core.flags import Flag, FlagKind
from autograder.core.student_key import same_student, spellings, student_key
from autograder.core.text import listed, printable
from autograder.course.problem import Item, Problem
from autograder.course.variants import misconception_text
from autograder.grading.misconceptions import Expected, asked_items, expected, recognise
from autograder.grading.reference import Reference, reference
from autograder.grading.tolerance import for_device, is_accelerator, same
from autograder.verify.copied_answers import PROOF, RightAnswers, is_telling
from autograder.verify.discover import FoundLog
from autograder.verify.result import CodeVerdict, Verdict, Verified, VerifiedItem
from homework.hand_in.identity import ANONYMOUS

_MESSAGES: Mapping[Verdict, str] = {
    Verdict.RIGHT: "The answer on your inputs is right.",
    Verdict.WRONG: "The answer on your inputs is not right.",
    Verdict.MISSING: "The log holds no answer. Run the whole notebook, then the cell that writes the log again.",
    Verdict.COPIED: "The answer does not belong to your inputs. Set your own student id, then run your own code.",
}


@dataclass(frozen=True)
class UsableLog:
    """A log that follows the schema, reduced to what is compared."""

    found: FoundLog
    problem: str
    owner: str
    """The student who submitted it."""
    named: str
    """The student named in it."""
    device: str
    answers: Mapping[str, Any]
    """Item id → answer; `...` for one that is too large to be an answer."""
    code: Mapping[str, CodeVerdict]
    verified: Verified
    """The result before the answers are checked."""


@dataclass
class _Checked:
    """The verdicts on one log's answers so far."""

    log: UsableLog
    inputs_of: str
    """The student whose inputs the log's answers were computed from."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    misconceptions: dict[str, str] = field(default_factory=dict)
    similar: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Other student → items with that student's right answer."""
    copied_from: list[str] = field(default_factory=list)

    @property
    def is_own(self) -> bool:
        """Whether the log names the student who submitted it."""
        return same_student(self.log.owner, self.log.named)

    def wrong(self) -> list[str]:
        """The items with unexplained wrong answers."""
        return [item for item, verdict in self.verdicts.items() if verdict is Verdict.WRONG]


def judge_class(
    problem: Problem, logs: Sequence[UsableLog], *, misconceptions: bool, tick: Callable[[], None]
) -> list[Verified]:
    """Returns a result for each log, in the same order.

    Args:
        problem: the problem of all these logs.
        logs: the logs of a class.
        misconceptions: whether to name known misconceptions.
        tick: called twice for each log.

    Raises:
        SourceError: the problem's own solution cannot answer.
    """
    return _Class(problem, logs).checked(misconceptions, tick)


class _Class:
    def __init__(self, problem: Problem, logs: Sequence[UsableLog]) -> None:
        self._problem = problem
        self._reference: Reference = reference(problem)
        self._items: dict[str, Item] = {item.id: item for item in asked_items(self._reference)}
        self._owners_of: dict[str, set[str]] = defaultdict(set)
        """Key of the student named in a log → students who submitted such a log."""
        for log in logs:
            self._owners_of[student_key(log.named)].add(log.owner)
        self._known: dict[tuple[str, str], Expected] = {}
        owners = spellings(log.owner for log in logs)
        self._judged = [_Checked(log, _inputs_of(log, owners)) for log in logs]
        students = {log.owner for log in logs} | {log.inputs_of for log in self._judged if log.is_own}
        self._right = {
            item: RightAnswers(sorted(students), functools.partial(self._expected, item)) for item in self._items
        }

    def _expected(self, item: str, student: str) -> Expected:
        try:
            if (item, student) not in self._known:
                self._known[item, student] = expected(self._reference, self._items[item], student)
            return self._known[item, student]
        except Exception as error:
            raise SourceError(
                f"{self._problem.path}: the solution of {item} raises {error!r} on the inputs of {student[:80]!r}."
            ) from error

    def checked(self, misconceptions: bool, tick: Callable[[], None]) -> list[Verified]:
        for checked in self._judged:
            self._compare(checked)
            tick()
        for checked in self._judged:
            self._look_up(checked)
        for checked in self._judged:
            self._explain(checked, misconceptions)
            tick()
        notes = self._compare_with_each_other()
        return list(map(self._verified, self._judged, notes))

    def _compare(self, checked: _Checked) -> None:
        """Sets a first verdict on each item: right, missing, raised or, so far, wrong."""
        for item in self._items:
            if item not in checked.log.answers:
                verdict = Verdict.MISSING
            elif _raised(checked.log.answers[item]):
                verdict = Verdict.ERROR
            else:
                right = self._expected(item, checked.inputs_of)
                is_right = same(checked.log.answers[item], right.value, right.precision)
                verdict = Verdict.RIGHT if is_right else Verdict.WRONG
            checked.verdicts[item] = verdict

    def _look_up(self, checked: _Checked) -> None:
        """Finds other students for whom wrong answers are right."""
        for item in checked.wrong():
            for other in self._right[item].owners(checked.log.answers[item], checked.log.device):
                if other != checked.inputs_of and not same_student(other, checked.log.owner):
                    checked.similar[other].append(item)
        self._mark_copied(checked)

    def _mark_copied(self, checked: _Checked) -> None:
        """Marks answers as copied if enough of them are another student's."""
        for other, items in sorted(checked.similar.items()):
            if any(worth >= PROOF for worth in itertools.accumulate(self._right[item].worth for item in items)):
                checked.verdicts.update(dict.fromkeys(items, Verdict.COPIED))
                if other not in checked.copied_from:
                    checked.copied_from.append(other)

    def _explain(self, checked: _Checked, name_them: bool) -> None:
        """Names the misconceptions behind wrong answers; on a GPU, accepts right answers that are less exact."""
        for item in checked.wrong():
            got, student, device = checked.log.answers[item], checked.inputs_of, checked.log.device
            if got is ...:
                continue
            name = recognise(self._reference, self._items[item], got, student) if name_them else ""
            if not name and is_accelerator(device):
                right = self._expected(item, student)
                if same(got, right.value, for_device(right.precision, device)):
                    checked.verdicts[item] = Verdict.RIGHT
                    continue
                name = recognise(self._reference, self._items[item], got, student, device) if name_them else ""
            if name:
                checked.verdicts[item] = Verdict.MISCONCEPTION
                checked.misconceptions[item] = name

    def _compare_with_each_other(self) -> list[list[str]]:
        """Finds unexplained answers shared digit for digit; they are copied if they depend on the inputs."""
        holders = defaultdict(list)
        for checked in self._judged:
            for item, verdict in checked.verdicts.items():
                if verdict in (Verdict.WRONG, Verdict.MISCONCEPTION) and is_telling(checked.log.answers[item]):
                    holders[_key(item, checked.log.answers[item])].append(checked)
        notes: list[list[str]] = []
        for checked in self._judged:
            partners = defaultdict(list)
            for item in checked.wrong():
                for other in holders.get(_key(item, checked.log.answers[item]), ()):
                    if not same_student(other.log.owner, checked.log.owner):
                        partners[item].append(other)
            notes.append([])
            for item, others in partners.items():
                names = _names(sorted({other.log.owner for other in others}))
                notes[-1].append(f"{item}: {names} logged the same unexplained answer.")
                for other in others:
                    if other.verdicts[item] is Verdict.MISCONCEPTION and other.inputs_of != checked.inputs_of:
                        checked.similar[other.log.owner].append(item)
        for checked in self._judged:
            self._mark_copied(checked)
        return notes

    def _verified(self, checked: _Checked, notes: Sequence[str]) -> Verified:
        known = checked.log.verified
        return replace(
            known,
            items=tuple(self._item(checked, item) for item in self._items),
            copied_from=tuple(printable(other) for other in checked.copied_from),
            flags=(*known.flags, *self._about_the_name(checked)),
            notes=(*known.notes, *notes),
        )

    def _item(self, checked: _Checked, item: str) -> VerifiedItem:
        verdict, slug = checked.verdicts[item], checked.misconceptions.get(item, "")
        if verdict is Verdict.MISCONCEPTION:
            message = misconception_text(self._problem, item, slug)
        elif verdict is Verdict.ERROR:
            message = f"Your code raised an error on your inputs: {printable(checked.log.answers[item]['error'], 200)}"
        else:
            message = _MESSAGES[verdict]
        return VerifiedItem(item, verdict, message, slug, checked.log.code.get(item, CodeVerdict.UNKNOWN))

    def _about_the_name(self, checked: _Checked) -> list[Flag]:
        log = checked.log
        if log.owner == log.named == ANONYMOUS:
            return [Flag(FlagKind.ANONYMOUS, "The log is anonymous: its answers do not show who computed them.")]
        if checked.is_own:
            return []
        message = f"The log is for student '{printable(log.named)}', but was submitted by '{printable(log.owner)}'."
        if others := sorted(self._owners_of[student_key(log.named)] - {log.owner}):
            message += f" The same name is in the log of {_names(others)}."
        return [Flag(FlagKind.OTHER_STUDENT, message)]


def _inputs_of(log: UsableLog, owners: Container[str]) -> str:
    """The student id that the log's answers should be for, spelled as in the log where the log is the student's own."""
    named = student_key(log.named)
    return log.owner if named in owners and named != student_key(log.owner) else log.named


def _raised(got: Any) -> bool:
    return isinstance(got, dict) and got.keys() == {"error"} and isinstance(got["error"], str)


def _key(item: str, got: Any) -> tuple[str, str]:
    return item, json.dumps(got, sort_keys=True, default=str)


def _names(students: Sequence[str]) -> str:
    return listed([printable(student) for student in students], 3)
