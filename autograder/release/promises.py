"""Promises in an answer's docstring that no line of its test seems to check.

The words of the docstring are compared with those of the test cell, so this finds forgotten promises, not weak checks.
That a function changes no argument needs no line: every call in a test checks it (`homework.arguments`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autograder.course.problem import Item, Problem

_PROMISES: tuple[tuple[str, str, str], ...] = (
    ("the result's data type", r"with the (shape and )?data type|and data type[;.]", r"\.dtype\b"),
    ("both float32 and float64", r"float32 or float64", r"\.float\(\)|float32"),
    ("a gradient", r"\bdifferentiable\b", r"backward\(|autograd\.grad"),
    ("no gradient", r"without (gradient|graph)|treated as constants", r"requires_grad|\.grad\b"),
    ("randomness from the given generator", r"from which all randomness comes", r"Generator\(\)"),
    ("randomness from the seed", r"randomness comes from `seed`", r"same seed"),
    ("torch's global generator stays", r"global generator is not changed", r"leaves_alone|get_rng_state"),
    ("whole numbers", r"\bReturns:(.|\n)*(LongTensor|int64)", r"int64|is_floating_point"),
    ("a shape", r"\bReturns:(.|\n)*`\[[A-Z]", r"has_shape\(|\.shape\b|\.ndim\b"),
    ("-inf", r"-inf\b", r"inf\b"),
    ("numbers of any size", r"\bany (finite )?size\b", r"1e\d|10_000|10,000|\b1000\.0"),
)
"""What is promised, how docstrings say it, and what a test that checks it contains."""
_RAISES = re.compile(r"^\s*(\w+Error):", re.MULTILINE)


def unchecked_promises(problem: Problem) -> Iterator[tuple[str, str]]:
    """The item and what it promises, for each promise of a docstring without a check."""
    for item in problem.items:
        if item.kind == "code" and item.test is not None:
            yield from ((item.id, promise) for promise in _unchecked(item, item.test.source))


def _unchecked(item: Item, test: str) -> Iterator[str]:
    defined = ast.parse(item.cell.source).body
    text = "\n".join(
        ast.get_docstring(node) or ""
        for top in defined
        for node in ast.walk(top)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    )
    for promise, said, checked in _PROMISES:
        if re.search(said, text) and not re.search(checked, test):
            yield promise
    if "Raises:" in text:
        for error in _RAISES.findall(text[text.index("Raises:") :]):
            if error not in test:
                yield f"a {error}"
