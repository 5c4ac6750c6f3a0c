"""Finds the formulas, code spans, attached pictures and commands in prose, so that no rule for prose applies to them.

Marks are read from left to right. What opens a formula or code counts only if it is closed in the same paragraph;
otherwise it means itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict

from autograder.desk.formula_form import formula_form

LITERAL = str.maketrans("*_`$\\", "\uff0a\uff3f\uff40\uff04\uff3c")
"""Characters of markup that mean themselves → the same in full width."""
FORMULA, COMMAND = "\ue000", "\ue001"
"""Place holders: of a formula, code or picture; of a command outside formulas."""
_BLANK = re.compile(r"\n[ \t]*\n")
_OPENING = re.compile(
    r"(?P<picture>!\[[^\]\n]{0,200}\] ?\((?P<target>attachment:[^()\s]{1,300})\))"
    r"|(?P<environment>\\begin\{(?P<name>[a-z]{1,20}\*?)\})"
    r"|(?P<end>\\end\{[a-z]{1,20}\*?\})"
    r"|(?P<bracket>\\\\?[()\[\]])"
    r"|(?P<command>\\[A-Za-z]+)"
    r"|(?P<escaped>\\[!-/:-@\[-_{-~])"
    r"|(?P<backslash>\\)"
    r"|(?P<dollars>\$\$?)"
    r"|(?P<ticks>`+)",
    re.DOTALL,
)
_CLOSING = {"\\(": "\\)", "\\\\(": "\\\\)", "\\[": "\\]", "\\\\[": "\\\\]", "$": "$", "$$": "$$"}


def protected(text: str) -> tuple[str, list[str]]:
    """Puts place holders for what is no prose.

    Returns:
        The text with place holders, and what they stand for, in this order.
    """
    found = list(_OPENING.finditer(text))
    closers: defaultdict[str, list[int]] = defaultdict(list)
    for number, mark in enumerate(found):
        closers[mark.group()].append(number)
    blanks = [blank.start() for blank in _BLANK.finditer(text)]
    parts, kept, at, number = [], [], 0, 0
    while number < len(found):
        mark = found[number]
        whole = mark.group()
        parts.append(text[at : mark.start()])
        end = _closing(text, found, number, closers, blanks)
        if end is not None:
            first = mark.start() if mark["environment"] else mark.end()
            inner = text[first : found[end].end() if mark["environment"] else found[end].start()]
            held = _code_span(inner) if mark["ticks"] else formula_form(inner)
            at, number = found[end].end(), end
        else:
            backslash = "\\" if mark["command"] else "\uff3c"  # a \begin{} without end stays one
            held = (
                f"![]({mark['target']})"
                if mark["picture"]
                else whole.replace("\\", backslash)
                if _is_command(mark)
                else ""
            )
            at = mark.end()
        if held:
            kept.append(held)
            parts.append(COMMAND if _is_command(mark) and end is None else FORMULA)
        else:
            parts.append(" " if end is not None else _unescaped(mark, text))
        number += 1
    parts.append(text[at:])
    return "".join(parts), kept


def _closing(
    text: str,
    found: list[re.Match[str]],
    number: int,
    closers: dict[str, list[int]],
    blanks: list[int],
) -> int | None:
    """The number of the mark that closes this one in the same paragraph, if it opens a formula or code."""
    mark = found[number]
    if mark["ticks"]:
        before = found[number - 1] if number else None
        if before is not None and before["backslash"] and before.end() == mark.start():
            return None
        closing = mark.group()
    elif mark["environment"]:
        closing = f"\\end{{{mark['name']}}}"
    else:
        closing = _CLOSING.get(mark.group(), "")
    numbers = closers.get(closing, [])
    place = bisect_right(numbers, number)
    if place == len(numbers):
        return None
    end = found[numbers[place]]
    blank = bisect_right(blanks, mark.start())
    if blank < len(blanks) and blanks[blank] < end.start():
        return None
    is_price = closing == "$" and text[end.end() : end.end() + 1].isdigit()
    return None if is_price else numbers[place]


def _is_command(mark: re.Match[str]) -> bool:
    return bool(mark["command"] or mark["environment"] or mark["end"])


def _unescaped(mark: re.Match[str], text: str) -> str:
    """What prose has in place of a mark that opens nothing: escaped characters are no markup."""
    whole, end = mark.group(), mark.end()
    if mark["backslash"]:
        return "" if text[end : end + 1] in ("`", "\n") else whole.translate(LITERAL)
    if mark["bracket"]:
        whole = whole[whole.rindex("\\") :]
    elif not mark["escaped"]:
        return whole.translate(LITERAL)
    before = text[max(0, mark.start() - 40) : mark.start()]
    line = before[before.rfind("\n") + 1 :].strip()
    is_start = whole[1] in "-+#>~" and not line or whole[1] in ".)" and line.isdigit()
    is_start = is_start or whole[1] == "!" and text[end : end + 1] == "["
    return chr(ord(whole[1]) + 0xFEE0) if is_start else whole[1].translate(LITERAL)


def _code_span(inner: str) -> str:
    code = inner.replace("\n", " ")
    if code.startswith(" ") and code.endswith(" ") and code.strip():
        code = code[1:-1]
    if not code.strip():
        return ""
    ticks = "`" * (1 + max(map(len, re.findall("`+", code)), default=0))
    pad = " " if code[0] in "` " or code[-1] in "` " else ""
    return f"{ticks}{pad}{code}{pad}{ticks}"
