"""The memory that a process shares with others: which there is, and copies of it for a fork.

A fork waits until all cells have run; what they change in shared memory meanwhile must not reach its test. Files in the
working folder that are mapped into memory need no copies: `working_folder` puts them back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Collection, Iterator
from typing import NamedTuple

_PROT_READ, _PROT_WRITE = 1, 2
_MAP_SHARED, _MAP_ANONYMOUS = 1, 32
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2
_FAILED = ctypes.c_void_p(-1).value
_AT_ONCE = 1 << 26
"""Bytes that are copied by one call."""

FileId = tuple[int, int]
"""Device and inode of a file."""


class _Mapping(NamedTuple):
    start: int
    size: int
    file: FileId
    """For memory without a name, a file of the kernel's own."""
    path: str
    """The file's path, as far as the kernel tells."""


def mapped_files(pids: Collection[int], below: tuple[str, ...] = ("",)) -> set[FileId]:
    """The files that processes have mapped into memory and may change there, without those of ended processes.

    Args:
        pids: the processes.
        below: begins of the files' paths; all files if not given.
    """
    return {mapping.file for pid in pids for mapping in _shared_memory(pid) if mapping.path.startswith(below)}


def copy_shared_memory(but: Collection[FileId] = ()) -> None:
    """Puts a copy in the place of each part of shared memory, shared only with processes that this one starts.

    Args:
        but: files whose mappings stay as they are.

    Raises:
        MemoryError: there is no memory for the copies.
    """
    for mapping in _shared_memory(os.getpid()):
        if mapping.file not in but:
            _copy(mapping)


def _shared_memory(pid: int) -> Iterator[_Mapping]:
    """The parts of a process's memory that are shared and writable; none if the system does not tell."""
    lines: list[bytes] = []
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as file:
        lines = file.read().splitlines()
    for line in lines:
        place, rights, rest = line.split(None, 2)
        if rights.startswith(b"rw") and rights.endswith(b"s"):
            start, end = (int(part, 16) for part in place.split(b"-"))
            _, device, inode, *path = rest.split(None, 3)
            major, minor = (int(part, 16) for part in device.split(b":"))
            mapped = os.makedev(major, minor), int(inode)
            yield _Mapping(start, end - start, mapped, os.fsdecode(b"".join(path)))


def _copy(mapping: _Mapping) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
    place, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    libc.mmap.argtypes = (place, size, number, number, number, ctypes.c_long)
    libc.mremap.argtypes = (place, size, size, number, place)
    libc.munmap.argtypes = (place, size)
    copy = libc.mmap(None, mapping.size, _PROT_READ | _PROT_WRITE, _MAP_SHARED | _MAP_ANONYMOUS, -1, 0)
    if copy == _FAILED:
        raise MemoryError("no copy of shared memory")
    if not _read(mapping, copy):
        libc.munmap(copy, mapping.size)
    elif libc.mremap(copy, mapping.size, mapping.size, _MREMAP_MAYMOVE | _MREMAP_FIXED, mapping.start) == _FAILED:
        raise MemoryError("no copy of shared memory")


def _read(mapping: _Mapping, address: int) -> bool:
    """Reads the content into other memory; returns False for a file that became shorter, where this is not possible."""
    into = memoryview((ctypes.c_char * mapping.size).from_address(address)).cast("B")
    with open("/proc/self/mem", "rb", buffering=0) as file:
        for at in range(0, mapping.size, _AT_ONCE):
            part = into[at : at + _AT_ONCE]
            try:
                if os.preadv(file.fileno(), [part], mapping.start + at) < len(part):
                    return False
            except OSError:  # touching that memory would end the process
                return False
    return True
