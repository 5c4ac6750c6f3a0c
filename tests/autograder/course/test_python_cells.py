"""A cell's text as Python: magics become calls, deep nesting is refused, and the time is linear."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable

import pytest

from autograder.course.name_analysis import names_of
from autograder.course.python_cells import MAX_DEPTH, plain_python, syntax_tree
from autograder.report.code_fingerprint import shape_of_code
from autograder.submissions.matching import is_stub
from tests.autograder.toy import toy


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("!ls\n%timeit f()\nx = 1", "get_ipython()\nf()\nx = 1"),
        ("files = !ls\ny = %who", "files = get_ipython()\ny = get_ipython()"),
        ("if x:\n    !pip install a \\\n      b\n    z = 2", "if x:\n    get_ipython()\n\n    z = 2"),
        ("torch.relu?\n?x\nprint??", "get_ipython()\nget_ipython()\nget_ipython()"),
        ("%%time\n!ls\ny = f()", "\nget_ipython()\ny = f()"),
        ("%%html\n<b>", "\n"),
        ("%pylab\ntext = '''\n!important\n'''", "get_ipython()\ntext = '''\nget_ipython()\n'''"),
        ("x = (5\n % 3)", "x = (5\n % 3)"),
        ("def f(:\n!ls", "def f(:\n!ls"),
        ("%pylab\nprint('%s'\n      % 3)", "get_ipython().run_line_magic('pylab', '')\nprint('%s'\n      % 3)\n"),
        ("%%time\n%%capture\nx = 1", "\nget_ipython()\nx = 1"),
        ("def f(x): \u2028\n    {% raw %}", "def f(x): \u2028\n    {% raw %}"),
    ],
)
def test_magics_shell_lines_and_questions_become_calls_on_their_lines(cell: str, python: str) -> None:
    plain_python.cache_clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert plain_python(cell) == python
    assert not warned


DEEP: dict[str, Callable[[int], str]] = {
    "sum": lambda n: "x = " + " + ".join(["1"] * n),
    "signs": lambda n: "x = " + "-" * n + "1",
    "brackets": lambda n: "x = " + "(" * n + "1" + ")" * n,
    "lists": lambda n: "x = " + "[" * n + "]" * n,
    "calls": lambda n: "x = f" + "()" * n,
    "attributes": lambda n: "x = f" + ".a" * n,
    "elif": lambda n: "if a: pass\n" + "elif a: pass\n" * n,
    "lambda": lambda n: "x = " + "lambda: " * n + "1",
    "blocks": lambda n: "".join(" " * k + "if a:\n" for k in range(n)) + " " * n + "pass",
    "digits": lambda n: "x = 0x" + "f" * 5 * n,
    "shell": lambda n: "!x\n" * n,
    "questions": lambda n: "x?\n" * n,
    "assigned": lambda n: "x = !y\n" * n,
    "equals": lambda n: "a = " * n + "!x",
    "words": lambda n: "a " * n + "\n!x",
    "percents": lambda n: "%" * n + "\n!x",
    "cell magics": lambda n: "%%time\n" * n + "x = 1",
    "odd numbers": lambda n: "x = 1if 1else 2; y = '\\d'\n" * n,
    "statements": lambda n: "x = 1\n" * n,
}
"""Cells that grow with a number."""


@pytest.mark.filterwarnings("error::SyntaxWarning", "error::DeprecationWarning")
@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("size", [90, 1500, 6000])
def test_cells_of_every_size_are_analysed_without_an_error(kind: str, size: int) -> None:
    cell = DEEP[kind](size)
    tree = syntax_tree(cell)
    assert tree is not None or size > 2 * MAX_DEPTH // 5, "what a person may write is read"
    names_of(cell)
    is_stub(cell, "def f(): ...", toy().items[0])
    shape_of_code(cell)


@pytest.mark.parametrize("kind", DEEP)
def test_the_time_grows_with_the_size_only(kind: str) -> None:
    def seconds(size: int) -> float:
        cell = DEEP[kind](size)
        gc.disable()  # its time depends on what else is in memory
        try:
            begin = time.process_time()
            syntax_tree(cell)
            return time.process_time() - begin
        finally:
            gc.enable()

    small = min(seconds(1_000) for _ in range(3))
    assert min(seconds(8_000) for _ in range(2)) < 40 * small + 0.05
