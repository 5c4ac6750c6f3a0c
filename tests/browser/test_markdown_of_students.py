"""JupyterLab, with its own parser of markdown and MathJax, makes nothing active of a student's text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import Page, expect

from autograder.core.notebook_io import notebook_text
from autograder.core.plain_markdown import plain_markdown
from tests.browser.conftest import TOKEN

HOSTILE = r"""
https://example.org www.example.org ada@example.org [a](http://e.org) [r] <b onclick="x">b</b>

$\href{http://e.org}{x}$ $\mmlToken{mi}[href="http://e.org"]{x}$ $\class{marked}{x}$ $\cssId{marked}{x}$
$\style{color:red}{x}$ $\def\a{\href{http://e.org}}\a{x}$ &#36;\\href{http://e.org}{x}&#36; $\require{html}$

\begin{align} \href{http://e.org}{x} \end{align} \begin{x} \class{marked}{x} \end{x}

```mermaid
graph TD; A-->B
```

~~~ mermaid
graph TD; A-->B
~~~

[r]: http://e.org
"""
HONEST = r"$\frac{a}{b}$ and \begin{aligned} \mathbb{E}[x] &= \color{red}{\text{one}} \end{aligned}"
ACTIVE = "a[href]:not(.jp-InternalAnchorLink), [href^='http'], .marked, #marked, .jp-RenderedMermaid, [onclick]"


def shown(page: Page, address: str, folder: Path, text: str) -> int:
    """How many active elements JupyterLab makes of a text, once it has set the formulas of an honest cell below."""
    notebook = new_notebook(cells=[new_markdown_cell(text), new_markdown_cell(HONEST)])
    (folder / "shown.ipynb").write_text(notebook_text(notebook), encoding="utf-8")
    page.goto(f"{address}/lab/tree/shown.ipynb?token={TOKEN}&reset")
    cells = page.locator(".jp-Notebook .jp-MarkdownOutput")
    expect(cells.nth(1).locator("mjx-container")).to_have_count(2, timeout=90_000)
    expect(cells.nth(1).locator("mjx-merror")).to_have_count(0)
    page.wait_for_timeout(3000)  # until diagrams are drawn, too
    return int(cells.first.locator(ACTIVE).count())


def test_markdown_of_students_is_not_active_in_jupyterlab(
    page: Page, tmp_path: Path, jupyter: Callable[..., str]
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    address = jupyter(folder)
    assert shown(page, address, folder, HOSTILE) > 5, "it is, unchanged"
    assert shown(page, address, folder, plain_markdown(HOSTILE)) == 0
