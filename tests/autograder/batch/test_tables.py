"""The tables of a run keep every line, also where several runs end at the same moment or one is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from autograder.batch import tables as run_tables
from autograder.batch.tables import GRADES, TIMINGS, write_tables
from autograder.core.errors import SetupError
from autograder.core.locks import locked
from autograder.core.results import Graded
from tests.autograder.graded_folder import csv_rows, log_of

PROBLEMS = ("vae", "gan", "rlhf", "diffusion")
STUDENTS = 100
ROUNDS = 10
START = multiprocessing.get_context("spawn")


def lines(problem: str, students: int = STUDENTS) -> list[Graded]:
    """A class that was graded in one problem."""
    return [Graded(replace(log_of(f"student{number:03d}"), problem=problem), 1.0) for number in range(students)]


def write(folder: Path, problem: str, start: Barrier) -> None:
    """Writes tables at the same moments as other processes."""
    graded = lines(problem)
    for number in range(ROUNDS):
        out = folder / str(number)
        out.mkdir(exist_ok=True)
        start.wait(300)
        write_tables(out, problem, graded)


def hold(path: Path) -> None:
    """Takes a lock and keeps it."""
    with locked(path, "busy"):
        path.with_name("held").touch()
        time.sleep(600)


@pytest.mark.long
def test_batches_that_end_at_the_same_moment_keep_all_their_lines(tmp_path: Path) -> None:
    start = START.Barrier(len(PROBLEMS))
    runs = [START.Process(target=write, args=(tmp_path, problem, start)) for problem in PROBLEMS]
    for run in runs:
        run.start()
    for run in runs:
        run.join(300)
    assert [run.exitcode for run in runs] == [0] * len(runs)
    expected = [(problem, f"student{n:03d}") for problem in sorted(PROBLEMS) for n in range(STUDENTS)]
    for path in [tmp_path / str(number) / name for number in range(ROUNDS) for name in (GRADES, TIMINGS)]:
        assert [(row["problem"], row["student"]) for row in csv_rows(path)] == expected, path


def test_a_killed_batch_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_tables, "WAIT_SECONDS", 0.2)
    run = START.Process(target=hold, args=(tmp_path / ".tables.lock",))
    run.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with pytest.raises(SetupError, match="locked for 0 s: end it"):
        write_tables(tmp_path, "vae", lines("vae", 1))
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    run.join()
    write_tables(tmp_path, "vae", lines("vae", 1))
    assert (tmp_path / GRADES).is_file()


def test_a_table_of_an_older_version_keeps_its_lines(tmp_path: Path) -> None:
    (tmp_path / GRADES).write_text("student,problem,score\nada,gan,3\n", encoding="utf-8")
    write_tables(tmp_path, "vae", lines("vae", 1))
    first, second = csv_rows(tmp_path / GRADES)
    assert (first["problem"], first["score"], first["status"]) == ("gan", "3", "") and second["problem"] == "vae"
