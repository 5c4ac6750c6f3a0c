"""A student's text as markdown without HTML, links, diagrams and active formulas, for cells that staff open.

Nothing here asks where a formula or code begins: parsers of markdown differ in that, so the rules hold everywhere.
"""

from __future__ import annotations

import re
from itertools import count
from urllib.parse import quote, unquote

from autograder.core.tex_names import ENVIRONMENTS, MACROS

MOST_FORMULAS = 100
"""Maximum number of environments, and of formulas between double backslashes, of one text that are set.

nbconvert looks for the end of each from its beginning on, so its time grows with their number times the text's length.
"""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")
"""Characters that browsers drop, or that some parsers take for a line break."""
_LANGUAGES = (
    "python|python3|py|ipython|pycon|text|txt|plain|plaintext|none|output|console|shell|bash|sh|json|yaml|toml|xml|html"
    "|css|javascript|js|java|c|cpp|c\\+\\+|cuda|r|julia|sql|latex|tex|markdown|md|diff"
)
_FENCE = re.compile(
    rf"(?:(?<!`)`{{3,}}+(?=[^`\n]*$)|(?<!~)~{{3,}}+)(?![ \t]*+(?:$|(?:{_LANGUAGES})(?=[ \t]|$)))",
    re.MULTILINE | re.IGNORECASE,
)
"""What may open a block of code whose language is not in `_LANGUAGES`: of `mermaid`, Jupyter makes a diagram."""
_MARKUP = re.compile(
    r"\]\(attachment:(?P<picture>[^()\s]+)(?=\))"
    r"|<(?=[A-Za-z/!?])"  # tags, comments, <https://...>
    r"|\](?=[(:])"  # links, images and targets of [references]
    r"|!(?=\[(?![^\[\]\n]*\]))"  # the begin of an image without an end
    r"|:(?=//)|www(?=\.)|(?<=[\w.+-])@(?=\w)"  # addresses, of which parsers make links
    r"|&(?=#|[A-Za-z][A-Za-z0-9]{0,31};)"  # characters that are written as entities
    r"|\\(?P<macro>[A-Za-z]++)(?P<environment>\{[A-Za-z]{1,20}\*?\})?"
    r"|\\\\(?=[(\[])",  # formulas, as nbconvert finds them
    re.IGNORECASE,
)
_IN_TARGET = re.compile(r"www\.", re.IGNORECASE)


def plain_markdown(text: str) -> str:
    """A student's markdown with HTML, links, diagrams and all but `MACROS` disabled: an inserted space makes them text.

    Lists, tables, emphasis, code and formulas stay as they are; so does `a < b`.
    """
    formulas = count(1)

    def disabled(found: re.Match[str]) -> str:
        whole, macro, picture = found.group(), found["macro"], found["picture"]
        if picture is not None:
            return f"] (attachment:{_IN_TARGET.sub('www%2E', quote(unquote(picture), safe=''))}"
        if macro is not None:
            is_known = _is_known(macro, found["environment"])
            if is_known and (macro != "begin" or next(formulas) <= MOST_FORMULAS):
                return whole
            return f"\\ {whole[1:]}"
        if whole == "\\\\" and next(formulas) <= MOST_FORMULAS:
            return whole
        return f"{whole} "

    lines = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _MARKUP.sub(disabled, _FENCE.sub(lambda found: f"{found.group()}text ", lines))


def _is_known(macro: str, environment: str | None) -> bool:
    if macro in ("begin", "end"):
        return environment is not None and environment[1:-1] in ENVIRONMENTS
    return macro in MACROS
