"""The page that a student gets back."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import autograder
from autograder.core.results import GRADED_BY_HAND, NEEDS_GRADING, STALE, Flag, GradedLog, ItemResult, Outcome, Status
from autograder.course.markers import KINDS, region
from autograder.course.problem import Problem, load_problem
from autograder.feedback.page import feedback_html
from autograder.grading.misconceptions import expected
from autograder.grading.reference import Names, reference
from homework.hand_in.personal import plain_json

COURSE = Path(__file__).parents[1] / "fixture_course"
TEMPLATES = Path(autograder.__file__).parent / "templates"


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
    assert f"{waiting:g} more points need manual grading" in text


def test_every_item_stands_there_in_words(log: GradedLog, problem: Problem) -> None:
    text = _text(feedback_html(log, problem))
    for item in log.items:
        assert item.id in text
    assert "Not right yet" in text and "Full marks" in text and "Needs manual grading" in text


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
        assert not {"src", "style"} & set(attributes)
        assert str(attributes.get("href", "#")).startswith("#"), "links lead to this page only"
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
    item = dataclasses.replace(log.items[0], message=evil, misconception=evil, output=(evil,), depends_on=(evil,))
    page = feedback_html(dataclasses.replace(log, student=evil, items=(item,)), problem)
    assert not {"script", "img", "b"} & {tag for tag, _ in _Page(page).tags}
    assert "&lt;script&gt;" in page


def test_flags_are_for_staff_except_repairs(log: GradedLog, problem: Problem) -> None:
    flags = (Flag("isolation", "no landlock here"), Flag("repaired", "`Line` was found by its name."))
    text = _text(feedback_html(dataclasses.replace(log, flags=flags), problem))
    assert "no landlock here" not in text
    assert "We repaired your notebook" in text and "Line was found by its name." in text
    assert "We repaired" not in _text(feedback_html(log, problem))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.GRADED])
def test_a_submission_that_could_not_be_graded_hears_why(log: GradedLog, problem: Problem, outcome: Outcome) -> None:
    items = tuple(ItemResult(item.id, 0, item.max_score, Status.MISSING, "It is no JSON.") for item in log.items)
    text = _text(feedback_html(dataclasses.replace(log, outcome=outcome, items=items), problem))
    assert text.count("It is no JSON.") == 1, "said once at the top, not for each item again"
    words = {
        Outcome.MISSING: "We found no notebook",
        Outcome.UNREADABLE: "submit it again",
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


PASSED = "All checks passed."
WRONG = "On your per-student inputs you return one number; expected: 4 numbers."


@pytest.fixture
def both_wrong(log: GradedLog) -> GradedLog:
    """The first item is worth more; the second is used by it; an answer on personal inputs is told."""
    first, second, *others = log.items
    first = dataclasses.replace(first, misconception="", output=(WRONG, "`loss` is NaN."), depends_on=(second.id,))
    second = dataclasses.replace(second, score=second.max_score / 2, status=Status.PARTIAL, message="Half of it.")
    return dataclasses.replace(log, items=(first, second, *others))


def test_the_summary_says_how_much_is_right_and_what_to_look_at_first(both_wrong: GradedLog, problem: Problem) -> None:
    page = feedback_html(both_wrong, problem)
    text = _text(page)
    assert "0 of 2 tested items are right" in text
    links = [attrs["href"] for tag, attrs in _Page(page).tags if tag == "a" and attrs.get("href")]
    assert links[:2] == ["#item-2", "#item-1"], "what another item uses stands before it, though it is worth less"
    assert "4 points to gain" in text and "12 points to gain" in text
    ids = [attrs["id"] for _, attrs in _Page(page).tags if attrs.get("id")]
    assert len(ids) == len(set(ids)) and {str(link).removeprefix("#") for link in links} <= set(ids)
    alone = dataclasses.replace(both_wrong.items[0], depends_on=())
    page = feedback_html(dataclasses.replace(both_wrong, items=(*both_wrong.items[1:], alone)), problem)
    assert page.index("12 points to gain") < page.index("4 points to gain"), "else most points first"


def test_items_that_use_each_other_are_listed_too(both_wrong: GradedLog, problem: Problem) -> None:
    first, second, *others = both_wrong.items
    second = dataclasses.replace(second, depends_on=(first.id, "<b>"))
    text = _text(feedback_html(dataclasses.replace(both_wrong, items=(first, second, *others)), problem))
    assert "your code uses standardize and <b>, which are not right yet" in text
    assert text.count("points to gain") == 2


def test_own_output_is_shown_where_points_were_lost_with_the_lines_that_show_it(
    both_wrong: GradedLog, problem: Problem
) -> None:
    text = _text(feedback_html(both_wrong, problem))
    assert f"Your output {WRONG} loss is NaN." in text
    assert "Fix another item first: your code uses Line, which is not right yet" in text
    assert """personal_answers(student, draws_for('ada', "toy"))["standardize"]()""" in text
    first, *others = both_wrong.items
    first = dataclasses.replace(first, score=first.max_score, status=Status.PASSED)
    text = _text(feedback_html(dataclasses.replace(both_wrong, items=(first, *others)), problem))
    assert "Your output" not in text and "Fix another item" not in text and "personal_answers" not in text


def test_the_lines_that_show_it_work_in_the_notebook(both_wrong: GradedLog, problem: Problem) -> None:
    ours = reference(problem)
    page = feedback_html(dataclasses.replace(both_wrong, student="o'neil"), problem)
    found = re.search(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    assert found is not None
    first, last = html.unescape(found.group(1)).split("\n\n")
    names = {**ours.names, "student": Names(ours.names)}
    exec(first, names)
    assert plain_json(eval(last, names)) == expected(ours, problem.item("standardize"), "o'neil").value
    given = "\n".join(cell.source for cell in problem.cells if not cell.grade_id)
    assert "from homework import reference, student" in given, "the notebook has the name"


def test_who_has_all_right_gets_a_short_page(log: GradedLog, problem: Problem) -> None:
    right = tuple(
        item.with_grading_by_hand(item.max_score, "")
        if item.manual
        else dataclasses.replace(item, score=item.max_score, status=Status.PASSED, message=PASSED)
        for item in log.items
    )
    page = feedback_html(dataclasses.replace(log, items=right), problem)
    text = _text(page)
    assert "All tested items are right. Well done!" in text
    assert (
        "Look at" not in text
        and "lost points" not in text
        and PASSED not in text
        and GRADED_BY_HAND not in text
        and "<article" not in page
    )
    assert len(text) < 900


def test_what_a_late_hand_in_costs_is_said(log: GradedLog, problem: Problem) -> None:
    text = _text(feedback_html(log, problem, late="Submitted 2 days late: 20 % of the points are deducted."))
    assert "20 % of the points are deducted." in text
    assert "late" not in _text(feedback_html(log, problem))


@pytest.mark.parametrize("status", [Status.PASSED, Status.PARTIAL, Status.FAILED, Status.MANUAL])
def test_what_a_person_wrote_is_shown_as_such(log: GradedLog, problem: Problem, status: Status) -> None:
    manual = [item for item in log.items if item.manual]
    for words in ("Which <b>units</b>?", ""):
        item = dataclasses.replace(manual[0].with_grading_by_hand(1.0, words), status=status)
        text = _text(feedback_html(dataclasses.replace(log, items=(item,)), problem))
        assert (f"Comment from your teaching assistant: {words}" in text) is bool(words)
        assert ("Comment from" in text) is bool(words)
        assert GRADED_BY_HAND not in text and NEEDS_GRADING not in text


@pytest.mark.parametrize(
    ("status", "message", "given", "shown"),
    [
        (Status.PASSED, "all is well", (None, "neat"), ["Comment from your teaching assistant: neat"]),
        (Status.FAILED, "swapped", (None, "the\nsign"), ["Comment from your teaching assistant: the sign", "swapped"]),
        (
            Status.FAILED,
            "swapped",
            (1.0, "half"),
            ["manual score", "Comment from your teaching assistant: half", "swapped", "points are swapped"],
        ),
        (Status.PASSED, "all is well", None, []),
    ],
)
def test_what_a_person_wrote_about_code_is_shown_as_such_beside_what_tests_say(
    log: GradedLog,
    problem: Problem,
    status: Status,
    message: str,
    given: tuple[float | None, str] | None,
    shown: list[str],
) -> None:
    item = next(item for item in log.items if not item.manual)
    score = item.max_score if status is Status.PASSED else 1.0
    item = dataclasses.replace(item, status=status, score=score, message=message, output=("points are swapped",))
    item = item.with_grading_by_hand(*given) if given else item
    text = " ".join(_text(feedback_html(dataclasses.replace(log, items=(item,)), problem)).split())
    for words in shown:
        assert words in text
    assert ("Comment from" in text) is bool(shown) and "all is well" not in text
    item = dataclasses.replace(item, status=Status.PASSED, score=item.max_score, message="", comment="", output=())
    text = _text(feedback_html(dataclasses.replace(log, items=(item.with_grading_by_hand(1.0, "half"),)), problem))
    assert "Where to look" not in text, "the tests found nothing"


def test_an_untouched_notebook_and_a_missing_log_are_said_on_top(log: GradedLog, problem: Problem) -> None:
    items = tuple(dataclasses.replace(item, status=Status.MISSING, score=0.0) for item in log.items)
    untouched = dataclasses.replace(log, items=items, flags=(Flag("no_log", "staff's words"),))
    text = " ".join(_text(feedback_html(untouched, problem)).split())
    assert "No task is answered yet. Did you submit the right file?" in text
    assert "submission_log.json was not submitted. It costs no points here" in text
    assert "your log was written on" not in text and "staff's words" not in text
    text = " ".join(_text(feedback_html(dataclasses.replace(log, flags=()), problem)).split())
    assert "No task is answered" not in text and "your log was written on 21 November 2026" in text


def test_nothing_a_student_prints_steers_the_page(log: GradedLog, problem: Problem) -> None:
    item = next(item for item in log.items if not item.manual)
    item = dataclasses.replace(
        item, status=Status.ERROR, score=0.0, message="raised\x00\x1b[2J \u202eevil\u2066\nline\ttwo"
    )
    page = feedback_html(dataclasses.replace(log, items=(item,)), problem)
    assert not set(page) & set("\x00\x1b\u202e\u2066") and "\\u202eevil" in page and "line    two" in page


def test_points_for_an_earlier_answer_are_said_to_be(log: GradedLog, problem: Problem) -> None:
    item = next(item for item in log.items if item.manual)
    item = dataclasses.replace(item, status=Status.MANUAL, score=1.0, message=STALE, stale=True)
    text = " ".join(_text(feedback_html(dataclasses.replace(log, items=(item,)), problem)).split())
    assert STALE in text and f"1 of {item.max_score:g} points so far" in text and "Comment from" not in text


def _colours(scheme: str) -> dict[str, str]:
    """The variables of `page.css` as they stand in the light, in the dark or on paper."""
    text = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    light, dark, paper = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    chosen = {"light": light, "dark": light + dark, "print": light + paper}[scheme]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", chosen))


def _brightness(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_brightness(one), _brightness(other)))
    return (light + 0.05) / (dark + 0.05)


TONES = ("good", "part", "bad", "wait")
TEXT_ON = [
    *[(text, ground) for text in ("ink", "soft", "link") for ground in ("ground", "card")],
    *[("ink", f"{tone}-ground") for tone in TONES],
    *[(tone, f"{tone}-ground") for tone in TONES],
    *[("link", f"{tone}-ground") for tone in TONES],
    *[("soft", f"{tone}-ground") for tone in ("bad", "wait")],
    *[(text, "code") for text in ("ink", "soft", "link")],
]
"""Which text stands on which ground."""
SHAPES_ON = [(tone, "card") for tone in TONES] + [("good", "rest")]
"""Marks that carry meaning beside their text: WCAG asks for 3 to 1."""


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_every_text_can_be_read_on_its_ground(scheme: str) -> None:
    colours = _colours(scheme)
    weak = {pair: _contrast(*(colours[name] for name in pair)) for pair in TEXT_ON}
    assert not {pair: ratio for pair, ratio in weak.items() if ratio < 4.5}
    assert not [pair for pair in SHAPES_ON if _contrast(*(colours[name] for name in pair)) < 3]
    assert _contrast("#000", "#fff") == pytest.approx(21)


def test_every_colour_is_one_of_the_common_ones() -> None:
    own = (TEMPLATES / "feedback.css").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-f]{3,6}\b|rgba?\(", own), "colours stand in page.css, where their contrast is tested"
    assert set(re.findall(r"var\(--([\w-]+)\)", own)) <= {*_colours("light"), "tone", "tone-ground"}


def test_headings_come_in_order_and_the_page_has_its_landmarks(both_wrong: GradedLog, problem: Problem) -> None:
    page = feedback_html(both_wrong, problem)
    tags = [tag for tag, _ in _Page(page).tags]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in zip(levels, levels[1:], strict=False))
    assert tags.count("main") == 1 and ("html", {"lang": "en"}) in _Page(page).tags
    named = {attrs.get("id") for _, attrs in _Page(page).tags}
    labels = [attrs["aria-labelledby"] for _, attrs in _Page(page).tags if "aria-labelledby" in attrs]
    assert labels and set(labels) <= named
    pictures = [attrs for tag, attrs in _Page(page).tags if attrs.get("role") == "img"]
    assert pictures and all(attrs.get("aria-label") for attrs in pictures)


def test_a_person_who_has_read_an_answer_is_not_awaited_any_more(log: GradedLog, problem: Problem) -> None:
    read = tuple(
        dataclasses.replace(item, status=Status.PASSED, score=item.max_score) if item.status is Status.MANUAL else item
        for item in log.items
    )
    text = _text(feedback_html(dataclasses.replace(log, items=read), problem))
    assert "Graded by hand" in text and "so far" not in text and "Needs" not in text


def test_no_line_of_a_hidden_test_or_a_solution_is_on_it(log: GradedLog, problem: Problem) -> None:
    text = feedback_html(log, problem)
    for cell in problem.cells:
        for kind in KINDS:
            for line in region(cell.source, kind).splitlines():
                assert len(line.strip()) < 12 or line.strip() not in text


def test_the_same_log_gives_the_same_bytes(log: GradedLog, problem: Problem) -> None:
    assert feedback_html(log, problem) == feedback_html(log, problem)
