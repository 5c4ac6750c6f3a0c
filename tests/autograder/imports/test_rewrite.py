"""Test cells are rewritten in their text: calls, prints, parts, hidden checks."""

from __future__ import annotations

import textwrap

import pytest

from autograder.imports.reach import Reached
from autograder.imports.rewrite import ItemPart, item_test

REACHED = Reached(frozenset("f"), frozenset("v"))
PRINT = 'print("f: all visible checks passed")'


def one(source: str) -> str:
    """The test of `f` from one test cell, without the print."""
    made = item_test("f", [ItemPart("t", 1, source)], REACHED)
    return made.replace(f"\n{PRINT}", "")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert f(3) == 4  # f(3)", "assert student.f(3) == 4  # f(3)"),
        ("assert f(f(1)) == x.f(2)", "assert student.f(student.f(1)) == x.f(2)"),
        ("s = 'ä'; assert f(s) == 'f(s)'", "s = 'ä'; assert student.f(s) == 'f(s)'"),
        ("assert f(1), f'got {f(1)}'", "assert student.f(1), f'got {student.f(1)}'"),
        ("assert v == 3 and x.v", "assert student.v == 3 and x.v"),
        ("assert v > 1, f'got {v:>{v}} {x}'", "assert student.v > 1, f'got {student.v:>{student.v}} {x}'"),
        ("assert_raises(ValueError, f, 0)", "assert_raises(ValueError, student.f, 0)"),
        ("print('ok')\nassert f(1)", "pass\nassert student.f(1)"),
        ("if f(1):\n    print(f(2), end='')", "if student.f(1):\n    _ = [student.f(2)]"),
    ],
)
def test_calls_get_their_prefix_and_all_else_stays(source: str, expected: str) -> None:
    assert one(source) == expected


def test_one_test_cell_stays_all_or_nothing_and_its_hidden_checks_stand_below() -> None:
    source = "x = 1\nassert f(x)\n### BEGIN HIDDEN TESTS\nassert f(2) == x\n### END HIDDEN TESTS"
    assert one(source) == (
        "x = 1\nassert student.f(x)\n### BEGIN HIDDEN TESTS\nassert student.f(2) == x\n### END HIDDEN TESTS"
    )


def test_hidden_checks_above_or_inside_visible_code_run_in_the_original_order() -> None:
    source = "x = 1\n### BEGIN HIDDEN TESTS\nassert f(x) == 1\n### END HIDDEN TESTS\nx = 2\nassert f(x)"
    visible, _, hidden = one(source).partition("### BEGIN HIDDEN TESTS\n")
    assert visible == "x = 1\nx = 2\nassert student.f(x)\n"
    assert hidden == "x = 1\nassert student.f(x) == 1\nx = 2\nassert student.f(x)\n### END HIDDEN TESTS"
    inside = "for x in [1]:\n    assert f(x)\n    ### BEGIN HIDDEN TESTS\n    assert f(x + 1)\n    ### END HIDDEN TESTS"
    assert "for x in [1]:\n    assert student.f(x)\n    assert student.f(x + 1)" in one(inside)


def test_several_test_cells_are_parts_with_their_points() -> None:
    text = 's = """\n two\n"""\nassert f(s)'
    hidden = "assert f(1)\n### BEGIN HIDDEN TESTS\ncheck(f(2))\n### END HIDDEN TESTS"
    tests = [ItemPart("a", 1, text), ItemPart("b", 0.5, hidden, ("from m import check",))]
    assert item_test("f", tests, REACHED) == textwrap.dedent('''\
        with part("a", 1):
            s = """
         two
        """
            assert student.f(s)
        with part("b", 0.25):
            from m import check
            assert student.f(1)
        print("f: all visible checks passed")
        ### BEGIN HIDDEN TESTS
        with part("b, all checks", 0.25):
            from m import check
            assert student.f(1)
            check(student.f(2))
            pass
        ### END HIDDEN TESTS''')


def test_hidden_checks_without_visible_ones_have_all_points_of_their_cell() -> None:
    hidden = "x = 1  # hidden only\n### BEGIN HIDDEN TESTS\nassert f(x)\n### END HIDDEN TESTS"
    made = item_test("f", [ItemPart("a", 1, "assert f(1)"), ItemPart("b", 1, hidden)], REACHED)
    assert 'with part("b", ' not in made and 'with part("b, all checks", 1):' in made


@pytest.mark.parametrize(
    "visible",
    [
        *("import math", "def same(a, b):\n    assert a == b", "result = f(2)", "print(f(2))", "np.random.seed(f(2))"),
        "'A text.'",
    ],
)
@pytest.mark.parametrize("reached", [REACHED, None], ids=["outside", "inside"])
def test_code_that_checks_nothing_has_no_points(visible: str, reached: Reached | None) -> None:
    hidden = f"{visible}\n### BEGIN HIDDEN TESTS\nassert f(2) == 4\n### END HIDDEN TESTS"
    made = item_test("f", [ItemPart("a", 1, "assert f(1)"), ItemPart("b", 1, hidden, ("m = f(3)",))], reached)
    assert 'with part("b", ' not in made and 'with part("b, all checks", 1):' in made
    with_check = hidden.replace("###", "with assertRaises(ValueError):\n    x = f(-1)\n###", 1)
    assert 'with part("b", 0.5)' in item_test("f", [ItemPart("a", 1, ""), ItemPart("b", 1, with_check)], reached)


def test_a_test_cell_of_comments_only_is_still_a_part() -> None:
    tests = [ItemPart("a", 1, "# hidden"), ItemPart("b", 1, "assert f(1)")]
    assert item_test("f", tests, REACHED).startswith('with part("a", 1):\n    # hidden\n    pass\nwith part("b", 1):')


def test_hidden_checks_show_no_values() -> None:
    hidden = "### BEGIN HIDDEN TESTS\nassert f(1), f'got {f(1)}'\nassert f(2), 'f of 2'\n### END HIDDEN TESTS"
    assert one(f"assert f(3)\n{hidden}").endswith(
        "assert student.f(1), 'a hidden check failed'\nassert student.f(2), 'f of 2'\n### END HIDDEN TESTS"
    )


def test_a_test_inside_the_students_process_stays_as_it_is() -> None:
    source = "x = f(v)\nassert x\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    made = item_test("f", [ItemPart("t", 1, source)], None)
    assert made.replace(f"\n{PRINT}", "") == source
