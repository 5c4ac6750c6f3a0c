"""The sandbox process's files and environment: its library folder, readable paths and environment variables."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

from autograder.core.errors import SetupError

MALLOC = ":".join(
    f"glibc.malloc.{setting}" for setting in ("hugetlb=1", f"mmap_threshold={32 * 2**20}", f"trim_threshold={2**30}")
)
"""`$GLIBC_TUNABLES` for warm processes. Huge pages reduce page faults and the page-table entries that a fork copies;
freed memory is kept for reuse."""


def create_library(folder: Path) -> tuple[str, list[str]]:
    """Creates the folder from which the sandbox process imports `guest` and `homework`.

    Returns:
        The library folder, and all paths that the process may read.

    Raises:
        SetupError: the package `homework` is not installed.
    """
    library = folder / "library"
    ours = Path(__file__).parent / "guest"
    shutil.copytree(ours, library / "guest", ignore=shutil.ignore_patterns("__pycache__"))
    spec = importlib.util.find_spec("homework")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("the package 'homework' is not installed; run `make setup`")
    homework = Path(next(iter(spec.submodule_search_locations))).resolve()
    (library / "homework").symlink_to(homework, target_is_directory=True)
    # `homework` comes last: if it is inside a library folder and were mounted first, that folder would not be mounted
    return str(library), [str(library), *_interpreter(), str(homework)]


def remove(folder: str) -> None:
    """Removes a folder with all files that student code left in it."""
    with contextlib.suppress(RecursionError):  # student code may nest thousands of folders
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        subprocess.run(["rm", "-rf", "--", folder], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _interpreter() -> list[str]:
    """Paths of the interpreter, its libraries, the system libraries and the shell's commands."""
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/bin", "/usr/bin"]
    system += ["/usr/share/fonts", "/usr/share/zoneinfo", "/etc/localtime"]
    own = []
    prefixes = (sys.base_prefix, sys.prefix, *map(os.path.realpath, (sys.base_prefix, sys.prefix)))
    for prefix in dict.fromkeys(prefixes):  # both links and their targets are needed
        own += [f"{prefix}/{name}" for name in ("bin", "lib")] if prefix in ("/usr", "/usr/local") else [prefix]
    return [*system, *own]


def staff_only() -> list[str]:
    """Folders inside the library paths that student code must not read: those of this package, if installed."""
    return [str(Path(path) / "autograder") for path in {*site.getsitepackages(), sysconfig.get_path("purelib")}]


def environment(scratch: Path) -> dict[str, str]:
    """The complete `os.environ` of the sandbox process."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "PIP_NO_INDEX": "1",  # `!pip install` fails at once, and not after its retries
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "GLIBC_TUNABLES": MALLOC,
        "HOMEWORK_PROFILE": "grade",
        "HOMEWORK_CACHE": str(scratch / "cache"),
        "HOMEWORK_STUDENT": "anonymous",
    }
