"""Examines one rebuilt notebook: runs the student's cells in the sandbox and the tests here; returns a result per item.

Cells run in the notebook's order. Each item's test talks to a fork of the student's process, taken right after the
cells before the test. A cell or test that crashes, hangs or runs out of memory costs only its own item: the process is
restarted (`autograder.grading.cell_runner`), earlier cells run again without that cell, and the examination goes on.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.core.flags import Flag, FlagKind
from autograder.core.hashing import key_of
from autograder.core.machine import memory_at_most, slowness
from autograder.core.results import NEEDS_GRADING, ItemResult, Status
from autograder.core.software import software
from autograder.core.text import listed
from autograder.course.cell_selection import NOT_RUN
from autograder.course.name_analysis import NO_NAMES, names_of, needed
from autograder.course.problem import Item, Problem
from autograder.grading import misconceptions
from autograder.grading.answer_diff import compare
from autograder.grading.cell_runner import CellRun, StudentProcess
from autograder.grading.failed_cells import failed_cells, with_cause
from autograder.grading.item_cache import ItemCache
from autograder.grading.limits import ALL_CELLS_OUTPUT, ANSWER_SECONDS, ATTEMPTS, FURTHER_INPUTS, TEST_MEMORY
from autograder.grading.reference import Reference, quiet_process, reference, run_test
from autograder.grading.verdict import Verdict, broken_cell, dead, not_answered, verdict_of
from autograder.sandbox.guest.server import seed_everything
from autograder.sandbox.guest.wire import ClosedError, TooLateError
from autograder.sandbox.host import Host, SessionDiedError
from autograder.sandbox.proxy import Link, NotebookState, Student
from autograder.submissions.rebuild import Built, Rebuilt
from homework.checks import Part, inputs_from, recording

_ASKED_ON = (Status.PASSED, Status.PARTIAL, Status.FAILED, Status.ERROR)
"""Verdicts after which the code is also asked for its answer on per-student inputs."""
_DOUBTFUL = (Status.PARTIAL, Status.FAILED, Status.ERROR, Status.MISSING)
"""Verdicts that a cell which was left out may have caused; what ends its process is never asked again."""
_COMPARED = (Status.PARTIAL, Status.FAILED, Status.ERROR)
"""Verdicts after which that answer is compared with the right one."""
_MAY_FOLLOW = (*_COMPARED, Status.TIMEOUT, Status.CRASHED, Status.OUT_OF_MEMORY)
"""Verdicts that may follow from a wrong answer to another item, which the code uses."""


_SHORT_DETAIL = 100
"""Characters kept of a cell's error when there was too much output before."""

OnItem = Callable[[ItemResult], None]
"""Called with each item's result during an examination."""


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
    phases: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("start", "cells", "tests", "answers"), 0.0))
    """Seconds by phase (`results.PHASES`); `start` includes starting and ending all forks."""

    def add_times(self, other: Examined) -> None:
        """Adds the times of another pass."""
        for phase, seconds in other.phases.items():
            self.phases[phase] += seconds

    @contextlib.contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Adds the time that the block takes to a phase."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.phases[phase] += time.monotonic() - begin


@dataclass(frozen=True)
class _Asked:
    """What the student's code said to the questions about an item."""

    verdict: Verdict
    answer: Any = None
    """The answer on per-student inputs."""
    misconception: str = ""
    fault: str | None = ""
    """Why there is no answer; empty if the verdict says it, None if there is one."""
    has_ended: bool = False
    """Whether the fork has ended or is late, so that it cannot be asked anything else."""


