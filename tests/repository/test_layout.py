"""The top of the repository: what is promised is there, and what must not be there is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

LARGEST = 5 * 1024 * 1024
"""Bytes; the tiny pre-trained weights of a problem may come near it, nothing else does."""


@pytest.mark.parametrize(
    "path",
    [
        "solutions",
        "notebooks",
        "homework/py.typed",
        "homework/submission_log.schema.json",
        "autograder/py.typed",
        "data",
        "course.toml",
        "environment.yml",
        "Makefile",
        "README.md",
        "CONTRIBUTING.md",
        "LICENSE",
        ".pre-commit-config.yaml",
    ],
)
def test_it_is_there(root: Path, path: str) -> None:
    assert (root / path).exists()


def test_ci_runs_the_readmes_test_command_and_more(root: Path) -> None:
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(root / ".ci" / "run", os.X_OK)
    assert script.startswith("#!/usr/bin/env bash\n") and "set -euo pipefail" in script
    assert script.rstrip().splitlines()[-1] == "make test-all"
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^make demo\b", readme, re.MULTILINE) and re.search(r"^make test\b", readme, re.MULTILINE)
    assert "At first every test fails with\n   NotImplementedError" in readme


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_names_every_target(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=root, capture_output=True, text=True, check=True
    )
    assert {line.split()[0] for line in shown.stdout.splitlines()} == targets
    builders = {"tiny-t5", "tiny-summarizer"}
    assert {
        "setup",
        "setup-latest",
        "lock",
        "test-latest",
        "demo",
        "test",
        "test-all",
        "test-slow",
        "lint",
        "release",
        "check",
        "clean",
        "help",
        "formgrader",
        "bundle",
        "docs",
    } | builders == targets


def test_links_of_the_pages_lead_somewhere(root: Path) -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (root / page).read_text(encoding="utf-8")):
            if "://" not in target:
                assert (root / target).exists(), f"{page}: {target}"


def test_every_problem_with_a_source_stands_in_the_readme(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    for source in (root / "solutions").glob("*.py"):
        assert f"| `{source.stem}` |" in readme, f"{source.stem} is missing in the README's table of problems"


def test_nothing_large_lies_in_the_source_folders(root: Path) -> None:
    folders = ("autograder", "data", "docs", "homework", "notebooks", "solutions", "tests")
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    assert not [str(path) for path in files if path.stat().st_size > LARGEST]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_run_time_state_is_ignored_by_git(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    ignored = [
        "course/gradebook.db",
        ".venv/bin/python",
        ".venv-latest/bin/python",
        "checkpoints/x.pt",
        "submission_log.json",
        "a/__pycache__/x.pyc",
    ]
    kept = ["solutions/vae.py", "notebooks/vae.ipynb", "course.toml", "data/corpus/card.md", "homework/data.py"]
    done = subprocess.run(
        ["git", "check-ignore", *ignored, *kept], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ignored
