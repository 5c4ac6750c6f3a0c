"""Warnings are errors; each exception to that matches one text that a dependency really writes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from _pytest.config import parse_warning_filter

SAID = {
    # zmq.asyncio
    "Proactor event loop does not implement add_reader family of methods required for zmq.": RuntimeWarning,
    # os.fork, from Python 3.12 on
    "This process (pid=7) is multi-threaded, use of fork() may lead to deadlocks in the child.": DeprecationWarning,
}


@pytest.fixture(name="exceptions")
def _exceptions(root: Path) -> list[tuple[str, type[Warning]]]:
    """Pattern and category of each exception in `pyproject.toml`."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    first, *others = (parse_warning_filter(line, escape=False) for line in settings["filterwarnings"])
    assert first[0] == "error" and {each[0] for each in others} == {"ignore"}
    return [(message, category) for _, message, category, _, _ in others]


def test_every_exception_matches_its_text_and_every_text_has_one(exceptions: list[tuple[str, type[Warning]]]) -> None:
    matched = [
        [
            text
            for text, raised in SAID.items()
            if issubclass(raised, category) and re.match(pattern, text, re.IGNORECASE)
        ]
        for pattern, category in exceptions
    ]
    assert sorted(text for texts in matched for text in texts) == sorted(SAID)
    assert all(len(texts) == 1 for texts in matched), "an exception matches nothing that is known, or too much"
