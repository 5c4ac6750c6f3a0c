"""Asks a student's functions for their answers on per-student inputs, and recognises known wrong solutions.

The answers stand in the log and are described to the student, so they are asked before the process knows a hidden
input. They cost and give no points.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autograder.course.problem import Item
from autograder.grading import misconceptions
from autograder.grading.answer_diff import compare
from autograder.grading.item_test import define_helpers
from autograder.grading.limits import ANSWER_SECONDS, FURTHER_INPUTS
from autograder.grading.notebook_run import NotebookRun
from autograder.grading.trusted_limits import ItemTimeoutError, TrustedLimits
from autograder.grading.verdict import Verdict, place_of
from autograder.sandbox.guest.wire import ClosedError, TooLateError
from autograder.sandbox.host import SessionDiedError
from autograder.sandbox.proxy import Link, RemoteError, Student

_MOST = 1500
"""Maximum length of the place of an error, in characters."""
_IN_LOG = "the full message is in your `submission_log.json`, among the answers."
_ENDED = "On your per-student inputs the Python process of your code ended."
_LATE = "On your per-student inputs your code did not finish in time."
_UNUSABLE = (
    "On your per-student inputs your result could not be used: check its type, its shape, the number of its parts, "
    "and whether a gradient flows through it."
)


@dataclass(frozen=True)
class Answer:
    """What came of asking one item; plain JSON."""

    value: Any = None
    """The answer, which may be None; None if there is none."""
    place: str = ""
    """Kind and place of the error that the student's code raised."""
    detail: str = ""
    """The error's text."""
    fault: str = ""
    """Why there is no answer, if the student's code raised no error."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no answer."""
        return bool(self.place or self.fault)

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended or is late, so that it cannot be asked anything else."""
        return self.fault in (_ENDED, _LATE)

    def why_missing(self, verdict: Verdict) -> str:
        """Why there is no answer, as a sentence; empty if the verdict already says it.

        Args:
            verdict: the verdict on the item.
        """
        if not self.place:
            return self.fault
        if self.place in verdict.message:
            is_said = self.detail in verdict.message
            return "" if is_said else f"On your per-student inputs the same happens; {_IN_LOG}"
        return f"On your per-student inputs your code raises {self.place[:_MOST]}; {_IN_LOG}"


def no_answer(error: BaseException) -> Answer:
    """The record of an error that was raised while an answer was asked for."""
    if isinstance(error, RemoteError):
        return Answer(place=place_of(error.error), detail=error.error.detail)
    if isinstance(error, ClosedError):
        return Answer(fault=_ENDED)
    return Answer(fault=_UNUSABLE if isinstance(error, Exception) else _LATE)


_Ask = Callable[[Item, str], Answer]


class PersonalAnswers:
    """Asks a notebook whose cells have been run.

    Args:
        notebook: the notebook.
    """

    def __init__(self, notebook: NotebookRun) -> None:
        self._notebook = notebook
        self._exam = notebook.exam
        self._reference = notebook.exam.reference

    def ask(self, items: Iterable[Item]) -> dict[str, Answer]:
        """Item id → what came of asking it, without those whose process could not be forked.

        All are asked in one fork, at the notebook's end, as its log cell does. What ends the fork is not asked again.
        """
        found: dict[str, Answer] = {}
        left = []
        for item in items if self._reference.problem.has_answers else ():
            known = self._exam.cache.get(self._key(item))
            if known is None:
                left.append(item)
            else:
                found[item.id] = Answer(**known)
        while left:
            before = len(left)
            with self._asking(before) as ask:
                while ask is not None and left:
                    item = left.pop(0)
                    answer = found[item.id] = ask(item, self._exam.student)
                    self._exam.cache.keep(self._key(item), asdict(answer), "")
                    if answer.has_ended:
                        break
            if len(left) == before:  # a process that cannot be forked is not asked again
                break
        return found

    def described(self, item: Item, answer: Answer, verdict: Verdict) -> tuple[str, ...]:
        """What is said about an answer to an item that did not pass."""
        if answer.is_missing:
            return tuple(filter(None, [answer.why_missing(verdict)]))
        right = misconceptions.expected(self._reference, item, self._exam.student)
        return () if right.value is None else compare(answer.value, right.value, right.precision)

    def recognised(self, answers: Mapping[Item, Answer]) -> dict[str, tuple[str, ...]]:
        """Item id → the known wrong solution that its code is, if it is the only one; or those that give its parts.

        They must agree on further inputs, too. The process may know hidden inputs by then: what is told are names of
        solutions.
        """
        found, candidates = dict[str, tuple[str, ...]](), dict[Item, dict[str, list[str]]]()
        for item, answer in answers.items():
            known = self._exam.cache.get(self._mistake_key(item))
            if known is not None:
                found[item.id] = tuple(known["misconceptions"])
            elif answer.value is not None:
                slugs = self._candidates(item, answer.value)
                if slugs:
                    candidates[item] = slugs
                else:
                    self._exam.cache.keep(self._mistake_key(item), {"misconceptions": []}, "")
        if candidates:
            with self._asking(len(candidates) * FURTHER_INPUTS) as ask:
                for item, slugs in candidates.items():
                    if ask is None:
                        break
                    found[item.id] = self._only_ones(item, slugs, ask)
                    self._exam.cache.keep(self._mistake_key(item), {"misconceptions": list(found[item.id])}, "")
        return found

    def _candidates(self, item: Item, value: Any) -> dict[str, list[str]]:
        """Part of a wrong answer → the known wrong solutions that give it; only `WHOLE` if one gives all of it."""
        whole = misconceptions.candidates(self._reference, item, value, self._exam.student)
        if whole:
            return {misconceptions.WHOLE: whole}
        return misconceptions.part_candidates(self._reference, item, value, self._exam.student)

    def _only_ones(self, item: Item, candidates: dict[str, list[str]], ask: _Ask) -> tuple[str, ...]:
        """The only solution that agrees on further inputs; where parts have different ones, all of them."""
        for number in range(FURTHER_INPUTS):
            inputs = f"{self._exam.student}, {number}"
            value = ask(item, inputs).value
            if value is None:
                return ()
            candidates = {
                part: misconceptions.that_answer(self._reference, item, slugs, value, inputs, part=part)
                for part, slugs in candidates.items()
            }
        only = sorted({slugs[0] for slugs in candidates.values() if len(slugs) == 1})
        return tuple(only) if misconceptions.WHOLE in candidates or len(only) > 1 else ()

    @contextlib.contextmanager
    def _asking(self, answers: int) -> Iterator[_Ask | None]:
        """A function that asks one item on the inputs of a student id, all in one fork; None if it cannot be asked."""
        process = self._notebook.process
        try:
            fork = process.fork(answers * (ANSWER_SECONDS + 1.0))
        except SessionDiedError:
            yield None
            return
        link = Link(fork.sock, cells=self._notebook.sources)
        link.watches_arguments = False  # only tests object to changed arguments; here the answer is wanted in any case

        def ask(item: Item, inputs: str) -> Answer:
            with self._exam.times.timed("answers"):
                link.wait_until(fork.session.patience(ANSWER_SECONDS))
                try:
                    with (
                        TrustedLimits(ANSWER_SECONDS + 1.0, self._exam.memory).applied(),
                        contextlib.redirect_stdout(io.StringIO()),
                    ):
                        define_helpers(link, self._reference)
                        link.seed(misconceptions.ANSWER_SEED)
                        with link.state().applied():
                            return Answer(misconceptions.answer(self._reference, item, Student(link), inputs))
                except (Exception, TooLateError, ItemTimeoutError, ClosedError) as error:
                    return no_answer(error)

        try:
            yield ask
        finally:
            process.end_fork(fork)

    def _key(self, item: Item) -> str:
        return self._notebook.state("answer", item.id, self._exam.student)

    def _mistake_key(self, item: Item) -> str:
        known = misconceptions.digest(self._reference, item)
        return self._notebook.state("misconception", item.id, self._exam.student, known)
