"""Solution cells become stubs with signature and docstring, or cells with a rubric."""

from __future__ import annotations

import pytest

from autograder.course.mark_scheme import criteria
from autograder.course.markers import RUBRIC, SOLUTION, region, replaced
from autograder.imports.answers import CodeAnswer, by_hand, code_answer, rubric
from autograder.imports.soundness import Reason

STUB = "raise NotImplementedError"


@pytest.mark.parametrize(
    ("source", "stub"),
    [
        (
            'def f(x):\n    """Doc."""\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION',
            'def f(x):\n    """Doc."""\n    raise NotImplementedError',
        ),
        (
            'def f(\n    x,\n):\n    """Doc."""\n    # why\n    return x',
            'def f(\n    x,\n):\n    """Doc."""\n    raise NotImplementedError',
        ),
        ("def f(x): return x", 'def f(x):\n    """Solves the task above."""\n    raise NotImplementedError'),
        (
            'class C:\n    """Doc."""\n\n    def a(self):\n        return 1\n\n    def b(self):\n        return 2',
            'class C:\n    """Doc."""\n\n    def a(self):\n        raise NotImplementedError\n\n'
            "    def b(self):\n        raise NotImplementedError",
        ),
    ],
)
def test_the_stub_keeps_signature_and_docstring(source: str, stub: str) -> None:
    made = code_answer(source)
    assert isinstance(made, CodeAnswer)
    assert replaced(made.source, SOLUTION, STUB) == stub


@pytest.mark.parametrize(
    ("source", "stub"),
    [
        ("x = 5\ny = 6", STUB),
        ("x = 1\n### BEGIN SOLUTION\ny = 2\n### END SOLUTION", f"x = 1\n{STUB}"),
        ("y = [\n### BEGIN SOLUTION\n2\n### END SOLUTION\n]", STUB),
        ("### BEGIN SOLUTION\nSECRET = 3\ndef f():\n    return SECRET\n### END SOLUTION", STUB),
        ("def f():\n    return 1\ndef g():\n    return 2", f"def f():\n    {STUB}\ndef g():\n    {STUB}"),
        (
            "### BEGIN SOLUTION\ndef f():\n    return 1\n### END SOLUTION\ndef g():\n    pass",
            f"{STUB}\ndef g():\n    pass",
        ),
        ("### BEGIN SOLUTION\nimport math\ndef f():\n    return 1\n### END SOLUTION", STUB),
        ("# the trick: memory\ndef f():\n    return 1", STUB),
        ("def f():\n    return 1\n    # the trick", STUB),
        ("@cache\ndef f():\n    return 1", STUB),
        ("from math import prod\ndef f():\n    return 1", STUB),
        ("class A:\n    RULES = {1: 2}\n    def f(self):\n        return 1", STUB),
        ("class A:\n    class B:\n        def f(self):\n            return 1", STUB),
        ("async def f():\n    return 1", STUB),
        ("if True:\n    def f():\n        return 1", STUB),
    ],
)
def test_of_any_other_cell_students_see_what_the_original_shows_and_signatures(source: str, stub: str) -> None:
    made = code_answer(source)
    assert isinstance(made, CodeAnswer) and made.name == ""
    assert replaced(made.source, SOLUTION, STUB) == stub


def test_a_cell_that_is_not_plain_python_is_graded_by_hand_with_a_reason() -> None:
    made = code_answer("%time\ndef f():\n    return 1")
    assert isinstance(made, Reason) and "magic" in made.why and made.by_hand


def test_a_cell_graded_by_hand_keeps_its_tests_where_students_never_see_them() -> None:
    test = "assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    source = by_hand(
        "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", True, 0, [("t", 1.5, test)]
    )
    assert replaced(replaced(source, SOLUTION, STUB), RUBRIC, None) == f"def f(x):\n    {STUB}"
    assert "    # | assert f(2)" in source
    assert [one.points for one in criteria(region(source, RUBRIC))] == [1.5]


def test_a_mark_scheme_that_adds_up_is_the_rubric_and_another_one_is_quoted_in_it() -> None:
    assert rubric("- 1 point: a\n- 2 points: b", 3) == ["- 1 point: a", "- 2 points: b"]
    assert rubric("- 1 point: a", 3) == ["- 3 points: the answer is right, as described here", "> - 1 point: a"]
    assert [one.points for one in criteria("\n".join(rubric("- 1 point: a\nfree text", 2)))] == [2]
    assert rubric("", 1) == ["- 1 point: the answer is right"]
