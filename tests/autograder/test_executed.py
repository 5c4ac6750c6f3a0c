"""The executed notebook: what a student wrote is text in it."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_output

from autograder.executed import plain_markdown
from autograder.graded_notebook import graded_notebook, graded_text
from tests.autograder.toy import released


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<script>x</script>", "< script>x< /script>"),
        ("<!-- a -->", "< !-- a -->"),
        ("<https://example.org>", "< https://example.org>"),
        ("[a](javascript:x)", "[a] (javascript:x)"),
        ("![a](http://example.org/a.png)", "![a] (http://example.org/a.png)"),
        ("[a]: javascript:x", "[a] : javascript:x"),
        (r"$\href{javascript:x}{y}$", r"$\ href{javascript:x}{y}$"),
    ],
)
def test_markup_and_links_of_a_student_are_shown_and_not_followed(written: str, shown: str) -> None:
    assert plain_markdown(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        "a < b and x<0",
        r"$\frac{a}{b} \leq \hat{x}$",
        "- one\n- **two** `x[0]`",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "> said",
    ],
)
def test_ordinary_markdown_stays_as_it_is(written: str) -> None:
    assert plain_markdown(written) == written


def test_the_graded_text_is_a_valid_notebook_with_a_line_for_each_cell() -> None:
    notebook = released()
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [new_output("stream", text="one\ntwo\n"), new_output("error", ename="E", evalue="", traceback=["é"])]
    written = graded_text(notebook)
    assert len(written.splitlines()) == len(notebook.cells) + 3
    read = nbformat.reads(written, as_version=4)
    nbformat.validate(read)
    assert read == notebook == graded_notebook(written)
