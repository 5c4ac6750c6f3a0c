"""Process 1 of the container: gives up its rights, runs a system's commands, and tells what is left afterwards.

Takes a job as JSON from standard input, prints one line of JSON. Needs the standard library, and `watch.py` beside it.

Student code runs as the same user in the same process namespace, and may kill, stop or imitate any process but this
one: signals from inside do not reach process 1, and it cannot be traced.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import math
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


def run(command: dict[str, Any], memory: int) -> dict[str, Any]:
    """Runs one command to its end or its time limit, and reaps every orphan meanwhile.

    Where all processes together hold more than `memory` bytes, the largest one is killed, as the kernel would.
    """
    started, killed_for_memory, status = time.monotonic(), 0, None
    output = Path("/tmp/output")
    pid = os.fork()
    if pid == 0:
        os.chdir(command["cwd"])
        target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor, opened in ((0, os.open(os.devnull, os.O_RDONLY)), (1, target), (2, target)):
            os.dup2(opened, descriptor)
        os.closerange(3, 64)
        os.execve(command["argv"][0], command["argv"], command["environment"])
    while status is None and time.monotonic() - started < command["seconds"]:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == pid:
                    status = ended[1]
        processes = resource_monitor.all_processes()
        if sum(process.memory for process in processes) > memory:
            resource_monitor.enforce([1], memory, cpu=math.inf)
            killed_for_memory += 1
        time.sleep(0.05)
    return {
        "status": None if status is None else os.waitstatus_to_exitcode(status),
        "seconds": round(time.monotonic() - started, 1),
        "killed_for_memory": killed_for_memory,
        "output": tail(output, 3000),
    }


def end_all_others() -> int:
    """Kills every process but this one; returns how many there were."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    left = sum(entry.isdigit() for entry in os.listdir("/proc")) - 1
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
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
    """(student, cell, automatic score, score by hand) of all grades in a gradebook; empty if it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection:
            return [list(row) for row in connection.execute(SCORES)]
    except sqlite3.Error:
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
    shutil.copytree(job["base"], root, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(job["submission"], root, symlinks=True, dirs_exist_ok=True)
    for folder in ("/room/home", *job["folders"]):
        Path(folder).mkdir(parents=True, exist_ok=True)
    before = fingerprints(root, job["own"])
    listen(job["port"], accepted)
    commands = [run(command, job["memory"]) for command in job["commands"]]
    time.sleep(1.5)  # for what was left behind to do what it waits for
    left = end_all_others()
    after = fingerprints(root, job["own"])
    planted = [path for path in root.rglob("pwned") if path.is_file()]
    database = root / job["database"]
    result = {
        "commands": commands,
        "processes_left": left,
        "connections": len(accepted),
        "changed": sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)),
        "planted": {str(path.relative_to(root)): tail(path, 300) for path in planted},
        "scores": scores(database) if database.is_file() else [],
        "texts": {name: tail(root / name, 2_000_000) for name in job["texts"]},
        "copied_secret": [
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and not path.is_symlink() and job["secret"].encode() in path.read_bytes()[:10_000]
        ],
    }
    if job["keep"]:
        shutil.copytree(root, job["keep"], symlinks=True, dirs_exist_ok=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
