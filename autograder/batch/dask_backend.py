"""Grades on a Dask cluster. Submissions and results travel as bytes; workers share no files with this machine.

Each worker keeps warm processes of its own (`batch.local_pool`). If a worker is lost, Dask repeats its work on another
worker; a submission whose workers are lost three times gets a result that says so. A client of a Dask scheduler can run
any code on its workers: keep the scheduler on a private network, or use its TLS addresses.
"""

from __future__ import annotations

import functools
import hashlib
import io
import logging
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client, WorkerPlugin, get_worker
from distributed.scheduler import KilledWorker

from autograder.batch.local_pool import LocalPool
from autograder.core.errors import AutograderError, SetupError
from autograder.core.results import Grading
from autograder.core.software import software
from autograder.core.zips import zip_of
from autograder.course.config import COURSE_FILE
from autograder.course.problem import load_problem
from autograder.course.seed import grading_seed
from autograder.course.variants import variant_files
from autograder.grading.failed import failed_grading
from autograder.sandbox.host import wanted_level
from autograder.submissions.reader import Submission

WAIT_SECONDS = 120.0
"""Seconds to wait for the scheduler, and for its first worker."""
_LOOK_SECONDS = 5.0
"""Seconds between two counts of the workers."""


class Cluster:
    """Grades submissions on the workers of a Dask scheduler; a context manager.

    Args:
        scheduler: its address, e.g. `tcp://10.0.0.5:8786`.
        problems: ids of the problems that will be graded.
        root: the course's root folder, on this machine.
        workers: number of submissions in parallel; one per thread of the cluster's workers if not given.

    Raises:
        SetupError: on entering: the scheduler does not answer, or it has no worker.
    """

    def __init__(self, scheduler: str, problems: Sequence[str], root: Path, *, workers: int | None = None) -> None:
        self._scheduler = scheduler
        self._root = root
        self._kit = pack(problems, root)
        self._wanted = workers
        self._client: Any = None
        self._threads = 1
        self._looked = float("-inf")

    def __enter__(self) -> Cluster:
        try:
            self._client = Client(  # type: ignore[no-untyped-call]
                self._scheduler, timeout=WAIT_SECONDS, set_as_default=False
            )
            self._client.wait_for_workers(1, timeout=WAIT_SECONDS)
            self._client.register_plugin(_CoursePlugin(self._kit), name=_name(self._kit.digest))
        except (OSError, TimeoutError, ValueError) as error:
            self._close()
            raise SetupError(
                f"cannot grade on {self._scheduler}: {str(error) or type(error).__name__}. Check the scheduler's "
                "address, and start at least one worker (`dask worker ADDRESS`) with this package installed."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def workers(self) -> int:
        """Number of submissions in parallel; changes as the cluster grows and shrinks."""
        if self._wanted is not None:
            return self._wanted
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._threads = max(1, sum(self._client.nthreads().values()))
        return self._threads

    def submit(
        self, problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None = None
    ) -> Future[Grading]:
        """Grades a submission on a worker; the only error that the future may hold is a `SetupError`."""
        mine: Future[Grading] = Future()
        theirs = self._client.submit(
            _grade_here, self._kit.digest, problem_id, submission, cached_items, pure=False, retries=0
        )

        def done(future: Any) -> None:
            outcome = self._outcome(future, problem_id, submission)
            if mine.done() or not mine.set_running_or_notify_cancel():
                return  # cancelled
            if isinstance(outcome, Grading):
                mine.set_result(outcome)
            else:
                mine.set_exception(outcome)

        theirs.add_done_callback(done)
        return mine

    def _outcome(self, future: Any, problem_id: str, submission: Submission) -> Grading | AutograderError:
        """The result of a submission whose work on the cluster has ended, or the error that ends the batch."""
        try:
            try:
                grading: Grading = future.result()
                return grading
            except SetupError as error:
                return error
            except KilledWorker:
                fault: str | BaseException = "the workers that graded it were lost in every attempt"
            except BaseException as error:
                fault = error
            return failed_grading(load_problem(problem_id, self._root), submission, fault)
        except AutograderError as error:  # the problem's source has disappeared in the meantime
            return error
        except Exception as error:
            return SetupError(f"cannot make a result for {submission.student!r}: {error!r}")

    def _close(self) -> None:
        if self._client is None:
            return
        try:
            self._client.unregister_worker_plugin(_name(self._kit.digest))
        except Exception as error:  # the cluster may be gone, and our processes with it
            logging.getLogger("autograder").debug("the workers could not be told to stop: %s", error)
        self._client.close()
        self._client = None


# --- on a worker ------------------------------------------------------------------------------------------------------


class _CoursePlugin(WorkerPlugin):
    """Holds a kit and the processes started for it on every worker, including workers that join later."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.name = _name(kit.digest)
        self.idempotent = True
        self._graders: LocalPool | None = None
        self._folder = ""

    def setup(self, worker: Any) -> None:
        """Called by Dask when the worker receives the plugin."""
        self._lock = threading.Lock()
        self._threads = worker.state.nthreads
        self._where = worker.address

    def graders(self) -> LocalPool:
        """The worker's warm processes, started at the first call.

        Raises:
            SetupError: the software on this machine differs, so scores might differ too.
        """
        with self._lock:
            if self._graders is None:
                if software() != self.kit.software:
                    raise SetupError(
                        f"the worker {self._where} has other software than the machine that sent the submissions, so "
                        f"its scores might differ. Worker: {software()}. Sender: {self.kit.software}. Install the same."
                    )
                self._folder = tempfile.mkdtemp(prefix="autograder-kit-")
                unpack(self.kit, Path(self._folder))
                self._graders = LocalPool(
                    self.kit.problems,
                    self._threads,
                    Path(self._folder),
                    seed=self.kit.seed,
                    isolation=self.kit.isolation,
                )
            return self._graders

    def teardown(self, worker: Any) -> None:
        """Called by Dask when the worker or the plugin ends."""
        if self._graders is not None:
            self._graders.close()
            shutil.rmtree(self._folder, ignore_errors=True)


def _name(digest: str) -> str:
    return f"autograder-{digest[:16]}"


def _grade_here(
    digest: str, problem_id: str, submission: Submission, cached_items: Mapping[str, Any] | None
) -> Grading:
    """Grades one submission, in a thread of a worker."""
    kept = get_worker().plugins[_name(digest)]
    assert isinstance(kept, _CoursePlugin)
    return kept.graders().grade(problem_id, submission, cached_items)


@dataclass(frozen=True)
class Kit:
    """The sources of the problems, and everything else that scores depend on."""

    problems: tuple[str, ...]
    files: bytes
    """A zip archive of the part of the course that grading reads."""
    seed: str
    isolation: str
    """The requested isolation level; empty for the strongest."""
    software: str
    """The sender's software versions; a machine with other versions must not grade."""

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the kit, in hex; identifies it."""
        parts = [self.files, repr((self.problems, self.seed, self.isolation, self.software)).encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def pack(problems: Sequence[str], root: Path) -> Kit:
    """Packs the files that grading these problems needs.

    Args:
        problems: problem ids.
        root: the course's root folder.
    """
    paths = [root / COURSE_FILE, *sorted((root / "solutions").glob("*.py"))]
    for problem in problems:
        paths += variant_files(load_problem(problem, root), "wrong")
    files = zip_of({path.relative_to(root).as_posix(): path.read_bytes() for path in paths})
    return Kit(tuple(problems), files, grading_seed(root), wanted_level(), software())


def unpack(kit: Kit, folder: Path) -> None:
    """Extracts a kit into a folder, which is then a course's root folder."""
    with zipfile.ZipFile(io.BytesIO(kit.files)) as files:
        files.extractall(folder)
