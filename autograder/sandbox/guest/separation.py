"""Cuts a fork off from the process that it comes from and from earlier forks: sockets, pipes and shared memory.

What one item's test shows to student code must not reach the code of the next item or of later cells.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterator

_PROT_READ, _PROT_WRITE = 1, 2
_MAP_SHARED, _MAP_FIXED, _MAP_ANONYMOUS = 1, 16, 32
_FAILED = ctypes.c_void_p(-1).value


def separate(keep: int) -> None:
    """Replaces all sockets and pipes but one by `/dev/null`, and shared memory by copies of it.

    Args:
        keep: the file descriptor to keep.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the list's own
            mode = os.fstat(int(name)).st_mode
            if int(name) != keep and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)):
                os.dup2(nothing, int(name))  # not closed: an object that owns the number would close a later file
    os.close(nothing)
    for start, size in _shared_memory():
        _cut_off(start, size)


def _shared_memory() -> Iterator[tuple[int, int]]:
    """Start and size of each part of memory that is shared and writable."""
    with open("/proc/self/maps", "rb") as file:
        lines = file.read().splitlines()
    for line in lines:
        place, rights, _ = line.split(None, 2)
        if rights.startswith(b"rw") and rights.endswith(b"s"):
            start, end = (int(part, 16) for part in place.split(b"-"))
            yield start, end - start


def _cut_off(start: int, size: int) -> None:
    """Puts a copy in the place of shared memory, which only processes that this one starts share.

    Raises:
        MemoryError: there is no memory for the copy.
    """
    try:
        with open("/proc/self/mem", "rb", buffering=0) as file:
            file.seek(start)
            content = b"".join(iter(lambda: file.read(min(1 << 24, start + size - file.tell())), b""))
    except OSError:  # e.g. of a file that became shorter: reading it would end the process
        return
    mmap = ctypes.CDLL(None, use_errno=True).mmap
    mmap.restype = ctypes.c_void_p
    mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
    flags = _MAP_SHARED | _MAP_FIXED | _MAP_ANONYMOUS
    if mmap(start, size, _PROT_READ | _PROT_WRITE, flags, -1, 0) == _FAILED:
        raise MemoryError("no copy of shared memory")
    ctypes.memmove(start, content, len(content))
