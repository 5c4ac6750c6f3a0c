"""Shows a student's Markdown as HTML that holds no link, no script and no HTML of the student's.

The text comes from the executed notebook, where `core.plain_markdown` has disabled markup. Here the parser knows no
HTML and no links either, and everything else is escaped. Formulas become elements with the class `tex`, whose text the
page's script hands to KaTeX.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

MOST_CHARACTERS = 50_000
"""Characters of an answer that are set; the rest is shown on request, as plain text."""
_MOST_FORMULA = 2_000
"""Characters of a formula that KaTeX is given; a longer one is shown as text."""
_MOST_DEPTH = 30
"""Depth of lists and quotations, and of braces in a formula, that is set."""
FORMULA = r"\$\$[^$]+\$\$|\$(?!\s)[^$\n]+(?<!\s)\$(?!\d)"
"""A formula in a text; a pattern."""
_BEGINS = re.compile(r"[\s>*+\-\d.)]*\$\$")
"""The begin of a line that may begin a block with a formula, also in lists and quotations."""
_MOST_BLOCKS = 200
"""Blocks with formulas of an answer that are set."""
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n){10,}")
_BLANKS = re.compile(r"[^\S\n]{200,}")
_KEPT = 256
"""Answers that are kept as HTML: a page shows the student's other answers, too."""
_ATTACHED = re.compile(r"^attachment:([\w.%-]+)$")


def shown_markdown(text: str, pictures: Mapping[str, str]) -> Markup:
    """The text as HTML.

    Args:
        text: Markdown.
        pictures: name of an attached picture → its address.
    """
    return _markdown(text[:MOST_CHARACTERS], tuple(sorted(pictures.items())))


@functools.lru_cache(maxsize=_KEPT)
def _markdown(text: str, pictures: tuple[tuple[str, str], ...]) -> Markup:
    return Markup(_parser().render(_closed(text), {"pictures": dict(pictures)}))


def _closed(text: str) -> str:
    """The text without what begins a formula and cannot end: for each, the parser looks through all later lines."""
    text = _without_endless(text)
    lines = text.split("\n")
    last = max((n for n, line in enumerate(lines) if line.rstrip().endswith("$$")), default=-1)
    begins = 0
    for n, line in enumerate(lines):
        if _BEGINS.match(line):
            begins += 1
            if n > last or begins > _MOST_BLOCKS:
                lines[n] = line.replace("$", "\\$")
    return "\n".join(lines)


def _without_endless(text: str) -> str:
    """The text in which no more formulas in environments begin than end, and no more than `_MOST_BLOCKS`."""
    left = min(text.count("\\end{"), _MOST_BLOCKS)
    first, *rest = text.split("\\begin{")
    begins = [("\\begin{" if n < left else "\\\\begin{") + piece for n, piece in enumerate(rest)]
    return first + "".join(begins)


def shown_formulas(text: str) -> Markup:
    """The text as it was written, with its formulas as elements."""
    pieces = enumerate(re.split(f"({FORMULA})", text))
    return Markup("").join(
        Markup(_formula(one.strip("$"), {"display_mode": one[:2] == "$$"})) if number % 2 else escape(one)
        for number, one in pieces
    )


@functools.lru_cache(maxsize=_KEPT)
def shown_code(text: str) -> Markup:
    """Python as HTML, with its words in colour; long runs of blanks, which cost the lexer much, become short."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    short = _BLANK_LINES.sub("\n" * 9, _BLANKS.sub(" " * 200, text[:MOST_CHARACTERS]))
    return Markup(highlight(short, PythonLexer(), HtmlFormatter(cssclass="code", wrapcode=True)))


@functools.cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": _MOST_DEPTH})
    parser.enable(["table", "strikethrough"]).disable(["link", "autolink", "reference", "html_block", "html_inline"])
    parser.use(dollarmath_plugin, double_inline=True, allow_labels=False, renderer=_formula)
    parser.inline.ruler.before("escape", "math_in_brackets", _in_brackets)
    parser.use(amsmath_plugin, renderer=lambda text: _formula(text, {"display_mode": True}))
    parser.add_render_rule("image", _image)
    parser.validateLink = lambda url: bool(_ATTACHED.match(url))  # type: ignore[method-assign]  # as its manual says
    return parser


def _in_brackets(state: Any, silent: bool) -> bool:
    r"""Reads `\\(x\\)` and `\\[x\\]` as formulas, as notebooks do."""
    opening = state.src[state.pos : state.pos + 3]
    closing = {r"\\(": r"\\)", r"\\[": r"\\]"}.get(opening)
    end = state.src.find(closing, state.pos + 3) if closing else -1
    if end < 0:
        return False
    if not silent:
        token = state.push("math_inline" if opening.endswith("(") else "math_inline_double", "math", 0)
        token.content, token.markup = state.src[state.pos + 3 : end], opening
    state.pos = end + 3
    return True


def _formula(text: str, options: Mapping[str, Any]) -> str:
    if len(text) > _MOST_FORMULA or _depth(text) > _MOST_DEPTH:
        return f"<code>{escape(text)}</code>"
    kind = "tex display" if options.get("display_mode") else "tex"
    return f'<span class="{kind}">{escape(text)}</span>'


def _depth(formula: str) -> int:
    """How deep braces are nested: browsers end a page whose formula goes a hundred deep."""
    steps = ((char == "{") - (char == "}") for char in formula)
    return max(itertools.accumulate(steps), default=0)


def _image(self: Any, tokens: Any, place: int, options: Any, env: Mapping[str, Any]) -> str:
    found = _ATTACHED.match(str(tokens[place].attrGet("src") or ""))
    address = env["pictures"].get(found[1]) if found else None
    if address is None:
        return "<em>[a picture that is not there]</em>"
    return f'<img src="{escape(address)}" alt="picture in the answer">'
