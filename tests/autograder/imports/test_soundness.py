"""Which test cells mean the same outside the student's process."""

from __future__ import annotations

import ast

import pytest

from autograder.imports.reach import Reached, reads_arguments
from autograder.imports.soundness import unsound

REACHED = Reached(frozenset({"squares"}), frozenset({"size"}), frozenset({"check"}))

SOUND = [
    "assert squares(3) == [1, 4, 9]",
    "import math\nassert math.isclose(sum(squares(3)), 14)",
    "from numpy.testing import assert_allclose\nassert_allclose(squares(2), [1, 4])",
    "for n in range(5):\n    assert len(squares(n)) == n",
    "def expected(n):\n    return [i * i for i in range(1, n + 1)]\nassert squares(4) == expected(4)",
    "try:\n    squares(-1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError('did not raise')",
    "import pytest\nassert squares(2)[1] == pytest.approx(4)",
    "def assert_raises(kind, function, *arguments):\n    pass\nassert_raises(ValueError, squares, -1)",
    "assert squares(0) is not None",
    "print(squares(2))",
    "'''Only a text.'''",
    "seed = 3\nassert squares(seed)",
    "values = [1]\nvalues.append(4)\nassert squares(2) == values",
    "assert squares(helper(2))",
    "assert size == 3 and size.real",
    "assert squares(size), f'of {size}'",
    "result = squares(2)\nassert result[0] == 1, f'squares(2) gave {squares(2)}'",
    "def test_squares():\n    assert squares(1) == [1]\n\ntest_squares()",
    "def both():\n    def inner():\n        return 1\n    assert squares(inner()) == [1]\nboth()",
    "check(squares(2), [1, 4])",
    "assert type(squares(2)) is list",
    "got = squares(2)\nfor one in got:\n    assert one <= max(table)",
    "found = []\nfor n in range(3):\n    found.append(squares(n))\nassert found == table",
    "x = helper(1)\nsquares(x).backward()\nassert x.grad == 2",
]
KNOWN = {"helper", "table", "MyError", "case", "check", "assert_raises"}
BY_HAND = ("no cell defines", "magic", "AUTOTEST", "valid Python", "as the score", "cannot be imported")
"""What cannot run in the student's process either."""
UNSOUND = {
    "assert squares(n) == []": "reads `n`, which no cell defines",
    "size = 3\nassert squares(size)": "replaces `size`",
    "assert [size for size in [1]]": "replaces `size`",
    "size.append(4)\nassert squares(size)": "changes `size`",
    "size[0] = 4": "changes `size`",
    "display(squares(2))\nassert 1": "notebook's kernel",
    "del squares": "deletes `squares`",
    "squares = None\nassert squares is None": "replaces `squares`",
    "assert (lambda squares: squares(3))(len)": "another meaning",
    "student = 3": "replaces `student`",
    "assert squares.__doc__": "other than by calling",
    "assert list(map(squares, [1]))": "other than by calling",
    "from unittest.mock import patch\nwith patch('builtins.print'):\n    squares(2)": "mocks",
    "import unittest.mock": "mocks",
    "import sys\nassert sys.stdout": "printed text",
    "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()):\n    squares(1)": "printed text",
    "import matplotlib.pyplot as plt\nsquares(3)\nassert plt.gcf().axes": "plots",
    "import inspect\nassert 'for' in inspect.getsource(len)": "code of functions",
    "%matplotlib inline\nassert squares(1)": "magic",
    "!ls\nassert squares(1)": "magic",
    "### AUTOTEST squares(2)": "AUTOTEST",
    "assert squares(": "not valid Python",
    "assert open('data.txt').read() == squares(1)": "files",
    "assert 'squares' in globals()": "notebook's names",
    "assert eval('squares(2)')": "runs code from texts",
    "import random\nrandom.seed(1)\nassert squares(2)": "random state",
    "import numpy as np\nnp.random.seed(1)\nassert squares(2)": "random state",
    "import warnings\nwith warnings.catch_warnings():\n    squares(1)": "warnings",
    "try:\n    squares(-1)\nexcept AssertionError:\n    pass": "arrives as another error",
    "try:\n    squares(-1)\nexcept MyError:\n    pass": "arrives as another error",
    "try:\n    squares(-1)\nexcept ValueError as error:\n    assert 'n' in str(error)": "text of an error",
    "import pytest\nwith pytest.raises(ValueError):\n    squares(-1)": "`pytest.raises`, which needs",
    "from pytest import fail\nfail()\nassert 1": "`pytest.fail`, which needs",
    "with case.assertRaises(ValueError, match='n'):\n    squares(-1)": "text of an error",
    "x = [3, 1]\nsquares(x)\nassert x == [1, 3]": "in place",
    "x = [1]\nassert squares(x) is x": "identities",
    "class Fake:\n    pass\nassert squares(Fake())": "class `Fake`",
    "x = squares(2)\nx[0] = 5\nassert squares(2)[0] == 1": "has a copy",
    "x = squares(2)\nx.append(5)\nassert squares(2)[0] == 1": "has a copy",
    "x = squares(2)\nx[0].rows[1].append(5)\nassert x": "has a copy",
    "x = squares(2)\nx += 1\nassert squares(2)[0] == 1": "has a copy",
    "table[0] = 4\nassert squares(table)": "changes `table` of a given cell",
    "squares(2) == [1, 4]": "takes as the score",
    "0.5": "takes as the score",
    "def score():\n    return 0.5 * (squares(1) == [1])\nscore()": "takes as the score",
    "unknown = squares\nhelper(2)": "takes as the score",
    "assert squares(table)\nassert table == [3, 1]": "checks `table`, which a given cell made",
    "got = squares(table)\nassert got\nassert table.a.sum() == 1": "checks `table`, which a given cell made",
    "x = helper(1)\ny = squares(x)\nassert x.grad is None": "reads `x.grad` of an argument",
    "x = helper(1)\ny = squares(x)\nassert not x.requires_grad": "reads `x.requires_grad` of an argument",
    "from nowhere_at_all import check\ncheck(squares(1))": "cannot be imported",
    "from math import *\nassert squares(1)": "cannot be told",
}


@pytest.mark.parametrize("source", SOUND)
def test_a_test_of_calls_and_of_its_own_values_is_sound(source: str) -> None:
    assert unsound(source, REACHED, KNOWN) is None


@pytest.mark.parametrize(("source", "why"), UNSOUND.items())
def test_a_test_of_anything_else_is_not_and_the_reason_says_what_to_do(source: str, why: str) -> None:
    reason = unsound(source, REACHED, KNOWN)
    assert reason is not None and why in reason.why, reason
    assert reason.fix
    assert reason.by_hand == any(word in reason.why for word in BY_HAND)


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("x = [3, 1]\ny = squares(x)\nassert x == [3, 1]", True),
        ("x = [3, 1]\nassert squares(x) == sorted(x)", True),
        ("x = [3, 1]\nassert sorted(x) == squares(x)", False),
        ("x = [3, 1]\nassert squares(x[0]) == 9 and x", True),
        ("x = [3, 1]\nassert squares([1]) == [1]\nassert x", False),
        ("assert squares(3) == [1, 4, 9]", False),
        ("x = [1]\nassert len(x) == squares(2)[0]\nassert x", False),
    ],
)
def test_a_test_that_reads_an_argument_after_the_call_is_seen(source: str, reads: bool) -> None:
    assert reads_arguments(ast.parse(source), REACHED) is reads
