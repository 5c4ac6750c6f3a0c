"""The number of workers that a machine can run, its speed, and limits for one process."""

from __future__ import annotations

import builtins
import io
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dask.system
import psutil
import pytest
import torch

from autograder.core import machine

V1 = "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs"


@pytest.mark.parametrize(
    ("cores", "free", "submissions", "expected"),
    [(16, 64, 1000, 16), (16, 6.5, 1000, 6), (16, 64, 3, 3), (2, 0.3, 1000, 1), (4, 64, 0, 1)],
)
def test_workers_follow_cores_memory_and_submissions(
    cores: int, free: float, submissions: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "free_memory", lambda: int(free * 2**30))
    assert machine.workers_that_fit(submissions) == expected


def test_only_cores_that_the_process_may_use_count() -> None:
    one = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    script = f"{one}; from autograder.core.machine import cores; print(cores())"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/proc/self/cgroup": "0::/box\n", "/sys/fs/cgroup/box/cpu.max": "250000 100000\n"}, 3),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"}, 64),
        ({f"{V1}_quota_us": "400000", f"{V1}_period_us": "100000"}, 4),
        ({f"{V1}_quota_us": "-1", f"{V1}_period_us": "100000"}, 64),
        ({}, 64),
    ],
    ids=["v2", "v2 half a core", "v2 unlimited", "v1", "v1 unlimited", "no cgroups"],
)
def test_the_cpu_quota_of_a_container_counts(
    files: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine of 64 cores, with the files of a container."""

    def opened(path: Any, *args: Any, **options: Any) -> Any:
        if str(path).startswith(("/sys/fs/cgroup", "/proc/self/cgroup")):
            if str(path) not in files:
                raise FileNotFoundError(path)
            return io.StringIO(files[str(path)])
        return builtins.open(path, *args, **options)

    monkeypatch.setattr(dask.system, "open", opened, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda self: list(range(64)))
    assert machine.cores() == expected
    monkeypatch.setattr(machine, "free_memory", lambda: 2**40)
    assert machine.workers_that_fit(1000) == expected


def test_the_memory_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(machine, "_LIMITS", ((str(tmp_path / "none"), str(used)), (str(limit), str(used))))
    limit.write_text("max\n")
    used.write_text("1000\n")
    unlimited = machine.free_memory()
    assert unlimited > 2**20
    limit.write_text(f"{1000 + 4096}\n")
    assert machine.free_memory() == 4096


@pytest.mark.parametrize(("took", "expected"), [(0.001, 1.0), (machine._USUAL, 1.0), (3 * machine._USUAL, 3.0)])
def test_a_machine_is_slow_if_the_same_work_takes_longer(
    took: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(step=took)
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks))
    machine.slowness.cache_clear()
    assert machine.slowness() == pytest.approx(expected)
    machine.slowness.cache_clear()


def test_memory_is_limited_for_one_block_only() -> None:
    with machine.memory_at_most(machine.memory_with(2**28)):
        torch.zeros(2**20)
        with pytest.raises(RuntimeError, match="memory"):
            torch.empty(2**28)
    assert len(torch.empty(2**28)) == 2**28
