"""otter's solution comments become our markers, its prompts comments."""

from __future__ import annotations

import pytest

from autograder.core.errors import SourceError
from autograder.course.markers import SOLUTION, replaced, without_markers
from autograder.imports.otter_solution import is_marked, solution, without_ignored

STUB = "raise NotImplementedError"


def stub(source: str) -> str:
    """What students see of a solution cell."""
    return replaced(solution("cell", source).source, SOLUTION, STUB)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 5 # SOLUTION", f"# x = ...\n{STUB}"),
        ("x = 5 #SOLUTION", f"# x = ...\n{STUB}"),
        ("x, y['a'] = 5, 6 # SOLUTION", f"# x, y['a'] = ...\n{STUB}"),
        ("x = 5 # SOLUTION NO PROMPT\ny = 6", f"{STUB}\ny = 6"),
        ("x += 5 # SOLUTION", STUB),
        ("assert x == 5 # SOLUTION", STUB),
        ("f(3) # SOLUTION: three", STUB),
        ("# BEGIN SOLUTION\nx = 1\ny = 2\n# END SOLUTION\nz = 3", f"{STUB}\nz = 3"),
        ("# BEGIN SOLUTION NO PROMPT\nx = 1\n# END SOLUTION", STUB),
        ("# BEGIN SOLUTION\n# END SOLUTION\nx = 1", "x = 1"),
        # neighbours are one region, less indented ones stay apart
        (
            "def f(x):\n    y = x # SOLUTION NO PROMPT\n\n    return y # SOLUTION",
            f"def f(x):\n    {STUB}",
        ),
        (
            "def f(x):\n    if x:\n        y = 1 # SOLUTION\n    return y # SOLUTION",
            f"def f(x):\n    if x:\n        # y = ...\n        {STUB}\n    {STUB}",
        ),
        ("for x in y: # SOLUTION NO PROMPT\n    z += x # SOLUTION\nz", f"{STUB}\nz"),
        # prompts
        (
            'def f(r):\n    # BEGIN SOLUTION NO PROMPT\n    return 2 * r\n    # END SOLUTION\n    """ # BEGIN PROMPT\n'
            '    # Double it.\n    twice = ...\n    return twice\n    """; # END PROMPT',
            f"def f(r):\n    # Double it.\n    # twice = ...\n    # return twice\n    {STUB}",
        ),
        ("## Solution ##\nx = 1 # SOLUTION", f"# x = ...\n{STUB}"),
        ('""" # BEGIN PROMPT\npass\n""" # END PROMPT\nx = 1 # SOLUTION', f"# x = ...\n{STUB}"),
        ("''' # BEGIN PROMPT\ny = ...\n''' # END PROMPT\nx = 1 # SOLUTION", f"# y = ...\n# x = ...\n{STUB}"),
        # seeds stay
        ("np.random.seed(4) # SEED\nx = np.random.rand() # SOLUTION", f"np.random.seed(4)\n# x = ...\n{STUB}"),
        # no whole statements
        ("x = f(1,\n      2) # SOLUTION", STUB),
        ("if x: # SOLUTION\n    y = 1", STUB),
        # magics and text that is no Python
        ("%matplotlib inline\nx = 1 # SOLUTION", f"%matplotlib inline\n# x = ...\n{STUB}"),
    ],
)
def test_students_see_a_stub(source: str, expected: str) -> None:
    assert stub(source) == expected


def test_the_solution_is_the_code_without_comments_of_otter() -> None:
    source = "def f(x):\n    y = x # SOLUTION NO PROMPT\n    # BEGIN SOLUTION\n    return y\n    # END SOLUTION"
    assert without_markers(solution("cell", source).source) == "def f(x):\n    y = x\n    return y"


def test_what_otter_would_do_with_it_is_told() -> None:
    assert "seed is shown" in solution("cell", "seed(1) # SEED\nx = 1 # SOLUTION").look
    assert "no whole statements" in solution("cell", "x = f(1,\n      2) # SOLUTION").look
    assert not solution("cell", "x = 1 # SOLUTION").look
    assert is_marked("x = 1 # SOLUTION") and not is_marked("x = 1 # solution")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("# BEGIN SOLUTION\nx = 1", "# BEGIN SOLUTION is never closed"),
        ("x = 1\n# END SOLUTION", "does not fit the comments above"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", "does not fit the comments above"),
        ('""" # BEGIN PROMPT\nx', "# BEGIN PROMPT is never closed"),
        ('""" # END PROMPT', "does not fit the comments above"),
    ],
)
def test_comments_that_do_not_close_are_refused(source: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        solution("cell", source)


def test_ignored_lines_are_in_no_version() -> None:
    source = "x = 1\nx = 2 # IGNORE\n# BEGIN IGNORE\nx = 3\n# END IGNORE\ny = 1"
    assert without_ignored("cell", source) == "x = 1\ny = 1"
    with pytest.raises(SourceError, match="# BEGIN IGNORE is never closed"):
        without_ignored("cell", "# BEGIN IGNORE\nx")
