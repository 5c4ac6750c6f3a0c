"""What was found in order on this machine, so that the next command need not test it again.

Kept in the course's folder for state, which students' code cannot reach. An entry holds until the machine is started
again, and as long as this process's namespaces and rights, the installed software and the entry's own conditions stay
the same. Faults are never remembered.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.core.errors import AutograderError
from autograder.core.files import write_atomically
from autograder.core.hashing import key_of
from autograder.core.locks import locked
from autograder.core.software import software
from autograder.course.config import course_folder

_MOST = 100
"""Number of entries that are kept, the newest ones."""


def recall(root: Path, *conditions: object) -> Any | None:
    """What was remembered under these conditions, as plain JSON; None if nothing was."""
    machine = _machine()
    return _entries(root).get(key_of(machine, conditions)) if machine else None


def remember(root: Path, value: object, *conditions: object) -> None:
    """Remembers a value of plain JSON under these conditions; does nothing where it cannot be kept.

    The folder for the course's state is not made for it: it is there once the course has drawn a seed.
    """
    machine = _machine()
    if not machine:
        return
    key = key_of(machine, conditions)
    with (
        contextlib.suppress(AutograderError, OSError),
        locked(_file(root).with_suffix(".lock"), busy="", wait_seconds=2.0),
    ):
        entries = {name: kept for name, kept in _entries(root).items() if name != key} | {key: value}
        write_atomically(_file(root), json.dumps(dict(list(entries.items())[-_MOST:]), indent=0) + "\n")
        _file(root).chmod(0o600)


def _file(root: Path) -> Path:
    return course_folder(root) / "remembered.json"


def _entries(root: Path) -> Mapping[str, Any]:
    """All entries; none if the file is missing, broken, or writable for others."""
    path = _file(root)
    try:
        status = path.stat()
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_ours = status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return found if is_ours and isinstance(found, dict) else {}


def _machine() -> list[str]:
    """What tells this machine, this start of it and this process's rights on it; empty where that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        status = Path("/proc/self/status").read_text().splitlines()
        spaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "user", "net", "cgroup")]
    except OSError:
        return []
    rights = [line for line in status if line.startswith(("CapEff", "CapBnd", "Seccomp:", "NoNewPrivs"))]
    return [boot, os.uname().release, str(os.geteuid()), *spaces, *rights, software()]
