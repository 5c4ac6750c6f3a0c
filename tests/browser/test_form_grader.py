"""Manual scores and comments that a grader enters in nbgrader's form grader are in every result, and stay there."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from playwright.sync_api import Page, expect
from traitlets.config.loader import PyFileConfigLoader

from autograder.batch.grade_folder import grade_folder
from autograder.cli.release import release
from autograder.cli.sample_class import make_class
from autograder.course.problem import load_problem
from autograder.gradebook.database import opened
from tests.browser.conftest import PATH, TOKEN, wait_for
from tests.conftest import ROOT

FIXTURE = Path(__file__).parents[1] / "autograder" / "fixture_course"
COMMENT = "Good. Say also what happens to <metres>."

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader builds rows before adding them


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy course whose sample class has been graded; `chen` submitted a day late."""
    root = Path(shutil.copytree(FIXTURE, tmp_path / "root"))
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    release(root=root)
    make_class(["toy"], root / "handed_in", root)
    (root / "handed_in" / "chen" / "toy" / "timestamp.txt").write_text("2027-01-18 12:00:00 UTC")
    graded(root)
    return root


def graded(root: Path, **options: Any) -> dict[str, Any]:
    """Grades the class as `autograder grade` does; ada's log."""
    grade_folder("toy", root / "handed_in", root / "graded", workers=1, root=root, **options)
    log: dict[str, Any] = json.loads((root / "graded" / "ada" / "toy" / "submission_log.json").read_text())
    return log


def item(log: dict[str, Any], name: str) -> Any:
    """One item of a log."""
    return next(item for item in log["grades"]["items"] if item["id"] == name)


def saved(page: Page, act: Callable[[], object]) -> None:
    """Does something, and waits until the form grader has sent it to the gradebook."""
    with page.expect_response(lambda response: response.request.method == "PUT" and response.ok):
        act()


def write(page: Page, field: str, text: str) -> None:
    """Types into a field of the form and leaves it."""
    page.locator(field).click()
    page.locator(field).press_sequentially(text)
    saved(page, page.locator(field).blur)


def test_manual_scores_and_comments_are_in_the_log_and_on_the_feedback_page_and_stay(
    course: Path, page: Page, jupyter: Callable[..., str]
) -> None:
    before = json.loads((course / "graded/ada/toy/submission_log.json").read_text())
    assert item(before, "written_units")["status"] == "manual"
    address = jupyter(course / "course")
    page.goto(f"{address}/formgrader?token={TOKEN}")
    page.get_by_role("link", name="Manual Grading").click()
    page.get_by_role("link", name="toy", exact=True).click()
    page.get_by_role("link", name="toy", exact=True).last.click()
    expect(page.get_by_role("link", name="Submission #1")).to_be_visible()
    page.get_by_role("button", name="Show All Names").click()
    row = page.get_by_role("row").filter(has_text="ada")
    expect(row).to_contain_text("20 / 25")
    row.get_by_role("link", name="ada").click()

    expect(page.get_by_text("For graders: written_units, 3 points.")).to_be_visible()
    expect(page.get_by_text("names the units, or the scale")).to_be_visible()
    # The form shows what the gradebook says; what is typed before that is lost.
    expect(page.locator("#test_standardize")).to_have_attribute("placeholder", "12")
    expect(page.locator("#written_units-comment")).to_have_attribute("placeholder", re.compile("Type any comments"))
    write(page, "#written_units", "2.5")
    write(page, "#written_units-comment", COMMENT)
    figure = page.locator(".nbgrader_cell").filter(has=page.locator("#figure_loss"))
    saved(page, lambda: figure.get_by_role("button", name="Full credit").click())
    page.reload()
    expect(page.locator("#written_units")).to_have_value("2.5")
    expect(page.locator("#written_units-comment")).to_have_value(COMMENT)

    log = graded(course)
    assert (item(log, "written_units")["score"], item(log, "figure_loss")["score"]) == (2.5, 2.0)
    assert COMMENT in item(log, "written_units")["message"]
    assert log["grades"]["score"] == 24.5
    rows = list(csv.DictReader((course / "graded" / "grades.csv").read_text().splitlines()))
    assert next(row for row in rows if row["student"] == "ada")["score"] == "24.5"
    page.goto((course / "graded" / "ada" / "toy" / "feedback.html").as_uri())
    written = page.get_by_role("article").filter(has_text="written_units")
    expect(written).to_contain_text("2.5 of 3 points")
    expect(written).to_contain_text(COMMENT)
    expect(page.get_by_role("main")).to_contain_text("24.5 of 25 points")

    again = graded(course, cache=False)
    assert again["grades"]["score"] == 24.5
    assert COMMENT in item(again, "written_units")["message"]


