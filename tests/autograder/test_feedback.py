"""The page that a student gets back."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.feedback import feedback_html
from autograder.problem import Problem, load_problem
from autograder.results import Flag, GradedLog, ItemResult, Outcome, Status

COURSE = Path(__file__).parent / "fixture_course"


@pytest.fixture
def problem() -> Problem:
    """The problem in miniature."""
    return load_problem("toy", COURSE)


@pytest.fixture
def log(problem: Problem) -> GradedLog:
    """Graded; the first item is wrong in a known way, the second right, the others wait."""
    first, second, *others = problem.items
    items = [
        ItemResult(first.id, 0, first.points, Status.FAILED, "`eps` under the root?"),
        ItemResult(second.id, second.points, second.points, Status.PASSED, "All checks passed."),
        *(ItemResult(item.id, 0, item.points, Status.MANUAL, "", manual=True) for item in others),
    ]
    items[0] = dataclasses.replace(items[0], misconception="variance_not_deviation")
    return GradedLog("toy", "ada", "2026-11-21T10:00:00Z", "grade", {}, {}, {}, {}, None, Outcome.GRADED, tuple(items))


class _Page(HTMLParser):
    """Collects tags, attributes and visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data


def _text(page: str) -> str:
    return " ".join(_Page(page).text.split())


def test_it_says_who_what_and_how_much(log: GradedLog, problem: Problem) -> None:
    text = _text(feedback_html(log, problem))
    assert "Feedback for ada" in text and problem.title in text and "21 November 2026, 10:00 UTC" in text
    assert f"{log.score:g} of {log.max_score:g} points" in text
    waiting = log.max_score - log.auto_max_score
    assert f"{waiting:g} of them wait for a person" in text


def test_every_item_stands_there_in_words(log: GradedLog, problem: Problem) -> None:
    text = _text(feedback_html(log, problem))
    for item in log.items:
        assert item.id in text
    assert "Not right yet" in text and "Full marks" in text and "Waits for a person" in text


def test_a_known_misconception_is_told_in_its_own_words(log: GradedLog, problem: Problem) -> None:
    text = _text(feedback_html(log, problem))
    assert "What seems to have happened: you divided by the variance instead of its square root" in text


def test_names_between_backticks_are_code(log: GradedLog, problem: Problem) -> None:
    assert "<code>eps</code> under the root?" in feedback_html(log, problem)


def test_nothing_is_loaded_from_anywhere(log: GradedLog, problem: Problem) -> None:
    page = feedback_html(log, problem)
    parsed = _Page(page)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in parsed.tags}
    for _, attributes in parsed.tags:
        assert not {"src", "href", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", page)


def test_the_content_security_policy_allows_its_own_style_and_nothing_else(log: GradedLog, problem: Problem) -> None:
    page = feedback_html(log, problem)
    policy = next(attrs["content"] for tag, attrs in _Page(page).tags if attrs.get("http-equiv"))
    style = page.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_what_students_send_is_text_and_never_markup(log: GradedLog, problem: Problem) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>`<b>`"
    item = dataclasses.replace(log.items[0], message=evil, misconception=evil)
    page = feedback_html(dataclasses.replace(log, student=evil, items=(item,)), problem)
    assert not {"script", "img", "b"} & {tag for tag, _ in _Page(page).tags}
    assert "&lt;script&gt;" in page


def test_flags_are_for_staff_except_repairs(log: GradedLog, problem: Problem) -> None:
    flags = (Flag("isolation", "no landlock here"), Flag("repaired", "`Line` was found by its name."))
    text = _text(feedback_html(dataclasses.replace(log, flags=flags), problem))
    assert "no landlock here" not in text
    assert "We put something right for you" in text and "Line was found by its name." in text
    assert "We put something right" not in _text(feedback_html(log, problem))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.GRADED])
def test_a_submission_that_could_not_be_graded_hears_why(log: GradedLog, problem: Problem, outcome: Outcome) -> None:
    items = tuple(ItemResult(item.id, 0, item.max_score, Status.MISSING, "It is no JSON.") for item in log.items)
    text = _text(feedback_html(dataclasses.replace(log, outcome=outcome, items=items), problem))
    assert text.count("It is no JSON.") == 1, "said once at the top, not for each item again"
    words = {
        Outcome.MISSING: "We found no notebook",
        Outcome.UNREADABLE: "hand it in again",
        Outcome.WRONG_NOTEBOOK: "another problem",
        Outcome.GRADER_ERROR: "not your fault",
    }
    assert words[outcome] in text


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words_of_its_own(log: GradedLog, problem: Problem, status: Status) -> None:
    item = dataclasses.replace(log.items[0], status=status, misconception="")
    page = feedback_html(dataclasses.replace(log, items=(item,)), problem)
    badge = re.search(r'<span class="badge">([^<]+)</span>', page)
    assert badge is not None and "_" not in badge.group(1)


def test_a_person_who_has_read_an_answer_is_not_awaited_any_more(log: GradedLog, problem: Problem) -> None:
    read = tuple(
        dataclasses.replace(item, status=Status.PASSED, score=item.max_score) if item.status is Status.MANUAL else item
        for item in log.items
    )
    text = _text(feedback_html(dataclasses.replace(log, items=read), problem))
    assert "Read by a person" in text and "so far" not in text and "Waits" not in text


def test_no_line_of_a_hidden_test_or_a_solution_is_on_it(log: GradedLog, problem: Problem) -> None:
    from autograder.problem import (
        BEGIN_HIDDEN,
        BEGIN_RUBRIC,
        BEGIN_SOLUTION,
        END_HIDDEN,
        END_RUBRIC,
        END_SOLUTION,
        region,
    )

    text = feedback_html(log, problem)
    markers = ((BEGIN_HIDDEN, END_HIDDEN), (BEGIN_SOLUTION, END_SOLUTION), (BEGIN_RUBRIC, END_RUBRIC))
    for cell in problem.cells:
        for begin, end in markers:
            for line in region(cell.source, begin, end).splitlines():
                assert len(line.strip()) < 12 or line.strip() not in text


def test_the_same_log_gives_the_same_bytes(log: GradedLog, problem: Problem) -> None:
    assert feedback_html(log, problem) == feedback_html(log, problem)
