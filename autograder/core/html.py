"""What all pages are made with: templates that escape, one style sheet with its hash, names set as code."""

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
    """The rules; our own files, not anybody's input."""
    hash: str
    """SHA-256 in base64: what a content security policy allows this sheet by."""


def style(*names: str) -> Style:
    """The style sheets of these names, one after the other."""
    text = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    return Style(Markup(text), base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


@functools.cache
def template(name: str, *, escapes: bool = True) -> jinja2.Template:
    """The template of that name; it raises where something is missing.

    Args:
        name: name of the file.
        escapes: does it escape what is put into it? Only for texts that are no HTML and hold nothing of a student's
            may it not.
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
    """Escaped text in which `names` between backticks are set as code, and nothing steers how it is shown."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(_without_steering(text)))))


def _without_steering(text: str) -> str:
    """The text with control characters, and marks that turn the direction of writing, as escapes; lines stay."""
    return "\n".join(
        line.expandtabs() if line.isprintable() else printable(line.expandtabs(), max(1, 12 * len(line)))
        for line in text.split("\n")
    )
