"""Finds otter's own statements (`grader.check("q1")`) and takes them out of cells that students get."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable

from autograder.course.python_cells import syntax_tree

_MADE = re.compile(r"^\s*(\w+)\s*=\s*(?:otter\.)?Notebook\(", re.MULTILINE)
_INSTALL = re.compile(r"\s*[%!]\s*pip3? install\b.*\botter-grader\b")
_METHODS = ("check", "check_all", "export", "run_plugin", "add_plugin_files", "to_pdf")
_PLUGIN = re.compile(r"[^\n]*# BEGIN PLUGIN(?: EXPORT)?[ ]*\n.*?# END PLUGIN[^\n]*\n?", re.DOTALL)


def graders(sources: Iterable[str]) -> frozenset[str]:
    """The names that a notebook has for otter's object, `grader` in what otter writes itself."""
    return frozenset({"grader"}.union(*(_MADE.findall(source) for source in sources)))


def without_otter(source: str, names: Collection[str]) -> tuple[str, list[str]]:
    """The code without otter's statements and plugins, and what was taken out; nothing is left if only comments are.

    Args:
        source: a code cell.
        names: the notebook's names for otter's object.
    """
    removed = [f"the plugin {found.strip().splitlines()[0]!r}" for found in _PLUGIN.findall(source)]
    lines = _PLUGIN.sub("", source).split("\n")
    tree = syntax_tree("\n".join(lines))
    own = [node for node in tree.body if _is_own(node, names)] if tree else []
    taken = {number for node in own for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    taken -= {node.lineno for node in (tree.body if tree else ()) if node not in own}
    installs = {number for number, line in enumerate(lines, start=1) if _INSTALL.match(line)}
    removed += [f"`{lines[number - 1].strip()}`" for number in sorted(taken | installs)]
    kept = [line for number, line in enumerate(lines, start=1) if number not in taken | installs]
    is_empty = all(not line.strip() or line.lstrip().startswith("#") for line in kept)
    return "" if removed and is_empty else "\n".join(kept).strip("\n"), removed


def _is_own(node: ast.stmt, names: Collection[str]) -> bool:
    if isinstance(node, ast.Import):
        return all(alias.name.partition(".")[0] == "otter" for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] == "otter"
    return any(
        isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and ((one.value.id == "otter" and one.attr == "Notebook") or (one.value.id in names and one.attr in _METHODS))
        for one in ast.walk(node)
    ) or (isinstance(node, ast.Assign) and bool(_MADE.match(ast.unparse(node))))
