"""The parts of the benchmark: each takes its measurements, skips what has been measured, and keeps what is new."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import torch

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Problem
from benchmarks.attacks.environments import VERSIONS, torch_version
from benchmarks.attacks.equivalent import nbgrader_source, otter_tests
from benchmarks.grading import floor, ours, phases, starts, stock
from benchmarks.grading.hand_ins import HandIn, large_class, larger_sizes, small_class
from benchmarks.grading.meter import Cost
from benchmarks.grading.records import Measured, Records

TRACED = 8
"""Submissions of the class in the pass that notes which cell ran when."""
SESSIONS, KERNELS = 20, 5
"""How many starts are timed."""
VERIFY = "benchmarks.verify_speed"
"""Prints `<number> logs in <number> s`; left out where there is no such module."""


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    repository: Path
    problem: Problem
    systems: tuple[str, ...]
    size: int
    """Submissions in the class."""
    runs: int
    sizes: tuple[int, ...]
    again: bool
    """Measure also what has been measured."""

    @property
    def hand_ins(self) -> list[HandIn]:
        """The class."""
        return small_class(self.problem, self.size)


class Bench:
    """Takes measurements.

    Args:
        plan: what is asked for.
        records: where measurements are kept.
        say: told what is going on.
    """

    def __init__(self, plan: Plan, records: Records, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._records = records
        self._say = say
        self._digests = {"ours": _digest_of_ours(plan), "nbgrader": "", "otter": ""}
        for system in ("nbgrader", "otter"):
            self._digests[system] = _digest_of_peer(plan, system)

    def machine(self) -> None:
        """Notes on what the measurements are taken."""
        facts = {
            "cores": os.cpu_count(),
            "memory": round(psutil.virtual_memory().total / 2**30, 1),
            "processor": _processor(),
            "system": platform.system(),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "load": round(os.getloadavg()[0], 2),
        }
        self._records.add(Measured("machine", when=_today(), details=facts))

    def classes(self) -> None:
        """The class with each system; ours with one worker and with one per core, and larger ones for the margin."""
        plan, cores = self._plan, os.cpu_count() or 1
        for run in range(1, plan.runs + 1):
            for system in plan.systems:
                if system != "ours":
                    self._stock(Measured("class", system, plan.size, gradebook=system == "nbgrader", run=run))
                    continue
                for gradebook in (True, False):
                    for workers in dict.fromkeys((1, cores)):
                        self._ours(Measured("class", "ours", plan.size, workers, gradebook, run), plan.hand_ins)
                    for more in larger_sizes(plan.size):
                        wanted = Measured("class", "ours", more, 1, gradebook, run)
                        self._ours(wanted, large_class(plan.problem, more, plan.size))

    def phases(self) -> None:
        """A few submissions with the stock systems, where the time of each cell is noted."""
        for system in self._plan.systems:
            if system != "ours":
                self._stock(Measured("phases", system, min(TRACED, self._plan.size), gradebook=system == "nbgrader"))

    def floor(self) -> None:
        """The students' graded calls in this process."""
        for run in range(1, self._plan.runs + 1):
            wanted = self._wanted(Measured("floor", "ours", self._plan.size, run=run))
            if wanted is None:
                continue
            floor.floor(self._plan.problem, self._plan.hand_ins[0])  # whatever is done once is done
            found = {one.student: floor.floor(self._plan.problem, one) for one in self._plan.hand_ins}
            cells, tests = sum(one.cells for one in found.values()), sum(one.tests for one in found.values())
            self._keep(
                wanted,
                seconds=cells + tests,
                cpu=sum(one.cpu for one in found.values()),
                phases={"cells": cells / len(found), "tests": tests / len(found)},
                scores={student: one.scores for student, one in found.items()},
            )

    def sizes(self) -> None:
        """Classes from small to large with ours, all cores."""
        for size in self._plan.sizes:
            wanted = Measured("sizes", "ours", size, os.cpu_count() or 1, True)
            self._ours(wanted, large_class(self._plan.problem, size, self._plan.size))

    def regrade(self) -> None:
        """The largest class twice with the same command and all caches: run 2 is what nothing has changed costs."""
        size = max(self._plan.sizes)
        first = Measured("regrade", "ours", size, os.cpu_count() or 1, True, 1)
        second = dataclasses.replace(first, run=2)
        if self._wanted(second) is None:
            return
        with _folder() as folder:
            hand_ins = large_class(self._plan.problem, size, self._plan.size)
            made = ours.course(self._plan.repository, self._plan.problem, hand_ins, folder / "course")
            for wanted in (first, second):
                cost = ours.grade(made, workers=wanted.workers, gradebook=True, cache=True)
                self._keep(wanted, cost, details={"cache": ours.has_cache(folder)})

    def starts(self) -> None:
        """What comes before the first cell."""
        wanted = self._wanted(Measured("starts"))
        if wanted is None:
            return
        with _folder() as folder:
            level, found = starts.sessions(self._plan.problem, SESSIONS)
            cold = starts.kernels(KERNELS, folder)
        self._keep(wanted, details={"level": level, "sessions": found, "kernels": cold})

    def verify(self) -> None:
        """Checking logs without running student code, if that benchmark is there."""
        wanted = self._wanted(Measured("verify"))
        if wanted is None or importlib.util.find_spec(VERIFY) is None:
            return
        command = [sys.executable, "-m", VERIFY, "--problem", self._plan.problem.id]
        told = subprocess.run(command, cwd=self._plan.repository, check=True, capture_output=True, text=True)
        said = re.search(r"(\d+) logs in ([\d.]+) s", told.stdout)
        if said is None:
            self._say(f"{VERIFY} does not say how many logs it checked in how many seconds: left out")
            return
        self._keep(dataclasses.replace(wanted, submissions=int(said[1])), seconds=float(said[2]))

    # --- one measurement ----------------------------------------------------------------------------------------------

    def _ours(self, measured: Measured, hand_ins: Iterable[HandIn]) -> None:
        wanted = self._wanted(measured)
        if wanted is None:
            return
        with _folder() as folder:
            made = ours.course(self._plan.repository, self._plan.problem, hand_ins, folder / "course")
            cost = ours.grade(made, workers=wanted.workers, gradebook=wanted.gradebook)
            scores = ours.scores(made) if wanted.submissions == self._plan.size else {}
            columns = phases.columns_of(ours.timings(made))
            self._keep(wanted, cost, scores=scores, phases=columns, details={"level": ours.level(made)})

    def _stock(self, measured: Measured) -> None:
        wanted = self._wanted(measured)
        if wanted is None:
            return
        make, read = _STOCK[wanted.system]
        with _folder() as folder:
            library = stock.library_of(self._plan.repository, folder / "library")
            hand_ins = self._plan.hand_ins[: wanted.submissions]
            job = make(self._plan.problem, hand_ins, folder / "course", library)
            trace = folder / "trace.jsonl" if wanted.part == "phases" else None
            costs = stock.run(job, trace)
            cost = _together(costs)
            found = phases.phases_of(phases.read_trace(trace), cost.seconds, len(hand_ins)) if trace else {}
            scores = read(job, self._plan.problem)
            self._keep(wanted, cost, scores=scores, phases=found, details={"commands": len(costs)})

    def _wanted(self, measured: Measured) -> Measured | None:
        """The measurement with its digest; None if it has been taken."""
        wanted = dataclasses.replace(measured, digest=self._digests[measured.system], when=_today())
        if self._records.done(wanted) and not self._plan.again:
            self._say(f"{_name(wanted)}: known")
            return None
        self._say(f"{_name(wanted)} ...")
        return wanted

    def _keep(self, wanted: Measured, cost: Cost | None = None, **fields: Any) -> None:
        if cost is not None:
            names = ("seconds", "cpu", "memory", "main_memory", "unread")
            fields = {name: getattr(cost, name) for name in names} | fields
            fields["details"] = {**fields.get("details", {}), "whole": cost.whole}
        measured = dataclasses.replace(wanted, **fields)
        self._records.add(measured)
        each = f", {measured.each:.3f} s each" if measured.submissions else ""
        self._say(f"{_name(measured)}: {measured.seconds:.1f} s{each}")