def test_formulas_are_shown_and_keys_work_without_network(
    course: Path, page: Page, jupyter: Callable[..., str]
) -> None:
    address = jupyter(course / "course")
    wanted: list[str] = []
    page.on("request", lambda request: wanted.append(request.url))
    page.goto(f"{address}/formgrader?token={TOKEN}")  # logs in, and only here
    page.goto(f"{address}/formgrader/gradebook/toy/toy")
    page.get_by_role("link", name="Submission #1").click()
    expect(page.locator("li.next a")).to_be_focused()  # the script does this when MathJax is ready
    formula = page.locator(".MathJax").first
    expect(formula).to_be_visible()
    assert "STIX" in formula.locator(".mi").first.evaluate("e => getComputedStyle(e).fontFamily")
    for key, field in (
        ("Tab", "standardize-comment"),
        ("Tab", "test_standardize"),
        ("Shift+Tab", "standardize-comment"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"#{field}")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#standardize-comment")).not_to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#standardize-comment")).to_be_focused()
    before = page.url
    page.keyboard.press("Control+.")
    expect(page.get_by_text("Submission 2 / ")).to_be_visible()
    assert page.url != before
    elsewhere = [url for url in wanted if not url.startswith((address, "data:", "blob:", "about:"))]
    assert elsewhere == []


def test_the_form_grader_names_items_by_their_titles_and_counts_figures_as_graded_by_hand(
    course: Path, page: Page, jupyter: Callable[..., str]
) -> None:
    with opened(course) as gradebook:
        kinds = {cell.name: cell.cell_type for cell in gradebook.find_notebook("toy", "toy").grade_cells}
        gradebook.find_grade("figure_loss", "toy", "toy", "ada").manual_score = 2.0
        gradebook.db.commit()
    assert kinds["figure_loss"] == kinds["written_units"] == "markdown" and kinds["test_Line"] == "code"
    address = jupyter(course / "course")
    page.goto(f"{address}/formgrader?token={TOKEN}")
    page.goto(f"{address}/formgrader/gradebook/toy/toy")
    expect(page.get_by_role("link", name="Submission #1")).to_be_visible()
    page.get_by_role("button", name="Show All Names").click()
    row = page.get_by_role("row").filter(has_text="ada")
    expect(row).to_contain_text("22 / 25")
    cells = [text.strip() for text in row.locator("td").all_inner_texts()]
    assert {"20 / 20", "2 / 5"} <= set(cells), cells  # code and written score
    row.get_by_role("link", name="ada").click()
    labels = page.locator(".nbgrader-label")
    expect(labels.filter(has_text="Tests: ")).to_have_count(2)
    seen = labels.all_inner_texts()
    for name in ("standardize", "Line", "figure_loss", "written_units"):
        assert any(name in label and load_problem("toy", course).heading(name) in label for label in seen), seen
    expect(page.locator(".nbgrader_cell").filter(has=page.locator("#test_Line"))).to_contain_text("Line")


def test_nbgraders_own_feedback_page_shows_the_late_penalty_and_no_rubric(course: Path, page: Page) -> None:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course / "course")).load_config()
    config.CourseDirectory.update(assignment_id="toy", student_id="chen")
    GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
    page.goto((course / "course" / "feedback" / "chen" / "toy" / "toy.html").as_uri())
    expect(page.get_by_text("Late submission penalty (Score: -1.6)")).to_be_visible()  # 10 % of 16 points
    assert "names the units" in load_problem("toy", course).item("written_units").rubric
    assert "names the units" not in page.content()


def test_make_formgrader_opens_it(course: Path, page: Page) -> None:
    planned = subprocess.check_output(["make", "-n", "formgrader", "PORT=0"], cwd=ROOT, text=True)
    shell = ["bash", "-c", planned[planned.index("cd course") :].strip()]
    env = {**os.environ, "PATH": PATH, "BROWSER": "true", "JUPYTER_RUNTIME_DIR": str(course / "runtime")}
    server = subprocess.Popen(shell, cwd=course, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert server.stderr is not None
    try:
        said = next(line for line in server.stderr if "/formgrader?token=" in line)
        address = said[said.index("http://") :].strip()
        port = urlsplit(address).port
        assert port is not None
        wait_for(port)
        page.goto(address)
        expect(page.get_by_role("link", name="Manual Grading")).to_be_visible()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.stderr.close()
        server.wait(30)
