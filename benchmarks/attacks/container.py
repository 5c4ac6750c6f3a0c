"""Where stock graders run student code: in bubblewrap, without network or rights, with hard limits, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.attacks.stock import ROOT

WORK = "/room/toy_course"
"""The course, or the folder of the autograder, as the contained system sees it."""
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
ETC = ("hosts", "ld.so.cache", "passwd", "group", "nsswitch.conf", "localtime")
MONITOR = "autograder/sandbox/guest/resource_monitor.py"
INSIDE = "benchmarks/attacks/inside.py"
_START = "import sys; sys.path.insert(0, '/opt/bench'); from benchmarks.attacks.inside import main; main()"


class ContainerError(Exception):
    """Student code cannot be contained on this machine, or the container did not come up."""


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


def run(
    environment: Path, base: Path, submission: Path, commands: Sequence[tuple[list[str], float]], **job: Any
) -> dict[str, Any]:
    """Runs the commands of a stock system on a submission; returns what `inside.py` reports.

    Args:
        environment: the system's virtual environment; seen read-only.
        base: copied to `WORK`.
        submission: copied on top of it.
        commands: (arguments, seconds); the first argument is a program of the environment.
        job: below `WORK`: `folder` in which the commands run, `own` files and folders that the system itself writes,
            `text` file to read afterwards, and `database`, nbgrader's gradebook.

    Raises:
        ContainerError: bubblewrap is missing, or the container ended without a report.
    """
    bubblewrap = find_bubblewrap()
    variables = {
        "HOME": "/room/home",
        "LANG": "C.UTF-8",
        "PATH": f"{environment}/bin:/usr/bin:/bin",
        "PYTHONPATH": "/opt/course",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": "/tmp",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    job |= {
        "root": WORK,
        "commands": [([f"{environment}/bin/{program}", *rest], seconds) for (program, *rest), seconds in commands],
        "variables": variables,
        "port": PORT,
        "limits": LIMITS,
        "memory": MEMORY,
        "secret": SHADOW.strip(),
    }
    seconds = 60 + sum(limit for _, limit in commands)
    with tempfile.TemporaryDirectory(prefix="contained-") as folder:
        os.chmod(folder, 0o755)
        shadow = Path(folder) / "shadow"
        shadow.write_text(SHADOW)
        walls = _options(environment, base, submission, shadow)
        command = [bubblewrap, *walls, os.path.realpath(sys.executable), "-I", "-c", _START]
        streams: dict[str, Any] = {"capture_output": True, "text": True, "errors": "replace"}
        try:
            done = subprocess.run(
                command, input=json.dumps(job), timeout=seconds, check=False, cwd="/", env={}, **streams
            )
        except subprocess.TimeoutExpired:
            raise ContainerError(f"the container did not end within {seconds:g} seconds") from None
    if done.returncode or not done.stdout.startswith("{"):
        raise ContainerError(f"the container ended with status {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _options(environment: Path, base: Path, submission: Path, shadow: Path) -> list[str]:
    """The options of bubblewrap."""
    options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid():
        options += ["--unshare-user"]
    else:  # `inside.py` becomes nobody in a user namespace of its own: root would be beyond the limit of processes
        options += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    options += ["--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--hostname", "grader"]
    options += ["--perms", "0755", "--dir", "/etc"]
    for path in ("/usr", *(f"/etc/{name}" for name in ETC)):
        options += ["--ro-bind-try", path, path]
    options += ["--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    options += ["--ro-bind", str(shadow), "/etc/shadow", "--proc", "/proc", "--dev", "/dev"]
    for size, place in ((DISK, "/room"), (DISK // 2, "/tmp"), (GIB // 4, "/dev/shm"), (GIB // 8, "/var/tmp")):
        options += ["--size", str(size), "--perms", "1777", "--tmpfs", place]
    places = {
        Path(sys.base_prefix): sys.base_prefix,
        environment: str(environment),
        ROOT / "homework": "/opt/course/homework",
        ROOT / INSIDE: f"/opt/bench/{INSIDE}",
        ROOT / MONITOR: f"/opt/bench/{MONITOR}",
        base: "/opt/base",
        submission: "/opt/submission",
    }
    for source, shown in places.items():
        for parent in list(Path(shown).parents)[-2::-1]:  # bubblewrap would make them for root alone
            options += ["--perms", "0755", "--dir", str(parent)] if str(parent) != "/tmp" else []
        options += ["--ro-bind", str(source), str(shown)]
    return [*options, "--remount-ro", "/dev", "--chdir", "/room"]
