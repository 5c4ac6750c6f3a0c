"""The systems as anybody installs them: a virtual environment for each, with the torch version of this project."""

from __future__ import annotations

import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"
VERSIONS = {"nbgrader": "0.9.6", "otter-grader": "7.0.0"}


def torch_version() -> str:
    """The project's torch, without what names the build."""
    return version("torch").partition("+")[0]


def environment(package: str) -> Path:
    """The virtual environment of a package, made at the first call (a minute or two, more than 1 GB).

    Raises:
        subprocess.CalledProcessError: pip did not manage; the message stands on the terminal.
    """
    folder = CACHE / f"{package}-{VERSIONS[package]}"
    ready = folder / ".ready"
    if not ready.is_file():
        print(f"making {folder} with {package} {VERSIONS[package]} and torch {torch_version()}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        wanted = [f"torch=={torch_version()}", f"{package}=={VERSIONS[package]}", "ipykernel", "numpy"]
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *wanted], check=True, stdout=sys.stderr)
        ready.touch()
    return folder
