"""What the process for student code finds around it: the folder it lives in, what it may see, its environment."""

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
"""`$GLIBC_TUNABLES` for warm processes: large pages, of which a fork has fewer to copy and to be given anew; and freed
memory stays, so that it is not given anew each time."""


def lay_out(folder: Path) -> tuple[str, list[str]]:
    """Makes the folder from which the process imports `guest` and `homework`.

    Returns:
        that folder, and all paths that the process may see.

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
    # the package comes last: showing it first, where it lies among the libraries, would keep them from being shown
    return str(library), [str(library), *_interpreter(), str(homework)]


def remove(folder: str) -> None:
    """Removes a folder with all that student code left in it."""
    with contextlib.suppress(RecursionError):  # folders in folders, a thousand and more
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        subprocess.run(["rm", "-rf", "--", folder], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _interpreter() -> list[str]:
    """Where the interpreter, its libraries and those of the system lie."""
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"]
    system += ["/usr/share/fonts", "/usr/share/zoneinfo", "/etc/localtime"]
    own = []
    prefixes = (sys.base_prefix, sys.prefix, *map(os.path.realpath, (sys.base_prefix, sys.prefix)))
    for prefix in dict.fromkeys(prefixes):  # where one is a link, what it leads to must be there as well
        own += [f"{prefix}/{name}" for name in ("bin", "lib")] if prefix in ("/usr", "/usr/local") else [prefix]
    return [*system, *own]


def staff_only() -> list[str]:
    """Folders among the libraries that students' code must not read: this package, where it is installed there."""
    return [str(Path(path) / "autograder") for path in {*site.getsitepackages(), sysconfig.get_path("purelib")}]


def environment(scratch: Path) -> dict[str, str]:
    """All that student code finds in `os.environ`."""
    return {
        "PATH": os.defpath,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
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
