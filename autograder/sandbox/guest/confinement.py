"""How the host and its sessions shut themselves in, before any line of a student's runs.

Four levels, strongest first. `full`: namespaces of their own (processes, mounts, network, IPC, users), a private root
that shows the interpreter and its libraries read-only and nothing else, no capabilities, Landlock, seccomp, limits.
`landlock`: Landlock, seccomp, limits. `user`: another user id, limits. `plain`: limits only. Where the host runs as
root, sessions get a user id of their own at every level but the last.

The host shuts in itself once, before it imports anything heavy; each session then adds what must be its own. Facts and
pitfalls: namespaces(7), user_namespaces(7), landlock(7), seccomp(2).
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import syscalls

FULL, LANDLOCK, USER, PLAIN = "full", "landlock", "user", "plain"
SCRATCH = "/scratch"
"""Where a session's own files lie in the private root."""
LEVELS = (FULL, LANDLOCK, USER, PLAIN)
"""Strongest first."""

_FIRST_USER = 1_879_048_192
"""User ids of sessions count from here, where no account is."""
_SEATS = 64
"""Processes that fork sessions side by side, at most, before user ids repeat."""

_DEVICES = ("null", "zero", "full", "random", "urandom")
_NO_SUID = syscalls.MS_NOSUID | syscalls.MS_NODEV


@dataclass(frozen=True)
class Plan:
    """What the trusted side wants of the host; crosses as JSON."""

    level: str
    shown: tuple[str, ...]
    """Paths that student code may read, at the same place as outside."""
    hidden: tuple[str, ...]
    """Folders among them that must look empty."""
    folder: str
    """The host's own scratch folder outside; the private root is mounted there while it is built."""
    limits: dict[str, int]
    """Resource limits of a session: see `SessionLimits` in `autograder.sandbox.host`."""
    number: int = 0
    """Between 0 and 4095, drawn by the trusted side: tells the hosts of one machine apart."""

    @staticmethod
    def of(record: dict[str, Any]) -> Plan:
        """The plan as it crossed."""
        shown, hidden = tuple(record["shown"]), tuple(record["hidden"])
        return Plan(record["level"], shown, hidden, record["folder"], dict(record["limits"]), record["number"])


class Confinement:
    """The walls of one host and of the sessions it forks.

    Args:
        plan: what is wanted.
    """

    def __init__(self, plan: Plan) -> None:
        self.limits = dict(plan.limits)
        self._plan = plan
        self._is_root = os.geteuid() == 0
        self._sessions = 0
        self._seat = 0
        self._own_processes = -1
        self._load_seccomp: Callable[[], None] = lambda: None

    @property
    def sees_only_its_own(self) -> bool:
        """Are all processes in sight the host's own?"""
        return self._plan.level == FULL

    @property
    def _has_own_user(self) -> bool:
        """Do sessions run under a user id of their own?"""
        return self._is_root and self._plan.level != PLAIN

    def shut_in_host(self) -> None:
        """Shuts in this process; at level `full` it goes on as a child, in namespaces and a root of its own.

        Raises:
            OSError: the machine does not offer the level.
            ImportError: a library for it is missing.
        """
        if self._plan.level not in LEVELS:
            raise OSError(f"there is no isolation level {self._plan.level!r}")
        if self._plan.level == USER and not self._is_root:
            raise OSError("only root can give sessions a user id of their own")
        if self._plan.level in (FULL, LANDLOCK):
            self._load_seccomp = _seccomp_filter()
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

    def take_seat(self) -> None:
        """Call before forking a host that forks sessions too: their user ids must not be those of this one's."""
        self._seat += 1

    def begin_in_clone(self) -> None:
        """Shuts in nothing more; a clone only adopts its own orphans."""
        if self._plan.level != FULL and sys.platform == "linux":
            syscalls.adopt_orphans()

    def fork_session(self) -> int:
        """Forks like `os.fork`; at level `full` the child is process 1 of its own namespace."""
        self._sessions += 1
        if self._plan.level != FULL:
            return os.fork()
        syscalls.unshare(syscalls.CLONE_NEWPID)
        pid = os.fork()
        if pid:
            syscalls.enter_namespace(self._own_processes, syscalls.CLONE_NEWPID)
        return pid

    def shut_in_session(self, folder: str) -> None:
        """Shuts in this process, a fresh fork; afterwards it may run student code.

        Args:
            folder: its working folder outside; at level `full` it gets `SCRATCH` instead.
        """
        plan = self._plan
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
        os.chdir(folder)
        os.environ["HOME"] = os.environ["TMPDIR"] = folder
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
        """An id that no other session which may run now has: by host, by seat, and by turn."""
        turn = self._sessions % _SEATS
        return _FIRST_USER + (self._plan.number * _SEATS + self._seat % _SEATS) * _SEATS + turn


