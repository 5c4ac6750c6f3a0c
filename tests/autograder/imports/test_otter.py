"""Notebooks for otter, in both formats, become cells with roles and points; what cannot be used is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.imports.original import Original
from autograder.imports.otter import read_otter
from autograder.imports.otter_config import Question
from autograder.imports.otter_tests import resolved_points
from tests.autograder.imports.notebooks import refused, written_to
from tests.autograder.imports.otter_notebooks import (
    MEAN,
    block,
    code,
    current_rents,
    in_r,
    older,
    older_rents,
    question,
    raw,
    solved,
    text,
)

SQUARE = "def square(x):\n    return x * x # SOLUTION"
NINE = code("square(3)", "9")
HIDDEN = code("# HIDDEN\nsquare(4)", "16")


def read(folder: Path, *cells: NotebookNode) -> list[Original]:
    """The cells of a notebook, without those that are left out."""
    return [cell for cell in read_otter(written_to(folder / "one.ipynb", *cells)) if not cell.left_out]


def points(cells: list[Original]) -> dict[str, float]:
    """Name of a test or of an answer for graders → points."""
    return {cell.grade_id: cell.points for cell in cells if cell.role in ("test", "manual")}


@pytest.mark.parametrize("make", [current_rents, older_rents])
def test_both_formats_give_the_same_answers(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    cells = [cell for cell in read_otter(make(tmp_path)) if not cell.left_out]
    roles = [(cell.role, cell.grade_id) for cell in cells if cell.role not in ("given", "test")]
    assert roles == [("solution", "q1"), ("solution", "q2"), ("manual", "q3"), ("manual", "q4"), ("solution", "q5")]
    assert sum(cell.points for cell in cells) == 3 + 2 + 2 + 1 + 1
    given = [cell.source for cell in cells if cell.role == "given"]
    assert given[:2] == ["# Rents", "rents = [500, 700, 900, 4000]"] and len(given) == 2 + 5
    everything = "".join(cell.source for cell in cells)
    assert not re.search(r"(?<!## )(BEGIN|END) SOLUTION|PROMPT|otter|grader|for us only|BEGIN QUESTION", everything)


POINTS = [
    (Question("q"), [None, None], [0.5, 0.5]),
    (Question("q", points=3.0), [None, None, None], [1, 1, 1]),
    (Question("q", points=6.0), [2, 2, None, None], [2, 2, 1, 1]),
    (Question("q"), [2, None], [2, 0]),
    (Question("q"), [0, None, None], [0, 0.5, 0.5]),
    (Question("q"), [0, 0], [0, 0]),
    (Question("q", points=5.0), [1, 1], [1, 1]),
    (Question("q", points=0.0), [None], [0]),
    (Question("q", points=(0.0, 1.0, 0.5)), [None, None, None], [0, 1, 0.5]),
    (Question("q", points=(0.0, None)), [None, None], [0, 1]),
    (Question("q", each=2.0), [None, None], [2, 2]),
    (Question("q", each=2.0), [1, None], [1, 3]),
    (Question("q"), [], []),
]


@pytest.mark.parametrize(("asked", "given", "expected"), POINTS)
def test_points_are_those_of_otter(asked: Question, given: list[float | None], expected: list[float]) -> None:
    assert resolved_points("q", asked, given) == pytest.approx(expected)


def test_a_test_without_points_comes_first_in_the_one_that_has_them(tmp_path: Path) -> None:
    cells = read(tmp_path, *solved(SQUARE, NINE, HIDDEN, settings="name: q1\npoints: [0, 2]"))
    (test,) = [cell for cell in cells if cell.role == "test"]
    assert (test.grade_id, test.points) == ("q1 - 2", 2)
    assert test.source == (
        "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(4) == 16\n### END HIDDEN TESTS"
    )
    other = read(tmp_path, *solved(SQUARE, code("nine", "9"), HIDDEN, settings="name: q1\npoints: [0, 2]"))
    assert points(other) == {"q1 - 1": 0, "q1 - 2": 2}  # it uses another name
    hidden = code("# HIDDEN\nsquare(5)", "25")
    several = read(tmp_path, *solved(SQUARE, NINE, HIDDEN, hidden, settings="name: q1\npoints: [0, 1, 1]"))
    assert points(several) == {"q1 - 1": 0, "q1 - 2": 1, "q1 - 3": 1}  # else half of them were for what students see


def test_all_or_nothing_is_one_test(tmp_path: Path) -> None:
    cells = read(tmp_path, *solved(SQUARE, HIDDEN, NINE, settings="name: q1\npoints: 3\nall_or_nothing: true"))
    assert points(cells) == {"q1 - 1": 3}
    assert cells[-1].source.index("square(3)") < cells[-1].source.index("square(4)")


def test_points_that_no_test_has_are_reported(tmp_path: Path) -> None:
    config = '""" # BEGIN TEST CONFIG\npoints: 1\n""" # END TEST CONFIG\n'
    cells = read(tmp_path, *solved(SQUARE, code(f"{config}square(3)", "9"), settings="name: q1\npoints: 4"))
    assert points(cells) == {"q1 - 1": 1} and cells[-1].look == "the question has 4 points, but its tests 1"
    (answer,) = [cell for cell in read(tmp_path, *solved(SQUARE, settings="name: q1\npoints: 4")) if cell.grade_id]
    assert answer.role == "solution" and "otter does not award them" in answer.look


