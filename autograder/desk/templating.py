"""The templates of the desk's pages, and the colours of code in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from autograder.desk.shown_text import shown_formulas

HERE = Path(__file__).resolve().parent


@cache
def templates() -> jinja2.Environment:
    """The templates."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    found.filters["formulas"] = shown_formulas
    return found


@cache
def code_style() -> str:
    """The style sheet of code."""
    from pygments.formatters import HtmlFormatter

    light, dark = (HtmlFormatter(style=name).get_style_defs(".code") for name in ("xcode", "github-dark"))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
