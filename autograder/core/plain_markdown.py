"""A student's text as markdown without HTML or links, for cells that staff open in a browser."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    r"<(?=[A-Za-z/!?])"  # tags, comments, <https://...>
    r"|\](?=[(:])"  # links, images and targets of [references]
    r"|\\(?=(?:href|url|html|style|class|cssId|require)[A-Za-z]*)"  # links and HTML in formulas
)


def plain_markdown(text: str) -> str:
    """A student's markdown with HTML tags and links disabled: an inserted space makes them plain text.

    Lists, tables, emphasis, code and formulas stay as they are; so does `a < b`.
    """
    return _MARKUP.sub(lambda found: found.group() + " ", text)
