"""The first cell on Colab installs missing packages and replaces none; then the notebooks run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem
from autograder.release.bundle import bundle
from autograder.release.fill import solved_notebook
from tests.conftest import ROOT

STACK = Path(__file__).parent / "colab_stack.txt"
MOST_SECONDS = 60
RUN = """import sys, nbformat, nbclient
nbclient.NotebookClient(nbformat.read(sys.argv[1], 4), timeout=600, kernel_name="python3").execute()"""


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Runs a command; returns its output."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env={**environment, **variables}, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def packages(python: Path) -> dict[str, str]:
    """Name → version of the installed packages."""
    listed = json.loads(run(python, "-m", "pip", "list", "--format=json", cwd=python.parent))
    return {re.sub(r"[-_.]+", "-", one["name"]).lower(): one["version"] for one in listed}


@pytest.mark.slow
def test_the_first_cell_adds_missing_packages_and_the_notebooks_run(tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q"]
    ours = [f"{name}=={version(name).split('+')[0]}" for name in ("torch", "torchvision")]
    run(*pip, "--no-deps", *ours, cwd=tmp_path)
    run(*pip, "-r", STACK, *ours, cwd=tmp_path)
    student = tmp_path / "student"
    bundle(student, root=ROOT)
    for command in ("init -q", "add -A", "-c user.email=a@example.org -c user.name=a commit -q -m release"):
        run("git", *command.split(), cwd=student)

    before = packages(python)
    started = time.monotonic()
    run(*pip, f"git+file://{student}", cwd=tmp_path)
    assert time.monotonic() - started < MOST_SECONDS
    after = packages(python)
    assert {name: number for name, number in after.items() if name in before} == before, "something was replaced"
    assert set(after) - set(before) == {"deep-learning-homework", "evaluate", "rouge-score"}

    for name in ("vae", "rlhf"):
        notebook = tmp_path / f"{name}.ipynb"
        notebook.write_text(notebook_text(solved_notebook(load_problem(name, ROOT))))
        run(python, "-c", RUN, notebook, cwd=tmp_path, HOMEWORK_PROFILE="grade", HOMEWORK_STUDENT="ada")
        assert json.loads((tmp_path / "submission_log.json").read_text())["problem"] == name
