"""Grades a round with the whole command: `autograder intake` where something is taken in, then `autograder grade`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.sandbox.guest.confinement import FULL
from autograder.sandbox.host import ISOLATION_VARIABLE
from tests.attacks.files import HONEST
from tests.fuzz.attacker import Attacker
from tests.fuzz.hostile_round import NEIGHBOURS, saved

SECONDS = 60, 60
"""Wall time after which a round counts as hanging: for the round, and for each attacker; minutes on a busy machine."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str
    cpu: float
    """Seconds, of all processes, except what they used in the last moments before they ended."""
    hung: bool = False


@dataclass(frozen=True)
class Graded:
    """What the commands made of a round."""

    intake: Ended | None
    """None if nothing was taken in."""
    grade: Ended
    submitted: Path
    out: Path


def graded(folder: Path, course: Path, work: Path, command: Sequence[str]) -> Graded:
    """Grades a round.

    Args:
        folder: the round.
        course: a released course, which is copied.
        work: a new folder for the copies and the results.
        command: `autograder`, or what stands in for it.
    """
    made, root = saved(folder), work / "course"
    shutil.copytree(course, root)
    submitted, out = work / "submitted", work / "out"
    shutil.copytree(folder / "submitted", submitted, symlinks=True)
    for student, name in NEIGHBOURS.items():
        Attacker("", {"toy.ipynb": HONEST[name].data}).write(submitted / student / "toy")
    seconds = SECONDS[0] + SECONDS[1] * len(made.attackers)
    taken = None
    if len(made.honest) > len(NEIGHBOURS):
        source = _incoming(folder, work, as_zip=made.as_zip)
        taken = _run([*command, "intake", str(source), "--problem", "toy", "--to", str(submitted)], root, seconds)
    arguments = ["grade", "toy", "--submitted", str(submitted), "--out", str(out), "--workers", str(made.workers)]
    return Graded(taken, _run([*command, *arguments], root, seconds), submitted, out)


def _incoming(folder: Path, work: Path, *, as_zip: bool) -> Path:
    """The source of the intake: the folder of the round beside the honest students' files, or a zip of it."""
    source = work / "incoming"
    shutil.copytree(folder / "incoming", source, symlinks=True)
    right = {"toy.ipynb": HONEST["honest_right"].data}
    Attacker("", {f"honest folder/{name}": data for name, data in right.items()}).write(source)
    with zipfile.ZipFile(source / "honest_zip.zip", "w") as archive:
        archive.writestr("toy.ipynb", right["toy.ipynb"])
    if not as_zip:
        return source
    with zipfile.ZipFile(work / "class.zip", "w") as whole:
        for path in sorted(source.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = str(path.relative_to(source)).encode("utf-8", "replace").decode()
                whole.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return work / "class.zip"


def _run(command: Sequence[str], root: Path, seconds: float) -> Ended:
    """Runs a command in a session of its own, which Ctrl-C does not reach, and ends it when the time is over."""
    environment = {
        **os.environ,
        "AUTOGRADER_ROOT": str(root),
        "AUTOGRADER_SEED": "of the fuzzer",
        ISOLATION_VARIABLE: FULL,
    }
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        end, used, said = time.monotonic() + seconds, dict[int, float](), None
        try:
            while said is None and time.monotonic() < end:
                used |= _cpu_times(process.pid)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    said = process.communicate(timeout=0.25)
        finally:
            stdout, stderr = said or _ended(process)
    hung = said is None
    cpu = sum(used.values())
    return Ended(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"), cpu, hung)


def _cpu_times(pid: int) -> dict[int, float]:
    """Process id → seconds of CPU time, of a process and its descendants."""
    found = {}
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
    return found


def _ended(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Ends a command as Ctrl-C does, and if that does not help, by force; returns what it printed."""
    for number in (signal.SIGINT, signal.SIGKILL):
        os.killpg(process.pid, number)
        try:
            return process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            continue
    return b"", b""
