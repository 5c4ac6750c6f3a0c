"""The documentation builds without a warning, its links lead to files, and its commands run.

A block marked `sh` in a page is a list of commands that the test runs, line by line, with the toy problem instead of
`vae`, and its first item; commands that cannot run in a test (a browser, a cluster, a course's own repository) are in
blocks marked `text`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from autograder.cli.main import app
from autograder.cli.sample_class import make_class
from autograder.release.overview import pages
from tests.conftest import ROOT

FIXTURE = ROOT / "tests" / "autograder" / "fixture_course"
GENERATED = ROOT / "docs" / "commands.md"
PAGES = sorted(
    page for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")] if page != GENERATED
)
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\.venv/bin/)?autograder [^`]+)`")
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "AUTOGRADER_ROOT": ""}


def commands(page: Path) -> list[str]:
    """The commands in the blocks of a page."""
    lines = [line.strip() for block in BLOCK.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


PAGES_WITH_COMMANDS = [page for page in PAGES if commands(page)]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with the toy problem only, a class that has submitted, and the files of a student release."""
    root = Path(shutil.copytree(FIXTURE, tmp_path / "root"))
    for name in ("LICENSE", "pyproject.toml", "environment.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, root / name)
    (root / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "students.md", root / "docs" / "students.md")
    for name in ("homework", "data"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.npz", "raw"))
    make_class(["toy"], root / "submissions", root)
    shutil.make_archive(str(root / "download"), "zip", root / "submissions")
    return root


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(page: Path, course: Path) -> None:
    if page.stem == "grading":
        shutil.rmtree(course / "submissions")  # the page's first step makes it
    (course / ".venv").symlink_to(sys.prefix)
    for command in commands(page):
        if command == "make setup":  # what these tests run in
            continue
        ours = re.sub(r"\bvae\b", "toy", command).replace("sample_gaussian", "standardize")
        shell = ["bash", "-c", ours]
        said = subprocess.run(shell, cwd=course, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
        assert said.returncode == 0, f"{page.name}: {command}\n{said.stdout[-2000:]}\n{said.stderr[-2000:]}"


def test_commands_within_sentences_exist_and_have_their_options() -> None:
    group: Any = typer.main.get_command(app)
    found = [(page.name, text) for page in PAGES for text in INLINE.findall(page.read_text(encoding="utf-8"))]
    assert len(found) > 30
    for page, text in found:
        words = shlex.split(text.replace("|", " "))[1:]
        own = {name for parameter in group.params for name in parameter.opts}
        while words and words[0].startswith("--"):
            assert words[0] in own, f"{page}: {text}"
            words = words[2:]
        if not words or not re.fullmatch(r"[a-z-]+", words[0]):
            continue  # `autograder ...`
        assert words[0] in group.commands, f"{page}: {text}: no such command"
        parameters = group.commands[words[0]].params
        options = {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)}
        options |= {"--help"}
        for word in words[1:]:
            if word.startswith("--"):
                assert word.split("=")[0] in options, f"{page}: {text}: no option {word}"


def test_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, f"{page.name}: {named - targets}"


def test_the_reference_of_commands_is_that_of_the_command_line(tmp_path: Path) -> None:
    fresh = tmp_path / "commands.md"
    command = [sys.executable, "-m", "typer", "autograder.cli.main", "utils", "docs", "--name", "autograder"]
    subprocess.run([*command, "--output", str(fresh)], cwd=ROOT, check=True, capture_output=True)
    assert fresh.read_text(encoding="utf-8") == GENERATED.read_text(encoding="utf-8"), "run `make docs`"


@pytest.mark.long
@pytest.mark.kernel
def test_the_pages_build_without_a_warning_and_their_links_lead_to_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(tmp_path / "trees")]
    command += ["-b", "html", str(ROOT / "docs"), str(tmp_path / "html")]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    for page in (tmp_path / "html").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r'(?:href|src)="([^"#?:]+)(?:[#?][^"]*)?"', text):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}, which is not there"


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(?:[A-Z].*<)?([a-z_]+)>?$", index, re.MULTILINE))
    assert listed == {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}


def test_the_lists_of_problems_are_those_of_the_sources() -> None:
    for path, text in pages(ROOT).items():
        assert text == (ROOT / path).read_text(encoding="utf-8"), f"{path}: run `make docs`"
