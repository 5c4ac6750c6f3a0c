r"""A LaTeX formula without spacing and with one name for each symbol, as part of an answer's normal form."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<text>\\(?:text(?:bf|it|rm|sf|tt)?|mbox)\s*\{[^{}]*\})"
    r"|(?P<space>\s+|~|\\[,;:!>\s]|\\q?quad(?![A-Za-z])|\\displaystyle(?![A-Za-z])"
    r"|\\(?:left|right)(?![A-Za-z])\s*\.?|\\[bB]igg?[lrm]?(?![A-Za-z]))"
    r"|(?P<command>\\[A-Za-z]+)"
    r"|\\."
    r"|(?P<dollar>\$+)"
    r"|.",
    re.DOTALL,
)
_SAME = {
    "\\dfrac": "\\frac",
    "\\tfrac": "\\frac",
    "\\leq": "\\le",
    "\\geq": "\\ge",
    "\\neq": "\\ne",
    "\\rightarrow": "\\to",
    "\\mid": "|",
    "\\vert": "|",
    "\\lvert": "|",
    "\\rvert": "|",
}
_GROUP = re.compile(r"(?<=[\^_])\{([A-Za-z0-9])\}")


def formula_form(formula: str) -> str:
    """The formula between dollars; empty if there is nothing but spacing.

    Spaces go, except within text, between a command and a letter, and between two digits (`1\\quad 2` is not `12`).
    """
    parts: list[str] = []
    last, is_command, is_apart = "", False, False
    for found in _TOKEN.finditer(formula):
        token = found.group()
        if found["space"]:
            is_apart = True
            continue
        if found["text"]:
            token = re.sub(r"\s+", " ", token)
        elif found["dollar"]:
            token = "\\$" * len(token)
        token = _SAME.get(token, token)
        if (is_command and token[0].isalpha()) or (is_apart and last.isdigit() and token[0].isdigit()):
            parts.append(" ")
        parts.append(token)
        last, is_command, is_apart = token[-1], found["command"] is not None and token != "|", False
    inner = _GROUP.sub(r"\1", "".join(parts))
    return f"${inner}$" if inner else ""