MANUAL = "name: why\nmanual: true\npoints: 2"
WHY, HOW = text("Because."), text("So.")


@pytest.mark.parametrize(
    ("cells", "answers"),
    [
        (block("SOLUTION", WHY), [("markdown", "Because.", 2.0)]),
        (block("SOLUTION", WHY, HOW), [("markdown", "Because.\n\nSo.", 2.0)]),
        (block("PROMPT", text("_Type your answer here, replacing this text._")) + block("SOLUTION", WHY),
         [("markdown", "Because.", 2.0)]),
        (block("PROMPT", text("Your reason:")) + block("SOLUTION", WHY),
         [("markdown", "Your reason:\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 2.0)]),
        (block("PROMPT", text("Why?"), text("How?")) + block("SOLUTION", WHY, HOW),
         [("markdown", "Why?\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 1.0),
          ("markdown", "How?\n### BEGIN SOLUTION\nSo.\n### END SOLUTION", 1.0)]),
        (block("PROMPT", text("Why?"), text("How?")) + block("SOLUTION", WHY),
         [("markdown", "Why?\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 1.0),
          ("markdown", "How?\n### BEGIN SOLUTION\n(The original has no sample answer.)\n### END SOLUTION", 1.0)]),
        (block("SOLUTION", code("plot(x) # SOLUTION"), WHY),
         [("code", "### BEGIN SOLUTION\nplot(x)\n### END SOLUTION", 1.0), ("markdown", "Because.", 1.0)]),
        (block("PROMPT", code("fig = ...")) + block("SOLUTION", code("fig = plot(x)")),
         [("code", "fig = ...\n### BEGIN SOLUTION\nfig = plot(x)\n### END SOLUTION", 2.0)]),
        (block("SOLUTION", code("plot(x)")), [("code", "plot(x)", 2.0)]),
    ],
)  # fmt: skip
def test_manual_questions_have_a_sample_answer_and_what_students_see(
    tmp_path: Path, cells: list[NotebookNode], answers: list[tuple[str, str, float]]
) -> None:
    found = [cell for cell in read(tmp_path, *question(MANUAL, text("Why?"), *cells)) if cell.role == "manual"]
    assert [(cell.cell_type, cell.source, cell.points) for cell in found] == answers


def test_manual_questions_of_the_older_format(tmp_path: Path) -> None:
    sample = text("<strong>Solution</strong>", "Because.")
    cells = read(
        tmp_path, *older(MANUAL, text("Your reason:"), sample), *older("name: draw\nmanual: true", code("plot(x)"))
    )
    assert [(cell.grade_id, cell.points) for cell in cells if cell.role == "manual"] == [("why", 2), ("draw", 1)]
    assert "Your reason:\n### BEGIN SOLUTION\n<strong>" in "".join(cell.source for cell in cells)


def test_a_manual_question_without_points_has_one_and_with_tests_theirs(tmp_path: Path) -> None:
    one = read(tmp_path, *question("name: q\nmanual: true", *block("SOLUTION", WHY)))
    assert points(one) == {"q": 1} and "otter gives it no points; it has 1 here" in one[-1].look
    tested = block("SOLUTION", code("x = 2 # SOLUTION")) + block("TESTS", code("x", "2"))
    assert points(read(tmp_path, *question(MANUAL, *tested))) == {"why": 0, "why - 1": 2}


def test_prompts_of_tested_questions_are_comments_unless_students_see_the_signature(tmp_path: Path) -> None:
    prompt, answer = code("x = ..."), code("# BEGIN SOLUTION NO PROMPT\nx = 2\n# END SOLUTION")
    cells = read(tmp_path, *question("name: q", *block("PROMPT", prompt, text("Go.")), *block("SOLUTION", answer)))
    assert [(cell.role, cell.source) for cell in cells] == [
        ("given", "Go."),
        ("solution", "# x = ...\n### BEGIN SOLUTION\nx = 2\n### END SOLUTION"),
    ]
    prompt = code("def square(x):\n    ...")
    cells = read(tmp_path, *question("name: q", *block("PROMPT", prompt), *block("SOLUTION", code(SQUARE))))
    assert "..." not in cells[0].source and len(cells) == 1


def test_a_solution_block_may_have_cells_that_students_get(tmp_path: Path) -> None:
    kept = text("Look at it.")
    kept.metadata["tags"] = ["otter_include"]
    solution = block("SOLUTION", code(SQUARE), code("square(3)"), WHY, kept)
    cells = read(tmp_path, *question("name: q", *solution))
    assert [(cell.role, cell.source) for cell in cells[1:]] == [("given", "square(3)"), ("given", "Look at it.")]
    (unmarked,) = read(tmp_path, *question("name: q", *block("SOLUTION", code("x = 2"))))
    assert unmarked.role == "solution" and "otter shows it to students" in unmarked.look


def test_what_only_otter_needs_is_left_out(tmp_path: Path) -> None:
    own = [
        code("# Initialize Otter\nimport otter\ngrader = otter.Notebook('one.ipynb')"),
        code("from otter import Notebook\nnb = Notebook()"),
        code("%pip install -q otter-grader"),
        code('grader.check("q1")'),
        code("nb.check_all()"),
        code('""" # BEGIN PLUGIN\nplugin: a.B\n""" # END PLUGIN'),
        code("## Ignore ##\nx = 1"),
        text("# IGNORE", "For us."),
    ]
    mixed = code("import otter\nimport math\ngrader = otter.Notebook()\nmath.pi")
    path = written_to(tmp_path / "one.ipynb", *own, mixed, code("grader = 'Ada'"), *solved(SQUARE, NINE))
    cells = read_otter(path)
    assert all(cell.left_out for cell in cells[: len(own)])
    assert cells[len(own)].source == "import math\nmath.pi"
    assert cells[len(own)].look == "left out: `import otter`, `grader = otter.Notebook()`"
    assert cells[len(own) + 1].source == "grader = 'Ada'"


def test_settings_that_have_no_counterpart_are_reported(tmp_path: Path) -> None:
    settings = "files: [a.csv]\nseed: {variable: rng}\ngenerate: {points_possible: 5}\nexport_cell: false"
    (tmp_path / "shared.yml").write_text("tests:\n  ok_format: false\n", encoding="utf-8")
    config = raw("# ASSIGNMENT CONFIG", settings, "config_file: shared.yml")
    test = code("def test_square(square):\n    assert square(3) == 9")
    cells = read_otter(written_to(tmp_path / "one.ipynb", config, *solved(SQUARE, test)))
    assert cells[0].look.split("; ")[0] == "`files`: files that no cell names are not copied"
    assert "`seed`" in cells[0].look and "`generate: points_possible`" in cells[0].look
    assert next(cell for cell in cells if cell.role == "test").source == "assert square(3) == 9"


def test_fences_in_text_cells_are_blocks_of_the_current_format(tmp_path: Path) -> None:
    begin = text("First text.", "```otter", "# BEGIN QUESTION", "name: q1", "```", "", "The task.")
    middle = text("```otter", "# BEGIN SOLUTION", "```")
    end = text("```otter", "# END SOLUTION", "```", "```otter", "# END QUESTION", "```", "Last text.")
    cells = read(tmp_path, begin, middle, code(SQUARE), end)
    assert [cell.source for cell in cells if cell.role == "given"] == ["First text.", "The task.", "Last text."]
    assert [cell.role for cell in cells].count("solution") == 1


def test_solutions_outside_of_questions(tmp_path: Path) -> None:
    stray = code("y = 3 # SOLUTION")
    for cells in (
        [*older("name: q1", code(SQUARE), code("# TEST\nsquare(3)", "9")), stray, text("**SOLUTION**", "Because.")],
        [raw("# ASSIGNMENT CONFIG", "strip_solutions_from_all_cells: true"), stray, *solved(SQUARE, NINE)],
    ):
        found = [cell for cell in read(tmp_path, *cells) if cell.role == "solution"]
        assert any("y = 3" in cell.source and "BEGIN SOLUTION" in cell.source for cell in found)


ONE = solved(SQUARE, NINE)
BEGIN, END = raw("# BEGIN QUESTION", "name: q2"), raw("# END QUESTION")


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([text("# Only text")], "has no BEGIN QUESTION cell"),
        ([raw("# ASSIGNMENT CONFIG")], "has no question"),
        ([code("import otter\ngrader = otter.Notebook()"), code('grader.check("q1")')], "in the folder tests/, which"),
        ([*ONE, *older("name: q2", code(SQUARE))], "write all in one format"),
        ([*ONE, *solved(SQUARE)], "cell 10: cell 1 has a question 'q1' too"),
        (question("points: 1"), "cell 1: the question has no name"),
        (question("name: q\npoint: 1"), "cell 1: the setting 'point' is unknown; remove or correct it: did you mean"),
        (question("name: [q"), "cell 1: its settings are no valid YAML"),
        (question("q1"), "cell 1: its settings are 'q1'"),
        (question("name: q\npoints: -1"), "cell 1: its points are -1"),
        (question("name: q\npoints: {all: 1}"), "cell 1: its points are {'all': 1}"),
        (solved(SQUARE, NINE, settings="name: q\npoints: [1, 2]"), "`points` has 2 numbers, and there are 1 tests"),
        ([raw("# ASSIGNMENT CONFIG", "file: [a]"), *ONE], "cell 1: the setting 'file' is unknown"),
        ([raw("# ASSIGNMENT CONFIG", "config_file: a.yml"), *ONE], "cell 1: the file of settings 'a.yml' cannot be"),
        ([*ONE, BEGIN], "cell 10: # BEGIN QUESTION is never closed"),
        ([*ONE, END], "cell 10: # END QUESTION, but no block is open"),
        ([BEGIN, raw("# BEGIN TESTS"), END], "cell 3: # END QUESTION, but the tests block of cell 2 is open"),
        ([BEGIN, raw("# BEGIN QUESTION", "name: q3")], "a question block inside of the question block of cell 1"),
        (block("TESTS", NINE), "cell 1: a tests block outside of a question"),
        (question("name: q", *block("TESTS", text("x"))), "cell 3 is in a tests block and no code cell"),
        ([text("```otter", "# BEGIN QUESTION")], "cell 1: the fence ```otter is never closed"),
        (solved("# BEGIN SOLUTION\nx = 1"), "cell 4: # BEGIN SOLUTION is never closed"),
        ([*ONE, code("x = 5 # SOLUTION")], "cell 10 has a solution, but is in no solution block"),
        (question("name: q", *block("PROMPT", code("x = 5 # SOLUTION"))), "cell 3 has a solution, but is a prompt"),
        (question(MANUAL, text("Why?")), "question 'why' is graded by hand and has no answer"),
        (question(MANUAL.replace("2", "[1]"), *block("SOLUTION", WHY)), "give `points` as one number"),
        ([*older("name: q1", code(SQUARE)), text("x"), code("# TEST\n1")], "cell 4 is a test outside of a question"),
        ([*older("name: q1"), *older("name: q2")], "cell 2: a question before the solution of 'q1'"),
    ],
)  # fmt: skip
def test_a_notebook_that_cannot_be_imported_is_named_and_nothing_is_written(
    course: Path, tmp_path: Path, cells: list[NotebookNode], says: str
) -> None:
    refused(course, written_to(tmp_path / "one.ipynb", *cells), says, "otter")


def test_documents_and_notebooks_in_r_are_refused(course: Path, tmp_path: Path) -> None:
    refused(course, written_to(tmp_path / "one.ipynb", *ONE, metadata=in_r()), "is a notebook in r", "otter")
    document = tmp_path / "one.Rmd"
    document.write_text("# Rents", encoding="utf-8")
    refused(course, document, "only Python notebooks can be imported", "otter")
    refused(course, tmp_path / "missing", "a folder with the notebooks that `otter assign` reads", "otter")


def test_the_command_imports_a_notebook_for_otter(course: Path, tmp_path: Path) -> None:
    path = written_to(tmp_path / "one.ipynb", text("# Means"), *solved(MEAN, code("mean([1, 3])", "2.0")))
    done = CliRunner().invoke(app, ["import", str(path), "--format", "otter"])
    assert done.exit_code == 0, done.output
    assert "| 2 (raw) |  |  | left out: otter's BEGIN QUESTION |" in done.output
    assert "Points: 1 before, 1 after. 1 are graded by tests (1 item, 0 of them" in done.output
