"""An inspection runs every check that can run, with the inputs of the grading, and changes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from autograder.core.errors import SetupError
from autograder.core.results import Status
from autograder.course.seed import grading_seed
from autograder.inspect.inspection import ItemInspection, inspect_items, items_to_inspect
from autograder.inspect.page import inspection_html
from autograder.inspect.replacement import read_replacement, with_answer
from autograder.inspect.subject import Subject, find_subject
from autograder.inspect.view import compared, view_of
from autograder.submissions.reader import read_cells
from autograder.submissions.rebuild import rebuild
from tests.autograder.toy import LINE, RIGHT_STANDARDIZE, STANDARDIZE, graded, solved, text, toy


def subject_of(**answers: str) -> Subject:
    """A submission without an earlier grading."""
    rebuilt = rebuild(toy(), read_cells(text(solved(**answers)), "toy.ipynb"), "toy.ipynb")
    course = toy().path.parent.parent
    return Subject(toy(), "ada", Path(), Path(), rebuilt, "ada", grading_seed(course), None, None, ())


def inspected(item: str, **answers: str) -> ItemInspection:
    """The inspection of one item of such a submission."""
    subject = subject_of(**answers)
    return inspect_items(subject, [subject.item(item)])[0]


def lines(one: ItemInspection) -> list[int]:
    """The lines of the source with checks that failed, in their order."""
    return [check.statement.first + one.first_line for check in one.failed]


def line_with(words: str) -> int:
    """The number of the source's line with these words."""
    return next(n for n, line in enumerate(toy().text.split("\n"), 1) if words in line)


def test_every_failing_check_is_found_and_not_only_the_first(ada: Subject) -> None:
    one = inspect_items(ada, [ada.item("standardize")])[0]
    assert lines(one) == [line_with(words) for words in ("is the variance", "wrong on other", "the gradient must")]
    assert [check.statement.number in one.met for check in one.failed] == [True, False, False]
    assert [check.part for check in one.failed] == ["", "values", "gradient"]
    assert (one.count("passed"), one.count("failed")) == (2, 3)
    first = one.failed[0]
    assert "0.7071 times" in first.detail and "biased" in first.hint
    assert [value.role for value in first.values] == ["got", "expected"]
    assert [call.function for call in first.calls] == ["student.standardize"]
    assert [value.name for value in first.calls[0].arguments] == ["x", "eps"]
    assert first.calls[0].printed == "shape (2, 1)\n"
    assert one.result.score == 0


def test_the_values_of_hidden_checks_are_those_of_the_grading_with_its_seed(ada: Subject) -> None:
    """Other seeds give other inputs."""
    shown = []
    for seed in (ada.seed, ada.seed, "another"):
        one = inspect_items(replace(ada, seed=seed), [ada.item("standardize")])[0]
        shown.append(one.failed[1].calls[-1].arguments[0].text)
    assert shown[0] == shown[1] != shown[2]


def test_a_call_that_raises_is_shown_with_its_place_and_what_needs_it_is_skipped() -> None:
    one = inspected("Line", Line=LINE + 'raise ValueError("no \\x1b[31m idea")')
    first = one.failed[0]
    assert first.error is not None and first.error.kind == "ValueError"
    assert [line.text for line in first.error.lines] == ['raise ValueError("no \\x1b[31m idea")']
    assert one.result.status is Status.ERROR
    view = view_of(subject_of(), [one])
    assert "\x1b" not in inspection_html(view)

    one = inspected("Line", Line="def Line(slope, intercept):\n    raise KeyError('x')")
    assert lines(one)[0] == line_with("line = student.Line")
    skipped = [check for check in one.checks if check.fate == "skipped"]
    assert skipped and skipped[0].lacks == ("line",)
    assert not one.count("not reached")


def test_a_process_that_ends_is_told_at_the_check_where_it_ended() -> None:
    one = inspected("Line", Line=LINE + "import os; os._exit(1)")
    assert [check.fate for check in one.failed] == ["ended"]
    assert one.result.status is Status.CRASHED


@pytest.mark.parametrize(
    "answers",
    [
        {"standardize": RIGHT_STANDARDIZE},
        {"standardize": STANDARDIZE + "    return x"},
        {"standardize": RIGHT_STANDARDIZE.replace("x.mean(0)", "x.mean(0).detach()")},
        {"Line": LINE + "return self.slope.detach() * x + self.intercept"},
        {"standardize": STANDARDIZE + "    return x.nothing"},
    ],
    ids=["right", "wrong", "gradient", "detached", "error"],
)
def test_the_score_is_that_of_grading(answers: dict[str, str]) -> None:
    """And a check failed in an inspection if and only if points were lost."""
    recorded = graded(solved(**answers)).log
    subject = subject_of(**answers)
    for one in inspect_items(subject, [item for item in toy().items if item.kind == "code"]):
        result = recorded.item(one.item.id)
        assert (one.result.score, one.result.status, one.result.message) == (
            result.score,
            result.status,
            result.message,
        )
        assert bool(one.met) == bool(one.failed) == (result.score < result.max_score)


