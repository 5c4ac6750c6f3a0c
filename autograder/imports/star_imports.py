"""Finds the names that `from module import *` defines."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

_SECONDS = 60
_PRINT_NAMES = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[2])
module = importlib.import_module(sys.argv[1])
names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
print("\\n" + json.dumps(sorted(map(str, names))))
"""


def public_names(module: str) -> tuple[str, ...]:
    """The names that a star import of this module defines; none if it cannot be imported.

    The module is imported in a process of its own.
    """
    return _public_names(module, os.getcwd(), tuple(sys.path)) if module else ()


@functools.lru_cache(maxsize=64)
def _public_names(module: str, folder: str, path: tuple[str, ...]) -> tuple[str, ...]:
    command = [sys.executable, "-c", _PRINT_NAMES, module, json.dumps(path)]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=True, stdin=subprocess.DEVNULL
        )
        return tuple(json.loads(done.stdout.splitlines()[-1]))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return ()
