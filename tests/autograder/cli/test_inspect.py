"""`autograder inspect` and `autograder regrade` as staff call them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autograder.batch.grade_folder import grade_folder
from autograder.cli.main import app
from autograder.report import report_html
from tests.autograder.inspect.conftest import OneByOne, grade_class
from tests.autograder.inspect.conftest import out as out
from tests.autograder.toy import RIGHT_STANDARDIZE, edit_source

runner = CliRunner()


def call(*arguments: str | Path) -> Result:
    """Calls the command line."""
    return runner.invoke(app, [str(one) for one in arguments])


def test_inspect_shows_the_code_each_failing_check_and_its_values(course: Path, out: Path) -> None:
    done = call("inspect", "ada", "toy", "standardize", "--out", out, "--html", course / "page.html")
    assert done.exit_code == 0, done.output
    shown = " ".join(done.output.split())
    for words in (
        "recorded: 0 of 12, failed now: 0 of 12, failed",
        "2 checks passed, 3 failed",
        "failing check 3 of 3",
        "hidden, part 'gradient', weight 4 of 12 (4 points)",
        "printed: shape (2, 1)",
        "your values are 0.7071 times the expected ones",
        "hidden_x = 5 + 3 * torch.randn(7, 4, generator=fresh(11))",
    ):
        assert words in shown, words
    assert "hidden_x" in (course / "page.html").read_text(encoding="utf-8")


def test_inspect_tries_an_answer_and_writes_files_to_debug(course: Path, out: Path) -> None:
    answer = course / "answer.py"
    answer.write_text(RIGHT_STANDARDIZE, encoding="utf-8")
    done = call(
        *("inspect", "ada", "toy", "standardize", "--out", out, "--try", answer),
        *("--debug", "--to", course / "inspect", "--html", course / "page.html"),
    )
    assert done.exit_code == 0, done.output
    assert "score: 0 of 12, failed → 12 of 12, passed" in done.output
    assert "12 of 12, passed" in (course / "page.html").read_text(encoding="utf-8")
    assert (course / "inspect" / "ada-toy-standardize" / "check.py").is_file()


def test_another_score_than_recorded_is_exit_status_one(course: Path, out: Path) -> None:
    edit_source(course, {'[[-1.0], [1.0]], "is the': '[[-0.7], [0.7]], "is the'})
    done = call("inspect", "ada", "toy", "standardize", "--out", out)
    assert "toy.py changed since" in " ".join(done.output.split())
    assert done.exit_code == 0  # still no points
    edit_source(course, {"wrong on other data": "", "reference.standardize(hidden_x)": "student.standardize(hidden_x)"})
    edit_source(course, {"[[-0.7], [0.7]]": "[[-0.7071], [0.7071]]"})
    assert call("inspect", "ada", "toy", "standardize", "--out", out).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ada", "toy", "--debug"), "name it after the problem"),
        (("ada", "toy", "Line", "--to", "x"), "belong to --debug"),
        (("ada", "toy", "Line", "--run-student-code-unconfined"), "belong to --debug"),
        (("ada", "toy", "written_units", "--debug"), "graded by hand"),
        (("ada", "toy", "Line", "--html", "graded/ada/page.html"), "in a student's folder"),
        (("ada", "toy", "Line", "--html", "graded/ada/toy/feedback.html"), "in a student's folder"),
        (("ada", "toy", "Line", "--debug", "--to", "submissions/ada"), "in a student's folder"),
        (("eve", "toy"), "unknown student"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    course: Path, out: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(course)
    files = sorted(course.rglob("*"))
    done = call("inspect", *arguments)
    assert done.exit_code == 2 and said in done.output
    assert sorted(course.rglob("*")) == files


def test_a_regrade_request_is_on_the_feedback_page_and_in_the_report(course: Path, out: Path) -> None:
    page = out / "ada" / "toy" / "feedback.html"
    late = (page.read_text("utf-8").count("late"), page.read_text("utf-8"))
    assert call("regrade").output.strip() == "0 regrade requests open"
    done = call("regrade", "ADA", "toy", "Line", "--note", "My <b>line</b> is right", "--out", out)
    assert done.exit_code == 0 and str(page) in done.output
    assert "My &lt;b&gt;line&lt;/b&gt; is right <strong>not decided yet</strong>" in page.read_text("utf-8")
    assert "My <b>line</b> is right (open since" in call("regrade").output
    done = call("regrade", "ada", "toy", "Line", "--decide", "declined", "--reason", "no slope", "--out", out)
    assert done.exit_code == 0
    text = page.read_text("utf-8")
    assert "<strong>declined</strong>: no slope" in text and text.count("late") == late[0]
    assert "hidden" not in text.replace("overflow: hidden", "").replace("aria-hidden", "")
    report = report_html(out, root=course)
    assert "0 of 1 open" in report and "declined: no slope" in report
    grade_class(course, out)  # keeps it on the page
    assert page.read_text("utf-8") == text


def test_without_the_submissions_folder_the_page_waits_for_the_next_grading(course: Path, out: Path) -> None:
    (out / ".submitted-toy.json").unlink()
    page = out / "ada" / "toy" / "feedback.html"
    before = page.read_bytes()
    done = call("regrade", "ada", "toy", "Line", "--note", "x", "--out", out)
    assert "when `autograder grade` runs again" in done.output and page.read_bytes() == before
    grade_folder("toy", course / "submissions", out, pool=OneByOne(course), gradebook=False, root=course)
    assert b"Your regrade requests" in page.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ada",), "name the problem and the item"),
        (("--note", "x"), "name the student"),
        (("ada", "toy", "Line"), "give --note"),
        (("ada", "toy", "Line", "--decide", "accepted"), "belong together"),
        (("ada", "toy", "Line", "--note", "x", "--reason", "y"), "belong together"),
        (("ada", "toy", "line", "--note", "x"), "no item"),
        (("eve", "toy", "Line", "--note", "x"), "unknown student"),
        (("ada", "tooy", "Line", "--note", "x"), "unknown problem"),
        (("ada", "toy", "Line", "--decide", "accepted", "--reason", "y"), "no open regrade request"),
    ],
)
def test_a_regrade_that_names_too_little_or_the_wrong_thing_is_refused(
    course: Path, out: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = call("regrade", *arguments, "--out", out)
    assert done.exit_code == 2 and said in done.output
    assert call("regrade").output.strip() == "0 regrade requests open"
