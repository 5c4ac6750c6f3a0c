"""Confines the host and its sessions before student code runs.

There are four isolation levels, strongest first. `full`: own namespaces (processes, mounts, network, IPC, users), a
private root with only the interpreter, its libraries and the commands of the shell, read-only, no capabilities,
Landlock, seccomp, limits. `landlock`: Landlock, seccomp, limits. `user`: another user id, limits. `plain`: limits only.
If the host runs as root, each session gets its own user id at every level except `plain`.

The host confines itself once, before any session; each session then adds its own confinement. See
namespaces(7), user_namespaces(7), landlock(7), seccomp(2).
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import syscalls
from .control_groups import CPU, MEMORY, ControlGroups

FULL, LANDLOCK, USER, PLAIN = "full", "landlock", "user", "plain"
SCRATCH = "/scratch"
"""A session's working folder in the private root."""
LEVELS = (FULL, LANDLOCK, USER, PLAIN)
"""The isolation levels, strongest first."""

_FIRST_USER = 1_879_048_192
"""The first user id of sessions; no accounts use this range."""
_MAX_CLONES = 64
"""Maximum number of processes that fork sessions in parallel; with more, user ids repeat."""

_LESS_URGENT = 5
"""By how much sessions are less urgent than the examiner, where the kernel does not share the processors among them."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_NO_SUID = syscalls.MS_NOSUID | syscalls.MS_NODEV


@dataclass(frozen=True)
class Plan:
    """The confinement that the trusted side requests from the host; sent as JSON."""

    level: str
    shown: tuple[str, ...]
    """Paths that student code may read, with the same names as outside."""
    hidden: tuple[str, ...]
    """Folders inside `shown` that must appear empty."""
    folder: str
    """The host's scratch folder outside the sandbox; the private root is mounted there while it is built."""
    limits: dict[str, int]
    """Resource limits of a session: see `SessionLimits` in `autograder.sandbox.host`."""
    groups: bool = True
    """Whether to use control groups where the machine offers them."""
    number: int = 0
    """Random number from 0 to 4095, drawn by the trusted side; distinguishes the hosts of one machine."""

    @staticmethod
    def of(record: dict[str, Any]) -> Plan:
        """The plan from its JSON values."""
        shown, hidden = tuple(record["shown"]), tuple(record["hidden"])
        return Plan(**{**record, "shown": shown, "hidden": hidden})


