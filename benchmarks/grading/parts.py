"""The parts of the benchmark: each gives its measurements one after the other."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from jupyter_client.manager import KernelManager

from autograder.course.cell_selection import warm_modules
from autograder.course.problem import Problem
from autograder.sandbox.host import Host
from benchmarks.attacks.stock import ROOT
from benchmarks.grading.floor import floor
from benchmarks.grading.records import Measured
from benchmarks.grading.submissions import Submission, large_class, small_class
from benchmarks.grading.systems import Ours, grade_nbgrader, grade_otter

TRACED = 8
"""Submissions of the class in the pass that records which cell ran when."""
SESSIONS, KERNELS = 20, 5
"""How many starts are timed; one more that does not count comes first."""
FIRST_CELL = "import torch"
SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    problem: Problem
    systems: tuple[str, ...]
    size: int
    """Submissions in the class."""
    runs: int
    sizes: tuple[int, ...]
    cores: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)


def larger_sizes(size: int) -> tuple[int, int]:
    """Sizes of the two larger classes whose difference gives the marginal cost, by that of the small class.

    Both start in the same way, which a small class may not do.
    """
    return 4 * size, 9 * size


def machine(plan: Plan) -> Iterator[Measured]:
    """Describes the machine."""
    with Host() as host:
        level = host.level
    models = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    facts = {
        "cores": plan.cores,
        "processor": models[0] if models else platform.machine(),
        "memory": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "load": round(os.getloadavg()[0], 2),
        "level": level,
    }
    yield Measured("machine", details=facts)


def starts(plan: Plan) -> Iterator[Measured]:
    """The seconds until a session of ours, and a kernel of the stock systems, has run its first cell."""
    sessions, kernels = [], []
    with Host(warm_modules([plan.problem])) as host:
        for _ in range(SESSIONS + 1):
            begun = time.perf_counter()
            session = host.session()
            session.run(FIRST_CELL, "first", SECONDS)
            sessions.append(time.perf_counter() - begun)
            session.close()
    for _ in range(KERNELS + 1):
        begun = time.perf_counter()
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(stderr=subprocess.DEVNULL)
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=SECONDS)
            client.execute_interactive(FIRST_CELL, timeout=SECONDS, store_history=False)
            kernels.append(time.perf_counter() - begun)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    yield Measured("starts", details={"sessions": sessions[1:], "kernels": kernels[1:]})


def floors(plan: Plan) -> Iterator[Measured]:
    """The students' graded calls in this process."""
    submissions = small_class(plan.problem, plan.size)
    for run in range(1, plan.runs + 1):
        floor(plan.problem, submissions[0])  # what is done only once does not count
        found = {one.student: floor(plan.problem, one) for one in submissions}
        cells, tests = sum(one.cells for one in found.values()), sum(one.tests for one in found.values())
        yield Measured(
            "floor",
            submissions=plan.size,
            run=run,
            seconds=cells + tests,
            cpu=sum(one.cpu for one in found.values()),
            phases={"cells": cells / len(found), "tests": tests / len(found)},
            scores={student: one.scores for student, one in found.items()},
        )


def classes(plan: Plan) -> Iterator[Measured]:
    """The class with each system; ours with one worker and with one per core, and larger ones for the margin."""
    for run in range(1, plan.runs + 1):
        for system in plan.systems:
            if system != "ours":
                yield _stock(plan, Measured("class", system, plan.size, gradebook=system == "nbgrader", run=run))
                continue
            for gradebook in (True, False):
                for workers in dict.fromkeys((1, plan.cores)):
                    wanted = Measured("class", "ours", plan.size, workers, gradebook, run)
                    yield _ours(plan, wanted, small_class(plan.problem, plan.size))
                for more in larger_sizes(plan.size):
                    wanted = Measured("class", "ours", more, 1, gradebook, run)
                    yield _ours(plan, wanted, large_class(plan.problem, more, plan.size))


def phases(plan: Plan) -> Iterator[Measured]:
    """A few submissions with the stock systems, with the time of each cell."""
    for system in plan.systems:
        if system != "ours":
            yield _stock(plan, Measured("phases", system, min(TRACED, plan.size), gradebook=system == "nbgrader"))


def sizes(plan: Plan) -> Iterator[Measured]:
    """Classes from small to large with ours, all cores."""
    for size in plan.sizes:
        wanted = Measured("sizes", "ours", size, plan.cores, True)
        yield _ours(plan, wanted, large_class(plan.problem, size, plan.size))


def regrade(plan: Plan) -> Iterator[Measured]:
    """The largest class twice with the same command and all caches."""
    size = max(plan.sizes)
    with _folder() as folder:
        course = Ours(plan.problem, large_class(plan.problem, size, plan.size), folder)
        for run in (1, 2):
            yield course.grade(Measured("regrade", "ours", size, plan.cores, True, run), cache=True)


def verify(plan: Plan) -> Iterator[Measured]:
    """Checking logs without running student code."""
    command = [sys.executable, "-m", "benchmarks.verify_speed", "--problem", plan.problem.id]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    logs, seconds = re.findall(r"(\d+) logs in ([\d.]+) s", told)[0]
    yield Measured("verify", submissions=int(logs), seconds=float(seconds))


PARTS: dict[str, Callable[[Plan], Iterator[Measured]]] = {
    "machine": machine,
    "starts": starts,
    "floor": floors,
    "classes": classes,
    "phases": phases,
    "sizes": sizes,
    "regrade": regrade,
    "verify": verify,
}


def _ours(plan: Plan, wanted: Measured, submissions: Iterable[Submission]) -> Measured:
    with _folder() as folder:
        return Ours(plan.problem, submissions, folder).grade(wanted)


def _stock(plan: Plan, wanted: Measured) -> Measured:
    submissions = small_class(plan.problem, plan.size)[: wanted.submissions]
    with _folder() as folder:
        grade = grade_nbgrader if wanted.system == "nbgrader" else grade_otter
        return grade(plan.problem, submissions, folder, wanted)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="grading-speed-") as name:
        yield Path(name).resolve()
