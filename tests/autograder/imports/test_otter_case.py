"""otter's test cells become checks that mean the same; what cannot be said as one is kept for the planner to flag."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode

from autograder.core.errors import SourceError
from autograder.imports.otter_case import Case, read_case
from autograder.imports.otter_config import Assignment
from autograder.imports.reach import Reached
from autograder.imports.soundness import unsound
from tests.autograder.imports.otter_notebooks import code

FUNCTIONS = Assignment(has_functions=True)


def read(cell: NotebookNode, assignment: Assignment | None = None) -> Case:
    """The test in a cell."""
    return read_case("cell 1", cell, assignment or Assignment())


VALUES = [
    (code("f(3)", "9"), "assert f(3) == 9"),
    (code("f(3)", "0.1"), "assert f(3) == 0.1"),
    (code("f(3)", "'nine'"), "assert f(3) == 'nine'"),
    (code("f(3)", "[1, (2, 3), {'a': None}]"), "assert f(3) == [1, (2, 3), {'a': None}]"),
    (code("f(3)", "{1, 2}"), "assert f(3) == {1, 2}"),
    (code("f(3)", "[1,\n 2]"), "assert f(3) == [1, 2]"),
    (code("f(3)", "np.float64(2.5)"), "assert f(3) == 2.5"),
    (code("x = 3\nf(x)  # nine", "9"), "x = 3\nassert f(x) == 9  # nine"),
    (code("f(3);", ""), "_ = f(3);"),
    (code("round(f(3), 2)", "0.33"), "assert round(f(3), 2) == 0.33"),
    (code("f(3) + 'ä'", "'9ä'"), "assert f(3) + 'ä' == '9ä'"),
    (code("f(1), f(2)", "(1, 4)"), "assert (f(1), f(2)) == (1, 4)"),
    (code("(f(1), f(2))", "(1, 4)"), "assert (f(1), f(2)) == (1, 4)"),
    (code("(f(1)), (f(2))", "(1, 4)"), "assert ((f(1)), (f(2))) == (1, 4)"),
    (code("f(1) if True else 2", "1"), "assert (f(1) if True else 2) == 1"),
    # truth values
    (code("f(3) == 9", "True"), "assert f(3) == 9"),
    (code("f(3) > 1 and not f(1)", "True"), "assert f(3) > 1 and not f(1)"),
    (code("np.isclose(f(3), 9)", "True"), "assert np.isclose(f(3), 9)"),
    (code("np.isclose(f(3), 9)", "np.True_"), "assert np.isclose(f(3), 9)"),
    (code("f(3) == 8", "False"), "assert not (f(3) == 8)"),
    (code("is_even(3)", "False"), "assert is_even(3) == False"),
    (code("is_even(4)", "True"), "assert is_even(4) == True"),
    (code("(f(3) ==\n 9)", "True"), "assert (f(3) ==\n 9)"),
    # text of objects
    (code("f(3)", "array([1, 2])"), "assert repr(f(3)) == 'array([1, 2])'"),
    (code("f(3)", "   a\n0  1"), "assert repr(f(3)) == '   a\\n0  1'"),
    (code("f(3)", "nan"), "assert repr(f(3)) == 'nan'"),
    # no output
    (code("assert f(3) == 9"), "assert f(3) == 9"),
    (code("np.testing.assert_allclose(f(3), 9)"), "np.testing.assert_allclose(f(3), 9)"),
    (code("f(3)"), "assert f(3) is None"),
    (code("for x in f(3):\n    assert x"), "for x in f(3):\n    assert x"),
    (code("'''A text.'''"), "'''A text.'''"),
    # printed text
    (code("print(f(3))", printed="9\n"), "assert str(f(3)) == '9'"),
    (code("x = f(3)\nprint(x, f(4))", printed="9 16\n"), "x = f(3)\nassert \" \".join(map(str, (x, f(4)))) == '9 16'"),
]


@pytest.mark.parametrize(("cell", "expected"), VALUES)
def test_the_last_value_is_compared_with_the_stored_output(cell: NotebookNode, expected: str) -> None:
    assert read(cell).source == expected
    compile(expected, "<test>", "exec")


@pytest.mark.parametrize(
    "cell",
    [
        code("greet()", printed="hello\n"),
        code("for x in f(3):\n    print(x)", printed="1\n2\n"),
        code("print(f(3), end='')", printed="9"),
        code("show(f(3))", "9", printed="hello\n"),
        code("text = '''a\nb'''\nprint(text)\nprint(f(3))", printed="a\nb\n9\n"),
    ],
)
def test_a_test_of_what_functions_print_is_flagged_and_could_run(cell: NotebookNode) -> None:
    source = read(cell).source
    reason = unsound(source, Reached(frozenset({"f", "greet", "show"})), ())
    assert reason is not None and "printed text" in reason.why
    functions = "def greet():\n    print('hello')\n\ndef show(x):\n    greet()\n    return x\n"
    returned = [1, 2] if "for" in source else 9
    exec(f"{functions}\ndef f(n):\n    return {returned}\n\n{source}", {})


def test_a_cell_that_was_not_run_is_refused_if_its_output_counts() -> None:
    for source in ("f(3)", "f(3) == 9", "print(f(3))"):
        with pytest.raises(SourceError, match="cell 1: the test ends with a value or a print"):
            read(code(source, was_run=False))
    assert read(code("assert f(3) == 9", was_run=False)).source == "assert f(3) == 9"


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("f(3)", (False, None)),
        ("# HIDDEN\nf(3)", (True, None)),
        ("# Hidden Test\nf(3)", (True, None)),
        ("## Test ##\nf(3)", (False, None)),
        ("# TEST\nf(3)", (False, None)),
        ('""" # BEGIN TEST CONFIG\npoints: 2.5\nhidden: true\n""" # END TEST CONFIG\nf(3)', (True, 2.5)),
        ('_ = """ # BEGIN TEST CONFIG\npoints: 0\n"""; # END TEST CONFIG\nf(3)', (False, 0)),
    ],
)
def test_the_settings_of_a_test_are_not_in_its_code(source: str, settings: tuple[bool, float | None]) -> None:
    case = read(code(source, "9"))
    assert case.source == "assert f(3) == 9"
    assert (case.settings.hidden, case.settings.points) == settings


