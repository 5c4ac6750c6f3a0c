"""The process that forks a grader for each submission: submissions are separate, killed processes are replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from nbformat import NotebookNode

from autograder.batch.local_pool import LocalPool
from autograder.core.errors import SetupError, SourceError
from autograder.core.results import Grading, Outcome, Status
from autograder.course.problem import load_problem
from autograder.release.fill import solution_answers
from autograder.submissions.reader import Submission
from tests.autograder.toy import LINE, ROOT, STANDARDIZE, course_copy, released, solved, text

pytestmark = pytest.mark.kernel

RIGHT = solution_answers(load_problem("toy", ROOT))["standardize"]


def ada(notebook: NotebookNode | None = None, student: str = "ada") -> Submission:
    """A submission of the solution, or of another notebook."""
    return Submission(student, notebook=text(notebook or solved()))


def slow(seconds: float) -> Submission:
    """A submission of the solution that takes some seconds."""
    return ada(solved(standardize=f"import time; time.sleep({seconds})\n{RIGHT}"))


def family(graders: LocalPool) -> list[psutil.Process]:
    """All processes that grade, student code included."""
    assert graders._process is not None
    root = psutil.Process(graders._process.pid)
    return [root, *root.children(recursive=True)]


def alive(graders: LocalPool, processes: list[psutil.Process], *, students: bool) -> list[psutil.Process]:
    """Those that still run: the processes of students, or the others; a host begins a process session of its own."""
    assert graders._process is not None
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error, ProcessLookupError):  # it ended meanwhile
            theirs = os.getsid(process.pid) != graders._process.pid
            if process.status() != psutil.STATUS_ZOMBIE and theirs == students:
                found.append(process)
    return found


@pytest.fixture(scope="module")
def graders() -> Iterator[LocalPool]:
    """Two workers for the toy problem."""
    with LocalPool(["toy"], 2, ROOT) as pool:
        yield pool


@pytest.mark.long
def test_the_pool_gives_the_scores_of_the_library(graders: LocalPool) -> None:
    answers = {"right": text(solved()), "untouched": text(released()), "wrong": text(solved(Line=LINE + "return x"))}
    answers |= {"unreadable": b"{", "dies": text(solved(standardize=STANDARDIZE + "    import os; os._exit(1)"))}
    futures = {name: graders.submit("toy", Submission(name, notebook=data)) for name, data in answers.items()}
    scores = {name: future.result().log.score for name, future in futures.items()}
    assert scores == {"right": 20, "untouched": 0, "wrong": 12, "unreadable": 0, "dies": 8}


def test_a_submission_leaves_no_trace_for_the_next(graders: LocalPool) -> None:
    marks = """
import builtins, gc, os, random, sys, tempfile
import numpy, torch
seen = [name for name in ("left_behind",) if hasattr(builtins, name) or name in sys.modules or name in os.environ]
seen += [path for path in os.listdir(".") + os.listdir("/tmp") if "left" in path]
seen += ["default dtype"] if torch.get_default_dtype() != torch.float32 else []
seen += ["object"] if any(type(thing).__name__ == "LeftBehind" for thing in gc.get_objects()) else []
state = [random.random(), float(numpy.random.rand()), float(torch.rand(()))]
print("seen", seen, "state", state)

class LeftBehind:
    pass

builtins.left_behind = sys.modules["left_behind"] = LeftBehind()
os.environ["left_behind"] = "1"
open("left", "w").write("x")
open("/tmp/left", "w").write("x") if os.path.isdir("/tmp") else None
torch.set_default_dtype(torch.float64)
torch.Tensor.mean = None
random.random(), numpy.random.rand(), torch.rand(9)
"""
    first, second, clean = (
        graders.grade("toy", ada(solved(standardize=source + RIGHT), student))
        for student, source in (("ada", marks), ("bela", marks), ("chen", ""))
    )
    printed = [_printed(grading, "seen") for grading in (first, second)]
    assert printed[0] == printed[1] and "seen [] state" in printed[0], printed
    assert clean.log.score == 20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/mem")
def test_the_memory_of_a_students_process_holds_nothing_of_the_course(tmp_path: Path) -> None:
    """It was forked from the process that grades, before that knew the course."""
    root = course_copy(tmp_path / "course", {"steep = student.Line": "known_to_staff = 'h1dden'\nsteep = student.Line"})
    search = """
parts = [("5eed", "ing-of-this-run"), ("h1d", "den"), ("of-this-pro", "cess")]
found, mine = {}, "".join(parts[2])
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        begin, end = (int(number, 16) for number in line.split()[0].split("-"))
        if line.split()[1][0] == "r" and end - begin < 2**30 and "[v" not in line:
            try:
                memory.seek(begin)
                text = memory.read(end - begin)
            except OSError:
                continue
            for start, rest in parts:
                found[start] = found.get(start, 0) + text.count(start.encode() + rest.encode())
