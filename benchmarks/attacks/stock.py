"""Stock nbgrader and otter-grader as their documentation says: installed, and given an assignment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Problem
from benchmarks.attacks.equivalent import nbgrader_source, otter_notebook, otter_tests

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "benchmarks" / ".cache"
PACKAGES = {"nbgrader": "nbgrader==0.9.6", "otter": "otter-grader==7.0.0"}
NAMES = {"ours": "ours"} | {system: package.replace("==", " ") for system, package in PACKAGES.items()}
"""The systems as the pages name them."""
HELPERS = ("numpy", "matplotlib", "scikit-learn", "jsonschema", "tqdm", "pillow", "ipywidgets")
"""What those modules of `homework` need that the notebooks import, beside torch and torchvision."""


def public_version(package: str) -> str:
    """The installed version without what names the build."""
    return version(package).partition("+")[0]


def environment(system: str) -> Path:
    """The virtual environment of a stock system, made at the first call (some minutes, more than 1 GB).

    Raises:
        subprocess.CalledProcessError: pip failed; its message is on the terminal.
    """
    folder = CACHE / PACKAGES[system]
    if not (folder / ".ready").is_file():
        print(f"making {folder} with torch {public_version('torch')}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        torch = f"torch=={public_version('torch')}"
        _install(folder, torch)
        # The wheel asks for the CUDA build of torch that it was built beside; the torch that is there will do.
        _install(folder, "--no-deps", f"torchvision=={public_version('torchvision')}")
        _install(folder, torch, PACKAGES[system], "ipykernel", *(f"{name}=={version(name)}" for name in HELPERS))
        (folder / ".ready").touch()
    return folder


def _install(folder: Path, *wanted: str) -> None:
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *wanted], check=True, stdout=sys.stderr)


def clean_environment(**values: str) -> dict[str, str]:
    """The environment variables of every measured command: the same few on every machine, and these."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    fixed = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HOMEWORK_PROFILE": "grade", "HOMEWORK_STUDENT": "somebody"}
    return {"PATH": os.defpath, **kept, **fixed, "JUPYTER_PLATFORM_DIRS": "1", **values}


def stock_environment(system: str, library: Path) -> dict[str, str]:
    """The environment variables of a stock system.

    Args:
        system: nbgrader or otter.
        library: a folder in which `homework` lies, and nothing else of this repository.
    """
    if not library.is_dir():
        library.mkdir(parents=True)
        (library / "homework").symlink_to(ROOT / "homework", target_is_directory=True)
    return clean_environment(PATH=f"{environment(system)}/bin{os.pathsep}{os.defpath}", PYTHONPATH=str(library))


def run(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    """Runs a command of a stock system on honest work.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    program = Path(variables["PATH"].partition(os.pathsep)[0]) / command[0]
    subprocess.run([program, *command[1:]], cwd=folder, env=variables, check=True, capture_output=True, text=True)


def nbgrader_course(problem: Problem, folder: Path, variables: dict[str, str], *, whole: bool) -> NotebookNode:
    """Makes nbgrader's course directory and releases its assignment; returns the notebook as students get it.

    Args:
        problem: the assignment.
        folder: where the course goes.
        variables: nbgrader's environment variables.
        whole: see `nbgrader_source`.
    """
    source = folder / "source" / problem.id / f"{problem.id}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(notebook_text(nbgrader_source(problem, whole=whole)), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'stock'\n")
    run(["nbgrader", "generate_assignment", problem.id, "--create"], folder, variables)
    released: NotebookNode = nbformat.read(folder / "release" / problem.id / source.name, as_version=4)
    return released


def otter_zip(problem: Problem, folder: Path, variables: dict[str, str], *, whole: bool) -> NotebookNode:
    """Makes otter's `folder/autograder.zip` from test files; returns the notebook as students get it.

    Args:
        problem: the assignment.
        folder: where it goes.
        variables: otter's environment variables.
        whole: see `nbgrader_source`.
    """
    (folder / "tests").mkdir(parents=True)
    for name, text in otter_tests(problem).items():
        (folder / "tests" / name).write_text(text, encoding="utf-8")
    run(["otter", "generate", "-t", "tests", "-o", "autograder.zip"], folder, variables)
    return otter_notebook(nbgrader_source(problem, whole=whole))
