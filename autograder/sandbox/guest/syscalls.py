"""Thin wrappers of the Linux system calls that confinement needs and Python 3.11 lacks; they raise `OSError`.

Constants have the kernel's names; see `man 2 <name>`.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

MNT_DETACH = 2

_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_NOSUID = 2
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442  # the same number on every architecture, like all calls added since Linux 5.1
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}

_SYS_LANDLOCK = 444  # create a rule set; 445 adds a rule, 446 applies the set
_LANDLOCK_VERSION = 1
_LANDLOCK_BENEATH = 1
_LANDLOCK_OF_FILES = 0b1100_0000_0000_0111  # the rights that apply to regular files
LANDLOCK_READ = 0b1101  # execute, read a file, read a folder
_LANDLOCK_FILE_RIGHTS = (13, 14, 15, 15, 16)  # number of file-system rights in each version of Landlock

_MADV_COLLAPSE = 25
_HUGE = 1 << 21

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Moves this process into new namespaces (with `CLONE_NEWPID`: its children)."""
    _checked(_libc().unshare(ctypes.c_int(flags)), "unshare")


def enter_namespace(fd: int, kind: int) -> None:
    """Moves this process (with `CLONE_NEWPID`: its children) into the namespace of an open file descriptor."""
    _checked(_libc().setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mounts a file system, or changes a mount."""
    result = _libc().mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _checked(result, f"mount {kind or source} on {target}")


def unmount(target: str) -> None:
    """Detaches a mount from the tree; the kernel removes it when it is no longer in use."""
    _checked(_libc().umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def make_read_only(target: str) -> None:
    """Makes a mount and all mounts below it read-only and disables set-uid programs on them."""
    attributes = struct.pack("=4Q", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID, 0, 0, 0)
    result = _libc().syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        target.encode(),
        ctypes.c_uint(_AT_RECURSIVE),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    _checked(result, f"make {target} read-only")


def pivot_root(new: str, old: str) -> None:
    """Makes the mount `new` the root; the old root moves to `old`, a folder below `new`."""
    _checked(_libc().syscall(ctypes.c_long(_number(_SYS_PIVOT_ROOT)), new.encode(), old.encode()), "pivot_root")


def drop_capabilities() -> None:
    """Drops all capabilities of this process and of the processes that it starts."""
    for capability in range(64):
        if _libc().prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break  # the kernel has no more capabilities
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    nothing = struct.pack("=6I", 0, 0, 0, 0, 0, 0)
    _checked(_libc().syscall(ctypes.c_long(_number(_SYS_CAPSET)), header, nothing), "capset")


def gain_no_privileges() -> None:
    """Sets `no_new_privs`: programs that this process starts get no additional rights, e.g. by set-uid bits."""
    _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0), "no_new_privs")


def be_dumpable() -> None:
    """Gives this process access to its `/proc/self` again after a change of its user id."""
    _checked(_libc().prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(1), 0, 0, 0), "become dumpable")


def landlock_version() -> int:
    """The kernel's Landlock version; 0 if it has none."""
    version = _libc().syscall(ctypes.c_long(_SYS_LANDLOCK), None, ctypes.c_size_t(0), ctypes.c_uint(_LANDLOCK_VERSION))
    return max(0, int(version))


def landlock(readable: list[str], writable: list[str]) -> None:
    """Permanently removes access to all files except those below the given paths.

    From Landlock version 4 on it also removes TCP, from version 6 on also signals and abstract sockets to processes
    outside. The binding on PyPI (landlock 1.0.0.dev5) covers files only, so this module calls the kernel directly. Call
    `gain_no_privileges` before.
    """
    version = landlock_version()
    if not version:
        raise OSError("this kernel has no Landlock")
    everything = (1 << _LANDLOCK_FILE_RIGHTS[min(version, 5) - 1]) - 1
    handled = struct.pack("=3Q", everything, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    call, libc = ctypes.c_long, _libc()
    rules = _checked(
        libc.syscall(call(_SYS_LANDLOCK), handled, ctypes.c_size_t(size), ctypes.c_uint(0)), "Landlock's rule set"
    )
    try:
        for paths, rights in ((readable, LANDLOCK_READ), (writable, everything)):
            for path in paths:
                _landlock_allow(rules, path, rights)
        _checked(libc.syscall(call(_SYS_LANDLOCK + 2), ctypes.c_int(rules), ctypes.c_uint(0)), "Landlock")
    finally:
        os.close(rules)


def _landlock_allow(rules: int, path: str, rights: int) -> None:
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= _LANDLOCK_OF_FILES
        rule = struct.pack("=Qi", rights, beneath)
        result = _libc().syscall(
            *(ctypes.c_long(_SYS_LANDLOCK + 1), ctypes.c_int(rules)),
            *(ctypes.c_int(_LANDLOCK_BENEATH), rule, ctypes.c_uint(0)),
        )
        _checked(result, f"Landlock's rule for {path}")
    finally:
        os.close(beneath)


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent ends."""
    _checked(_libc().prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0), "adopt orphaned processes")


def use_huge_pages() -> None:
    """Moves this process's current memory into pages of 2 MiB, if the kernel (6.1 or newer) supports it.

    A fork copies one entry for each page, so that it and its end take a third of the time. Failures are ignored.
    """
    if sys.maxsize < 2**32 or os.sysconf("SC_PAGE_SIZE") != 4096:
        return
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights != "rw-p" or name not in ([], ["[heap]"]):
            continue
        first, end = (int(number, 16) for number in span.split("-"))
        for start in range(-(-first // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
            _libc().madvise(ctypes.c_void_p(start), ctypes.c_size_t(_HUGE), ctypes.c_int(_MADV_COLLAPSE))


def die_with_parent(signal: int) -> None:
    """Asks the kernel to send this signal when the parent thread that started this process ends."""
    _checked(_libc().prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal), 0, 0, 0), "end with the parent process")


def _number(numbers: dict[str, int]) -> int:
    machine = os.uname().machine
    if machine not in numbers:
        raise OSError(f"the system call numbers of {machine} are unknown")
    return numbers[machine]
