"""Parts of all HTML pages: templates with escaping, style sheets with their hash, names set as code."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from autograder.core.text import printable

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


@dataclass(frozen=True)
class Style:
    """The style sheet of a page."""

    text: Markup
    """The rules, from files of this package only; no user input."""
    hash: str
    """SHA-256 in base64, by which a content security policy allows this sheet."""


def style(*names: str) -> Style:
    """The style sheets of these names, concatenated."""
    text = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    return Style(Markup(text), base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


@functools.cache
def template(name: str, *, escapes: bool = True) -> jinja2.Template:
    """The template of that name; rendering it raises if a variable is missing.

    Args:
        name: name of the file.
        escapes: whether it escapes the values put into it. False is allowed only for texts that are not HTML and
            contain nothing from a student.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=escapes,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def with_code(text: str) -> Markup:
    """Escaped text with `names` between backticks set as code and control characters written as escapes."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(_without_steering(text)))))


def _without_steering(text: str) -> str:
    """The text with control characters and bidirectional marks as escapes; line breaks stay."""
    return "\n".join(
        line.expandtabs() if line.isprintable() else printable(line.expandtabs(), max(1, 12 * len(line)))
        for line in text.split("\n")
    )
