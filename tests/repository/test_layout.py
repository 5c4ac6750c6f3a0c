"""The top of the repository: files that must exist exist, others do not; the changelog has its form."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import homework

LARGEST = 5 * 1024 * 1024
"""Bytes; the tiny pre-trained weights of a problem come near it, no other file does."""
PROMISED = """solutions notebooks homework/py.typed homework/submission_log.schema.json autograder/py.typed data
    course.toml environment.yml Makefile README.md CONTRIBUTING.md LICENSE .pre-commit-config.yaml""".split()
TARGETS = """setup setup-latest lock test-latest demo desk test test-all test-slow lint release check clean help
    formgrader bundle docs fuzz tiny-t5 tiny-summarizer""".split()


@pytest.mark.parametrize("path", PROMISED)
def test_promised_files_exist(root: Path, path: str) -> None:
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
    shown = subprocess.check_output(["make", "--no-print-directory", "help"], cwd=root, text=True)
    assert {line.split()[0] for line in shown.splitlines()} == targets == set(TARGETS)


def test_links_of_the_readme_and_of_contributing_lead_to_files(root: Path) -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (root / page).read_text(encoding="utf-8")):
            if "://" not in target:
                assert (root / target).exists(), f"{page}: {target}"


def test_source_folders_hold_no_large_files(root: Path) -> None:
    folders = ("autograder", "data", "docs", "homework", "notebooks", "solutions", "tests")
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    assert not [str(path) for path in files if path.stat().st_size > LARGEST]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_run_time_state_is_ignored_by_git(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    ignored = """course/gradebook.db .venv/bin/python .venv-latest/bin/python checkpoints/x.pt submission_log.json
        a/__pycache__/x.pyc submissions/ada/vae/vae.ipynb handed_in/ada/vae/vae.ipynb graded/grades.csv grades.csv
        to_import.csv to_import.csv.unmatched.csv grades.csv.comments.csv feedback.zip inspect/a/check.py""".split()
    kept = ["solutions/vae.py", "notebooks/vae.ipynb", "course.toml", "data/corpus/card.md", "homework/data.py"]
    found = subprocess.check_output(["git", "check-ignore", *ignored, *kept], cwd=tmp_path, text=True)
    assert found.split() == ignored


def test_the_changelog_says_of_each_version_what_it_touches(root: Path) -> None:
    """And whether students must download a changed stub again."""
    sections = re.split(r"^## ", (root / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert sections[0].splitlines()[0].strip() == homework.__version__
    for section in sections:
        version, *lines = section.splitlines()
        entries = [line for line in lines if line.startswith("-")]
        assert entries, f"{version} has no entry"
        for entry in entries:
            assert re.match(r"- (text|stub|test|code): \S", entry), f"{version}: {entry}"
        if any(entry.startswith("- stub:") for entry in entries):
            assert "download again" in " ".join(lines), version
