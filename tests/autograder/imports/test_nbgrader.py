"""What becomes of small nbgrader notebooks: items, points, report, and refusals that write nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import CourseError
from autograder.course.config import load_course
from autograder.course.markers import HIDDEN, SOLUTION
from autograder.course.problem import Problem, in_process_notes, load_problem
from autograder.imports.assignment import import_assignment
from autograder.release.lint import lint_problem
from autograder.release.notebook import released_notebook
from tests.autograder.imports.notebooks import (
    SQUARES,
    given,
    graded_by,
    graded_import,
    manual,
    refused,
    solution,
    text,
    written_to,
)

TEST = "assert squares(3) == [1, 4, 9]"
IN_R = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
SQUARED = [solution(), graded_by(TEST)]
SQUARED_WRONGLY = [solution(), graded_by("assert squares(1) == 7", "wrong")]
DOUBLED = 'def doubled(n):\n    """Twice the squares."""\n    return [2 * x for x in squares(n)]'


def imported(course: Path, tmp_path: Path, *cells: NotebookNode) -> tuple[Problem, str]:
    """The problem that the cells become, and the report on it."""
    (one,) = import_assignment(written_to(tmp_path / "one.ipynb", *cells), "nbgrader", to=course / "solutions")
    assert one.report_path.read_text(encoding="utf-8") == one.report
    return load_problem("one", course), one.report


def kinds(problem: Problem) -> dict[str, float]:
    """Item → points."""
    return {item.id: item.points for item in problem.items}


def test_a_solution_and_its_tests_become_one_item(course: Path, tmp_path: Path) -> None:
    hidden = "### BEGIN HIDDEN TESTS\nassert squares(5) == [1, 4, 9, 16, 25]\n### END HIDDEN TESTS"
    problem, report = imported(course, tmp_path, solution(), graded_by(f"{TEST}\n{hidden}", points=2.5))
    assert kinds(problem) == {"squares": 2.5}
    said = "2.5 are graded by tests (1 item, 0 of them inside the student's process), 0 by hand (0 items)."
    assert f"Points: 2.5 before, 2.5 after. {said}" in report
    assert lint_problem("one", course) == []
    released = str(released_notebook(problem))
    assert "student.squares(3)" in released and "squares(5)" not in released and "i**2" not in released
    assert "homework" not in problem.text
    assert "one" in load_course(course).problems


NEEDS_N = graded_by("assert squares(n)")
TWO = "def two():\n    return"
ITEMS: list[tuple[list[NotebookNode], dict[str, float]]] = [
    ([solution(), NEEDS_N], {"figure_squares": 1}),
    ([given("n = 2"), solution(), NEEDS_N], {"squares": 1}),
    ([given(f"{TWO} 2"), solution(), graded_by("assert squares(two())")], {"squares": 1}),
    ([given(f"{TWO} squares(2)"), solution(), graded_by("assert squares(2) == two()")], {"squares": 1}),
    ([given("import math"), solution(), graded_by("assert math.fsum(squares(1)) == 1")], {"squares": 1}),
    ([given("import sys"), solution(), graded_by("sys.stdout.write(str(squares(1)))\nassert 1")], {"squares": 1}),
    ([*SQUARED, solution(DOUBLED, "d"), graded_by("assert doubled(1) == [2]", "t2", 3)], {"squares": 1, "doubled": 3}),
    # a test of two solution cells
    (
        [*SQUARED, solution(DOUBLED, "d"), graded_by("assert squares(1) and doubled(1)", "t2")],
        {"squares": 1, "doubled": 1},
    ),
    # a solution cell without tests, and the one that needs it
    ([solution(), solution(DOUBLED, "d"), graded_by("assert doubled(1) == [2]", "t2")], {"doubled": 1}),
    # variables as answers; of a name that two cells define, the cell's id is the item's
    ([solution("x = 5\ny = 6", "a"), graded_by("assert y == 6")], {"y": 1}),
    (
        [solution("x = 5", "a"), graded_by("assert x == 5"), solution("x = 6", "b"), graded_by("assert x == 6", "t2")],
        {"a": 1, "b": 1},
    ),
    ([solution("x = 5", "x"), graded_by("assert 'x' in globals()")], {"x": 1}),
    # a code item cannot need a function of a cell that grading does not run
    (
        [solution(), graded_by("%time squares(1)"), solution(DOUBLED, "d"), graded_by("assert doubled(1)", "t2")],
        {"figure_squares": 1, "figure_d": 1},
    ),
    ([solution("%time x = 5", "x"), graded_by("assert x == 5")], {"figure_x": 1}),
    ([text("Why?", "part-a", 2)], {"written_part_a": 2}),
    ([text("Do it.", "cell-1", 4, task=True)], {"written_cell_1": 4}),
    ([manual("plot(1)", "draw", 2)], {"figure_draw": 2}),
    ([manual("plot(1)", "draw", 2), graded_by("assert 1 + 1 == 2", "t", 1)], {"figure_draw": 3}),
    ([graded_by("assert 1 + 1 == 2", "alone", 1)], {"written_alone": 1}),
]


@pytest.mark.parametrize(("cells", "items"), ITEMS)
def test_the_items_and_their_points(
    course: Path, tmp_path: Path, cells: list[NotebookNode], items: dict[str, float]
) -> None:
    problem, report = imported(course, tmp_path, *cells)
    assert kinds(problem) == items
    assert lint_problem("one", course) == []
    total = sum(items.values())
    assert f"Points: {total:g} before, {total:g} after." in report
    without = problem.text.replace("student.", "")
    assert all(line.strip() in without for cell in cells for line in cell.source.split("\n"))  # nothing is lost


def test_an_unsound_test_is_reported_with_its_cell_the_reason_and_the_remedy(course: Path, tmp_path: Path) -> None:
    problem, report = imported(course, tmp_path, solution(), graded_by("assert squares(n) == [1]", "check"))
    assert (
        "| 2 (code) | `check` | 1 | in the sample answer of `figure_squares`, which is graded by hand: it reads `n`"
        in report
    )
    assert "- cell 2 (check): to have it graded by its test: make the values in the test cell itself" in report
    assert "assert squares(n)" not in str(released_notebook(problem))


def test_a_test_that_must_run_inside_says_why_and_that_it_is_weaker(course: Path, tmp_path: Path) -> None:
    problem, report = imported(course, tmp_path, solution(), graded_by("del squares", "check"))
    assert [item.is_in_process for item in problem.items] == [True]
    assert "the test of `squares`, which runs inside the student's process: it deletes `squares`" in report
    assert "- cell 2 (check): student code can forge the result of its test; to have it tested outside: " in report
    assert in_process_notes(problem)[0].startswith("one.py: `squares`: tested inside")


def test_a_test_that_fails_on_the_solution_outside_runs_inside_or_is_graded_by_hand(
    course: Path, tmp_path: Path
) -> None:
    odd = "class Odd:\n    size = 3\n\nodd = Odd()"
    problem, report = imported(
        course, tmp_path, solution(odd, "a"), graded_by("assert type(odd).__name__ == 'Odd'"), *SQUARED_WRONGLY
    )
    assert {item.id: item.is_in_process for item in problem.items} == {"odd": True, "figure_squares": False}
    assert "outside the student's process it fails on the solution" in report
    assert "graded by hand: inside the student's process it fails on the solution" in report


def test_a_function_and_variables_in_one_cell_are_one_item_that_can_be_released(course: Path, tmp_path: Path) -> None:
    both = f"{SQUARES}\n\n### BEGIN SOLUTION\nanswer = squares(2)\n### END SOLUTION"
    problem, _ = imported(course, tmp_path, solution(both), graded_by(f"{TEST}\nassert answer == [1, 4]"))
    assert kinds(problem) == {"squares": 1} and lint_problem("one", course) == []
    assert "answer = " not in str(released_notebook(problem))


def test_a_test_gets_what_visible_code_of_earlier_tests_made(course: Path, tmp_path: Path) -> None:
    first = "n = 3\nwanted = [1, 4, 9]\ndef check(got, want):\n    assert got == want\ncheck(squares(n), wanted)"
    hidden = "### BEGIN HIDDEN TESTS\nsecret = 5\nassert len(squares(secret)) == 5\n### END HIDDEN TESTS"
    tests = [graded_by(f"{first}\n{hidden}", "t1"), graded_by("check(squares(n)[:2], wanted[:2])", "t2")]
    problem, report = imported(course, tmp_path, solution(), *tests)
    assert kinds(problem) == {"squares": 2} and lint_problem("one", course) == [], report
    assert graded_import("one", course).score == 2
    assert "secret" not in str(released_notebook(problem))


def test_a_decorated_function_of_an_earlier_test_keeps_its_decorators(course: Path, tmp_path: Path) -> None:
    memo = solution("import functools\ndef memo(f):\n    return functools.cache(f)", "memo")
    first = "calls = []\n@memo\ndef slow(x):\n    calls.append(x)\n    return x\nassert slow(1) == slow(1)"
    tests = [graded_by(first, "t1"), graded_by("slow(2)\nslow(2)\nassert calls.count(2) == 1", "t2")]
    imported(course, tmp_path, memo, *tests)
    assert graded_import("one", course).score == 2
    assert graded_import("one", course, memo="def memo(f):\n    return f").score == 1


TWICE = "def twice(x):\n    return 2 * x"


@pytest.mark.parametrize("below", [given("n = 7"), solution("n = 7", "n")], ids=["given", "solution"])
def test_a_variable_of_a_test_is_not_that_of_a_cell_below(course: Path, tmp_path: Path, below: NotebookNode) -> None:
    first = [graded_by("n = 3\nassert twice(n) == 6", "t1"), graded_by("assert twice(n) + n == 9", "t2")]
    cells = [solution(TWICE, "twice"), *first, below, graded_by("assert n == 7 and twice(n) == 14", "t3")]
    problem, report = imported(course, tmp_path, *cells)
    assert "its `n` is `n_in_test` here" in report and "replaces" not in report
    assert graded_import("one", course).score == 3 == sum(kinds(problem).values())


def test_a_variable_of_a_test_keeps_its_name_if_it_cannot_be_replaced_everywhere(course: Path, tmp_path: Path) -> None:
    test = graded_by("n = 3\nassert twice(n) == 6, f'of {n}'", "t1")
    _, report = imported(course, tmp_path, solution(TWICE, "twice"), test, given("n = 7"))
    assert "n_in_test" not in report and graded_import("one", course).score == 1


def test_a_variable_of_a_test_with_a_magic_keeps_its_name(course: Path, tmp_path: Path) -> None:
    test = graded_by("%matplotlib inline\nn = 3\nassert twice(n) == 6", "t1")
    problem, report = imported(course, tmp_path, solution(TWICE, "twice"), test, given("n = 7"))
    assert "n_in_test" not in report and "plain Python" in report and kinds(problem) == {"figure_twice": 1}


def test_hidden_code_of_an_earlier_test_is_shown_in_no_other(course: Path, tmp_path: Path) -> None:
    hidden = f"{TEST}\n### BEGIN HIDDEN TESTS\nsecret = 5\nassert squares(secret)\n### END HIDDEN TESTS"
    problem, report = imported(
        course, tmp_path, solution(), graded_by(hidden, "t1"), graded_by("assert squares(secret)", "t2")
    )
    assert "it reads `secret`, which no cell defines" in report
    assert "secret" not in str(released_notebook(problem))


def test_a_test_inside_the_students_process_may_look_at_what_it_prints(course: Path, tmp_path: Path) -> None:
    printed = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as said:\n    print(squares(2))"
    problem, _ = imported(course, tmp_path, solution(), graded_by(f"{printed}\nassert said.getvalue() == '[1, 4]\\n'"))
    assert [item.is_in_process for item in problem.items] == [True] and lint_problem("one", course) == []
    assert graded_import("one", course).score == 1


def test_names_of_a_star_import_are_known(course: Path, tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text("def area(side):\n    return side**2\n", encoding="utf-8")
    cells = [
        given("from shapes import *\nfrom math import *"),
        solution(),
        graded_by("assert squares(1)[0] == area(pi / pi)"),
    ]
    problem, report = imported(course, tmp_path, *cells)
    assert kinds(problem) == {"squares": 1}, report
    assert lint_problem("one", course) == [] and graded_import("one", course).score == 1


@pytest.mark.parametrize(
    "head",
    [
        "from nose.tools import assert_equal, assert_raises as fails",
        "from nose.tools import *\ndef fails(*call):\n    assert_raises(*call)",
        "def check():\n    from nose.tools import eq_, ok_\n    eq_(squares(1), [1])\n    ok_(squares(1))\ncheck()"
        "\nfrom nose.tools import assert_equal\nfrom nose.tools import assert_raises as fails",
    ],
)
def test_what_tests_import_from_nose_is_that_of_unittest(course: Path, tmp_path: Path, head: str) -> None:
    checks = "assert_equal(squares(2), [1, 4])\nfails(TypeError, squares, 'a')"
    problem, report = imported(course, tmp_path, solution(), graded_by(f"{head}\n{checks}"))
    assert kinds(problem) == {"squares": 1} and "`nose.tools` is replaced by `unittest`" in report
    assert lint_problem("one", course) == [] and graded_import("one", course).score == 1
    wrong = "def squares(n):\n    return list(range(n))"
    assert graded_import("one", course, squares=wrong).score == 0


STEPS = "class Optimizer:\n    def step(self):\n        self.done = True\noptimizer = Optimizer()\noptimizer.step()"


@pytest.mark.parametrize(("check", "is_run"), [(TEST, False), (f"{TEST}\nassert optimizer.done", True)])
def test_a_given_cell_that_trains_runs_in_grading_if_a_test_needs_it(
    course: Path, tmp_path: Path, check: str, is_run: bool
) -> None:
    problem, report = imported(course, tmp_path, given(STEPS), solution(), graded_by(check))
    assert lint_problem("one", course) == [] and graded_import("one", course).score == 1, report
    assert ('tags=["train"]' in problem.text) is not is_run


def test_an_id_has_ascii_letters_only(course: Path, tmp_path: Path) -> None:
    cells = [solution("def größe(n):\n    return n", "cell-5"), graded_by("assert größe(2) == 2")]
    problem, _ = imported(course, tmp_path, *cells)
    assert kinds(problem) == {"cell_5": 1} and lint_problem("one", course) == []
    assert graded_import("one", course).score == 1


def test_parts_may_use_a_given_name_that_another_part_sets(course: Path, tmp_path: Path) -> None:
    tests = [
        graded_by("assert squares(total) == [1]", "t1"),
        graded_by("total = 2\nassert len(squares(total)) == 2", "t2"),
    ]
    problem, _ = imported(course, tmp_path, given("total = 1"), solution(), *tests)
    assert kinds(problem) == {"squares": 2} and lint_problem("one", course) == []
    assert graded_import("one", course).score == 2


def test_a_test_without_visible_checks_does_not_say_that_they_passed(course: Path, tmp_path: Path) -> None:
    hidden = f"### BEGIN HIDDEN TESTS\n{TEST}\n### END HIDDEN TESTS"
    problem, _ = imported(course, tmp_path, solution(), graded_by(hidden))
    released = str(released_notebook(problem))
    assert "has no visible check" in released and "passed" not in released and lint_problem("one", course) == []


def test_the_mark_scheme_is_the_rubric(course: Path, tmp_path: Path) -> None:
    answer = "Because.\n### BEGIN MARK SCHEME\n- 1 point: says why\n- 1 point: says how\n### END MARK SCHEME"
    problem, _ = imported(course, tmp_path, text(answer, "why", 2), text(f"Task.\n{answer}", "task", 2, task=True))
    assert [item.rubric for item in problem.items] == ["- 1 point: says why\n- 1 point: says how"] * 2
    released = str(released_notebook(problem))
    assert "Task." in released and "says why" not in released


def test_an_answer_without_points_is_kept_in_the_report(course: Path, tmp_path: Path) -> None:
    problem, report = imported(course, tmp_path, solution(), text("Why?", "why", 1))
    assert kinds(problem) == {"written_why": 1}
    assert "an answer without points" in report and "    return [i**2 for" in report
    assert "i**2" not in problem.text


def test_magics_stand_apart_so_that_grading_can_run_the_rest(course: Path, tmp_path: Path) -> None:
    mixed = given("%matplotlib inline\nimport math\n# %% drawing\nmath.pi?")
    problem, report = imported(course, tmp_path, mixed, *SQUARED)
    sources = [cell.source for cell in problem.cells if cell.cell_type == "code"]
    assert sources[1:4] == ["%matplotlib inline", "import math\n## %% drawing", "math.pi?"]
    assert lint_problem("one", course) == [] and "magics have a cell of their own" in report


def test_an_item_that_needs_an_answer_without_points_is_graded_by_hand(course: Path, tmp_path: Path) -> None:
    unpaid = [solution(), graded_by("assert squares(1)", "unpaid", 0)]
    problem, report = imported(course, tmp_path, *unpaid, solution(DOUBLED, "d"), graded_by("assert doubled(1)", "t"))
    assert kinds(problem) == {"figure_d": 1}
    assert "it needs `squares` of cell 1 (squares)" in report


def test_a_task_and_tests_without_points_are_reported(course: Path, tmp_path: Path) -> None:
    alone, more = graded_by("assert 1 + 1 == 2", "alone", 0), graded_by("%time squares(1)", "more", 0)
    problem, report = imported(course, tmp_path, alone, *SQUARED, more, text("Think.", "think", 0, task=True))
    assert kinds(problem) == {"squares": 1}
    assert "Think." in problem.text and lint_problem("one", course) == []
    assert "    assert 1 + 1 == 2" in report and "    %time squares(1)" in report


@pytest.mark.parametrize("version", [None, 1, 2, 3])
def test_every_version_of_the_metadata_is_read(course: Path, tmp_path: Path, version: int | None) -> None:
    cells = [solution(), graded_by(TEST, points=2)]
    for cell in cells:
        del cell.metadata["nbgrader"]["schema_version"]
        if version is not None:
            cell.metadata["nbgrader"]["schema_version"] = version
    if version == 1:
        cells[1].metadata["nbgrader"] |= {"points": "2", "checksum": "0" * 32}
    problem, _ = imported(course, tmp_path, *cells)
    assert kinds(problem) == {"squares": 2}


def _with(cell: NotebookNode, **data: Any) -> NotebookNode:
    cell.metadata["nbgrader"] |= data
    return cell


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([text("# Only text")], "has no cell that nbgrader grades"),
        ([solution(), graded_by(TEST, "a"), graded_by(TEST, "a")], "cells 2, 3 have the same grade_id 'a'"),
        ([solution(), graded_by(TEST, "")], "cell 2 is graded or a solution, and has no grade_id"),
        ([_with(graded_by(TEST), points="many")], "cell 1: its points are 'many'"),
        ([_with(graded_by(TEST), points=-1)], "cell 1: its points are -1"),
        ([_with(graded_by(TEST), schema_version=4)], "cell 1: nbgrader's schema version 4 is unknown"),
        ([_with(text("x", "a", 1), grade=False)], "cell 1: a text cell is graded or a solution, not both"),
        ([graded_by("### BEGIN HIDDEN TESTS\nassert f(1)")], "cell 1: BEGIN HIDDEN TESTS is never closed"),
        ([graded_by("assert f(1)\n### END HIDDEN TESTS")], "cell 1: '### END HIDDEN TESTS' does not fit"),
        ([solution("# YOUR CODE HERE\nraise NotImplementedError()"), graded_by(TEST)], "is a released notebook"),
        ([given("part = 1"), solution(), graded_by(TEST)], "cell 1 defines `part`"),
    ],
)
def test_a_notebook_that_cannot_be_imported_is_named_and_nothing_is_written(
    course: Path, tmp_path: Path, cells: list[NotebookNode], says: str
) -> None:
    refused(course, written_to(tmp_path / "one.ipynb", *cells), says)


def test_other_files_and_ids_are_refused(course: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "list.ipynb").write_text("[]", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    refused(course, tmp_path / "broken.ipynb", "is no notebook")
    refused(course, tmp_path / "list.ipynb", "no")
    refused(course, tmp_path / "missing.ipynb", "there is no")
    refused(course, tmp_path / "empty", "has no notebook")
    cells = [solution(), graded_by(TEST)]
    refused(course, written_to(tmp_path / "toy.ipynb", *cells), "the problem 'toy' exists")
    refused(course, written_to(tmp_path / "1.ipynb", *cells), "'1' cannot be the id of a problem")
    refused(
        course,
        written_to(tmp_path / "r.ipynb", *cells, metadata=IN_R),
        "a notebook in r",
    )
    refused(course, written_to(tmp_path / "ok.ipynb", *cells), "has no homework '9'", error=CourseError, homework="9")


def test_a_folder_is_imported_as_a_whole_or_not_at_all(course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ps1"
    folder.mkdir()
    written_to(folder / "Problem Ü1.ipynb", solution(), graded_by(TEST))
    written_to(folder / "second.ipynb", text("only text"))
    refused(course, folder, "second.ipynb has no cell that nbgrader grades")
    written_to(folder / "second.ipynb", text("Why?", "why", 1))
    found = import_assignment(folder, "nbgrader", problem="ps1", to=course / "solutions", homework="1")
    assert [one.problem for one in found] == ["ps1_problem_u1", "ps1_second"]
    assert load_course(course).homeworks[0].problems[-2:] == ("ps1_problem_u1", "ps1_second")


def test_the_command_prints_the_report_and_the_next_steps(course: Path, tmp_path: Path) -> None:
    path = written_to(tmp_path / "one.ipynb", solution(), graded_by(f"{TEST}  # {HIDDEN[:3]} {SOLUTION[:3]}"))
    done = CliRunner().invoke(app, ["import", str(path), "--format", "nbgrader", "--problem", "two"])
    assert done.exit_code == 0, done.output
    assert "# `two`, imported from one.ipynb" in done.output and "autograder lint two" in done.output
    again = CliRunner().invoke(app, ["import", str(path), "--format", "nbgrader", "--problem", "two"])
    assert again.exit_code == 2 and "the problem 'two' exists" in again.output
