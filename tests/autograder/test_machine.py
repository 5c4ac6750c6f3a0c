"""How many submissions side by side?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder import machine


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


def test_only_cores_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert machine.cores() == 2


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(machine, "_LIMITS", ((str(tmp_path / "none"), str(used)), (str(limit), str(used))))
    limit.write_text("max\n")
    used.write_text("1000\n")
    unlimited = machine.free_memory()
    assert unlimited > 2**20
    limit.write_text(f"{1000 + 4096}\n")
    assert machine.free_memory() == 4096
