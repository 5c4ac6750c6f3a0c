"""Runs in Gradescope's container: starts the grading, enforces the time limit, and writes `results.json`.

It is a small process that imports nothing heavy and never reads a student's files. The grading is a fork of it
(`autograder.gradescope.grade`) that sends its findings over a pipe. After each item the file is written again. When the
grading ends, dies or takes too long, all its processes are killed before the file is written for the last time.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.core.errors import AutograderError
from autograder.core.text import printable
from autograder.course.config import ROOT_VARIABLE
from autograder.course.seed import SEED_VARIABLE
from autograder.gradescope.results_json import End, Progress, write_results
from autograder.gradescope.settings import METADATA_FILE, Settings, read_settings
from autograder.sandbox.guest import syscalls
from autograder.sandbox.guest.confinement import die_with_parent
from autograder.sandbox.guest.process_tree import kill_children
from autograder.sandbox.host import ISOLATION_VARIABLE


def main(arguments: list[str]) -> int:
    """Grades the submission in `<base>/submission` and writes `<base>/results/results.json`.

    Args:
        arguments: the base folder (`/autograder`); before it `--preflight` to grade the solution instead and write no
            results.

    Returns:
        The exit status: 0 if there is a result, whatever the score; 1 after an error of the autograder; 2 without
        settings.
    """
    base = Path(arguments[-1])
    for name in (ISOLATION_VARIABLE, SEED_VARIABLE, ROOT_VARIABLE):  # only the zip decides
        os.environ.pop(name, None)
    try:
        settings = read_settings(base / "source")
    except AutograderError as error:
        print(f"gradescope: {error}", flush=True)
        return 2
    if arguments[0] != "--preflight":
        return run(base, settings)
    from autograder.gradescope.grade import preflight_here

    shut(base)
    try:
        print(preflight_here(base, settings))
    except AutograderError as error:  # an image must not be used unless the solution gets full marks in it
        print(f"gradescope: {error}", flush=True)
        return 1
    return 0


def run(base: Path, settings: Settings) -> int:
    """Grades one submission; returns the exit status."""
    started = time.monotonic()
    deadline = started + settings.seconds
    shut(base)
    progress = Progress()
    save = SavedResults(base / "results", settings, progress, started)
    save()
    with _workplace():
        for message in _graded(base, settings, deadline):
            progress.take_note(message)
            if "item" in message:
                save()
    if progress.end is End.RUNNING:  # the grading reported neither its end nor an error
        if time.monotonic() >= deadline:
            progress.end, reason = End.LATE, "The time limit was reached."
        else:
            progress.end, reason = End.FAULT, "The grading process ended; the container may have too little memory."
        progress.staff.append(reason)
    save.finally_()
    for line in progress.staff:
        print(printable(line, 2000))
    sys.stdout.flush()
    return 1 if progress.end is End.FAULT else 0


def shut(base: Path) -> None:
    """Lets only the owner read the sources, the results and the platform's data about the student."""
    for name, mode in (("source", 0o700), ("results", 0o700), (METADATA_FILE, 0o600)):
        with contextlib.suppress(FileNotFoundError):
            os.chmod(base / name, mode)


class SavedResults:
    """Writes the current results. A full disk does not end the grading: 1 MiB is reserved for the last results.

    Args:
        started: when the run began, by `time.monotonic()`.
    """

    def __init__(self, folder: Path, settings: Settings, progress: Progress, started: float) -> None:
        self._folder, self._settings, self._progress, self._started = folder, settings, progress, started
        self._reserve = folder / ".reserve"
        with contextlib.suppress(OSError):
            self._reserve.write_bytes(b"\1" * (1 << 20))

    def __call__(self) -> None:
        """Writes the current results."""
        with contextlib.suppress(Exception):  # the last writing reports the error
            self._write()

    def finally_(self) -> None:
        """Writes for the last time; if the results cannot be written, writes that the autograder failed."""
        with contextlib.suppress(OSError):
            self._reserve.unlink()
        try:
            self._write()
        except Exception:
            self._progress.give_up("The results could not be written:", *traceback.format_exc().splitlines())
            self._write()

    def _write(self) -> None:
        self._progress.seconds = time.monotonic() - self._started
        try:
            self._folder.mkdir(exist_ok=True)
            write_results(self._folder, self._settings, self._progress)
        except (AutograderError, OSError) as error:
            print(f"results.json was not written: {error}", flush=True)


@contextlib.contextmanager
def _workplace() -> Iterator[None]:
    """Makes a folder for all temporary files in the block; then removes it with everything that student code left."""
    folder = tempfile.mkdtemp(prefix="gradescope-")
    os.chmod(folder, 0o711)  # sessions with their own user id must reach their folder below it
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = before
        subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)  # trees of any depth, unlike shutil


def _graded(base: Path, settings: Settings, deadline: float) -> Iterator[Mapping[str, Any]]:
    """Grades in a fork; yields its messages until it ends or its time is up, then kills all its processes."""
    reading, writing = os.pipe()
    if sys.platform == "linux":
        syscalls.adopt_orphans()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _grade_and_exit(base, settings, writing)
    os.close(writing)
    try:
        yield from _lines(reading, deadline)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        kill_children()


def _lines(reading: int, deadline: float) -> Iterator[Mapping[str, Any]]:
    """Yields the messages that arrive on a pipe until it is closed or the time is up."""
    left = b""
    while True:
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not select.select([reading], [], [], seconds)[0]:
            return
        data = os.read(reading, 1 << 16)
        if not data:
            return
        *lines, left = (left + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _grade_and_exit(base: Path, settings: Settings, writing: int) -> None:
    """The main function of the fork. It reports every error; the student reads that it is not their fault."""

    def tell(message: Mapping[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(writing, data) :]

    try:
        os.setsid()
        die_with_parent()
        from autograder.gradescope.grade import grade

        grade(base, settings, tell)
    except BaseException as error:
        reason = str(error) if isinstance(error, AutograderError) else traceback.format_exc()
        tell({"staff": ["The autograder failed:", *reason.splitlines()], "end": str(End.FAULT)})
    finally:
        os._exit(0)  # its messages alone say how it ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
