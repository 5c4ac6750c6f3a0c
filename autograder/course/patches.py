"""Applies the patch of a variant to the solution: the lines that differ, instead of the whole source.

    # misconception: you left out the gain, so that all features are used equally
    -        return F.relu(self.linear(self.gain * rms_normalize(x)))
    +        return F.relu(self.linear(rms_normalize(x)))

Lines that begin with `-` are replaced by those that begin with `+`; lines that begin with a space stay, and say which
place is meant. A blank line separates changes at different places. Each place must be found exactly once in the
solution, whose blank lines, docstrings and markers do not count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import groupby


class PatchError(Exception):
    """A patch does not fit the solution.

    Attributes:
        line: the line of the patch, counted from 1.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def patched(solution: str, patch: str) -> str:
    """The solution with the changes of a patch.

    Args:
        solution: the solution's cell, without markers.
        patch: the text of the patch; lines that begin with `#` are comments.

    Raises:
        PatchError: a place is not found, is found more than once, or is changed twice; or the patch changes nothing.
    """
    lines = _without_docstrings(solution)
    there = [number for number, line in enumerate(lines) if line.strip()]
    spans: list[tuple[int, int, list[str]]] = []
    for first, change in _changes(patch):
        old = [line[1:].rstrip() for line in change if line[0] in "- "]
        begin, end = _place(old, lines, there, first)
        if any(begin < other_end and other < end for other, other_end, _ in spans):
            raise PatchError(first, "another change above has some of these lines, too; make one change of both")
        spans.append((begin, end, [line[1:] for line in change if line[0] in "+ "]))
    if not spans:
        raise PatchError(1, "the patch changes nothing; write lines that begin with `-` and `+`")
    for begin, end, new in sorted(spans, reverse=True):
        lines[begin:end] = new
    return "\n".join(lines) + "\n"


def _changes(patch: str) -> Iterator[tuple[int, list[str]]]:
    """The changes of a patch, each with the number of its first line."""
    lines = [(number, "" if line.startswith("#") else line) for number, line in enumerate(patch.splitlines(), start=1)]
    for number, line in lines:
        if line.strip() and line[0] not in "-+ ":
            raise PatchError(
                number,
                "a line of a patch begins with `-`, `+`, a space or `#`; leave out lines with `---`, `+++` or `@@`",
            )
    for is_blank, group in groupby(lines, key=lambda one: not one[1].strip()):
        change = list(group)
        if not is_blank:
            if not any(line[0] in "-+" for _, line in change):
                raise PatchError(change[0][0], "nothing changes here; begin lines with `-` and `+`")
            yield change[0][0], [line for _, line in change]


def _place(old: Sequence[str], lines: Sequence[str], there: Sequence[int], first: int) -> tuple[int, int]:
    """Where the solution has these lines: the first of them, and the one after the last."""
    if not old:
        raise PatchError(first, "nothing says where these lines go; write a line of the solution, after a space, above")
    text = [lines[number].rstrip() for number in there]
    found = [n for n in range(len(text)) if text[n : n + len(old)] == old]
    if len(found) == 1:
        return there[found[0]], there[found[0] + len(old) - 1] + 1
    if found:
        what = f"the solution has these lines {len(found)} times; add a line above or below that stays, after a space"
    else:
        known = {line.strip() for line in text}
        missing = next((line for line in old if line.strip() not in known), None)
        what = (
            f"the solution has no line {missing.strip()!r} (any more); copy the line from the solution"
            if missing is not None
            else "the solution has these lines elsewhere, or with another indentation; copy them from the solution"
        )
    raise PatchError(first, what)


def _without_docstrings(source: str) -> list[str]:
    """The lines of a source, without the docstrings that other statements follow."""
    lines = source.rstrip("\n").split("\n")
    try:
        tree = ast.parse(source)
    except SyntaxError:
        raise PatchError(1, "the solution is not valid Python, so a patch does not fit it; correct it first") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None and node.body[1:]:
            docstring = node.body[0]
            lines[docstring.lineno - 1 : docstring.end_lineno] = [""] * _height(docstring)
    return lines


def _height(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
