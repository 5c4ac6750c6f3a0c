"""Python with something repeated, near the limits of the parser, of the compiler and of the stack, and beyond."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.autograder.toy import STANDARDIZE

NUMBERS = [3, 60, 99, 101, 250, 700, 3000, 30_000]
"""How often something is repeated; Python's own limits are near some of them."""

NESTED: list[Callable[[int], str]] = [
    lambda n: "(" * n + "1" + ")" * n,
    lambda n: "[" * n + "]" * n,
    lambda n: "{0:" * n + "1" + "}" * n,
    lambda n: "not " * n + "1",
    lambda n: "-" * n + "1",
    lambda n: "lambda: " * n + "1",
    lambda n: "f(" * n + ")" * n,
    lambda n: " + ".join(["x"] * n),
    lambda n: " < ".join(["1"] * n),
    lambda n: "x" + ".a" * n,
    lambda n: "x" + "[0]" * n,
    lambda n: "1 if x is None else " * n + "0",
    lambda n: "x" + "()" * n,
    lambda n: "**".join(["1"] * n),
    lambda n: " and ".join(["x is None"] * n),
    lambda n: "'a' " * n,
    lambda n: "f'{1}' " * n,
    lambda n: "await " * n + "x",
    lambda n: "[" + "1," * n + "]",
    lambda n: "dict(" + ",".join(f"a{k}={k}" for k in range(n)) + ")",
    lambda n: "(x:=" * n + "1" + ")" * n,
    lambda n: "9" * n,
    lambda n: "0x" + "f" * n,
    lambda n: "1" * n + "e" + "9" * 9,
    lambda n: "'" + "\\ud800" * n + "'",
    lambda n: "b'" + "\\xff" * n + "'",
    lambda n: "1_" * n + "1",
    lambda n: "'%s' % (" + "1," * n + ")",
    lambda n: "a" * n,
]
"""Expressions with something repeated."""
BLOCKS: list[Callable[[int], str]] = [
    lambda n: "\n".join(" " * k + "if True:" for k in range(min(n, 300))) + "\n" + " " * min(n, 300) + "pass",
    lambda n: "\n".join(" " * k + f"def f{k}():" for k in range(min(n, 300))) + "\n" + " " * min(n, 300) + "pass",
    lambda n: "\n".join(f"class C{k}(C{k - 1} if {k} else object): pass" for k in range(min(n, 3000))),
    lambda n: "@(lambda f: f)\n" * n + "def g(): pass",
    lambda n: "\n".join(f"{'el' * (k > 0)}if x == {k}: pass" for k in range(n)),
    lambda n: "x = 1;" * n,
    lambda n: "\n" * n + "pass",
    lambda n: "\\\n" * n + "pass",
    lambda n: "#" * n,
    lambda n: "try: pass\nexcept* ValueError: pass\n" * n,
    lambda n: "match 1:\n  case " + "[" * n + "]" * n + ": pass",
    lambda n: "global x\n" * n,
    lambda n: "from __future__ import annotations\n" * n,
    lambda n: "import " + ".".join(["a"] * n),
    lambda n: "def standardize(" + ", ".join(f"a{k}" for k in range(n)) + "): pass",
    lambda n: "type X = int\n" * n,
]
"""Statements with something repeated."""


def nested(draw: Random) -> str:
    """An expression, a statement with it, or a function that returns it."""
    expression = draw.choice(NESTED)(draw.choice(NUMBERS))
    return draw.choice([f"y = {expression}", expression, STANDARDIZE + f"    return {expression}"])


def block(draw: Random) -> str:
    """Statements."""
    return draw.choice(BLOCKS)(draw.choice(NUMBERS))
