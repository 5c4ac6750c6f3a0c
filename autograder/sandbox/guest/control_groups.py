"""Limits that the kernel keeps for a session as a whole: a control group (cgroup version 1 or 2) for each session.

They count what limits per process do not: memory in temporary files and page tables, processor time of children that
no parent waited for. Each session has the same share of the processors, however many processes it starts. Groups can be
made by root, and by an ordinary user in a delegated part of the tree (`systemd-run --user --scope -p Delegate=yes`).
See cgroups(7).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEMORY, PROCESSES, CPU = "memory", "pids", "cpu"
_PREFIX = "autograder-"
_STAFF = "autograder-staff"
"""Group of the trusted processes in a delegated one."""
_END_SECONDS = 2.0
"""Time to wait for the end of killed processes before their groups are removed."""


@dataclass(frozen=True)
class _Tree:
    """A hierarchy of groups, and where new groups may be made in it."""

    mounted: str
    """Where it is mounted."""
    own: str
    """The group of this process in it."""
    controllers: tuple[str, ...]
    """The controllers of version 1; empty for version 2."""


class ControlGroups:
    """The groups of one host's sessions; without any where the machine offers none.

    Args:
        limits: those of a session: see `SessionLimits` in `autograder.sandbox.host`.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._folders: dict[str, int] = {}
        """Path of this host's group in each hierarchy → its file descriptor, which stays valid in a private root."""
        self._parents: dict[str, int] = {}
        self._leaving: list[str] = []
        """Groups whose processes were still ending."""
        self.controllers: frozenset[str] = frozenset()
        """Which of `MEMORY`, `PROCESSES` and `CPU` the groups limit."""

    def open(self, trees: Sequence[_Tree] | None = None) -> None:
        """Makes this host's group in each hierarchy that permits it.

        Args:
            trees: the hierarchies; those of this machine if not given.
        """
        for tree in _trees() if trees is None else trees:
            wanted = {MEMORY, PROCESSES, CPU, "cpuacct"} - self.controllers
            if tree.controllers and not wanted & set(tree.controllers):
                continue
            for base in dict.fromkeys((tree.own, tree.mounted)):
                with contextlib.suppress(OSError):
                    folder = _host_group(Path(base), () if tree.controllers else (MEMORY, PROCESSES, CPU))
                    self._parents[str(folder)] = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    self._folders[str(folder)] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    _set(self._folders[str(folder)], "", _share(os.cpu_count() or 1))
                    self.controllers |= set(tree.controllers or (MEMORY, PROCESSES, CPU))
                    break
        if self.controllers and not self._can_be_used():
            self.close()

    def _can_be_used(self) -> bool:
        """Whether a group can be made and joined here."""
        try:
            self.make("trial")
        except OSError:
            return False
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self.join("trial")
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        self.remove("trial")
        return status == 0

    def make(self, name: str) -> None:
        """Makes the group of a session.

        Raises:
            OSError: the kernel refuses it.
        """
        for folder in self._folders.values():
            os.mkdir(name, dir_fd=folder)
            _set(folder, name, _settings(self._limits))

    def join(self, name: str) -> None:
        """Moves this process into a group; then closes the groups, which this process must not change any more."""
        for folder in self._folders.values():
            _write(folder, f"{name}/cgroup.procs", "0")
        self.forget()

    def forget(self) -> None:
        """Closes the groups without removing them."""
        for fd in (*self._folders.values(), *self._parents.values()):
            os.close(fd)
        self._folders, self._parents = {}, {}

    def cpu(self, name: str) -> float | None:
        """Seconds of processor time of all processes that a group ever had; None if it is not counted."""
        for folder in self._folders.values():
            with contextlib.suppress(OSError):
                return int(_read(folder, f"{name}/cpuacct.usage")) / 1e9
            with contextlib.suppress(OSError):
                fields = dict(line.split() for line in _read(folder, f"{name}/cpu.stat").splitlines())
                if "usage_usec" in fields:
                    return int(fields["usage_usec"]) / 1e6
        return None

    def remove(self, name: str = "") -> None:
        """Removes a group, now or when its processes have ended."""
        self._leaving = [left for left in (*self._leaving, *([name] if name else ())) if not self._is_gone(left)]

    def _is_gone(self, name: str) -> bool:
        gone = True
        for folder in self._folders.values():
            try:
                os.rmdir(name, dir_fd=folder)
            except FileNotFoundError:
                continue
            except OSError:
                gone = False
        return gone

    def close(self) -> None:
        """Removes all groups, whose processes must have been killed."""
        end = time.monotonic() + _END_SECONDS
        for folder in self._folders.values():
            self._leaving += [entry.name for entry in os.scandir(folder) if entry.is_dir()]
        self.remove()
        while self._leaving and time.monotonic() < end:
            time.sleep(0.01)
            self.remove()
        for path, parent in self._parents.items():
            with contextlib.suppress(OSError):
                os.rmdir(os.path.basename(path), dir_fd=parent)
        self.forget()
        self.controllers = frozenset()


