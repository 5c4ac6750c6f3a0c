"""Resource limits of one submission's processes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionLimits:
    """Resource limits of one submission's processes."""

    memory: int = 4 * 2**30
    """Bytes of data (private memory) per process."""
    total: int = 6 * 2**30
    """Bytes of memory of all its processes together (level `full`)."""
    disk: int = 256 * 2**20
    """Bytes in its working folder (level `full`)."""
    entries: int = 4096
    """Number of files and folders in its working folder (level `full`)."""
    processes: int = 64
    """Number of processes and threads."""
    cpu: int = 300
    """Seconds of CPU time of each process, and of all processes together (level `full`); more on a slow machine."""
    file: int = 256 * 2**20
    """Bytes of the largest file it may write."""
    files: int = 256
    """Number of open file descriptors."""
    core: int = 0
    """Bytes of a core dump."""