class Confinement:
    """The confinement of one host and of its sessions.

    Args:
        plan: the requested confinement.
    """

    def __init__(self, plan: Plan) -> None:
        self.limits = dict(plan.limits)
        self._plan = plan
        self._is_root = os.geteuid() == 0
        self._sessions = 0
        self._seat = 0
        self._own_processes = -1
        self.groups = ControlGroups(plan.limits)
        """Limits for each session as a whole, where the machine offers them."""
        self._group = ""
        self._groups: dict[int, str] = {}
        """Process id of a session → its control group."""
        self._load_seccomp: Callable[[], None] = lambda: None

    @property
    def sees_only_its_own(self) -> bool:
        """Whether the host sees only its own processes."""
        return self._plan.level == FULL

    @property
    def kernel_limits_memory(self) -> bool:
        """Whether a control group limits the memory of each session."""
        return MEMORY in self.groups.controllers

    @property
    def _has_own_user(self) -> bool:
        """Whether sessions run under their own user ids."""
        return self._is_root and self._plan.level != PLAIN

    def confine_host(self) -> None:
        """Confines this process; at level `full` execution continues in a child with its own namespaces and root.

        Raises:
            OSError: the machine does not offer the level.
            ImportError: a library for the level is missing.
        """
        if self._plan.level not in LEVELS:
            raise OSError(f"unknown isolation level {self._plan.level!r}")
        if self._plan.level == USER and not self._is_root:
            raise OSError("only root can give sessions a user id of their own")
        if self._plan.level != PLAIN and self._plan.groups:
            self.groups.open()
        if self._plan.level in (FULL, LANDLOCK):
            self._load_seccomp = _seccomp_filter(one_share=CPU not in self.groups.controllers)
        if self._plan.level == FULL:
            if not self._is_root:
                _become_root_of_a_user_namespace()
            syscalls.unshare(
                syscalls.CLONE_NEWNS
                | syscalls.CLONE_NEWIPC
                | syscalls.CLONE_NEWUTS
                | syscalls.CLONE_NEWNET
                | syscalls.CLONE_NEWPID
            )
            _go_on_as_child()
            _private_root(self._plan)
            self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        if self._plan.level == LANDLOCK and not syscalls.landlock_version():
            raise OSError("this kernel has no Landlock")
        if self._plan.level in (LANDLOCK, USER) and self._is_root:
            _insist_others_can_read(self._plan.shown)
        if self._plan.level != FULL and sys.platform == "linux":
            syscalls.adopt_orphans()
            if not self._has_own_user:
                self.limits["processes"] += _processes_of(os.getuid())

    def reserve_user_ids(self) -> None:
        """Reserves other user ids for the sessions of a clone; call this before forking the clone."""
        self._seat += 1

    def begin_in_clone(self) -> None:
        """Makes a clone adopt its orphans; it needs no further confinement."""
        if self._plan.level != FULL and sys.platform == "linux":
            syscalls.adopt_orphans()

    def fork_session(self) -> int:
        """Forks like `os.fork`; at level `full` the child is process 1 of its own namespace."""
        self._sessions += 1
        self._group = f"{os.getpid()}-{self._sessions}"
        self.groups.make(self._group)
        if self._plan.level == FULL:
            syscalls.unshare(syscalls.CLONE_NEWPID)
        pid = os.fork()
        if pid:
            self._groups[pid] = self._group
            if self._plan.level == FULL:
                syscalls.enter_namespace(self._own_processes, syscalls.CLONE_NEWPID)
        return pid

    def cpu(self, pid: int) -> float | None:
        """Seconds of processor time of all processes that a session ever had; None if nothing counts it."""
        return self.groups.cpu(self._groups[pid]) if pid in self._groups else None

    def has_ended(self, pid: int) -> None:
        """Removes the control group of a session that was killed."""
        self.groups.remove(self._groups.pop(pid, ""))

    def confine_session(self, folder: str) -> None:
        """Confines this process, a new fork; afterwards it may run student code.

        Args:
            folder: its working folder outside the sandbox; at level `full` it gets `SCRATCH` instead.
        """
        plan = self._plan
        self.groups.join(self._group)
        user = self._user_of_session() if self._is_root else os.getuid()
        if plan.level == FULL:
            os.close(self._own_processes)
            folder = SCRATCH
            _session_mounts(user, self.limits)
        elif sys.platform == "linux":
            syscalls.adopt_orphans()
        os.setsid()
        if self._has_own_user:
            if plan.level != FULL:
                os.chown(folder, user, user)
            _become_user(user)
        if plan.level == FULL:
            _user_namespace(inside=1000)
        if CPU not in self.groups.controllers:
            os.nice(_LESS_URGENT)
        os.chdir(folder)
        os.environ["HOME"] = os.environ["TMPDIR"] = folder
        tempfile.tempdir = None  # a library may have asked for it in the host
        set_limits(self.limits)
        if plan.level in (FULL, LANDLOCK):
            syscalls.drop_capabilities()
            syscalls.gain_no_privileges()
            writable = [folder, *(f"/dev/{name}" for name in _DEVICES)]
            if plan.level == FULL:
                syscalls.landlock(["/"], [*writable, "/dev/shm"])
            else:
                readable = [path for path in (*plan.shown, "/proc/self", "/etc") if os.path.exists(path)]
                syscalls.landlock(readable, writable)
            self._load_seccomp()

    def _user_of_session(self) -> int:
        """A user id that no other running session has; depends on host, clone and session."""
        turn = self._sessions % _MAX_CLONES
        return _FIRST_USER + (self._plan.number * _MAX_CLONES + self._seat % _MAX_CLONES) * _MAX_CLONES + turn