def test_what_builds_on_a_wrong_function_is_inspected_as_it_was_tested(line_builds_on_standardize: None) -> None:
    answers = {"standardize": STANDARDIZE + "    return x + 1", "Line": LINE + "standardize(x); return x"}
    one = inspected("Line", **answers)
    assert one.way.stand_ins == ("standardize",)
    assert one.failed and "in place of the student's standardize" in view_of(subject_of(), [one]).items[0].way
    assert [used.built.id for used in one.cells] == ["standardize", "Line"]


def test_a_notebook_that_had_to_be_run_as_a_whole_is_inspected_so() -> None:
    notebook = solved(standardize=STANDARDIZE + "    return helper(x)")
    notebook.cells.insert(4, new_code_cell("exec('def helper(x):\\n    return x + 1')"))
    rebuilt = rebuild(toy(), read_cells(text(notebook), "toy.ipynb"), "toy.ipynb")
    subject = replace(subject_of(), rebuilt=rebuilt)
    one = inspect_items(subject, [subject.item("standardize")])[0]
    assert one.way.whole and all(check.error is None for check in one.failed)
    assert one.failed[0].values[0].text == "[[2.],\n [4.]]"


@pytest.mark.long
def test_what_takes_too_long_is_tested_only_once_more() -> None:
    one = inspected("Line", Line=LINE + "while True: pass")
    assert [check.fate for check in one.failed] == ["ended"] and one.result.status is Status.TIMEOUT
    assert "the time limit ran out" in view_of(subject_of(), [one]).items[0].checks[0].fate


def test_a_known_wrong_solution_is_named(ada: Subject) -> None:
    wrong = STANDARDIZE + "    return (x - x.mean(0)) / (x.var(0, unbiased=False) + eps)"
    one = inspected("standardize", standardize=wrong)
    assert [slug for slug, _ in one.agreeing] == ["variance_not_deviation"]


def test_items_that_lost_points_are_inspected_if_none_is_named(ada: Subject, course: Path, out: Path) -> None:
    assert [item.id for item in items_to_inspect(ada)] == ["standardize", "Line"]
    assert items_to_inspect(find_subject("toy", "bob", out, None, course)) == []


def test_an_untouched_or_broken_cell_has_no_checks_and_its_message() -> None:
    one = inspected("standardize", standardize="def standardize(x):\n    return x +")
    assert not one.checks and "could not be run" in one.result.message
    assert one.cells[-1].run is not None and one.cells[-1].run.raised is not None


def test_nothing_is_changed(ada: Subject, course: Path) -> None:
    def state() -> dict[str, str]:
        files = [path for path in course.rglob("*") if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = state()
    inspect_items(ada, items_to_inspect(ada))
    assert state() == before


def test_a_corrected_answer_is_tried(ada: Subject, tmp_path: Path) -> None:
    path = tmp_path / "answer.py"
    path.write_text(RIGHT_STANDARDIZE, encoding="utf-8")
    item = ada.item("standardize")
    old, new = (
        inspect_items(ada, [item], rebuilt)[0]
        for rebuilt in (None, with_answer(ada.rebuilt, item, read_replacement(path, item)))
    )
    said = compared(old, new)
    assert said[0] == "score: 0 of 12, failed → 12 of 12, passed"
    assert said[1] == "checks: 2 checks passed, 3 failed → 5 checks passed, 0 failed"
    notebook = tmp_path / "answer.ipynb"
    notebook.write_bytes(text(solved(standardize=RIGHT_STANDARDIZE)))
    assert read_replacement(notebook, toy().item("standardize")) == RIGHT_STANDARDIZE


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.py", b"def other(): pass", "does not define standardize"),
        ("a.py", b"def standardize(:", "cannot be parsed"),
        ("a.py", b"\xff", "not UTF-8"),
        ("a.ipynb", b"{", "is not a notebook"),
    ],
)
def test_a_file_without_the_answer_is_refused(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SetupError, match=said):
        read_replacement(tmp_path / name, toy().item("standardize"))


def test_the_page_escapes_what_students_wrote(ada: Subject) -> None:
    wrong = STANDARDIZE + '    """<script>alert(1)</script>"""\n    raise ValueError("<b>")'
    subject = subject_of(standardize=wrong)
    page = inspection_html(view_of(subject, inspect_items(subject, [subject.item("standardize")])), ("<i>",))
    assert "<script" not in page and "<b>" not in page and "<i>" not in page
    assert "&lt;script&gt;alert(1)" in page and "For staff only" in page and "hidden_x" in page