print("found", found["5eed"], found["h1d"], found["of-this-pro"] > 0)
"""
    with LocalPool(["toy"], 1, root, seed="5eed" + "ing-of-this-run") as pool:
        grading = pool.grade("toy", ada(solved(standardize=search + RIGHT)))
    assert grading.log.score == 20
    assert _printed(grading, "found") == "found 0 0 True\n", "the search finds what is there"


def _printed(grading: Grading, word: str) -> str:
    outputs = [out for cell in grading.notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    return "".join(out.text for out in outputs if out.output_type == "stream" and word in out.text)


@pytest.mark.long
def test_a_test_that_changes_torch_does_not_affect_the_next_submission(tmp_path: Path) -> None:
    spoil = "assert torch.get_default_dtype() == torch.float32\ntorch.set_default_dtype(torch.float64)\n"
    root = course_copy(tmp_path / "course", {"steep = student.Line": spoil + "steep = student.Line"})
    with LocalPool(["toy"], 1, root) as pool:
        gradings = [pool.grade("toy", ada(student=str(number))) for number in range(3)]
    assert [grading.log.item("Line").score for grading in gradings] == [8, 8, 8]


@pytest.mark.long
def test_a_grader_that_is_killed_is_replaced_and_affects_no_other_submission(graders: LocalPool) -> None:
    graders.grade("toy", ada(released(), "warm"))
    inside = solved(standardize=STANDARDIZE + "    import time; time.sleep(2)\n" + RIGHT.partition('"""\n')[2])
    future = graders.submit("toy", ada(inside))
    _kill_forks(graders, set())
    assert graders.grade("toy", ada(student="bela")).log.score == 20
    assert future.result(120).log.outcome is Outcome.GRADED


def test_a_grader_that_is_killed_twice_is_a_result_that_says_so(graders: LocalPool) -> None:
    graders.grade("toy", ada(released(), "warm"))
    future = graders.submit("toy", slow(20))
    killed: set[int] = set()
    for _ in range(2):
        killed |= _kill_forks(graders, killed)
    log = future.result(120).log
    assert log.outcome is Outcome.GRADER_ERROR and log.score == 0
    assert "ended unexpectedly in both attempts" in log.items[0].message and "not your fault" in log.items[0].message


def _kill_forks(graders: LocalPool, before: set[int]) -> set[int]:
    """Kills the graders that were forked last: for the current submission, and for the next one."""
    assert graders._process is not None
    time.sleep(0.5)  # less than the submission takes, more than handing it out
    for _ in range(600):
        children = psutil.Process(graders._process.pid).children()
        new = [child for child in alive(graders, children, students=False) if child.pid not in before]
        for child in new:
            child.kill()
        if new:
            return {child.pid for child in new}
        time.sleep(0.05)
    raise AssertionError("no grader was forked")


@pytest.mark.long
def test_the_forking_process_is_started_again_when_it_is_killed(graders: LocalPool) -> None:
    assert graders.grade("toy", ada()).log.score == 20
    process = graders._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert graders.grade("toy", ada(student="bela")).log.score == 20


@pytest.mark.long
def test_the_process_for_student_code_is_started_again_when_it_is_killed(graders: LocalPool) -> None:
    assert graders.grade("toy", ada()).log.score == 20
    hosts = alive(graders, family(graders), students=True)
    assert hosts
    hosts[0].kill()
    time.sleep(0.5)  # its parent has not reaped it yet, so there is nothing to wait for
    for student in ("bela", "chen"):
        log = graders.grade("toy", ada(student=student)).log
        assert (log.outcome, log.score) == (Outcome.GRADED, 20)


@pytest.mark.long
def test_a_hanging_grader_is_ended(graders: LocalPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.local_pool.seconds_at_most", lambda problem: 1.0)
    started = time.monotonic()
    assert graders.grade("toy", slow(120)).log.outcome is Outcome.GRADER_ERROR
    assert time.monotonic() - started < 60


@pytest.mark.long
def test_closing_ends_all_processes_and_cancels_waiting_submissions() -> None:
    with LocalPool(["toy"], 1, ROOT) as pool:
        pool.grade("toy", ada())
        relatives = family(pool)
        waiting = [pool.submit("toy", slow(120)) for _ in range(5)]
        started = time.monotonic()
    assert time.monotonic() - started < 60
    assert all(future.done() for future in waiting) and waiting[-1].cancelled()
    assert [process for process in psutil.wait_procs(relatives, timeout=10)[1] if process.is_running()] == []


@pytest.mark.long
def test_a_solution_without_full_marks_is_an_error_before_grading(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course", {"3.0 * points + 0.5, ": "3.0 * points + 0.6, "})
    message = r"solution of 'toy' gets only 12 of 20"
    with LocalPool(["toy"], 1, root) as pool, pytest.raises(SetupError, match=message) as caught:
        pool.grade("toy", ada())
    assert "Line: failed" in str(caught.value) and "autograder check toy" in str(caught.value)


@pytest.mark.long
def test_an_unknown_isolation_level_or_problem_is_an_error(tmp_path: Path) -> None:
    message = "isolation level 'stone'"
    with LocalPool(["toy"], 1, ROOT, isolation="stone") as pool, pytest.raises(SetupError, match=message):
        pool.grade("toy", ada())
    with LocalPool(["toy"], 1, tmp_path) as pool, pytest.raises(SourceError, match="unknown problem 'toy'"):
        pool.grade("toy", ada())


def test_the_phases_of_a_grading_add_up(graders: LocalPool) -> None:
    grading = graders.grade("toy", ada())
    assert set(grading.phases) == {"read", "start", "cells", "tests", "answers", "write"}
    assert 0 < sum(grading.phases.values()) <= grading.seconds * 1.01
    assert grading.log.item("Line").status is Status.PASSED
