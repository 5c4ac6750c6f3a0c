"""`python -m benchmarks.gradescope_memory [PROBLEM ...]`: what grading a solution takes in Gradescope's container.

Runs the scripts of the real zip in a scratch folder and looks every 20 ms at all processes they started: the memory of
each, in which a page that n processes share counts one n-th for each, summed up. Writes the highest sum and the CPU
time to `autograder/gradescope/memory.toml`, from which `autograder gradescope` reads which container to choose.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

from autograder.gradescope.needs import MEMORY_FILE, Memory, measured
from autograder.gradescope.zip_file import make_zip
from autograder.problem import load_problem, problem_ids
from autograder.student_side.watch import all_processes
from autograder.writing import write_atomically
from tests.autograder.gradescope_room import Room, solution_bytes

COMMAND = "python -m benchmarks.gradescope_memory"
_HEAD = """\
# What grading each solution takes in the container: the highest sum of memory, in MB (2**20 bytes), and seconds of CPU
# time. Written by the command below, never by hand.
"""


def measure(problem_id: str) -> Memory:
    """Grades a problem's solution through the scripts of its zip.

    Raises:
        RuntimeError: it did not get full marks, so the figures would be of something else.
    """
    with tempfile.TemporaryDirectory(prefix="gradescope-") as folder:
        Path(folder).chmod(0o755)
        made = make_zip(problem_id, Path(folder) / "zip.zip")
        base = Path(folder) / "autograder"
        base.mkdir()
        room = Room(base, made.path)
        problem = load_problem(problem_id)
        room.grade({f"{problem_id}.ipynb": solution_bytes(problem)})  # once before, so that everything is compiled
        process = room.start()
        peak, cpu = 0, dict[int, float]()
        while process.poll() is None:
            family = _family(process.pid)
            peak = max(peak, sum(map(_memory, family)))
            cpu |= {pid: max(cpu.get(pid, 0.0), _cpu(pid)) for pid in family}
            time.sleep(0.02)
        process.communicate()
        points = sum(room.read().scores.values())
        if points != made.settings.auto_points:
            raise RuntimeError(f"{problem_id}: the solution got {points:g} of {made.settings.auto_points:g} points")
        return Memory(-(-peak // 2**20), round(sum(cpu.values()), 1))


def _family(pid: int) -> set[int]:
    """A process and all that descend from it."""
    family, grown = {pid}, True
    processes = all_processes()
    while grown:
        found = {one.pid for one in processes if one.parent in family} - family
        family |= found
        grown = bool(found)
    return family


def _memory(pid: int) -> int:
    """Bytes of memory of a process, in which what n processes share counts one n-th."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0  # it ended meanwhile


def _cpu(pid: int) -> float:
    """Seconds of CPU time of a process, without its children's."""
    with contextlib.suppress(OSError):
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def main(problems: list[str]) -> None:
    """Measures these problems, or all, and writes the table."""
    _, known = measured()
    figures = {problem: memory for problem, memory in known.items() if problem in problem_ids()}
    for problem in problems or problem_ids():
        figures[problem] = measure(problem)
        print(f"{problem}: {figures[problem].peak} MB, {figures[problem].cpu} s", flush=True)
    lines = [f"{problem} = {{ peak = {m.peak}, cpu = {m.cpu} }}" for problem, m in sorted(figures.items())]
    write_atomically(MEMORY_FILE, "\n".join([_HEAD.rstrip(), f'command = "{COMMAND}"', "[problems]", *lines]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
