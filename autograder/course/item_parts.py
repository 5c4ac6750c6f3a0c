"""The parts of an item's test, and whether students see them: `with part("values", 2):` in a test cell."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping

from autograder.course.markers import HIDDEN, region_lines
from autograder.course.problem import Item
from autograder.course.python_cells import syntax_tree

_PART = re.compile(r"^\s*with\b.*?\bpart\(\s*(?P<quote>[\"'])(?P<name>.+?)(?P=quote)", re.MULTILINE)


@functools.lru_cache(maxsize=256)
def parts_of(item: Item) -> dict[str, bool]:
    """Name of each part of an item's test → whether it is hidden."""
    source = "" if item.test is None else item.test.source
    hidden = region_lines(source, HIDDEN)
    return {found["name"]: source.count("\n", 0, found.start("name")) + 1 in hidden for found in _PART.finditer(source)}


@functools.lru_cache(maxsize=256)
def weights_of(item: Item) -> Mapping[str, float]:
    """Name → weight of each part of an item's test whose name and weight are constants."""
    tree = syntax_tree(item.test.source) if item.test else None
    found = {}
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "part":
            arguments = [*node.args, *(keyword.value for keyword in node.keywords), ast.Constant(1.0)][:2]
            name, weight = (getattr(one, "value", None) for one in arguments)
            if isinstance(name, str) and isinstance(weight, int | float):
                found[name] = float(weight)
    return found


def failed_parts(item: Item, message: str) -> dict[str, str]:
    """Part → what a message about the item's test says of it, in its order; '' → what belongs to no part."""
    known = parts_of(item)
    said: dict[str, list[str]] = {}
    part = ""
    for line in message.splitlines():
        begun = next((name for name in known if line.startswith(f"{name}: ")), None)
        part = part if begun is None else begun
        said.setdefault(part, []).append(line if begun is None else line.removeprefix(f"{begun}: "))
    return {name: "\n".join(lines) for name, lines in said.items()}


def is_only_hidden(item: Item, message: str) -> bool:
    """Whether a message speaks of hidden tests only, so that the test cell in the notebook passes."""
    failed, known = failed_parts(item, message), parts_of(item)
    if "" not in failed:
        return bool(failed) and all(known[name] for name in failed)
    source = "" if item.test is None else item.test.source
    hint, lines = failed[""].split("\n")[0], source.split("\n")
    hidden = region_lines(source, HIDDEN)
    found = {number in hidden for number, line in enumerate(lines, start=1) if hint and hint in line}
    return found == {True} and all(known[name] for name in failed if name)