class ItemTimeoutError(BaseException):
    """The test cell itself ran out of time. Not an `Exception`, so that tests do not catch it."""


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
    """
    wanted = [item for item in problem.items if items is None or item.id in items]
    examination = functools.partial(
        _Examination,
        problem,
        rebuilt,
        host,
        student=student,
        seed=seed,
        cache=cache or ItemCache(),
        attempts=attempts,
        answers=answers,
    )
    tell = on_item or (lambda result: None)
    with quiet_process(), inputs_from(seed):
        first = examination(wanted)
        done = first.run(tell)
        doubtful = [item for item in wanted if item.id in first.doubtful]
        is_whole = bool(doubtful) and (first.left_out or any(_lacks_a_name(result) for result in done.results))
        if is_whole:
            whole = examination(doubtful, whole=True, known=done.results)
            _improve(done, whole.run(tell))
        following = _following(reference(problem), wanted, done.results)
        if following:  # last, so that nothing that a stand-in answered can help in a test without one
            again = examination(following, whole=is_whole, known=done.results, follows=True)
            _replace(done, again.run(tell))
    return done


def _following(ours: Reference, items: Sequence[Item], results: Sequence[ItemResult]) -> list[Item]:
    """The items whose errors may follow from wrong functions on which they build."""
    wrong = {result.id for result in results if result.score < result.max_score}
    may = {result.id for result in results if result.status in _MAY_FOLLOW}
    return [item for item in items if item.kind == "code" and item.id in may and ours.builds_on(item) & wrong]


def _replace(done: Examined, again: Examined) -> None:
    """Takes over the results of items that were tested with stand-ins."""
    new = {result.id: result for result in again.results}
    done.results = [new.get(old.id, old) for old in done.results]
    done.add_times(again)


def _improve(done: Examined, whole: Examined) -> None:
    """Takes over the results of items that got more points, or a truer message, when all cells were run."""
    better = {
        result.id: result
        for old in done.results
        for result in whole.results
        if result.id == old.id and result.status in _ASKED_ON and result.score >= old.score
    }
    gained = [old.id for old in done.results if old.id in better and better[old.id].score > old.score]
    done.results = [better.get(old.id, old) for old in done.results]
    done.answers |= {item: answer for item, answer in whole.answers.items() if item in better}
    done.add_times(whole)
    if better:
        done.runs = whole.runs
        done.flags = [flag for flag in done.flags if flag.kind != FlagKind.FAILED_CELL]
        done.flags += [flag for flag in whole.flags if flag not in done.flags]
    if gained:
        message = f"{listed(gained, 6)}: counted as when the whole notebook was run; needed cells were not recognized."
        done.flags.append(Flag(FlagKind.WHOLE_NOTEBOOK, message))


class _Examination:
    """One pass over a notebook.

    Args:
        problem: the problem.
        rebuilt: the notebook.
        host: forks the processes for student code.
        wanted: the items to examine.
        student: the student's id.
        seed: of the grading run.
        cache: results of an earlier grading.
        attempts: how many times the process must die in a cell before the cell is blamed.
        answers: whether to ask for answers on per-student inputs.
        whole: whether to run all of the student's cells that do not train, what the student changed in given cells, the
            visible tests, and the given cells that those need, instead of only the cells that the wanted items seem to
            need.
        known: results of an earlier pass.
        follows: whether to test only with stand-ins for the wrong functions on which an item builds.
    """

    def __init__(
        self,
        problem: Problem,
        rebuilt: Rebuilt,
        host: Host,
        wanted: Sequence[Item],
        *,
        student: str,
        seed: str,
        cache: ItemCache,
        attempts: int,
        answers: bool,
        whole: bool = False,
        known: Sequence[ItemResult] = (),
        follows: bool = False,
    ) -> None:
        self._problem = problem
        self._results = {result.id: result for result in known}
        self._has_helpers: Link | None = None
        """The link that has the helpers of the tests."""
        self._replaced: dict[str, list[str]] = {}
        """Item id → the wrong functions that the reference's replaced when it was tested."""
        self._wanted = wanted
        self._cache = cache
        self._answers = answers
        self._follows = follows
        self._state = key_of(software(), seed, problem.id, host.level)
        """Digest of all cells so far, in order; it identifies the state of the student's process."""
        self._rebuilt = rebuilt
        self._student = student
        self._seed = seed
        self._reference: Reference = reference(problem)
        self._output = ALL_CELLS_OUTPUT
        self._done = Examined()
        self.doubtful: set[str] = set()
        """Items that did not pass and whose process did not die, so that a cell that was left out may be the reason."""
        cells = rebuilt.as_submitted if whole else rebuilt.cells
        self._sources = {built.id: built.source for built in cells}
        """Cell id → text."""
        sources = [_runnable(built) for built in cells]
        chosen = needed(sources, self._reference.wanted)
        always = {"test", "answer"}  # an answer that cannot be parsed binds no name; it is run to report the error
        chosen |= {
            n
            for n, built in enumerate(cells)
            if built.role in always and built.cell_type == "code" and not _is_manual(built)
        }
        own = {n for n, built in enumerate(cells) if sources[n] is not None and _is_own(built)} - chosen
        edited = any(_is_own(built) and built.edited is not None for built in cells)
        if whole:
            uses = {name for n in own for name in (names_of(cells[n].source) or NO_NAMES).uses}
            own |= needed(sources, uses) - chosen
        self._unsure = {cells[n].id for n in own} if whole else set()
        """Ids of the cells that no known name needs and that are run nevertheless."""
        self.left_out = (bool(own) or edited) and not whole
        """Whether cells of the student's were left out, or an original was run below what the student made of it."""
        self._host, self._attempts = host, attempts
        self._cells_seed = _seed(seed, problem.id, "cells")
        self._process = StudentProcess(host, self._cells_seed, self._sources, self._unsure, self._done.timed, attempts)
        self._has_tested = False
        tests = {item.test.grade_id for item in wanted if item.test is not None}
        is_asked = [built.cell is not None and built.cell.grade_id in tests for built in cells]
        last = max((n for n, asked in enumerate(is_asked) if asked), default=-1)
        end = len(cells) if len(wanted) == len(problem.items) else last + 1
        self._cells = [
            built
            for n, built in enumerate(cells[:end])
            if (n in chosen or built.id in self._unsure) and (built.role != "test" or is_asked[n])
        ]

    def run(self, on_item: OnItem) -> Examined:
        for item in self._wanted:
            if item.kind != "code":
                self._results[item.id] = self._manual(item)
                on_item(self._results[item.id])
        try:
            for built in self._cells:
                if built.id in self._unsure and self._process.unsure_left <= 0:
                    continue
                if built.role != "test":
                    self._run_cell(built)
                    continue
                assert built.cell is not None
                item = self._problem.item(built.cell.grade_id.removeprefix("test_"))
                self._results[item.id] = self._follow(item) if self._follows else self._examine(item)
                on_item(self._results[item.id])
            if self._answers and not self._follows:
                self._ask_who_passed()
        finally:
            self._process.close()
        self._done.flags += failed_cells(self._cells, self._done.runs)
        self._done.flags += self._redefined()
        for item in self._wanted:
            result = self._results[item.id]
            self._done.results.append(self._with_dependencies(item, result) if item.kind == "code" else result)
        return self._done

    def _with_dependencies(self, item: Item, result: ItemResult) -> ItemResult:
        """The item's result, with the ids of the wrong items that its code uses and that it was tested with."""
        names = names_of(self._rebuilt.source(item.id)) if item.id in self._rebuilt.answered else None
        if names is None or result.score >= item.points:
            return result
        wrong = [other for other in self._wrong(item) if other not in self._replaced.get(item.id, ())]
        return replace(result, depends_on=tuple(other for other in wrong if other in names.uses))

    def _redefined(self) -> list[Flag]:
        """A flag if the student redefined helpers of the tests, which then use the given ones."""
        own = [built.source for built in self._rebuilt.cells if built.role in ("answer", "free")]
        names = sorted({name for source in own for name in self._reference.helpers.redefined_in(source)})
        message = f"{listed(names, 6)}: redefined in the notebook; the tests used the given definition."
        return [Flag(FlagKind.TEST_HELPER, message)] if names else []

    def _wrong(self, item: Item) -> list[str]:
        """The other items that are known not to be right."""
        return [r.id for r in self._results.values() if r.score < r.max_score and r.id != item.id]

    def _stand_ins(self, item: Item) -> list[str]:
        """The functions that are not right, on which the item builds, and that its code uses."""
        functions = self._reference.builds_on(item) & set(self._wrong(item))
        if not functions:
            return []
        sources = [built.source for built in self._cells if built.role != "test"]
        uses = [(names_of(sources[n]) or NO_NAMES).uses for n in needed(sources, {item.id})]
        return sorted(one for one in functions if any(one in names for names in uses))

    # --- the student's cells ------------------------------------------------------------------------------------------

    def _run_cell(self, built: Built) -> None:
        """Runs a cell, or takes its cached result; the cell then runs later, if an item needs the process."""
        self._state = key_of(self._state, built.id, built.source)
        known = None if self._process.is_there else self._cache.get(self._state)
        if known is None:
            known = self._process.run(built)
            if self._has_tested and _says_something(known):
                known = self._untested.get(built.id) or _without_words(known)
            self._cache.keep(self._state, known, known.get("dead", ""))
        self._process.has_run(built, known.get("dead", ""))
        if "dead" not in known:
            run = CellRun.from_json(known)
            kept = replace(run, stdout=run.stdout[: self._output], stderr=run.stderr[: self._output])
            if kept.raised is not None and len(kept.raised.detail) > self._output:
                kept = replace(kept, raised=replace(kept.raised, detail=kept.raised.detail[:_SHORT_DETAIL]))
            said = len(kept.stdout) + len(kept.stderr) + (len(kept.raised.detail) if kept.raised else 0)
            self._output = max(0, self._output - said)
            if built.edited is None or not built.edited.is_test:  # a test that fails is no news
                self._done.runs[built.id] = kept

    @functools.cached_property
    def _untested(self) -> dict[str, dict[str, Any]]:
        """Cell id → what each cell says in a process in which nothing was tested.

        After a test the student's process may know its hidden inputs; what cells print or raise then is not shown.
        """
        process = StudentProcess(
            self._host, self._cells_seed, self._sources, self._unsure, self._done.timed, self._attempts
        )
        found = {}
        try:
            for built in self._cells:
                if built.role != "test" and not (built.id in self._unsure and process.unsure_left <= 0):
                    run = process.run(built)
                    process.has_run(built, run.get("dead", ""))
                    if "dead" not in run:
                        found[built.id] = run
        finally:
            process.close()
        return found

    # --- one item -----------------------------------------------------------------------------------------------------

    def _examine(self, item: Item) -> ItemResult:
        started = time.monotonic()
        early = self._before(item)
        key = self._key(item, early)
        found = self._cache.get(key)
        is_known = found is not None
        if found is None:
            found = self._found(item, early)
            if self._cache.keep(key, found, found["status"]):
                said = f"`{item.id}` got another status in an earlier grading of the same notebook (flaky)."
                self._done.flags.append(Flag(FlagKind.UNSTEADY, said))
        else:
            self._cache.items += 1
        if found["status"] in _DOUBTFUL and item.id in self._rebuilt.answered:
            self.doubtful.add(item.id)
        if found["answer"] is not None:
            self._done.answers[item.id] = found["answer"]
        return ItemResult(
            id=item.id,
            score=found["score"],
            max_score=item.points,
            status=Status(found["status"]),
            message=found["message"],
            seconds=0.0 if is_known else time.monotonic() - started,
            misconception=found["misconception"],
            output=tuple(found["output"]),
        )

    def _key(self, item: Item, early: Verdict | None) -> str:
        """The digest of everything that an item's result depends on."""
        assert item.test is not None
        known = "" if early is None else [str(early.status), early.message, early.fraction]
        asked = [item.id, item.points, item.seconds, item.test.source, misconceptions.digest(self._reference, item)]
        return key_of(self._state, sorted(self._process.dead), known, self._reference.digest, asked, self._student)

    def _follow(self, item: Item) -> ItemResult:
        """The item's result with the reference in the place of the wrong functions on which it builds."""
        old = self._results[item.id]
        stand_ins = [] if self._before(item) else self._stand_ins(item)
        if not stand_ins:
            return old
        key = key_of(self._key(item, None), stand_ins)
        found = self._cache.get(key)
        if found is None:
            verdict = self._with_stand_ins(item, stand_ins)
            found = {"fraction": verdict.fraction, "status": str(verdict.status), "message": verdict.message}
            self._cache.keep(key, found, found["status"])
        if found["status"] not in (*_COMPARED, Status.PASSED):
            return old
        self._replaced[item.id] = stand_ins
        return replace(
            old,
            score=round(item.points * found["fraction"], 6),
            status=Status(found["status"]),
            message=found["message"],
            misconception="" if found["status"] == Status.PASSED else old.misconception,
            output=(),
        )

    def _found(self, item: Item, early: Verdict | None) -> dict[str, Any]:
        asked = self._asked(item, early)
        verdict = asked.verdict
        output = [asked.fault] if asked.fault else []
        if early is None and asked.fault is None and verdict.status in _COMPARED:
            right = misconceptions.expected(self._reference, item, self._student)
            output = [] if right.value is None else list(compare(asked.answer, right.value, right.precision))
        return {
            "score": round(item.points * verdict.fraction, 6),
            "status": str(verdict.status),
            "message": verdict.message,
            "misconception": asked.misconception if verdict.status is not Status.PASSED else "",
            "answer": asked.answer,
            "output": output,
        }

    def _asked(self, item: Item, known: Verdict | None) -> _Asked:
        """What the student's code says to a test, and to the question on per-student inputs.

        That question goes to another fork: the answer stands in the log and is described to the student, and must not
        tell the hidden inputs of the test. If the test is passed, it is asked at the end (`_ask_who_passed`). Nothing
        is asked twice: code that ends its process in reply to a question must not get a second attempt.
        """
        if known is not None and known.status not in _ASKED_ON:
            return _Asked(known)
        asked = _Asked(known or self._with_fork(item, functools.partial(self._test, item)))
        if not self._answers or asked.verdict.status not in _COMPARED:
            return asked

        def answer(link: Link) -> Verdict:
            nonlocal asked
            asked = self._with_answer(item, link, asked)
            return asked.verdict

        self._with_fork(item, answer)
        return replace(asked, fault="") if known and asked.fault else asked

    def _ask_who_passed(self) -> None:
        """Asks for the per-student answers to all passed items in one fork, at the notebook's end, as its log does."""
        left: list[tuple[Item, str]] = []
        for item in self._wanted:
            if item.kind == "code" and self._results[item.id].status is Status.PASSED:
                key = key_of(
                    "answer", self._state, sorted(self._process.dead), self._reference.digest, item.id, self._student
                )
                known = self._cache.get(key)
                if known is None:
                    left.append((item, key))
                elif known["answer"] is not None:
                    self._done.answers[item.id] = known["answer"]

        def ask(link: Link) -> Verdict:
            while left:
                item, key = left.pop(0)
                asked = self._with_answer(item, link, _Asked(Verdict(Status.PASSED, "")))
                self._cache.keep(key, {"answer": asked.answer}, "")
                if asked.answer is not None:
                    self._done.answers[item.id] = asked.answer
                elif asked.has_ended:
                    break
            return Verdict(Status.PASSED, "")

        asked = -1
        while left and len(left) != asked:  # a process that cannot fork is not asked again
            asked = len(left)
            self._with_fork(left[0][0], ask)

    def _with_answer(self, item: Item, link: Link, asked: _Asked) -> _Asked:
        """Adds the answer on per-student inputs, and for a wrong one the misconception; it costs no points."""
        with self._done.timed("answers"):
            try:
                answer = self._answer(item, link, self._student)
            except (Exception, TooLateError, ItemTimeoutError, ClosedError) as error:
                fault = "" if asked.verdict.status is Status.PASSED else not_answered(error, asked.verdict)
                return replace(asked, fault=fault, has_ended=not isinstance(error, Exception))
            is_wrong = answer is not None and asked.verdict.status is not Status.PASSED
            misconception = self._recognised(item, link, answer) if is_wrong else ""
        return replace(asked, answer=answer, misconception=misconception, fault=None)

    def _recognised(self, item: Item, link: Link, answer: Any) -> str:
        """The known wrong solution that the code is, if there is one and only one; asked on further inputs, too."""
        found = misconceptions.candidates(self._reference, item, answer, self._student)
        for number in range(FURTHER_INPUTS if found else 0):
            inputs = f"{self._student}, {number}"
            try:
                got = self._answer(item, link, inputs)
            except (Exception, TooLateError, ItemTimeoutError, ClosedError):
                return ""
            found = misconceptions.that_answer(self._reference, item, found, got, inputs)
        return found[0] if len(found) == 1 else ""

    def _with_stand_ins(self, item: Item, names: list[str]) -> Verdict:
        """The verdict when the reference answers in place of the functions `names`, which the item's code uses.

        So an error costs its own item only, and a wrong function cannot make what builds on it right.
        """

        verdict = self._with_fork(item, functools.partial(self._test, item, stand_ins=names))
        own = listed([f"`{name}`" for name in names], 6)
        why = f"Tested with the right {own} in place of yours, because yours did not pass all checks."
        return replace(verdict, message=f"{verdict.message}\n{why}")

    def _before(self, item: Item) -> Verdict | None:
        """The verdict where no test is needed: no cell, an untouched stub, a cell that failed to run; else None."""
        if item.id in self._rebuilt.never_run:
            return Verdict(Status.MISSING, self._rebuilt.never_run[item.id])
        if item.id not in self._rebuilt.found:
            return Verdict(Status.MISSING, f"Your notebook has no cell that defines `{item.id}`.")
        if item.id not in self._rebuilt.answered:
            return Verdict(Status.MISSING, f"Not answered yet: `{item.id}` is still the stub you were given.")
        answer = self._rebuilt.answer(item.id)
        reason = self._process.dead.get(answer.id)
        if reason is not None:
            return dead(item, Status(reason), "its cell was run")
        run = self._done.runs.get(answer.id)
        if run is not None and run.raised is not None and (run.lost is None or item.id in run.lost):
            return broken_cell(
                item, run.raised, [built for built in self._cells if built is not answer], self._done.runs
            )
        return None

    def _test(self, item: Item, link: Link, stand_ins: Sequence[str] = ()) -> Verdict:
        """The verdict of the item's test, to which all other graded functions are right."""
        link.wait_until(self._process.patience(item.seconds))
        self._has_tested = True
        with self._done.timed("tests"):
            return self._tested(item, link, stand_ins)

    def _tested(self, item: Item, link: Link, stand_ins: Sequence[str]) -> Verdict:
        seed = _seed(self._seed, self._problem.id, item.id)
        functions, parts = self._reference.functions(item), list[Part]()
        state = NotebookState()
        try:
            with _limited(item.seconds + 1.0), contextlib.redirect_stdout(io.StringIO()):
                error = _caught(lambda: self._prepare(link, {name: functions[name] for name in stand_ins}, seed))
                if error is None:
                    state = link.state()
                    names = self._reference.test_names(Student(link, functions))
                    with state.applied(), recording() as parts:
                        error = _caught(lambda: run_test(item, names))
                verdict = verdict_of(item, error, parts, quiet=bool(stand_ins))  # it may tell what they answered
        except (TooLateError, ItemTimeoutError):
            verdict = dead(item, Status.TIMEOUT, f"it was tested ({item.seconds:g} s)")
        except ClosedError:
            return dead(item, Status.CRASHED, "it was tested")
        if verdict.status is Status.PASSED:
            return verdict
        message = with_cause(verdict.message, self._cells, self._done.runs)
        return replace(verdict, message="\n".join(filter(None, (message, state.warning))))

    def _prepare(self, link: Link, stand_ins: Mapping[str, Callable[..., Any]], seed: int) -> None:
        """Prepares both sides for a test; raises what the student's process makes of that."""
        link.state()  # asked once
        self._define_helpers(link)
        for name, function in stand_ins.items():
            link.replace(name, function)
        link.seed(seed)
        seed_everything(seed)

    def _define_helpers(self, link: Link) -> None:
        """Gives the student's process the helpers of the tests, once."""
        helpers = self._reference.helpers
        if helpers.names and self._has_helpers is not link:
            self._has_helpers = link
            link.define(helpers.names, helpers.sources, helpers.uses)

    def _answer(self, item: Item, link: Link, inputs: str) -> Any:
        """The student's answer on the inputs of this student id as plain JSON; errors are passed on."""
        link.watches_arguments = False  # only tests object to changed arguments; here the answer is wanted in any case
        link.wait_until(self._process.patience(ANSWER_SECONDS))
        with _limited(ANSWER_SECONDS + 1.0), contextlib.redirect_stdout(io.StringIO()):
            self._define_helpers(link)
            link.seed(misconceptions.ANSWER_SEED)
            with link.state().applied():
                return misconceptions.answer(self._reference, item, Student(link), inputs)

    def _with_fork(self, item: Item, ask: Callable[[Link], Verdict]) -> Verdict:
        """Calls `ask` with a link to a fork of the student's process."""
        try:
            sock = self._process.fork(item.seconds + (len(self._wanted) + FURTHER_INPUTS) * ANSWER_SECONDS + 1)
        except SessionDiedError as error:
            return dead(item, error.reason, "its test began")
        link = Link(sock, cells=self._sources)
        try:
            verdict = ask(link)
        finally:
            link.close()
            self._process.end_fork()
        if verdict.status is Status.CRASHED:
            self._process.come_back()  # raises if the host is gone, which is not the student's fault
        return verdict

    def _manual(self, item: Item) -> ItemResult:
        answered = item.id in self._rebuilt.answered
        status = Status.MANUAL if answered else Status.MISSING
        message = NEEDS_GRADING if answered else "Not answered."
        return ItemResult(item.id, 0.0, item.points, status, message, manual=True)


