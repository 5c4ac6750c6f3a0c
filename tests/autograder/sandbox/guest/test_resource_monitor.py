"""The resource monitor names the processes to end when a session uses too much memory or CPU time."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from autograder.sandbox.guest.resource_monitor import CpuTime, Process, all_processes, over_limit, waited

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
    busy = [
        replace(NOTEBOOK, own_cpu=2.0, children_cpu=1.0),
        replace(ANSWER, own_cpu=4.0),
        replace(HELPER, children_cpu=2.0),
        replace(OTHER, own_cpu=8.5),
    ]
    assert CpuTime().of(busy, [10, 40]) == {10: 9.0, 40: 8.5}


def test_the_time_of_a_process_that_nobody_waited_for_still_counts_and_once_only() -> None:
    seen = CpuTime()
    parent = replace(NOTEBOOK, own_cpu=1.0)
    for n in range(50):  # each child works for 2 s and is not waited for
        assert seen.of([parent, Process(100 + n, 10, 0, own_cpu=2.0)], [10])[10] == 1 + 2 * (n + 1)
    assert seen.of([parent], [10])[10] == 101
    assert CpuTime().of([replace(parent, children_cpu=100.0)], [10])[10] == 101
    assert seen.of([replace(parent, children_cpu=100.0)], [10])[10] == 101, "they were waited for after all"
    assert seen.of([], [10]) == {} and seen.of([parent], [10]) == {10: 1.0}, "another session with the same number"


def test_the_cpu_time_of_this_process_is_seen() -> None:
    def seen() -> float:
        own = next(process for process in all_processes() if process.pid == os.getpid())
        return own.own_cpu + own.children_cpu

    before = seen()
    while sum(os.times()[:4]) < before + 0.2:  # as `seen`, with the children that ended
        sum(range(10_000))
    assert before + 0.1 < seen() < sum(os.times()[:4]) + 0.1


ZOMBIE_LEADER = """
import ctypes, os, threading, time
held = bytearray(200 << 20)
threading.Thread(target=time.sleep, args=(60,)).start()
time.sleep(0.1)
print("ready", flush=True)
ctypes.CDLL(None).syscall({number}, 0)
"""


def test_the_memory_of_a_process_whose_first_thread_has_ended_is_seen() -> None:
    number = {"x86_64": 60, "aarch64": 93}[platform.machine()]  # exit of one thread
    with subprocess.Popen(
        [sys.executable, "-c", ZOMBIE_LEADER.format(number=number)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        try:
            while "Z" not in Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]:
                time.sleep(0.01)
            found = next(one for one in all_processes() if one.pid == process.pid)
            assert found.memory > 200 * 2**20
        finally:
            process.kill()


SPINS = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for _ in range(5):
    if os.fork() == 0:
        while True: pass
print("ready", flush=True)
while True: pass
"""


def test_time_in_which_its_own_processes_ran_is_no_waiting() -> None:
    """On one core with five busy children: what they use does not count as waiting for a processor."""
    with subprocess.Popen([sys.executable, "-c", SPINS], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        try:
            children = 0.0
            while children < 1.0:
                time.sleep(0.1)
                family = [one for one in all_processes() if one.parent == process.pid]
                children = sum(one.own_cpu for one in family)
            delayed = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9
            assert waited(process.pid) < max(0.1, delayed - 0.9 * children) + 0.3
        finally:
            os.killpg(process.pid, 9)