_STOCK = {
    "nbgrader": (stock.nbgrader_job, stock.nbgrader_scores),
    "otter": (stock.otter_job, stock.otter_scores),
}


def _together(costs: list[Cost]) -> Cost:
    """Commands that ran one after the other as one."""
    return Cost(
        status=0,
        seconds=sum(cost.seconds for cost in costs),
        cpu=sum(cost.cpu for cost in costs),
        memory=max(cost.memory for cost in costs),
        main_memory=max(cost.main_memory for cost in costs),
        unread=max(cost.unread for cost in costs),
        whole=all(cost.whole for cost in costs),
        output=costs[-1].output,
    )


def _name(measured: Measured) -> str:
    words = [measured.part, measured.system]
    words += [f"{measured.submissions} submissions"] if measured.submissions else []
    words += [f"{measured.workers} at a time, gradebook {'on' if measured.gradebook else 'off'}"]
    return f"{', '.join(words)}, run {measured.run}"


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _processor() -> str:
    """The processor's model, if the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="grading-speed-") as name:
        yield Path(name).resolve()


def _digest_of_ours(plan: Plan) -> str:
    """Of our grader, the helpers, the problem and the class."""
    paths = [path for folder in ("autograder", "homework") for path in (plan.repository / folder).rglob("*.py")]
    return _digest([path.read_bytes() for path in sorted(paths)], plan)


def _digest_of_peer(plan: Plan, system: str) -> str:
    """Of a stock system's version, the helpers, the stock form of the problem and the class."""
    version = f"{VERSIONS[stock.PACKAGES[system]]} torch {torch_version()}"
    source = notebook_text(nbgrader_source(plan.problem, whole=True)) + repr(otter_tests(plan.problem))
    helpers = [path.read_bytes() for path in sorted((plan.repository / "homework").rglob("*.py"))]
    return _digest([version.encode(), source.encode(), *helpers], plan)


def _digest(parts: Iterable[bytes], plan: Plan) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    digest.update(f"{plan.problem.sha256} {platform.python_version()} {torch.__version__}".encode())
    for hand_in in plan.hand_ins:
        digest.update(repr((hand_in.student, sorted(hand_in.answers.items()), hand_in.number)).encode())
    return digest.hexdigest()[:16]
