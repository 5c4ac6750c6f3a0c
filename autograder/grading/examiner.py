"""Examines one rebuilt notebook: runs the student's cells in the sandbox and the tests here; returns a result per item.

      cells ──> cells ──> cells          a cell runs in the session; at each item's test the session is forked
        │         │         │
     visible   visible   visible         the fork answers the visible part of the test, then waits
        │         │         │
        ·         ·         ·            answers on per-student inputs
        │         │         │
      hidden    hidden    hidden         the fork answers the hidden part

So all that is shown of the student's process was said before it knew a hidden input (`grading.item_test`). Where an
item is tested again after that, with all cells or with functions of the reference, nothing that is said is shown.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.core.flags import Flag, FlagKind
from autograder.core.hashing import key_of
from autograder.core.results import NEEDS_GRADING, ItemResult, Status
from autograder.core.text import listed
from autograder.course.problem import Item, Problem
from autograder.grading.cell_runner import CellRun
from autograder.grading.failed_cells import failed_cells
from autograder.grading.following_errors import follow_errors
from autograder.grading.item_cache import ItemCache
from autograder.grading.item_test import ForkLostError, ItemTest, quiet_verdict
from autograder.grading.limits import ATTEMPTS
from autograder.grading.notebook_run import Exam, NotebookRun
from autograder.grading.personal_answers import Answer, PersonalAnswers
from autograder.grading.reference import quiet_process
from autograder.grading.verdict import ANSWERED, WRONG, Verdict, hidden_check
from autograder.sandbox.host import Host
from autograder.submissions.rebuild import Rebuilt
from homework.checks import inputs_from

_DOUBTFUL = (*WRONG, Status.MISSING)
"""Verdicts that a cell which was left out may have caused; what ends its process is never asked again."""

OnItem = Callable[[ItemResult], None]
"""Called with each item's result during an examination."""


@dataclass(frozen=True)
class Way:
    """How the verdict on an item came about."""

    whole: bool = False
    """Whether all cells of the notebook were run, see `chosen_cells`."""
    stand_ins: tuple[str, ...] = ()
    """Functions of the student's in whose place the reference answered."""


@dataclass
class Examined:
    """The outcome of an examination."""

    results: list[ItemResult] = field(default_factory=list)
    runs: dict[str, CellRun] = field(default_factory=dict)
    """Cell id → what the cell printed and raised, for each cell that was run."""
    answers: dict[str, Any] = field(default_factory=dict)
    """Item id → the student's answer on per-student inputs, as plain JSON."""
    flags: list[Flag] = field(default_factory=list)
    """Remarks for staff."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds by phase (`results.PHASES`)."""
    ways: dict[str, Way] = field(default_factory=dict)
    """Item id → how its verdict came about, where it is not that of the first test."""


def examine(
    problem: Problem,
    rebuilt: Rebuilt,
    host: Host,
    *,
    student: str,
    seed: str,
    cache: ItemCache | None = None,
    on_item: OnItem | None = None,
    attempts: int = ATTEMPTS,
    items: Collection[str] | None = None,
    answers: bool = True,
    seconds: float = math.inf,
) -> Examined:
    """Examines a notebook.

    Args:
        problem: the problem.
        rebuilt: the release with the student's answers in it.
        host: forks the processes for student code.
        student: the student's id; the per-student inputs are drawn from it.
        seed: of the grading run, for the tests' inputs and the global generators.
        cache: results of an earlier grading; none if not given.
        on_item: called with each item's result as soon as it is known.
        attempts: how many times the process must die in a cell before the cell is blamed.
        items: ids of the only items to examine; all if not given. Cells below the last of some items are not run.
        answers: whether to ask for answers on per-student inputs, which name misconceptions and give no points.
        seconds: the time for the examination; tests get shorter limits so that it is enough for all.
    """
    until = time.monotonic() + seconds
    exam = Exam(problem, rebuilt, host, student, seed, cache or ItemCache(), attempts, until)
    wanted = [item for item in problem.items if items is None or item.id in items]
    tell = on_item or (lambda result: None)
    with quiet_process(), inputs_from(seed):
        first = _Pass(exam, wanted, tell, answers=answers)
        done = first.run()
        doubtful = first.doubtful()
        if doubtful:
            _improve(done, _with_all_cells(exam, doubtful))
        done.results, tested_with = follow_errors(exam, wanted, done.results, whole=bool(doubtful))
        done.ways |= {item: Way(bool(doubtful), tuple(names)) for item, names in tested_with.items()}
    for result in done.results:
        tell(result)
    done.flags += _redefined(exam)
    done.phases = dict(exam.times)
    return done


