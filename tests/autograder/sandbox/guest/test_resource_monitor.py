"""The resource monitor names the processes to end when a session uses too much memory or CPU time."""

from __future__ import annotations

import os
from dataclasses import replace

from autograder.sandbox.guest.resource_monitor import Process, all_processes, out_of_time, over_limit

NOTEBOOK, ANSWER, HELPER = Process(10, 1, 300), Process(20, 10, 500), Process(30, 20, 100)
OTHER = Process(40, 1, 350)


def test_no_process_is_ended_within_the_limit() -> None:
    assert over_limit([NOTEBOOK, ANSWER, HELPER, OTHER], [10, 40], 900) == []


def test_the_largest_process_of_the_session_is_ended() -> None:
    assert over_limit([NOTEBOOK, ANSWER, HELPER, OTHER], [10, 40], 899) == [20]
    assert over_limit([HELPER, OTHER, ANSWER, NOTEBOOK], [40, 10], 899) == [20]
    assert over_limit([NOTEBOOK, Process(20, 10, 10)], [10], 200) == [10]


def test_each_session_has_its_own_limit_and_other_processes_do_not_count() -> None:
    assert over_limit([NOTEBOOK, OTHER, Process(99, 98, 10**9)], [10, 40], 320) == [40]
    assert over_limit([Process(5, 6, 900), Process(6, 5, 900)], [10], 100) == []  # a loop in /proc


def test_this_process_is_seen_with_its_parent_and_memory() -> None:
    own = next(process for process in all_processes() if process.pid == os.getpid())
    assert own.parent == os.getppid() and own.memory > 10 * 2**20


def test_cpu_time_is_summed_over_the_processes_of_a_session() -> None:
    busy = [replace(NOTEBOOK, cpu=3.0), replace(ANSWER, cpu=4.0), replace(HELPER, cpu=2.0), replace(OTHER, cpu=8.5)]
    assert out_of_time(busy, [10, 40], 9) == []
    assert out_of_time(busy, [10, 40], 8.9) == [10]
    assert out_of_time(busy, [40, 10], 8) == [10, 40]


def test_the_cpu_time_of_this_process_is_seen() -> None:
    def seen() -> float:
        return next(process for process in all_processes() if process.pid == os.getpid()).cpu

    before = seen()
    while sum(os.times()[:4]) < before + 0.2:  # as `seen`, with the children that ended
        sum(range(10_000))
    assert before + 0.1 < seen() < sum(os.times()[:4]) + 0.1
