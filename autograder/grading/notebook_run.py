"""Runs a rebuilt notebook's cells in order and stops at the test of each wanted item.

A cell that crashes, hangs or runs out of memory costs only what it defines: the process is restarted
(`autograder.grading.cell_runner`), earlier cells run again without that cell, and the run goes on.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.core.hashing import key_of
from autograder.core.machine import memory_with
from autograder.core.results import Status
from autograder.core.software import software
from autograder.course.problem import Item, Problem
from autograder.grading.cell_runner import CellRun, StudentProcess
from autograder.grading.chosen_cells import chosen_cells
from autograder.grading.item_cache import ItemCache
from autograder.grading.limits import ALL_CELLS_OUTPUT, TEST_MEMORY
from autograder.grading.phase_times import PhaseTimes
from autograder.grading.reference import Reference, reference
from autograder.grading.verdict import Verdict, broken_cell, dead
from autograder.sandbox.host import Host
from autograder.submissions.rebuild import Built, Rebuilt

_SHORT_DETAIL = 100
"""Characters kept of a cell's error when there was too much output before."""


@dataclass(frozen=True)
class Exam:
    """What is examined, and how."""

    problem: Problem
    rebuilt: Rebuilt
    """The notebook."""
    host: Host
    """Forks the processes for student code."""
    student: str
    """The student's id, from which the per-student inputs are drawn."""
    seed: str
    """Of the grading run, for the tests' inputs and the global generators."""
    cache: ItemCache
    """Results of an earlier grading."""
    attempts: int
    """How many times the process must die in a cell before the cell is blamed."""
    until: float = math.inf
    """When the examination should end, by `time.monotonic()`."""
    times: PhaseTimes = field(default_factory=PhaseTimes)
    memory: int = field(default_factory=lambda: memory_with(TEST_MEMORY))
    """Bytes that the address space of this process may have while it works on values of the student's."""

    @property
    def reference(self) -> Reference:
        """The problem's reference."""
        return reference(self.problem)

    def seconds_for(self, item: Item) -> float:
        """The limit of the item's test: its own, but at most half of the time that is left for all."""
        return max(1.0, min(item.seconds, (self.until - time.monotonic()) / 2))

    def seed_for(self, purpose: str) -> int:
        """The seed of the global generators for the cells, or for an item's test."""
        digest = hashlib.sha256("\0".join((self.seed, self.problem.id, purpose)).encode()).digest()
        return int.from_bytes(digest[:4], "big")


class NotebookRun:
    """One run of a notebook in a process of its own.

    Args:
        exam: what is examined.
        wanted: the items to stop at.
        whole: whether to run all cells, see `chosen_cells`.
        dead: cells that killed an earlier process, and how; they are not run.

    Attributes:
        cells: the cells to run, and the tests.
        sources: cell id → text.
        runs: cell id → what the cell printed and raised, for each cell that was run.
        killers: cell id → how the cell killed the process when it was its turn.
        left_out: whether cells of the student's are not run, see `ChosenCells`.
    """

    def __init__(
        self, exam: Exam, wanted: Sequence[Item], *, whole: bool = False, dead: Mapping[str, str] | None = None
    ) -> None:
        self.exam = exam
        self.runs: dict[str, CellRun] = {}
        self.killers = dict(dead or {})
        chosen = chosen_cells(exam.problem, exam.rebuilt, wanted, exam.reference.wanted, whole=whole)
        self.cells, self.left_out = chosen.cells, chosen.left_out
        self._unsure = chosen.unsure
        self.sources = {
            built.id: built.source for built in (exam.rebuilt.as_submitted if whole else exam.rebuilt.cells)
        }
        self._state = key_of(software(), exam.seed, exam.problem.id, exam.problem.files_digest, exam.host.level)
        """Digest of all cells so far, in order; it identifies the state of the student's process."""
        self._output = ALL_CELLS_OUTPUT
        self.process = StudentProcess(
            exam.host,
            exam.seed_for("cells"),
            self.sources,
            chosen.unsure,
            exam.times.timed,
            exam.attempts,
            dead,
            exam.problem.files,
        )

    @property
    def answered(self) -> list[Built]:
        """The cells without those of items that are not answered, whose stubs raise."""
        answers = self.exam.rebuilt.answered
        return [one for one in self.cells if one.role != "answer" or (one.cell and one.cell.grade_id in answers)]

    def items(self) -> Iterator[Item]:
        """Runs the cells; yields each wanted item where its test stands."""
        for built in self.cells:
            if built.role == "test":
                assert built.cell is not None
                yield self.exam.problem.item(built.cell.grade_id.removeprefix("test_"))
            elif built.id not in self._unsure or self.process.unsure_left > 0:
                self._run(built)

    def state(self, *parts: object) -> str:
        """A key for what depends on the cells so far, on the reference, and on `parts`."""
        return key_of(self._state, sorted(self.process.dead), self.exam.reference.digest, parts)

    def before_test(self, item: Item, *, quiet: bool = False) -> Verdict | None:
        """The verdict where no test is needed: no cell, an untouched stub, a cell that failed to run; else None.

        Args:
            item: the item.
            quiet: whether nothing that the cells said is told.
        """
        rebuilt = self.exam.rebuilt
        if item.id in rebuilt.never_run:
            return Verdict(Status.MISSING, rebuilt.never_run[item.id])
        if item.id not in rebuilt.found:
            return Verdict(Status.MISSING, f"Your notebook has no cell that defines `{item.id}`.")
        if item.id not in rebuilt.answered:
            return Verdict(Status.MISSING, f"Not answered yet: `{item.id}` is still the stub you were given.")
        answer = rebuilt.answer(item.id)
        reason = self.process.dead.get(answer.id)
        if reason is not None:
            return dead(item, Status(reason), "its cell was run")
        run = self.runs.get(answer.id)
        if run is not None and run.raised is not None and (run.lost is None or item.id in run.lost):
            error = replace(run.raised, detail="") if quiet else run.raised
            others = [] if quiet else [built for built in self.cells if built is not answer]
            return broken_cell(item, error, others, self.runs)
        return None

    def close(self) -> None:
        """Ends the process."""
        self.process.close()

    def _run(self, built: Built) -> None:
        """Runs a cell, or takes its cached result; the cell then runs later, if an item needs the process."""
        self._state = key_of(self._state, built.id, built.source)
        if built.id in self.process.dead:
            return
        known = None if self.process.is_there else self.exam.cache.get(self._state)
        if known is None:
            known = self.process.run(built)
            self.exam.cache.keep(self._state, known, known.get("dead", ""))
        self.process.has_run(built, known.get("dead", ""))
        if "dead" in known:
            self.killers[built.id] = known["dead"]
        elif not (built.edited and built.edited.is_test):  # a test that fails is no news
            self.runs[built.id] = self._shortened(CellRun.from_json(known))

    def _shortened(self, run: CellRun) -> CellRun:
        """A cell's run without the output beyond the limit for all cells."""
        kept = replace(run, stdout=run.stdout[: self._output], stderr=run.stderr[: self._output])
        if kept.raised is not None and len(kept.raised.detail) > self._output:
            kept = replace(kept, raised=replace(kept.raised, detail=kept.raised.detail[:_SHORT_DETAIL]))
        said = len(kept.stdout) + len(kept.stderr) + (len(kept.raised.detail) if kept.raised else 0)
        self._output = max(0, self._output - said)
        return kept