def _with_all_cells(exam: Exam, items: Sequence[Item]) -> dict[str, Verdict]:
    """Item id → its verdict when all cells are run, also those that no item seems to need."""
    with contextlib.closing(NotebookRun(exam, items, whole=True)) as notebook:
        return {item.id: quiet_verdict(item, notebook) for item in notebook.items()}


def _improve(done: Examined, verdicts: Mapping[str, Verdict]) -> None:
    """Takes over verdicts that give more points, or as many where a name was missing and is not any more."""
    gained = []
    for number, old in enumerate(done.results):
        verdict = verdicts.get(old.id)
        if verdict is None or verdict.status not in ANSWERED:
            continue
        score = verdict.score(old.max_score)
        if score > old.score:
            gained.append(old.id)
        says_more = "NameError" not in verdict.message and verdict.message != hidden_check(old.id)
        is_truer = score == old.score and _lacks_a_name(old) and says_more
        if score > old.score or is_truer:
            done.ways[old.id] = Way(whole=True)
            done.results[number] = replace(
                old,
                score=score,
                status=verdict.status,
                message=verdict.message,
                misconception="",
                part_misconceptions=(),
                output=(),
            )
    if gained:
        message = f"{listed(gained, 6)}: counted as when the whole notebook was run; needed cells were not recognized."
        done.flags.append(Flag(FlagKind.WHOLE_NOTEBOOK, message))


def _redefined(exam: Exam) -> list[Flag]:
    """Flags if the student redefined what the tests use: their helpers, or other given functions and classes."""
    own = [built.source for built in exam.rebuilt.cells if built.role in ("answer", "free")]
    helpers = exam.reference.helpers
    flags = []
    for names, what in (
        ({name for source in own for name in helpers.redefined_in(source)}, "used the given definition"),
        ({name for source in own for name in helpers.changed_in(source)}, "used the student's"),
    ):
        if names:
            message = f"{listed(sorted(names), 6)}: redefined in the notebook; the tests {what}."
            flags.append(Flag(FlagKind.TEST_HELPER, message))
    return flags


def _lacks_a_name(result: ItemResult) -> bool:
    """Whether a name was missing that a test cell of the student's notebook may define."""
    return result.status not in (Status.PASSED, Status.MANUAL) and "is not defined" in result.message


@dataclass
class _Tested:
    """An item whose test was begun, or whose verdict was known without."""

    item: Item
    key: str
    """Digest of everything that the verdict depends on."""
    test: ItemTest
    verdict: Verdict | None = None
    """None until it is known."""
    is_cached: bool = False
    """Whether the verdict is an earlier grading's."""
    is_tested: bool = True
    """Whether there was something to test."""
    is_lost: bool = False
    """Whether the fork ended while it, or others, waited."""
    seconds: float = 0.0
    answer: Answer | None = None
    """The answer on per-student inputs."""

    @contextlib.contextmanager
    def unless_lost(self) -> Iterator[None]:
        """Notes whether the fork is lost in the block."""
        try:
            yield
        except ForkLostError:
            self.is_lost = True

    def has(self, statuses: Collection[Status]) -> bool:
        """Whether the verdict is one of these."""
        return self.verdict is not None and self.verdict.status in statuses

    def result(self, misconceptions: tuple[str, ...] = (), output: tuple[str, ...] = ()) -> ItemResult:
        """The item's result."""
        assert self.verdict is not None
        return ItemResult(
            id=self.item.id,
            score=self.verdict.score(self.item.points),
            max_score=self.item.points,
            status=self.verdict.status,
            message=self.verdict.message,
            seconds=self.seconds,
            misconception=misconceptions[0] if len(misconceptions) == 1 else "",
            part_misconceptions=misconceptions if len(misconceptions) > 1 else (),
            output=output,
            test_digest=self.item.test_digest,
        )


