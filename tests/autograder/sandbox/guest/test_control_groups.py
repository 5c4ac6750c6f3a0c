"""Control groups: where they are made on machines of all kinds, and what is written into them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox.guest import control_groups
from autograder.sandbox.guest.control_groups import ControlGroups, trees_in

LIMITS = {"total": 6_000_000_000, "processes": 64}

V2 = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw"
V1 = [
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory",
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct",
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset",
]


@pytest.mark.parametrize(
    ("mounts", "groups", "expected"),
    [
        ([V2], ["0::/user.slice/run-1.scope"], [("/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/run-1.scope", ())]),
        ([V2], ["0::/"], [("/sys/fs/cgroup", "/sys/fs/cgroup", ())]),
        ([V2], ["0::/a.scope/autograder-staff"], [("/sys/fs/cgroup", "/sys/fs/cgroup/a.scope", ())]),
        (
            [V2.replace(" / /sys", " /docker/abc /sys")],
            ["0::/docker/abc/inner"],
            [("/sys/fs/cgroup", "/sys/fs/cgroup/inner", ())],
        ),
        (
            V1,
            ["5:memory:/docker/1", "4:cpu,cpuacct:/x", "1:name=systemd:/", "0::/"],
            [
                ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/docker/1", ("memory",)),
                ("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/x", ("cpu", "cpuacct")),
            ],
        ),
        (["23 1 0:5 / / rw - ext4 /dev/vda rw"], ["0::/"], []),
        ([], [], []),
    ],
)
def test_the_hierarchies_of_a_machine(mounts: list[str], groups: list[str], expected: list[Any]) -> None:
    found = [(tree.mounted, tree.own, tree.controllers) for tree in trees_in(mounts, groups)]
    assert found == expected


class FakeKernel:
    """Makes the files of version 2 in new folders, and obeys the rule that a group with processes has no controllers
    for groups in it.
    """

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._make, self._remove = os.mkdir, os.rmdir
        self.make(root)
        patch.setattr(os, "mkdir", self.mkdir)
        patch.setattr(os, "rmdir", self.rmdir)
        patch.setattr(control_groups, "_write", self.write)

    def make(self, folder: Path) -> None:
        """Makes a group."""
        self._make(folder)
        for name in ("cgroup.procs", "cgroup.subtree_control"):
            (folder / name).write_text("")
        for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.weight"):
            (folder / name).write_text("max")
        (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")

    def path(self, path: Any, dir_fd: int | None) -> Path:
        """The path of a call."""
        return Path(path) if dir_fd is None else Path(os.readlink(f"/proc/self/fd/{dir_fd}"), path)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """`os.mkdir`."""
        found = self.path(path, dir_fd)
        self.make(found) if found.is_relative_to(self.root) else self._make(path, mode, dir_fd=dir_fd)

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        """`os.rmdir`."""
        found = self.path(path, dir_fd)
        if not found.is_relative_to(self.root):
            return self._remove(path, dir_fd=dir_fd)
        if not found.is_dir():
            raise FileNotFoundError(found)
        alive = [pid for pid in (found / "cgroup.procs").read_text().split() if Path(f"/proc/{pid}").exists()]
        if alive or any(inner.is_dir() for inner in found.iterdir()):
            raise OSError(errno.EBUSY, "busy")
        for file in found.iterdir():
            file.unlink()
        return self._remove(found)

    def write(self, folder: int | None, path: str, text: str) -> None:
        """Writes into a file of a group; a process is in one group only."""
        found = self.path(path, folder)
        if found.name == "cgroup.procs":
            pid = str(os.getpid()) if text == "0" else text
            for other in self.root.rglob("cgroup.procs"):
                other.write_text(" ".join(one for one in other.read_text().split() if one != pid))
            text = " ".join([*found.read_text().split(), pid])
        elif found.name == "cgroup.subtree_control" and found.with_name("cgroup.procs").read_text():
            raise OSError(errno.EBUSY, "has processes")
        found.write_text(text)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    """A kernel with version 2 in a temporary folder."""
    return FakeKernel(tmp_path / "cgroup", monkeypatch)


def opened(kernel: FakeKernel, own: Path) -> ControlGroups:
    """The groups of a host whose own group is `own`."""
    groups = ControlGroups(LIMITS)
    groups.open([control_groups._Tree(str(kernel.root), str(own), ())])
    return groups


def in_a_child(action: Callable[[], object]) -> None:
    """Runs an action in a fork, as a session does."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def test_a_session_has_the_limits_and_its_group_is_removed(kernel: FakeKernel) -> None:
    groups = opened(kernel, kernel.root)
    assert groups.controllers == {"memory", "pids", "cpu"}
    (folder,) = kernel.root.glob("autograder-*")
    assert (folder / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    groups.make("1-1")
    made = folder / "1-1"
    values = {name: (made / name).read_text() for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.weight")}
    assert values == {"memory.max": "6000000000", "memory.swap.max": "0", "pids.max": "64", "cpu.weight": "100"}
    assert groups.cpu("1-1") == 2.5
    in_a_child(lambda: groups.join("1-1"))
    assert len((made / "cgroup.procs").read_text().split()) == 1
    (made / "cgroup.procs").write_text(str(os.getpid()))
    groups.remove("1-1")
    assert made.exists(), "its process has not ended"
    (made / "cgroup.procs").write_text("")
    groups.remove()
    assert not made.exists()
    groups.make("1-2")
    groups.close()
    assert not list(kernel.root.glob("autograder-*")) and groups.controllers == frozenset()


def test_a_delegated_group_passes_its_controllers_on(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.make(scope := kernel.root / "run.scope")
    (scope / "cgroup.procs").write_text("4000001 4000002")
    (kernel.root / "cgroup.procs").write_text("1")
    assert not opened(kernel, scope).controllers, "its processes are not ours to move"
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"1" if Path(path) == scope else b"0")
    groups = opened(kernel, scope)
    assert groups.controllers == {"memory", "pids", "cpu"}
    assert (scope / "autograder-staff" / "cgroup.procs").read_text() == "4000001 4000002"
    groups.close()
    assert not list(scope.glob("autograder-[0-9]*"))


def test_groups_of_hosts_that_were_killed_are_removed(kernel: FakeKernel) -> None:
    for pid in (4_999_999, os.getpid()):
        kernel.make(kernel.root / f"autograder-{pid}-abc")
        kernel.make(kernel.root / f"autograder-{pid}-abc" / "1-1")
    opened(kernel, kernel.root).close()
    assert [path.name for path in kernel.root.glob("autograder-*")] == [f"autograder-{os.getpid()}-abc"]


@pytest.mark.parametrize("refused", ["cgroup.subtree_control", "memory.max", "cgroup.procs"])
def test_a_kernel_that_refuses_is_done_without(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def write(folder: int | None, path: str, text: str) -> None:
        if path.endswith(refused):
            raise PermissionError(errno.EACCES, refused)
        kernel.write(folder, path, text)

    monkeypatch.setattr(control_groups, "_write", write)
    groups = opened(kernel, kernel.root)
    assert not groups.controllers and not list(kernel.root.glob("autograder-*"))
    groups.make("1-1")
    assert groups.cpu("1-1") is None
    groups.remove("1-1")
    groups.close()