def _says_something(run: Mapping[str, Any]) -> bool:
    """Whether a cell's run, as plain JSON, has output or an error."""
    return any(run.get(part) for part in ("stdout", "stderr", "raised", "absent"))


def _without_words(run: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's run without anything that its code said."""
    raised = run["raised"] and {**run["raised"], "detail": ""}
    return {**run, "stdout": "", "stderr": "", "absent": [], "raised": raised}


def _is_own(built: Built) -> bool:
    """Returns whether this is a cell of the student's, and not a training or plotting cell that the student edited."""
    return built.role == "free" and not (built.edited is not None and built.edited.tags & NOT_RUN)


def _lacks_a_name(result: ItemResult) -> bool:
    """Whether a name was missing that a test cell of the student's notebook may define."""
    return result.status not in (Status.PASSED, Status.MANUAL) and "is not defined" in result.message


def _is_manual(built: Built) -> bool:
    return built.cell is not None and built.cell.is_manual


def _runnable(built: Built) -> str | None:
    """The cell's text if it may run in the sandbox, else None."""
    if built.cell_type != "code" or built.role == "test":
        return None
    if _is_manual(built) or (built.cell is not None and built.cell.tags & NOT_RUN):
        return None
    return built.source


def _caught(action: Callable[[], Any]) -> Exception | None:
    """Returns what the action raised; a closed or late link is left to the caller."""
    try:
        action()
    except Exception as error:
        return error
    return None


def _seed(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:4], "big")


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Limits time and memory of trusted code that works on the student's values."""
    with memory_at_most(TEST_MEMORY), _alarm(seconds):
        yield


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupts trusted code after so much CPU time (more on a slow machine); in the main thread only."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: Any) -> None:
        raise ItemTimeoutError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds * slowness())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
