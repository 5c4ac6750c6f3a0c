"""Process 1 of the container: gives up its rights, runs a system's commands, and reports what is left afterwards.

Reads a job as JSON from standard input, prints one line of JSON. Needs the standard library and `resource_monitor.py`.

Student code runs as the same user in the same process namespace, and may kill, stop or imitate any process but this
one: signals from inside do not reach process 1, and it cannot be traced.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

from autograder.sandbox.guest import resource_monitor

USER = 64023
"""A user id that nobody has."""
NEW_USER_NAMESPACE = 0x10000000
SET_DUMPABLE = 4
OUTPUT = Path("/tmp/output")

SCORES = """
    select submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.manual_score
    from grade join base_cell on base_cell.id = grade.cell_id
    join submitted_notebook on submitted_notebook.id = grade.notebook_id
    join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
"""


def give_up_rights(limits: dict[str, int]) -> None:
    """If this is root becomes nobody, in a user namespace of its own; then sets the limits.

    In this order the limit of processes holds within the namespace; before it, it would count those of all containers.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)
        if libc.unshare(NEW_USER_NAMESPACE):
            raise OSError(ctypes.get_errno(), "no user namespace of its own")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{USER} {USER} 1")
        Path("/proc/self/gid_map").write_text(f"{USER} {USER} 1")
    libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)
    for name, limit in limits.items():
        resource.setrlimit(getattr(resource, name), (limit, limit))


def reap() -> dict[int, int]:
    """Waits for every child that has ended: process id -> status."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            ended[found[0]] = found[1]
    return ended


def run(arguments: list[str], seconds: float, job: dict[str, Any]) -> str:
    """Runs one command to its end or its time limit, and reaps every orphan meanwhile.

    Where all processes together hold too much memory, the largest one is killed, as the kernel would.

    Returns:
        `time` or `memory` if that limit took effect, else nothing.
    """
    started, stopped = time.monotonic(), ""
    pid = os.fork()
    if pid == 0:
        os.chdir(Path(job["root"]) / job["folder"])
        target = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor, opened in ((0, os.open(os.devnull, os.O_RDONLY)), (1, target), (2, target)):
            os.dup2(opened, descriptor)
        os.closerange(3, 64)
        os.execve(arguments[0], arguments, job["variables"])
    while pid not in reap():
        if time.monotonic() - started > seconds:
            return stopped or "time"
        if sum(process.memory for process in resource_monitor.all_processes()) > job["memory"]:
            resource_monitor.limit_memory(resource_monitor.all_processes(), [1], job["memory"])
            stopped = "memory"
        time.sleep(0.05)
    return stopped


def end_all_others() -> int:
    """Kills every process but this one; returns how many there were."""
    reap()
    left = sum(entry.isdigit() for entry in os.listdir("/proc")) - 1
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        reap()
        if sum(entry.isdigit() for entry in os.listdir("/proc")) == 1:
            break
        time.sleep(0.1)
    return left


def tail(path: Path, size: int) -> str:
    """The end of a file as text; empty if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read(size).decode("utf-8", "replace")
    except OSError:
        return ""


def fingerprints(root: Path, own: list[str]) -> dict[str, str]:
    """Hashes of all files below a folder, but for the system's own results."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not path.is_symlink() and not any(name == o or name.startswith(f"{o}/") for o in own):
            with contextlib.suppress(OSError):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def scores(database: Path) -> list[list[Any]]:
    """(student, cell, automatic score, manual score) of all grades in a gradebook; empty if it cannot be read."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database, timeout=5)) as connection:
        return [list(row) for row in connection.execute(SCORES)]
    return []


def listen(port: int, accepted: list[int]) -> None:
    """Serves "the network": a port outside the grader's own, on the container's own loopback."""
    server = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            accepted.append(1)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()


def main() -> None:
    """Does the job."""
    job = json.load(sys.stdin)
    give_up_rights(job["limits"])
    root, accepted = Path(job["root"]), list[int]()
    for source in ("/opt/base", "/opt/submission"):
        shutil.copytree(source, root, symlinks=True, dirs_exist_ok=True)
    Path("/room/home").mkdir()
    before = fingerprints(root, job["own"])
    listen(job["port"], accepted)
    stopped = [run(arguments, seconds, job) for arguments, seconds in job["commands"]]
    time.sleep(1.5)  # for what was left behind to do what it waits for
    left = end_all_others()
    after = fingerprints(root, job["own"])
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    result = {
        "stopped": stopped[0],
        "processes_left": left,
        "connections": len(accepted),
        "changed": sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)),
        "planted": {str(path.relative_to(root)): tail(path, 300) for path in files if path.name == "pwned"},
        "copied": any(job["secret"].encode() in path.read_bytes()[:10_000] for path in files),
        "text": tail(root / job["text"], 2_000_000),
        "scores": scores(root / job["database"]) if (root / job.get("database", "-")).is_file() else [],
        "output": tail(OUTPUT, 3000),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
