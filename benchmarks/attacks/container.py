"""Where stock graders run student code: in bubblewrap, without network or rights, with hard limits, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORK = "/room/toy_course"
"""The course, or the folder of the autograder, as the contained system sees it."""
KEPT = "toy_course"
SHADOW = "root:made-up-secret-of-this-machine:1:0:99999:7:::\n"
"""What `/etc/shadow` holds in the container, readable as it is for a grader that runs as root."""
PORT = 4999
GIB = 2**30
LIMITS = {
    "RLIMIT_AS": 4 * GIB,
    "RLIMIT_FSIZE": GIB // 2,
    "RLIMIT_NPROC": 200,
    "RLIMIT_NOFILE": 1024,
    "RLIMIT_CORE": 0,
}
MEMORY = 6 * GIB
"""Bytes that all processes of one run may hold together."""
DISK = 3 * GIB // 2
"""Bytes that the files of one run may hold; half as much again in /tmp."""


class ContainerError(Exception):
    """Student code cannot be contained on this machine, or the container did not come up."""


@dataclass(frozen=True)
class Job:
    """What runs in one container."""

    environment: Path
    """The system's virtual environment; seen read-only."""
    base: Path
    """Copied into the container's memory as `WORK`."""
    submission: Path
    """Copied on top of it."""
    commands: Sequence[tuple[Sequence[str], str, float]]
    """(arguments, working folder, seconds); the first argument is a program of the environment."""
    texts: Sequence[str] = ()
    """Files below `WORK` to read afterwards."""
    own: Sequence[str] = ()
    """Files and folders below `WORK` that the system itself writes."""
    folders: Sequence[str] = ()
    """Folders to make first."""
    database: str = "-"
    """nbgrader's gradebook, below `WORK`."""
    keep: Path | None = None
    """Copy `WORK` to `KEPT` in this folder afterwards; only for runs without student code."""
    variables: Mapping[str, str] = field(default_factory=dict)


def find_bubblewrap() -> str:
    """The path of `bwrap`.

    Raises:
        ContainerError: it is not installed.
    """
    path = shutil.which("bwrap")
    if path is None:
        raise ContainerError(
            "bubblewrap is not installed, and without it stock nbgrader and otter would run attacks unprotected on "
            "this machine. Install it (`apt-get install bubblewrap` on Debian and Ubuntu, `dnf install bubblewrap` on "
            "Fedora), then run this again. Nothing was run."
        )
    return path


def run(job: Job) -> dict[str, Any]:
    """Runs a job; returns what `inside.py` tells.

    Raises:
        ContainerError: bubblewrap is missing, or the container ended without a word.
    """
    bubblewrap = find_bubblewrap()
    seconds = 60 + sum(command[2] for command in job.commands)
    with tempfile.TemporaryDirectory(prefix="contained-") as folder:
        os.chmod(folder, 0o755)
        shadow = Path(folder) / "shadow"
        shadow.write_text(SHADOW)
        if job.keep is not None:
            job.keep.mkdir(parents=True)
            job.keep.chmod(0o777)
        command = [bubblewrap, *_walls(job, shadow), os.path.realpath(sys.executable), "-I", "-c", _START]
        try:
            done = subprocess.run(
                command,
                input=json.dumps(_description(job)),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                cwd="/",
                env={},
            )
        except subprocess.TimeoutExpired:
            raise ContainerError(f"the container did not end within {seconds:g} seconds") from None
    if done.returncode or not done.stdout.startswith("{"):
        raise ContainerError(f"the container ended with status {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


_START = "import sys; sys.path.insert(0, '/opt/bench'); from benchmarks.attacks.inside import main; main()"


def _walls(job: Job, shadow: Path) -> list[str]:
    """The options of bubblewrap."""
    interpreter = Path(sys.base_prefix)
    read_only = [
        "/usr",
        "/etc/hosts",
        "/etc/ld.so.cache",
        "/etc/passwd",
        "/etc/group",
        "/etc/nsswitch.conf",
        "/etc/localtime",
    ]
    options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid():
        options += ["--unshare-user"]
    else:  # `inside.py` becomes nobody in a user namespace of its own: root would be beyond the limit of processes
        options += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    options += ["--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--hostname", "grader"]
    options += ["--perms", "0755", "--dir", "/etc"]
    for path in read_only:
        options += ["--ro-bind-try", path, path]
    options += ["--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    options += ["--ro-bind", str(shadow), "/etc/shadow", "--proc", "/proc", "--dev", "/dev"]
    for size, place in ((DISK, "/room"), (DISK // 2, "/tmp"), (GIB // 4, "/dev/shm"), (GIB // 8, "/var/tmp")):
        options += ["--size", str(size), "--perms", "1777", "--tmpfs", place]
    monitor = "autograder/sandbox/guest/resource_monitor.py"
    places = {
        interpreter: interpreter,
        job.environment: job.environment,
        ROOT / "homework": Path("/opt/course/homework"),
        ROOT / "benchmarks/attacks/inside.py": Path("/opt/bench/benchmarks/attacks/inside.py"),
        ROOT / monitor: Path("/opt/bench") / monitor,
        job.base: Path("/opt/base"),
        job.submission: Path("/opt/submission"),
    }
    for source, shown in places.items():
        for parent in list(shown.parents)[-2::-1]:  # bubblewrap would make them for root alone
            options += ["--perms", "0755", "--dir", str(parent)] if str(parent) != "/tmp" else []
        options += ["--ro-bind", str(source), str(shown)]
    if job.keep is not None:
        options += ["--bind", str(job.keep), "/opt/keep"]
    return [*options, "--remount-ro", "/dev", "--chdir", "/room"]


def _description(job: Job) -> dict[str, Any]:
    """The job as `inside.py` reads it."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {
        "HOME": "/room/home",
        "LANG": "C.UTF-8",
        "PATH": f"{job.environment}/bin:/usr/bin:/bin",
        "PYTHONPATH": "/opt/course",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": "/tmp",
        **one_thread,
        **job.variables,
    }
    commands = [
        {
            "argv": [f"{job.environment}/bin/{arguments[0]}", *arguments[1:]],
            "cwd": place,
            "seconds": seconds,
            "environment": environment,
        }
        for arguments, place, seconds in job.commands
    ]
    return {
        "root": WORK,
        "base": "/opt/base",
        "submission": "/opt/submission",
        "commands": commands,
        "texts": list(job.texts),
        "own": list(job.own),
        "folders": list(job.folders),
        "database": job.database,
        "keep": f"/opt/keep/{KEPT}" if job.keep else "",
        "port": PORT,
        "limits": LIMITS,
        "memory": MEMORY,
        "secret": SHADOW.strip(),
    }
