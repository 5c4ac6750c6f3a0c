"""The grading desk in a real browser: one question graded by keyboard alone, by two graders, and read by axe."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect

from autograder.core.results import Grading
from autograder.desk.place import Place
from autograder.gradebook.database import opened, recording
from autograder.gradebook.manual import manual_scores
from tests.autograder.conftest import course, released_course  # noqa: F401  (fixtures)
from tests.autograder.graded_folder import csv_rows, log_of, png, write_student, write_tables
from tests.browser.conftest import MILLISECONDS, PATH
from tests.browser.test_markdown_of_students import HOSTILE

UNITS = Place("toy", "written_units")
STUDENTS = 60
PARTS = {
    "r1": "The standard deviation has the unit of the data{}.",
    "r2": "With the variance, the quotient would not have variance one{}.",
}
NEITHER = "It is what the textbook says{}."
EXTRA = ("", " as one sees at once", ", of course", " in general", " for every feature", ", which is what we want")
SHOWN = """here => location.href !== here && (!location.pathname.includes("/a/")
    || document.querySelector("aside code")?.textContent === location.pathname.split("/").pop())"""
"""Whether the page of a new address is there: htmx changes the address first."""
ACTIVE_MARKUP = """
<script>window.hacked = 1</script> <img src=x onerror="window.hacked=1"> <svg onload="window.hacked=1"></svg>
<iframe srcdoc="<script>parent.hacked=1</script>"></iframe> ![x](http://example.org/x.png) [x](javascript:alert(1))
$\\def\\a{\\a\\a}\\a$ $</span><script>window.hacked=1</script>$ $\\htmlClass{marked}{x}$ $\\includegraphics{http://example.org/x}$
"""
Start = Callable[[], str]


def wanted(text: str) -> set[str]:
    """The rubric items that an answer deserves."""
    return {key for key, part in PARTS.items() if part[:20] in text}


@pytest.fixture
def class_of_60(course: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A folder with graded submissions; every fourth answer equals another one apart from its layout."""
    out, draw = tmp_path / "graded", random.Random(7)
    logs, texts = [], [""]
    with recording(course) as record:
        for number in range(STUDENTS):
            chosen = [part for part in PARTS.values() if draw.random() < 0.6] or [NEITHER]
            text = " ".join(part.format(draw.choice(EXTRA)) for part in chosen) + f" My number is {number}."
            if number % 4 == 3:
                text = f"**{texts[-1]}**  "
            texts.append(text)
            log = log_of(f"student{number:02}")
            folder = write_student(out, log, {UNITS.item: text}, [png()])
            logs.append(record(Grading(log, (folder / "toy.ipynb").read_text())))
    write_tables(out, logs)
    return out


@pytest.fixture
def desk(course: Path, class_of_60: Path, tmp_path: Path) -> Iterator[Start]:  # noqa: F811
    """Starts `autograder desk` and returns the link that it prints."""
    running: list[subprocess.Popen[str]] = []

    def start() -> str:
        command = [sys.executable, "-m", "autograder.cli.main", "desk", "--out", str(class_of_60), "--port", "0"]
        env = {**os.environ, "PATH": PATH, "AUTOGRADER_ROOT": str(course), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [*command, "--no-browser", "--second", "0"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://\S+", said)
        assert found is not None, said
        return found.group()

    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and "ended; everything is saved" in said


def answer_of(page: Page) -> str:
    """The text of the answer that is shown."""
    return str(page.locator("section[aria-label=Answer] .answer").inner_text())


def grade_one(page: Page) -> int:
    """Grades the answer that is shown, as its text deserves, with the keyboard; returns the number of keys."""
    keys = [key.removeprefix("r") for key in sorted(wanted(answer_of(page)))]
    for key in keys:
        page.keyboard.press(key)
    if not keys:
        page.keyboard.press("Enter")
        expect(page.get_by_text("press Enter again")).to_be_visible()
    leave(page, "Enter")
    return max(2, len(keys) + 1)


def leave(page: Page, key: str) -> None:
    """Presses a key that leads to another page, and waits for that."""
    here = page.url
    page.keyboard.press(key)
    page.wait_for_function(SHOWN, arg=here)


def enter(page: Page, link: str) -> None:
    """Opens the link as a grader does, and chooses the question by its key."""
    page.goto(link.replace("127.0.0.1", "localhost"))
    page.wait_for_url("**/")
    place = page.get_by_role("link", name="toy: written_units")
    page.keyboard.press(str(place.get_attribute("data-key")))
    page.wait_for_selector("form[data-most]")


def test_one_question_is_graded_with_the_keyboard_alone_and_reaches_every_result(
    desk: Start,
    page: Page,
    class_of_60: Path,
    course: Path,  # noqa: F811
) -> None:
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    page.on("response", lambda response: failures.append(response.url) if response.status >= 400 else None)
    enter(page, desk())
    keys = [grade_one(page) for _ in range(5)]
    commented = page.locator("aside code").inner_text()
    page.keyboard.press("1")
    page.keyboard.press("c")
    page.keyboard.type("Say why 1 and 2 <b>")
    leave(page, "Control+Enter")
    leave(page, "u")
    expect(page.get_by_text("Taken back")).to_be_visible()
    assert page.locator("aside code").inner_text() == commented
    page.keyboard.press("c")
    page.keyboard.type("Say why.")
    page.keyboard.press("Escape")
    grade_one(page)
    page.keyboard.press("Backspace")
    page.wait_for_function("text => document.querySelector('textarea')?.value === text", arg="Say why.")
    page.get_by_role("link", name="Change the rubric").press("Enter")
    page.get_by_label("points of item 1").fill("2.5")
    page.get_by_label("points of item 2").fill("0.5")
    page.get_by_label("points of item 2").press("Enter")
    expect(page.get_by_role("heading", name=re.compile("scores? would change"))).to_be_visible()
    page.keyboard.press("Tab")
    page.locator("main h1").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=version 2")
    expect(page.get_by_text("Changed. All answers have their new scores.")).to_be_in_viewport()
    page.locator("main h1").focus()
    page.keyboard.press("Backspace")
    page.wait_for_selector("form[data-most]")
    while page.locator("form[data-most]").count():
        keys.append(grade_one(page))
    expect(page.locator("h1")).to_contain_text("All 60 answers")
    assert len(keys) <= 47 and sorted(keys)[len(keys) // 2] <= 3, "equal answers are graded together; three keys each"
    assert not failures
    page.wait_for_timeout(1500)
    given = {"r1": 2.5, "r2": 0.5}
    rows = {row["student"]: float(row["score"]) for row in csv_rows(class_of_60 / "grades.csv")}
    with opened(course) as book:
        manual = manual_scores(book, "toy")
    comments = 0
    for student in sorted(rows):
        log = json.loads((class_of_60 / student / "toy" / "submission_log.json").read_text())
        item: Any = next(one for one in log["grades"]["items"] if one["id"] == UNITS.item)
        cells = json.loads((class_of_60 / student / "toy" / "toy.ipynb").read_text())["cells"]
        text = next(cell["source"] for cell in cells if "written_units" in str(cell["metadata"]))
        score = sum(given[key] for key in wanted(text))
        assert item["score"] == manual[student, UNITS.item].points == score, student
        assert rows[student] == 20 + score
        assert "names the units" in (class_of_60 / student / "toy" / "feedback.html").read_text()
        comments += "Say why." in item["comment"]
    assert comments >= 1


def test_an_answer_is_skipped_and_the_way_back_and_undo_are_told(desk: Start, page: Page) -> None:
    enter(page, desk())
    seen = [page.locator("aside code").inner_text()]
    for _ in range(3):
        grade_one(page)
        seen.append(page.locator("aside code").inner_text())
    leave(page, "n")
    assert page.locator("aside code").inner_text() not in seen, "not the same answer"
    for ref in reversed(seen):
        leave(page, "Backspace")
        assert page.locator("aside code").inner_text() == ref
    expect(page.get_by_role("link", name="Back")).to_have_count(0)
    leave(page, "u")
    expect(page.get_by_text(f"Taken back: answer {seen[2]} had")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_text("Another grader will be asked.")).to_be_visible()
    leave(page, "u")
    expect(page.get_by_text("Your last grading was this answer")).to_be_visible()
    assert page.locator("aside code").inner_text() == seen[1]
    leave(page, "u")
    expect(page.get_by_text(f"Taken back: answer {seen[1]} had")).to_be_visible()


def test_a_cut_score_and_a_message_of_the_page_are_told(desk: Start, page: Page) -> None:
    enter(page, desk())
    page.get_by_text("Adjust the points").click()
    page.get_by_label("Points to add").fill("5")
    expect(page.locator("output")).to_have_text("3 of 3 (5 is cut to 3)")
    page.get_by_label("Reason").fill("more than was asked")
    leave(page, "Control+Enter")
    expect(page.get_by_text("Saved")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("press Enter again")).to_be_visible()
    expect(page.get_by_text("Saved")).to_have_count(0)


def test_a_formula_in_a_line_has_no_scroll_bar(desk: Start, page: Page) -> None:
    enter(page, desk())
    formulas = [r"\sigma = \sqrt{\mathbb{E}[(x-\mu)^2]}", r"\hat{y}_{t-1}", "f"]
    wider = page.evaluate(
        """formulas => formulas.map((text) => {
            const element = document.createElement("span");
            element.className = "tex";
            document.querySelector(".answer").append(element);
            katex.render(text, element, { output: "htmlAndMathml" });
            return element.firstChild.scrollWidth - element.firstChild.clientWidth;
        })""",
        formulas,
    )
    assert wider == [0, 0, 0]


def test_who_types_as_a_page_appears_keeps_the_cursor(desk: Start, page: Page) -> None:
    """The page takes the focus when it appears, not a moment later: letters of a comment would be keys."""
    enter(page, desk())
    page.evaluate("""() => document.addEventListener("htmx:afterSwap",
        () => setTimeout(() => document.querySelector("textarea").focus(), 0))""")
    leave(page, "n")
    page.wait_for_timeout(200)
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"


def test_two_browsers_at_once_grade_each_answer_once(desk: Start, browser: Browser, course: Path) -> None:  # noqa: F811
    link = desk().replace("127.0.0.1", "localhost")
    other = subprocess.run(
        [sys.executable, "-m", "autograder.cli.main", "desk", "invite", "lee", "--url", link.split("/enter")[0]],
        env={**os.environ, "AUTOGRADER_ROOT": str(course)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    contexts = [browser.new_context() for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page, address in zip(pages, (link, other), strict=True):
        page.set_default_timeout(MILLISECONDS)
        enter(page, address)
    seen: list[str] = []
    for _ in range(10):
        assert pages[0].url.split("?")[0] != pages[1].url.split("?")[0]
        for page in pages:
            seen.append(page.url.split("?")[0])
            grade_one(page)
    assert len(set(seen)) == 20
    for context in contexts:
        context.close()


def test_markdown_of_students_is_not_active_at_the_desk(
    desk: Start, page: Page, class_of_60: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append("a dialog"))
    link = desk().replace("127.0.0.1", "localhost")
    for path in class_of_60.glob("student*/toy/toy.ipynb"):
        notebook = json.loads(path.read_text())
        for cell in notebook["cells"]:
            if "written_units" in str(cell["metadata"]):
                cell["source"] = f"{ACTIVE_MARKUP}\n\n{HOSTILE}"
        path.write_text(json.dumps(notebook))
    page.wait_for_timeout(1500)  # the desk looks at the files once a second
    enter(page, link)
    page.wait_for_timeout(1000)
    answer = page.locator("section[aria-label=Answer] .answer")
    assert answer.locator(".katex").count() > 3, "formulas are set"
    assert answer.locator("a, script, iframe, svg:not(.katex svg), [onclick], [onerror], .marked, #marked").count() == 0
    host = link.split("/")[2].replace("127.0.0.1", "localhost")
    assert [url for url in asked if host not in url] == []
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_can_be_read_and_fits(desk: Start, browser: Browser, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, bypass_csp=True
    )  # axe is a script in the page
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    enter(page, desk())
    here = page.url.split("/a/")[0]
    grade_one(page)
    for path in (
        page.url,
        here.rsplit("/", 2)[0] + "/",
        f"{here}/rubric",
        f"{here}/agreement",
        f"{here}/list?kind=second-look",
        here.rsplit("/", 2)[0] + "/help",
        f"{here}/gone",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
    context.close()


def test_buttons_beside_the_form_do_not_save_it_and_what_was_entered_is_not_lost(desk: Start, page: Page) -> None:
    link = desk().replace("127.0.0.1", "localhost")
    page.goto(link)
    page.goto(f"{link.split('/enter')[0]}/toy/written_units")
    here = page.url
    page.keyboard.press("1")
    page.keyboard.press("f")
    expect(page.get_by_text("Another grader will be asked.")).to_be_visible()
    assert page.url == here and page.locator("input[name=tick]:checked").count() == 1
    page.get_by_role("button", name="It is not needed any more").click()
    expect(page.get_by_text("Another grader will be asked.")).to_have_count(0)
    page.get_by_role("button", name="Show the name").click()
    expect(page.get_by_text(re.compile("^Student: student"))).to_be_visible()
    assert page.url == here and page.get_by_text("0 of 60 graded").count() == 1, "nothing was saved"
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", stay)
    page.keyboard.press("2")
    page.get_by_role("link", name="Change the rubric").click()
    page.wait_for_timeout(500)
    assert page.url == here and len(asked) == 1 and "not saved" in asked[0]
    page.locator("main h1").focus()
    page.keyboard.press("u")
    page.wait_for_timeout(500)
    assert page.url == here and len(asked) == 2, "undo leaves the page, too"