def _trees() -> Iterator[_Tree]:
    """The hierarchies of this machine: version 2 first."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    yield from trees_in(mounts, groups)


def trees_in(mounts: Sequence[str], groups: Sequence[str]) -> Iterator[_Tree]:
    """The hierarchies that the lines of `/proc/self/mountinfo` and `/proc/self/cgroup` tell; version 2 first."""
    own = {}
    for line in groups:
        _, controllers, path = line.split(":", 2)
        own[controllers] = path
    found = []
    for line in mounts:
        before, _, after = line.partition(" - ")
        root, mounted = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if kind == "cgroup2":
            found.append(_Tree(mounted, _below(mounted, root, own.get("", "/")), ()))
        elif kind == "cgroup":
            names = tuple(name for name in options.split(",") if name in (MEMORY, PROCESSES, CPU, "cpuacct"))
            path = next((path for listed, path in own.items() if listed and set(listed.split(",")) & set(names)), "/")
            if names:
                found.append(_Tree(mounted, _below(mounted, root, path), names))
    yield from sorted(found, key=lambda tree: len(tree.controllers) > 0)


def _below(mounted: str, root: str, path: str) -> str:
    """Where a group is mounted, if the hierarchy's group `root` is mounted at `mounted`."""
    inside = path.removeprefix(root.rstrip("/")) if path.startswith(root) else "/"
    return os.path.normpath(f"{mounted}/{inside.removesuffix(f'/{_STAFF}')}")


def _host_group(base: Path, controllers: Sequence[str]) -> Path:
    """Makes this host's group in `base`, and removes those of hosts that were killed.

    Args:
        base: a group.
        controllers: those to enable (version 2).

    Raises:
        OSError: the kernel refuses it.
    """
    for old in base.glob(f"{_PREFIX}[0-9]*"):
        pid = old.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                for group in (*(path for path in old.iterdir() if path.is_dir()), old):
                    group.rmdir()
    folder = base / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
    folder.mkdir()
    try:
        if controllers:
            _enable(base, controllers)
            _enable(folder, controllers)
    except OSError:
        folder.rmdir()
        raise
    return folder


def _enable(group: Path, controllers: Sequence[str]) -> None:
    """Enables controllers for the groups in `group` (version 2)."""
    words = " ".join(f"+{name}" for name in controllers)
    try:
        _write(None, str(group / "cgroup.subtree_control"), words)
    except OSError as error:
        if error.errno != errno.EBUSY or not _is_delegated(group):
            raise
        staff = group / _STAFF  # a group with processes of its own cannot pass controllers on
        staff.mkdir(exist_ok=True)
        for pid in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                _write(None, str(staff / "cgroup.procs"), pid)
        _write(None, str(group / "cgroup.subtree_control"), words)


def _is_delegated(group: Path) -> bool:
    """Whether systemd left the processes of a group to their user (`Delegate=yes`)."""
    try:
        return os.getxattr(group, "user.delegate") == b"1"
    except OSError:
        return False


def _settings(limits: Mapping[str, int]) -> dict[str, int | str]:
    """The files of a session's group, of both versions, and their values."""
    return {
        "memory.max": limits["total"],
        "memory.swap.max": 0,
        "memory.limit_in_bytes": limits["total"],
        "memory.memsw.limit_in_bytes": limits["total"],
        "pids.max": limits["processes"],
        **_share(1),
    }


def _share(parts: int) -> dict[str, int | str]:
    """A group's share of the processors, in equal parts."""
    return {"cpu.weight": min(100 * parts, 10_000), "cpu.shares": 1024 * parts}


def _set(folder: int, name: str, values: Mapping[str, int | str]) -> None:
    """Writes the files of a group that it has."""
    for file, value in values.items():
        with contextlib.suppress(FileNotFoundError):
            _write(folder, os.path.join(name, file), str(value))


def _write(folder: int | None, path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _read(folder: int, path: str) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(fd, 1 << 16).decode()
    finally:
        os.close(fd)
