"""Text of a student's shown as markdown, none of it as markup: for cells that staff open in a browser."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    r"<(?=[A-Za-z/!?])"  # tags, comments, <https://...>
    r"|\](?=[(:])"  # links, pictures and where [references] lead
    r"|\\(?=(?:href|url|html|style|class|cssId|require)[A-Za-z]*)"  # the same in formulas
)


def plain_markdown(text: str) -> str:
    """A student's markdown with its markup and links shown instead of followed: a space keeps them from being any.

    Lists, tables, emphasis, code and formulas stay as they are; so does `a < b`.
    """
    return _MARKUP.sub(lambda found: found.group() + " ", text)
