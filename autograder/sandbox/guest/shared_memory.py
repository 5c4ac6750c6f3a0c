"""Gives a fork its own copies of the memory that it shares with the process that it comes from.

A fork waits until all cells have run; what they change in shared memory meanwhile must not reach its test.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

_PROT_READ, _PROT_WRITE = 1, 2
_MAP_SHARED, _MAP_FIXED, _MAP_ANONYMOUS = 1, 16, 32
_FAILED = ctypes.c_void_p(-1).value


def copy_shared_memory() -> None:
    """Puts a copy in the place of each part of shared memory, shared only with processes that this one starts.

    Raises:
        MemoryError: there is no memory for the copies.
    """
    for start, size in _shared_memory():
        _copy(start, size)


def _shared_memory() -> Iterator[tuple[int, int]]:
    """Start and size of each part of memory that is shared and writable."""
    with open("/proc/self/maps", "rb") as file:
        lines = file.read().splitlines()
    for line in lines:
        place, rights, _ = line.split(None, 2)
        if rights.startswith(b"rw") and rights.endswith(b"s"):
            start, end = (int(part, 16) for part in place.split(b"-"))
            yield start, end - start


def _copy(start: int, size: int) -> None:
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
