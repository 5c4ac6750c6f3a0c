"""`python -m benchmarks.gradescope_memory [PROBLEM ...]`: what grading a solution takes in Gradescope's container.

Runs the scripts of the real zip in a scratch folder and looks every 20 ms at all processes they started. Their own
memory is what no file holds; what n processes share counts one n-th for each. What is in memory of libraries counts
once for each library, whoever else on this machine uses them; the kernel can take some of it back. Then the same is
graded in a group of processes with the memory and the half core of the default container. `autograder gradescope`
reads the table that this writes, `autograder/gradescope/memory.toml`.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import time
from pathlib import Path

import psutil

from autograder.core.files import write_atomically
from autograder.course.problem import load_problem, problem_ids
from autograder.gradescope.build import make_zip
from autograder.gradescope.requirements import CONTAINERS, MEMORY_FILE, Memory, measured
from tests.autograder.gradescope_room import Room, container, solution_bytes

COMMAND = "python -m benchmarks.gradescope_memory"
_SELDOM = 25
"""Every so many looks the libraries are looked at, too, which takes longer; they only become more."""
_HEAD = """\
# What grading each solution takes in the container: own memory and that of libraries, in MB (2**20 bytes), seconds of
# CPU time, and seconds in the default container (0: not graded there). Written by the command below, never by hand.
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
        peak, cpu, files = 0, dict[int, float](), dict[str, int]()
        for turn in itertools.count():
            if process.poll() is not None:
                break
            family = _family(process.pid)
            peak = max(peak, sum(map(_own_memory, family)))
            cpu |= {pid: max(cpu.get(pid, 0.0), _cpu(pid)) for pid in family}
            if turn % _SELDOM == 0:
                for pid in family:
                    for file, size in _mapped(pid).items():
                        files[file] = max(files.get(file, 0), size)
            time.sleep(0.02)
        process.communicate()
        points = sum(room.read().scores.values())
        if points != made.settings.auto_points:
            raise RuntimeError(f"{problem_id}: the solution got {points:g} of {made.settings.auto_points:g} points")
        return Memory(_megabytes(peak), _megabytes(sum(files.values())), round(sum(cpu.values()), 1), _in_default(room))


def _in_default(room: Room) -> float:
    """Seconds that the grading takes in the default container; 0 if it does not succeed there."""
    began = time.monotonic()
    with container(CONTAINERS[0].megabytes * 2**20) as enter:
        process = room.start(enter)
        process.communicate()
    taken = time.monotonic() - began
    return 0.0 if process.returncode or sum(room.read().scores.values()) < room.points else round(taken)


def _megabytes(size: int) -> int:
    return -(-size // 2**20)


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def _own_memory(pid: int) -> int:
    """Bytes of memory of a process that no file holds; what n processes share counts one n-th."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return 0  # it ended meanwhile


def _mapped(pid: int) -> dict[str, int]:
    """Bytes of each mapped file (device and inode) that a process has in memory."""
    found: dict[str, int] = {}
    file = ""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
            words = line.split()
            if not words[0].endswith(":"):
                file = " ".join(words[3:5]) if words[4] != "0" else ""
            elif file and words[0] in ("Rss:", "Anonymous:"):
                found[file] = found.get(file, 0) + int(words[1]) * (1024 if words[0] == "Rss:" else -1024)
    return found


def _cpu(pid: int) -> float:
    """Seconds of CPU time of a process, without its children's."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    return 0.0


def main(problems: list[str]) -> None:
    """Measures these problems, or all, and writes the table."""
    _, known = measured()
    figures = {problem: memory for problem, memory in known.items() if problem in problem_ids()}
    for problem in problems or problem_ids():
        figures[problem] = measure(problem)
        print(f"{problem}: {figures[problem]}", flush=True)
    lines = [
        f"{problem} = {{ own = {m.own}, libraries = {m.libraries}, cpu = {m.cpu}, default = {m.default} }}"
        for problem, m in sorted(figures.items())
    ]
    write_atomically(MEMORY_FILE, "\n".join([_HEAD.rstrip(), f'command = "{COMMAND}"', "[problems]", *lines]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