def set_limits(limits: dict[str, int]) -> None:
    """Sets those resource limits that `setrlimit` supports (see `_LIMITS`); ignores the others."""
    for name, value in limits.items():
        if name in _LIMITS:
            _, hard = resource.getrlimit(_LIMITS[name])
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(_LIMITS[name], (value, value))


_LIMITS = {
    "memory": resource.RLIMIT_DATA,
    "cpu": resource.RLIMIT_CPU,
    "file": resource.RLIMIT_FSIZE,
    "files": resource.RLIMIT_NOFILE,
    "processes": resource.RLIMIT_NPROC,
    "core": resource.RLIMIT_CORE,
}


def die_with_parent() -> None:
    """Asks Linux to kill this process when its parent dies; on other systems only the closed socket ends it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            syscalls.die_with_parent(signal.SIGKILL)


# --- the host ---------------------------------------------------------------------------------------------------------


def _become_root_of_a_user_namespace() -> None:
    user, group = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _go_on_as_child() -> None:
    """Forks into the new process namespace; the parent waits for the child and exits with its exit code."""
    pid = os.fork()
    if pid:
        for fd in range(3, 64):  # only the child must hold the sockets, so that the examiner sees its end
            with contextlib.suppress(OSError):
                os.close(fd)
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    die_with_parent()


def _private_root(plan: Plan) -> None:
    """Builds the private root and makes it the root of this process."""
    root = os.path.join(plan.folder, "root")
    os.makedirs(root, exist_ok=True)
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("root", root, "tmpfs", _NO_SUID, "size=4m,nr_inodes=4096,mode=755")
    for path in plan.shown:
        _show(root, path)
    for path in plan.hidden:
        if os.path.isdir(root + path):
            flags = _NO_SUID | syscalls.MS_RDONLY
            syscalls.mount("hidden", root + path, "tmpfs", flags, "size=4k,nr_inodes=2,mode=755")
    for name in _DEVICES:
        _show(root, f"/dev/{name}")  # read-only: they can be written to, but their times cannot be set
    for name in ("proc", "dev/shm", SCRATCH[1:]):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    os.symlink(SCRATCH, root + plan.folder + "/scratch")  # where libraries found their home when they were imported
    if not os.path.exists(root + "/tmp"):  # it exists if a path in `shown` is below it
        os.symlink(SCRATCH, root + "/tmp")
    # The kernel allows this mount only while the machine's own /proc is visible.
    syscalls.mount("proc", root + "/proc", "proc", _NO_SUID | syscalls.MS_NOEXEC)
    os.chdir(root)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".")
    os.chdir("/")
    syscalls.mount("scratch", SCRATCH, "tmpfs", _NO_SUID, "size=256m,nr_inodes=16384,mode=1777")
    syscalls.mount("none", "/", flags=syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | _NO_SUID)


def _show(root: str, path: str) -> None:
    """Mounts a path of the machine at the same path in the private root, read-only; a link stays a link."""
    there = root + path
    if os.path.lexists(there) or not os.path.lexists(path):
        return
    os.makedirs(os.path.dirname(there), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), there)
        return
    if os.path.isdir(path):
        os.mkdir(there)
    else:
        Path(there).touch()
    syscalls.mount(path, there, flags=syscalls.MS_BIND | syscalls.MS_REC)
    syscalls.make_read_only(there)


def _insist_others_can_read(paths: Iterable[str]) -> None:
    """Raises `OSError` if another user id cannot read one of the paths."""
    for path in map(Path, paths):
        for step in (path, *path.parents):
            if step.exists() and not step.stat().st_mode & (0o001 if step.is_dir() else 0o004):
                raise OSError(f"{path} cannot be read by another user id, because of the permissions of {step}")


def _processes_of(user: int) -> int:
    """Number of processes and threads of a user; the kernel's limit counts them together."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == user:
                count += len(os.listdir(entry / "task"))
    return count


