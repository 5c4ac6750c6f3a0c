"""The changelog has the form that students and staff rely on."""

from __future__ import annotations

import re
from pathlib import Path

import homework


def _versions(root: Path) -> list[tuple[str, list[str]]]:
    """(version, lines below it), newest first."""
    sections = re.split(r"^## ", (root / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [(section.splitlines()[0].strip(), section.splitlines()[1:]) for section in sections]


def test_the_newest_version_is_that_of_the_package(root: Path) -> None:
    assert _versions(root)[0][0] == homework.__version__


def test_every_entry_says_what_it_touches(root: Path) -> None:
    for version, lines in _versions(root):
        entries = [line for line in lines if line.startswith("-")]
        assert entries, f"{version} says nothing"
        for entry in entries:
            assert re.match(r"- (text|stub|test|code): \S", entry), f"{version}: {entry}"


def test_a_changed_stub_says_whether_to_download_again(root: Path) -> None:
    for version, lines in _versions(root):
        if any(line.startswith("- stub:") for line in lines):
            assert "download again" in " ".join(lines), version
