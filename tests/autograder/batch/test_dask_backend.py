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
from tests.autograder.toy import ROOT, STANDARDIZE, released, solved, text

ANSWERS = (
    text(solved()),
    text(released()),
    text(solved(standardize=STANDARDIZE + "    import time; time.sleep(0.2)\n    return x")),
    text(solved(standardize=STANDARDIZE + "    import os; os._exit(1)")),
    b"{",
)
OPTIONS: dict[str, Any] = {"gradebook": False, "cache": False, "root": ROOT}


def hand_in(folder: Path, students: int) -> Path:
    """A class whose answers take turns."""
    for number in range(students):
        path = folder / f"student{number:02d}" / "toy" / "toy.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(ANSWERS[number % len(ANSWERS)])
        os.utime(path, (1_800_000_000, 1_800_000_000))
    return folder


class Machines:
    """A scheduler and its workers, each a process of its own with a working folder of its own."""

    def __init__(self, folder: Path) -> None:
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
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
                cwd=home,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def _address(self) -> str:
        for _ in range(600):
            for line in (self.folder / "scheduler.log").read_text(errors="replace").splitlines():
                if "Scheduler at:" in line:
                    return line.split()[-1]
            time.sleep(0.1)
        raise AssertionError((self.folder / "scheduler.log").read_text(errors="replace"))

    def add_worker(self) -> None:
        """Starts one more worker, with one thread."""
        name = f"worker{len(self.workers)}"
        self.workers.append(
            self._start(name, "dask_worker", self.address, "--nthreads", "1", "--no-dashboard", "--name", name)
        )

    def kill_worker(self, number: int) -> None:
        """A machine goes dark: everything on it is gone at once."""
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
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """A scheduler without workers."""
    folder = tmp_path / "machines"
    folder.mkdir()
    cluster = Machines(folder)
    try:
        yield cluster
    finally:
        cluster.close()


def files(out: Path) -> dict[Path, bytes]:
    """Everything that grading wrote, but for how long it took."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name != "timings.csv"]
    return {path.relative_to(out): path.read_bytes() for path in paths}


@pytest.mark.kernel
def test_a_cluster_that_loses_a_worker_gives_the_same_grades(machines: Machines, tmp_path: Path) -> None:
    submitted = hand_in(tmp_path / "in", 20)
    grade_folder("toy", submitted, tmp_path / "here", workers=2, **OPTIONS)
    for _ in range(3):
        machines.add_worker()
    told: list[int] = []

    def progress(step: Step) -> None:
        told.append(step.done)
        if step.done == 6:
            machines.kill_worker(0)
            machines.add_worker()

    graded = grade_folder(
        "toy", submitted, tmp_path / "there", scheduler=machines.address, progress=progress, **OPTIONS
    )
    assert told == list(range(1, 21)) and len(graded) == 20
    assert files(tmp_path / "there") == files(tmp_path / "here")
    left = [path for path in machines.folder.rglob("*.ipynb")] + list(machines.folder.rglob("toy.py"))
    assert left == [], "a worker needs no files, and keeps none in its folder"


@pytest.mark.kernel
def test_a_worker_with_other_software_must_not_grade(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.add_worker()
    monkeypatch.setattr("autograder.batch.dask_backend.software", lambda: "torch 1.0")
    with pytest.raises(SetupError, match=r"has other software.*Sender: torch 1\.0"):
        grade_folder("toy", hand_in(tmp_path / "in", 2), tmp_path / "out", scheduler=machines.address, **OPTIONS)


def test_no_scheduler_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.dask_backend.WAIT_SECONDS", 1.0)
    submitted = hand_in(tmp_path / "in", 1)
    with pytest.raises(SetupError, match=r"cannot grade on tcp://127\.0\.0\.1:9: .*Check the scheduler's address"):
        grade_folder("toy", submitted, tmp_path / "out", scheduler="tcp://127.0.0.1:9", **OPTIONS)


class Client:
    """A Dask client whose work ends when a test says so."""

    def __init__(self) -> None:
        self.ended: Callable[[Any], None] = lambda future: None

    def submit(self, *_: Any, **__: Any) -> Client:
        return self

    def add_done_callback(self, ended: Callable[[Any], None]) -> None:
        self.ended = ended


class Ended:
    """A Dask future that has ended, with a result or an error."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def result(self) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def client_and_cluster() -> tuple[Client, Cluster]:
    """A cluster behind a client of ours."""
    client, cluster = Client(), Cluster("tcp://127.0.0.1:9", ["toy"], ROOT)
    cluster._client = client
    return client, cluster


SUBMISSION = Submission("ada", notebook=b"{")


def test_a_future_that_was_cancelled_meanwhile_stays_so(client_and_cluster: tuple[Client, Cluster]) -> None:
    client, cluster = client_and_cluster
    future = cluster.submit("toy", SUBMISSION)
    assert future.cancel()
    client.ended(Ended(failed_grading(load_problem("toy", ROOT), SUBMISSION, "a reason")))
    client.ended(Ended(RuntimeError("too late")))
    assert future.cancelled()


def test_a_future_gets_one_outcome_only(client_and_cluster: tuple[Client, Cluster]) -> None:
    client, cluster = client_and_cluster
    grading = failed_grading(load_problem("toy", ROOT), SUBMISSION, "a reason")
    future = cluster.submit("toy", SUBMISSION)
    for outcome in (grading, RuntimeError("again"), grading):
        client.ended(Ended(outcome))
    assert future.result(0) is grading


@pytest.mark.parametrize(
    "error", [RuntimeError("a \ud800 fault"), FutureCancelledError("key", "lost"), KeyboardInterrupt()]
)
def test_what_goes_wrong_on_a_worker_is_the_submissions_result(
    error: BaseException, client_and_cluster: tuple[Client, Cluster]
) -> None:
    client, cluster = client_and_cluster
    future = cluster.submit("toy", SUBMISSION)
    client.ended(Ended(error))
    grading = future.result(0)
    assert grading.log.outcome is Outcome.GRADER_ERROR and type(error).__name__ in grading.log.items[0].message
    assert "Traceback" in grading.trouble and grading.trouble.encode()


def test_a_future_always_gets_an_outcome(
    client_and_cluster: tuple[Client, Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, cluster = client_and_cluster

    def broken(*_: Any) -> Any:
        raise ValueError("no result either")

    monkeypatch.setattr("autograder.batch.dask_backend.failed_grading", broken)
    future = cluster.submit("toy", SUBMISSION)
    client.ended(Ended(RuntimeError("a fault")))
    with pytest.raises(SetupError, match="cannot make a result for 'ada'"):
        future.result(0)
    cluster._root = ROOT / "nowhere"
    future = cluster.submit("toy", SUBMISSION)
    client.ended(Ended(RuntimeError("a fault")))
    with pytest.raises(SourceError, match="toy"):
        future.result(0)


def test_a_kit_is_the_same_each_time_and_holds_what_grading_reads(tmp_path: Path) -> None:
    kit = pack(["toy"], ROOT)
    assert kit == pack(["toy"], ROOT) and kit.digest == pack(["toy"], ROOT).digest
    assert kit.digest != replace(kit, seed="another").digest
    assert len(kit.files) < 100_000
    unpack(kit, tmp_path)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py"))
    assert found[0] == "solutions/toy.py" and "solutions/variants/toy/wrong/Line/swapped.py" in found
    assert all((tmp_path / name).read_bytes() == (ROOT / name).read_bytes() for name in [*found, "course.toml"])