def test_messages_after_a_failure_stand_at_the_check() -> None:
    config = '""" # BEGIN TEST CONFIG\nfailure_message: Not "nine"\nsuccess_message: Good\n""" # END TEST CONFIG\n'
    case = read(code(f"{config}f(3)", "9"))
    assert case.source == 'assert f(3) == 9, "Not \\"nine\\""'
    assert not case.look
    assert "after a failure is left out" in read(code(f"{config}assert f(3), 'own'")).look


FUNCTION_TESTS = [
    ("def test_f(f):\n    assert f(3) == 9", "assert f(3) == 9"),
    ("def test_f(f):\n    # first\n    x = 3\n    assert f(x) == 9\n\ntest_f(f)", "x = 3\nassert f(x) == 9"),
    ("def test_f(f): assert f(3) == 9", "assert f(3) == 9"),
    ("def test_f(env):\n    assert env['f'](3) == env[\"x\"]", "assert f(3) == x"),
    (
        "def test_f(env):\n    assert 'f' in env",
        "def test_f(env):\n    assert 'f' in env\n\n\n_ = test_f(env=globals())",
    ),
    (
        "def test_f(env):\n    x = 3\n    assert env['x'] == x",
        "def test_f(env):\n    x = 3\n    assert env['x'] == x\n\n\n_ = test_f(env=globals())",
    ),
    ('def test_f(f):\n    text = """a\n    b"""\n    assert f(text)', 'text = """a\n    b"""\nassert f(text)'),
    (
        "def test_f(f):\n    if f(1):\n        return\n    assert f(2)",
        "def test_f(f):\n    if f(1):\n        return\n    assert f(2)\n\n\n_ = test_f(f=f)",
    ),
    (
        "def test_f(f):\n    def g():\n        return 1\n    assert f(1) == g()",
        "def g():\n    return 1\nassert f(1) == g()",
    ),
]


@pytest.mark.parametrize(("source", "expected"), FUNCTION_TESTS)
def test_a_test_function_becomes_plain_code(source: str, expected: str) -> None:
    assert read(code(source), FUNCTIONS).source == expected


def test_a_decorator_of_a_test_function_has_its_settings() -> None:
    case = read(code("@test_case(points=2, hidden=True)\ndef test_f(f):\n    assert f(3) == 9"), FUNCTIONS)
    assert (case.settings.points, case.settings.hidden) == (2, True)
    assert case.source == "assert f(3) == 9"


def test_a_test_function_that_is_called_in_its_cell_is_plain_code_in_every_assignment() -> None:
    assert read(code("def test_f(f):\n    assert f(3) == 9\n\ntest_f(f)")).source == "assert f(3) == 9"
    other_name = "def test_f(g):\n    assert g(3) == 9\n\ntest_f(f)"
    assert read(code(other_name)).source.startswith("def test_f(g)")
    only_defined = read(code("def test_f(f):\n    assert f(3) == 9"))
    assert "every answer passes" in only_defined.look


@pytest.mark.parametrize(
    ("cell", "assignment", "says"),
    [
        (code("f(3"), Assignment(), "no valid Python"),
        (code("assert f(3)"), FUNCTIONS, "must be one function"),
        (code('""" # BEGIN TEST CONFIG\npoints: 1'), Assignment(), "is never closed"),
        (code('""" # BEGIN TEST CONFIG\npoint: 1\n""" # END TEST CONFIG'), Assignment(), "did you mean `points`"),
        (code('""" # BEGIN TEST CONFIG\npoints: many\n""" # END TEST CONFIG'), Assignment(), "its points are 'many'"),
    ],
)
def test_a_test_that_cannot_be_read_is_refused(cell: NotebookNode, assignment: Assignment, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read(cell, assignment)