class _Pass:
    """One pass over a notebook.

    Args:
        exam: what is examined.
        wanted: the items to examine.
        tell: called with each item's result.
        answers: whether to ask for answers on per-student inputs.
    """

    def __init__(self, exam: Exam, wanted: Sequence[Item], tell: OnItem, *, answers: bool) -> None:
        self._exam = exam
        self._wanted = wanted
        self._tell = tell
        self._answers = answers
        self._notebook = NotebookRun(exam, wanted)
        self._tested: list[_Tested] = []
        self._flags: list[Flag] = []

    def doubtful(self) -> list[Item]:
        """The items that did not pass, if cells that were left out may be the reason."""
        answered = self._exam.rebuilt.answered
        found = [one for one in self._tested if one.has(_DOUBTFUL) and one.item.id in answered]
        may_be = self._notebook.left_out or any(_lacks_a_name(one.result()) for one in self._tested)
        return [one.item for one in found] if may_be else []

    def run(self) -> Examined:
        """Examines the items."""
        results = {item.id: self._manual(item) for item in self._wanted if item.kind != "code"}
        with contextlib.closing(self._notebook) as notebook:
            for item in notebook.items():
                self._tested.append(self._begun(item))
            questions = PersonalAnswers(notebook)
            self._ask(questions)
            lost = [tested for tested in self._tested if not self._finish(tested)]
            wrong = {one.item: one.answer for one in self._tested if one.answer and one.has(WRONG)}
            mistakes = questions.recognised(wrong)
        if lost:
            self._test_again(lost)
        for tested in self._tested:
            assert tested.verdict is not None
            answer = wrong.get(tested.item)
            said = questions.described(tested.item, answer, tested.verdict) if answer else ()
            results[tested.item.id] = tested.result(mistakes.get(tested.item.id, ()), said)
            self._tell(results[tested.item.id])
        return Examined(
            results=[results[item.id] for item in self._wanted],
            runs=notebook.runs,
            answers={
                tested.item.id: tested.answer.value
                for tested in self._tested
                if tested.answer is not None and tested.answer.value is not None and tested.has(ANSWERED)
            },
            flags=[*self._flags, *self._faults(), *failed_cells(notebook.answered, notebook.runs)],
        )

    def _faults(self) -> list[Flag]:
        """A flag for each test that has an error of its own."""
        found = [one.verdict.fault for one in self._tested if one.verdict is not None and one.verdict.fault]
        return [Flag(FlagKind.GRADER_ERROR, f"{fault[:1].upper()}{fault[1:]}.") for fault in found]

    def _manual(self, item: Item) -> ItemResult:
        answered = item.id in self._exam.rebuilt.answered
        status = Status.MANUAL if answered else Status.MISSING
        message = NEEDS_GRADING if answered else "Not answered."
        result = ItemResult(item.id, 0.0, item.points, status, message, manual=True)
        self._tell(result)
        return result

    def _begun(self, item: Item) -> _Tested:
        """Begins an item's test, if its verdict is not known without."""
        started = time.monotonic()
        test, early = ItemTest(item, self._notebook), self._notebook.before_test(item)
        key = test.key if early is None else key_of(test.key, early.as_json())
        tested = _Tested(item, key, test, early, is_tested=early is None)
        found = self._exam.cache.get(key)
        if found is not None:
            self._exam.cache.items += 1
            tested.verdict, tested.is_cached = Verdict.from_json(found), True
        elif early is None:
            with tested.unless_lost():
                tested.verdict = test.begin()
            tested.seconds = time.monotonic() - started
        if tested.verdict is not None:
            self._tell(tested.result())
        return tested

    def _ask(self, questions: PersonalAnswers) -> None:
        """Asks for the answers on per-student inputs; code that ended its process does not get a second attempt."""
        known = [one for one in self._tested if one.is_tested and not one.is_lost]
        asked = [one for one in known if one.verdict is None or one.has(ANSWERED)]
        answers = questions.ask(one.item for one in asked) if self._answers else {}
        for tested in asked:
            tested.answer = answers.get(tested.item.id)

    def _finish(self, tested: _Tested) -> bool:
        """Completes a test; returns False if its fork was lost."""
        if tested.verdict is None and not tested.is_lost:
            started = time.monotonic()
            with tested.unless_lost():
                tested.verdict = tested.test.finish()
            tested.seconds += time.monotonic() - started
        if tested.is_lost:
            return False
        self._keep(tested)
        self._tell(tested.result())
        return True

    def _test_again(self, lost: Sequence[_Tested]) -> None:
        """Tests items whose forks were lost, each alone, from beginning to end; shows only what they said before.

        Cells or other tests may have ended the process, or taken its memory.
        """
        waiting = {tested.item: tested for tested in lost}
        run = NotebookRun(self._exam, list(waiting), dead=self._notebook.killers)
        with contextlib.closing(run) as notebook:
            for item in notebook.items():
                tested = waiting[item]
                tested.verdict = quiet_verdict(item, notebook, said=tested.test.visible)
                self._keep(tested)

    def _keep(self, tested: _Tested) -> None:
        """Caches a verdict."""
        assert tested.verdict is not None
        if not tested.is_cached and self._exam.cache.keep(tested.key, tested.verdict.as_json(), tested.verdict.status):
            said = f"`{tested.item.id}` got another status in an earlier grading of the same notebook (flaky)."
            self._flags.append(Flag(FlagKind.UNSTEADY, said))
