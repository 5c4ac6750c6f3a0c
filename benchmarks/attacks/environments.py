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


STUDENT_PACKAGES = ("matplotlib", "scikit-learn", "jsonschema", "tqdm", "pillow", "ipywidgets", "numpy")
"""What the helpers of `homework` that the VAE notebook calls are made of, beside torch and torchvision."""


def environment(package: str, *, student_package: bool = False) -> Path:
    """The virtual environment of a package, made at the first call (some minutes, more than 1 GB).

    Args:
        package: nbgrader or otter-grader.
        student_package: with what `homework` needs, in the versions that are installed here; `homework` itself is
            found through `PYTHONPATH`.

    Raises:
        subprocess.CalledProcessError: pip did not manage; the message stands on the terminal.
    """
    folder = CACHE / f"{package}-{VERSIONS[package]}{'-homework' if student_package else ''}"
    ready = folder / ".ready"
    if not ready.is_file():
        print(f"making {folder} with {package} {VERSIONS[package]} and torch {torch_version()}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        wanted = [f"torch=={torch_version()}", f"{package}=={VERSIONS[package]}", "ipykernel", "numpy"]
        if student_package:
            _install(folder, f"torch=={torch_version()}")
            # Its wheel asks for the torch with CUDA that it was built beside; the torch that is there will do.
            _install(folder, "--no-deps", f"torchvision=={version('torchvision').partition('+')[0]}")
            wanted = [*wanted[:3], *(f"{name}=={version(name)}" for name in STUDENT_PACKAGES)]
        _install(folder, *wanted)
        ready.touch()
    return folder


def _install(folder: Path, *wanted: str) -> None:
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *wanted], check=True, stdout=sys.stderr)