def set_limits(limits: dict[str, int]) -> None:
    """Sets the resource limits that have a name here; the others belong to somebody else."""
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
    """Asks Linux to kill this process when its parent dies; elsewhere the closed socket has to do."""
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
    """Forks into the new process namespace; this process only waits for the child and ends as it ended."""
    pid = os.fork()
    if pid:
        for fd in range(3, 64):  # the sockets belong to the child: their end must end it
            with contextlib.suppress(OSError):
                os.close(fd)
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    die_with_parent()


def _private_root(plan: Plan) -> None:
    """Builds the private root and moves into it."""
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
        _show(root, f"/dev/{name}", writable=True)
    for name in ("proc", "dev/shm", SCRATCH[1:]):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    if not os.path.exists(root + "/tmp"):  # else something that is shown lies below it
        os.symlink(SCRATCH, root + "/tmp")
    # While the machine's own /proc is still visible: the kernel demands it.
    syscalls.mount("proc", root + "/proc", "proc", _NO_SUID | syscalls.MS_NOEXEC)
    os.chdir(root)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".")
    os.chdir("/")
    syscalls.mount("scratch", SCRATCH, "tmpfs", _NO_SUID, "size=256m,nr_inodes=16384,mode=1777")
    syscalls.mount("none", "/", flags=syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | _NO_SUID)


def _show(root: str, path: str, *, writable: bool = False) -> None:
    """Shows a path of the machine at the same place in the private root, read-only; a link stays a link."""
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
    if not writable:
        syscalls.make_read_only(there)


def _insist_others_can_read(paths: Iterable[str]) -> None:
    """Raises if a user id that owns nothing could not get to one of the paths."""
    for path in map(Path, paths):
        for step in (path, *path.parents):
            if step.exists() and not step.stat().st_mode & (0o001 if step.is_dir() else 0o004):
                raise OSError(f"{path} cannot be read by another user id, because of the permissions of {step}")


def _processes_of(user: int) -> int:
    """How many processes and threads does a user have now? The kernel counts those of a shared user id together."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == user:
                count += len(os.listdir(entry / "task"))
    return count


# --- a session --------------------------------------------------------------------------------------------------------


def _session_mounts(user: int, limits: dict[str, int]) -> None:
    """Gives a session empty folders of its own and a view of its own processes only."""
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
    """A user namespace with one user in it."""
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
)
"""Calls with which a process reaches beyond itself, or that have a history of holes, and that no notebook needs."""

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


def _seccomp_filter() -> Callable[[], None]:
    """Prepares the filter; the function that it gives loads it into the calling process, for good."""
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in _DENIED:
        with contextlib.suppress(OSError, ValueError):  # a call that this architecture does not have
            rules.add_rule(seccomp.ERRNO(_EPERM), name)
    for flag in _NEW_NAMESPACES:
        rules.add_rule(seccomp.ERRNO(_EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(seccomp.ERRNO(_ENOSYS), "clone3")  # its flags cannot be seen here; libraries fall back to clone
    for name in ("socket", "socketpair"):
        rules.add_rule(seccomp.ERRNO(_EACCES), name, seccomp.Arg(0, seccomp.NE, _AF_UNIX))
    load: Callable[[], None] = rules.load
    return load