# --- a session --------------------------------------------------------------------------------------------------------


def _session_mounts(user: int, limits: dict[str, int]) -> None:
    """Gives a session its own empty folders and a `/proc` with its own processes only."""
    syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS | syscalls.CLONE_NEWNET)
    owner = f"uid={user},gid={user}," if os.geteuid() == 0 and user else ""
    room = f"{owner}mode=700,nr_inodes={limits['entries']},size={limits['disk']}"
    syscalls.mount("scratch", SCRATCH, "tmpfs", _NO_SUID, room)
    syscalls.mount("shm", "/dev/shm", "tmpfs", _NO_SUID | syscalls.MS_NOEXEC, room)
    syscalls.mount("proc", "/proc", "proc", _NO_SUID | syscalls.MS_NOEXEC, "hidepid=invisible")


def _become_user(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    syscalls.be_dumpable()


def _user_namespace(inside: int) -> None:
    """Moves this process into a new user namespace in which its user id is `inside`."""
    user, group = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inside} {group} 1")


_DENIED = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "perf_event_open"),
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig"),
    *("fsmount", "fspick", "mount_setattr", "swapon", "swapoff", "quotactl", "acct"),
    *("bpf", "userfaultfd", "keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter"),
    *("io_uring_register", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "personality"),
    *("open_by_handle_at", "name_to_handle_at", "iopl", "ioperm", "syslog", "vhangup", "lookup_dcookie", "nfsservctl"),
    *("mknod", "mknodat", "fanotify_init", "modify_ldt"),
    *("memfd_create", "memfd_secret", "shmget", "shmat", "msgget", "semget", "mq_open"),  # memory that nothing counts
    *("mincore", "cachestat"),  # tell what others have read
)
"""System calls that no notebook needs and that affect other processes or have a history of vulnerabilities."""

_NEW_NAMESPACES = (
    syscalls.CLONE_NEWNS,
    syscalls.CLONE_NEWUTS,
    syscalls.CLONE_NEWIPC,
    syscalls.CLONE_NEWUSER,
    syscalls.CLONE_NEWPID,
    syscalls.CLONE_NEWNET,
    syscalls.CLONE_NEWCGROUP,
)
_EPERM, _ENOSYS, _EACCES, _AF_UNIX = 1, 38, 13, 1


def _seccomp_filter(*, one_share: bool) -> Callable[[], None]:
    """Prepares the seccomp filter; returns the function that installs it permanently in the calling process.

    Args:
        one_share: whether all processes must stay in one process session, to which Linux gives one share of the
            processors; then programs are told that they left it.
    """
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in _DENIED:
        with contextlib.suppress(OSError, ValueError):  # this architecture does not have the call
            rules.add_rule(seccomp.ERRNO(_EPERM), name)
    for flag in _NEW_NAMESPACES:
        rules.add_rule(seccomp.ERRNO(_EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(seccomp.ERRNO(_ENOSYS), "clone3")  # seccomp cannot read its flags; libraries fall back to clone
    for name in ("socket", "socketpair"):
        rules.add_rule(seccomp.ERRNO(_EACCES), name, seccomp.Arg(0, seccomp.NE, _AF_UNIX))
    for name in ("preadv2", "pwritev2"):  # libraries fall back to calls that do not tell what the kernel has cached
        rules.add_rule(seccomp.ERRNO(_ENOSYS), name)
    rules.add_rule(seccomp.ERRNO(0), "fadvise64")  # it is only advice
    for name in ("setsid", "setpgid") if one_share else ():
        rules.add_rule(seccomp.ERRNO(0), name)
    load: Callable[[], None] = rules.load
    return load
