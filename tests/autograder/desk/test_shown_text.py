"""The time to show an answer at the desk grows with its size, whatever it holds; formulas and code stay as written."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from autograder.core.plain_markdown import plain_markdown
from autograder.desk import shown_text
from autograder.desk.shown_text import MOST_CHARACTERS, shown_code, shown_markdown

PARTS = [
    *("$$a\n\n", "$$a\n", "$$\n", "$a\n\n", "> $$a\n\n", "- $$a\n\n", "1. $$a\n\n", "  $$a\n\n", "$$a$$ b\n\n"),
    *(" \n", "\n", "\t\n", " \n x\n", "\x0c\n", "x = (\n", '"""\n', "# \n", "\\\n", "@\n", "def f(\n", "f'{"),
    *("\u2028\n", "\\begin{align}\n\n", "\\\\[ x\n", "`", "* ", "[", "| a |\n|---|\n", "> ", "\\\\(", "&", "_a_", "**"),
    *(" ", "\t", "\\begin{align}\n", "\\begin{align} "),
]
SECONDS = 3.0
"""CPU time for the longest answer; the worst took 41 s, ordinary prose takes 0.1 s."""


def shown(text: str) -> object:
    return shown_markdown(plain_markdown(text), {})


@pytest.mark.parametrize("show", [shown, shown_code], ids=["text", "code"])
@pytest.mark.parametrize("part", PARTS, ids=map(repr, PARTS))
def test_a_long_answer_of_one_part_is_shown_at_once(part: str, show: Callable[[str], object]) -> None:
    text = part * (MOST_CHARACTERS // len(part))
    begun = time.process_time()
    show(text)
    assert time.process_time() - begun < SECONDS


def test_formulas_that_end_are_set_and_others_stay_text() -> None:
    page = shown_markdown("$$\na + b\n$$\n\n> $$x$$\n\ntext $y$\n\n$$z\n\nlast $w$", {})
    assert page.count('class="tex') == 4 and "$$z" in page


def test_environments_of_formulas_are_set_if_they_end() -> None:
    page = shown_markdown("\\begin{align}\na &= b\n\\end{align}\n\n\\begin{align}\nc", {})
    assert page.count('class="tex') == 1 and "begin{align}" in page.partition("</span>")[2]


def test_code_keeps_its_lines_but_for_long_gaps() -> None:
    page = shown_code("x = 1\n\n\ny = 2\n" + " \n" * 1000 + "z = 3\n")
    assert page.count("\n") < 25 and all(name in page for name in "xyz")


def test_an_answer_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown_markdown("parsed once", {"a.png": "/a"})
    monkeypatch.setattr(shown_text, "_parser", None)
    assert "parsed once" in shown_markdown("parsed once", {"a.png": "/a"})
