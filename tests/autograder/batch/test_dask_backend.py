"""Grading on a Dask cluster: a real scheduler and three workers, one of which is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed.client import FutureCancelledError

from autograder.batch.dask_backend import Cluster, pack, unpack
from autograder.batch.grade_folder import grade_folder
from autograder.core.errors import SetupError, SourceError
from autograder.core.results import Outcome, Step
from autograder.course.problem import load_problem
from autograder.grading.failed import failed_grading
from autograder.submissions.reader import Submission
from tests.autograder.batch.test_grade_folder import QUIETLY, files_of
from tests.autograder.toy import ROOT, STANDARDIZE, released, solved, submit

ANSWERS = (
    solved(),
    released(),
    solved(standardize=STANDARDIZE + "    import time; time.sleep(0.2)\n    return x"),
    solved(standardize=STANDARDIZE + "    import os; os._exit(1)"),
    b"{",
)


def submit_class(folder: Path, students: int) -> Path:
    """Submits these answers in turn, for a class."""
    for number in range(students):
        path = submit(folder, f"student{number:02d}", ANSWERS[number % len(ANSWERS)])
        os.utime(path, (1_800_000_000, 1_800_000_000))
    return folder


class Machines:
    """A scheduler and its workers, each a process of its own with a working folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "dask_scheduler", "--port", "0", "--no-dashboard")
        self.address = self._address()

    def _start(self, name: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        home = self.folder / name
        home.mkdir()
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "AUTOGRADER_SEED": "of the wrong machine",  # a worker must use the sender's
            "DASK_TEMPORARY_DIRECTORY": str(home),
        }
        environment.pop("AUTOGRADER_ROOT", None)
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)

    def _address(self) -> str:
        for _ in range(600):
            said = (self.folder / "scheduler.log").read_text(errors="replace")
            for line in said.splitlines():
                if "Scheduler at:" in line:
                    return line.split()[-1]
            time.sleep(0.1)
        raise AssertionError(said)

    def add_worker(self) -> None:
        """Starts one more worker, with one thread."""
        name = f"worker{len(self.workers)}"
        options = ("--nthreads", "1", "--no-dashboard", "--name", name)
        self.workers.append(self._start(name, "dask_worker", self.address, *options))

    def kill_worker(self, number: int) -> None:
        """Kills all processes of a worker at once, as when a machine fails."""
        victim = psutil.Process(self.workers[number].pid)
        for process in [victim, *victim.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.workers[number].wait()

    def close(self) -> None:
        """Ends everything."""
        for process in [*self.workers, self.scheduler]:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in [*self.workers, self.scheduler]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """A scheduler without workers."""
    with contextlib.closing(Machines(tmp_path / "machines")) as machines:
        yield machines


@pytest.mark.long
@pytest.mark.kernel
def test_a_cluster_that_loses_a_worker_gives_the_same_grades(machines: Machines, tmp_path: Path) -> None:
    submitted = submit_class(tmp_path / "in", 20)
    grade_folder("toy", submitted, tmp_path / "here", workers=2, **QUIETLY)
    for _ in range(3):
        machines.add_worker()
    told: list[int] = []

    def progress(step: Step) -> None:
        told.append(step.done)
        if step.done == 6:
            machines.kill_worker(0)
            machines.add_worker()

    options = {"scheduler": machines.address, "progress": progress, **QUIETLY}
    graded = grade_folder("toy", submitted, tmp_path / "there", **options)
    assert told == list(range(1, 21)) and len(graded) == 20
    assert files_of(tmp_path / "there") == files_of(tmp_path / "here")
    left = [*machines.folder.rglob("*.ipynb"), *machines.folder.rglob("toy.py")]
    assert left == [], "a worker needs no files, and keeps none in its folder"


@pytest.mark.long
@pytest.mark.kernel
def test_a_worker_with_other_software_must_not_grade(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.add_worker()
    monkeypatch.setattr("autograder.batch.dask_backend.software", lambda: "torch 1.0")
    with pytest.raises(SetupError, match=r"has other software.*Sender: torch 1\.0"):
        grade_folder("toy", submit_class(tmp_path / "in", 2), tmp_path / "out", scheduler=machines.address, **QUIETLY)


def test_a_missing_scheduler_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.dask_backend.WAIT_SECONDS", 1.0)
    submitted = submit_class(tmp_path / "in", 1)
    with pytest.raises(SetupError, match=r"cannot grade on tcp://127\.0\.0\.1:9: .*Check the scheduler's address"):
        grade_folder("toy", submitted, tmp_path / "out", scheduler="tcp://127.0.0.1:9", **QUIETLY)


class Client:
    """A Dask client with one future, which ends when a test says so."""

    def __init__(self) -> None:
        self.cluster = Cluster("tcp://127.0.0.1:9", ["toy"], ROOT)
        self.cluster._client = self

    def submit(self, *_: Any, **__: Any) -> Client:
        return self

    def add_done_callback(self, ended: Callable[[Any], None]) -> None:
        self.ended = ended

    def end(self, *outcomes: Any) -> None:
        """Ends the future with results or errors, one after the other."""
        for self.outcome in outcomes:
            self.ended(self)

    def result(self) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


SUBMISSION = Submission("ada", notebook=b"{")
GRADING = failed_grading(load_problem("toy", ROOT), SUBMISSION, "a reason")


@pytest.fixture
def client() -> Client:
    """A client whose cluster never connects."""
    return Client()


def test_a_cancelled_future_stays_cancelled(client: Client) -> None:
    future = client.cluster.submit("toy", SUBMISSION)
    assert future.cancel()
    client.end(GRADING, RuntimeError("too late"))
    assert future.cancelled()


def test_a_future_keeps_its_first_outcome(client: Client) -> None:
    future = client.cluster.submit("toy", SUBMISSION)
    client.end(GRADING, RuntimeError("again"), replace(GRADING))
    assert future.result(0) is GRADING


@pytest.mark.parametrize(
    "error", [RuntimeError("a \ud800 fault"), FutureCancelledError("key", "lost"), KeyboardInterrupt()]
)
def test_an_error_on_a_worker_is_the_result_of_the_submission(error: BaseException, client: Client) -> None:
    future = client.cluster.submit("toy", SUBMISSION)
    client.end(error)
    grading = future.result(0)
    assert grading.log.outcome is Outcome.GRADER_ERROR and type(error).__name__ in grading.log.items[0].message
    assert "Traceback" in grading.traceback and grading.traceback.encode()


def test_a_future_gets_an_outcome_when_no_result_can_be_made(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.dask_backend.failed_grading", lambda *_: int("no result either"))
    future = client.cluster.submit("toy", SUBMISSION)
    client.end(RuntimeError("a fault"))
    with pytest.raises(SetupError, match="cannot make a result for 'ada'"):
        future.result(0)
    client.cluster._root = ROOT / "nowhere"
    future = client.cluster.submit("toy", SUBMISSION)
    client.end(RuntimeError("a fault"))
    with pytest.raises(SourceError, match="toy"):
        future.result(0)


def test_a_kit_is_reproducible_and_has_the_files_that_grading_reads(tmp_path: Path) -> None:
    kit = pack(["toy"], ROOT)
    assert kit == pack(["toy"], ROOT) and kit.digest == pack(["toy"], ROOT).digest
    assert kit.digest != replace(kit, seed="another").digest
    assert len(kit.files) < 100_000
    unpack(kit, tmp_path)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py"))
    assert found[0] == "solutions/toy.py" and "solutions/variants/toy/wrong/Line/swapped.py" in found
    assert all((tmp_path / name).read_bytes() == (ROOT / name).read_bytes() for name in [*found, "course.toml"])
