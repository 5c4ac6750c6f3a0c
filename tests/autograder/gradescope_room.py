"""A scratch folder laid out as Gradescope's container has it, in which the scripts of a zip are run for real."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Problem
from autograder.gradescope.settings import read_settings
from autograder.release.fill import solved_notebook

CHECKOUT = Path(__file__).parents[2]
SEED = "drawn-for-these-tests"
USER = {"email": "ada@uni.example", "id": 1234, "name": "Ada Student", "sid": "s-77"}

_PYTHON = """#!/bin/bash
# Replaces the interpreter of the environment that setup.sh makes: this one, which finds the packages in the checkout.
[ "$1" = -I ] || exit 3
exec env PYTHONPATH={checkout} {python} -s -P "${{@:2}}"
"""


class Room:
    """`/autograder` of one container.

    Args:
        base: an empty folder that other users can get to.
        archive: the zip.
        python: the interpreter to use; the present one, with the packages of the checkout, if not given.
    """

    def __init__(self, base: Path, archive: Path, python: Path | None = None) -> None:
        self.base = base
        self.source, self.submission, self.results = base / "source", base / "submission", base / "results"
        for folder in (self.source, self.submission, self.results):
            folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                os.chmod(zipped.extract(info, self.source), info.external_attr >> 16 & 0o777)
        shutil.copy2(self.source / "run_autograder", base / "run_autograder")
        self.metadata(USER)
        self.python = python
        if python is None:
            self.python = base / "python"
            self.python.write_text(_PYTHON.format(checkout=CHECKOUT, python=sys.executable))
            self.python.chmod(0o755)

    def metadata(self, *users: dict[str, Any]) -> None:
        """Writes what the platform says about who submitted."""
        record = {"id": 1, "users": list(users), "previous_submissions": []}
        (self.base / "submission_metadata.json").write_text(json.dumps(record))

    def submit(self, files: dict[str, bytes]) -> None:
        """Puts files into the submission folder in place of what was there."""
        shutil.rmtree(self.submission)
        for name, data in files.items():
            path = self.submission / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.submission.mkdir(exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the scripts of the zip."""
        environment = {**os.environ, "AUTOGRADER_DIR": str(self.base), "AUTOGRADER_PYTHON": str(self.python)}
        return {name: value for name, value in environment.items() if name not in ("PYTHONPATH", "AUTOGRADER_SEED")}

    @property
    def points(self) -> float:
        """Points of the items that the examiner decides."""
        return read_settings(self.source).auto_points

    def start(self, enter: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        """Starts `run_autograder` as the platform does, inside a group of processes if `enter` is given."""
        return subprocess.Popen(
            [str(self.base / "run_autograder")],
            cwd=self.base,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=enter,
        )

    def grade(self, files: dict[str, bytes], *, status: int = 0) -> Graded:
        """Submits files, runs `run_autograder` and reads what it wrote."""
        self.submit(files)
        for left in self.results.iterdir():
            left.unlink()
        process = self.start()
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == status, printed
        return self.read(printed)

    def read(self, printed: str = "") -> Graded:
        """Reads `results.json`."""
        return Graded(json.loads((self.results / "results.json").read_text(encoding="utf-8")), printed)


class Graded:
    """The results of one run."""

    def __init__(self, record: dict[str, Any], printed: str) -> None:
        self.record = record
        self.printed = printed
        self.tests = {test["name"]: test for test in record["tests"]}

    @property
    def scores(self) -> dict[str, float]:
        """Points by item, of the items that have any."""
        return {name: test["score"] for name, test in self.tests.items() if "score" in test}

    @property
    def seen(self) -> str:
        """All text that the student can see."""
        shown = [test for test in self.record["tests"] if test["visibility"] == "visible"]
        return "\n".join([self.record["output"], *(f"{test['name']}: {test['output']}" for test in shown)])


def solution_bytes(problem: Problem) -> bytes:
    """A notebook in which every answer is right."""
    return notebook_text(solved_notebook(problem)).encode()


@contextlib.contextmanager
def container(memory: int) -> Iterator[Callable[[], None]]:
    """A group of processes with as much memory as the default container and half a core; a function that enters it."""
    top = Path("/sys/fs/cgroup")
    name = f"gradescope-{os.getpid()}"
    wanted = {
        top / "memory" / name: {"memory.limit_in_bytes": memory},
        top / "cpu" / name: {"cpu.cfs_quota_us": 50_000},
    }
    if (top / "cgroup.controllers").exists():
        wanted = {top / name: {"memory.max": memory, "memory.swap.max": 0, "cpu.max": 50_000}}
    try:
        for folder, limits in wanted.items():
            folder.mkdir()
            for file, value in limits.items():
                (folder / file).write_text(str(value))
    except OSError as error:
        pytest.skip(f"groups of processes cannot be made here: {error}")

    def enter() -> None:
        for folder in wanted:
            (folder / "cgroup.procs").write_text("0")

    try:
        yield enter
    finally:
        for folder in wanted:
            with contextlib.suppress(OSError):
                folder.rmdir()
