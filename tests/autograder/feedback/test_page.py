"""The feedback page of a student."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.core.counts import Counts
from autograder.core.flags import Flag
from autograder.core.results import GRADED_BY_HAND, NEEDS_GRADING, STALE, GradedLog, ItemResult, Outcome, Status
from autograder.core.rubric_lines import RubricLine, written
from autograder.course.markers import KINDS, region
from autograder.feedback.page import feedback_html
from autograder.grading.misconceptions import expected
from autograder.grading.reference import Names, reference
from homework.hand_in.personal import plain_json
from tests.autograder.graded_folder import log_of, with_item
from tests.autograder.html_page import HtmlPage
from tests.autograder.toy import toy

TEMPLATES = Path(autograder.__file__).parent / "templates"
PROBLEM = toy()
LOG = with_item(log_of("ada", flags=()), "standardize", score=0, status=Status.FAILED, message="`eps` under the root?")
LOG = with_item(LOG, "standardize", misconception="variance_not_deviation")
"""The first item is wrong in a known way, the second right, the others need manual grading."""
WRONG, CODE, WRITTEN = LOG.item("standardize"), LOG.item("Line"), LOG.item("written_units")


def page_of(log: GradedLog = LOG, item: ItemResult | None = None, **changes: Any) -> HtmlPage:
    """The page of a log, with some fields replaced or with one item only."""
    return HtmlPage(feedback_html(replace(log, items=(item,) if item else log.items, **changes), PROBLEM))


def test_the_page_names_student_problem_time_and_score() -> None:
    text = page_of().text
    assert "Feedback for ada" in text and PROBLEM.title in text and "21 November 2026, 10:00 UTC" in text
    assert f"{LOG.score:g} of {LOG.max_score:g} points" in text
    assert f"{LOG.max_score - LOG.auto_max_score:g} more points need manual grading" in text


def test_each_item_has_its_result_in_words() -> None:
    text = page_of().text
    assert all(item.id in text for item in LOG.items)
    assert "Not right yet" in text and "Full marks" in text and "Needs manual grading" in text
    assert "What seems to have happened: you divided by the variance instead of its square root" in text


def test_names_between_backticks_are_code() -> None:
    assert "<code>eps</code> under the root?" in page_of().source


def test_the_page_loads_no_other_file() -> None:
    page = page_of()
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not {"src", "style"} & set(attributes)
        assert str(attributes.get("href", "#")).startswith("#"), "links lead to this page only"
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", page.source)


def test_the_content_security_policy_allows_only_the_style_of_the_page() -> None:
    page = page_of()
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    style = page.source.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_text_of_students_is_never_markup() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>`<b>`"
    item = replace(WRONG, message=evil, misconception=evil, output=(evil,), depends_on=(evil,))
    page = page_of(item=item, student=evil)
    assert not {"script", "img", "b"} & {tag for tag, _ in page.tags}
    assert "&lt;script&gt;" in page.source


def test_students_see_no_flags_except_repairs() -> None:
    flags = (Flag("isolation", "no landlock here"), Flag("repaired", "`Line` was found by its name."))
    text = page_of(flags=flags).text
    assert "no landlock here" not in text
    assert "We repaired your notebook" in text and "Line was found by its name." in text
    assert "We repaired" not in page_of().text


WORDS = {
    Outcome.MISSING: "We found no notebook",
    Outcome.UNREADABLE: "submit it again",
    Outcome.WRONG_NOTEBOOK: "another problem",
    Outcome.GRADER_ERROR: "not your fault",
}


@pytest.mark.parametrize("outcome", sorted({*Outcome} - {Outcome.GRADED}))
def test_the_page_of_an_ungraded_submission_gives_the_reason_once(outcome: Outcome) -> None:
    items = tuple(ItemResult(item.id, 0, item.max_score, Status.MISSING, "It is no JSON.") for item in LOG.items)
    text = page_of(replace(LOG, items=items), outcome=outcome).text
    assert text.count("It is no JSON.") == 1 and WORDS[outcome] in text


@pytest.mark.parametrize("status", list(Status))
def test_each_status_has_its_own_words(status: Status) -> None:
    page = page_of(item=replace(WRONG, status=status, misconception="")).source
    badge = re.search(r'<span class="badge">([^<]+)</span>', page)
    assert badge is not None and "_" not in badge.group(1)


ON_INPUTS = "On your per-student inputs you return one number; expected: 4 numbers."
BOTH_WRONG = with_item(LOG, "standardize", misconception="", output=(ON_INPUTS, "`loss` is NaN."), depends_on=("Line",))
BOTH_WRONG = with_item(BOTH_WRONG, "Line", score=4.0, status=Status.PARTIAL, message="Half of it.")
"""The first item is worth more and uses the second; it has a message about per-student inputs."""


def test_the_summary_says_how_much_is_right_and_what_to_look_at_first() -> None:
    page = page_of(BOTH_WRONG)
    assert "0 of 2 tested items are right" in page.text
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("href")]
    assert links[:2] == ["#item-2", "#item-1"], "an item that another one uses comes first, though it is worth less"
    assert "4 points to gain" in page.text and "12 points to gain" in page.text
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids)) and {str(link).removeprefix("#") for link in links} <= set(ids)
    first, *others = with_item(BOTH_WRONG, "standardize", depends_on=()).items
    text = page_of(replace(BOTH_WRONG, items=(*others, first))).source
    assert text.index("12 points to gain") < text.index("4 points to gain"), "else most points first"


def test_items_that_use_each_other_are_listed() -> None:
    text = page_of(with_item(BOTH_WRONG, "Line", depends_on=("standardize", "<b>"))).text
    assert "your code uses standardize and <b>, which are not right yet" in text
    assert text.count("points to gain") == 2


def test_the_output_of_a_wrong_item_is_shown_with_code_that_reproduces_it() -> None:
    text = page_of(BOTH_WRONG).text
    assert f"Your output {ON_INPUTS} loss is NaN." in text
    assert "Fix another item first: your code uses Line, which is not right yet" in text
    assert """personal_answers(student, draws_for('ada', "toy"))["standardize"]()""" in text
    text = page_of(with_item(BOTH_WRONG, "standardize", score=12.0, status=Status.PASSED)).text
    assert "Your output" not in text and "Fix another item" not in text and "personal_answers" not in text


def test_the_code_that_reproduces_an_output_works_in_the_notebook() -> None:
    ours = reference(PROBLEM)
    found = re.search(r"<pre><code>(.*?)</code></pre>", page_of(BOTH_WRONG, student="o'neil").source, re.DOTALL)
    assert found is not None
    first, last = html.unescape(found.group(1)).split("\n\n")
    names = {**ours.names, "student": Names(ours.names)}
    exec(first, names)
    assert plain_json(eval(last, names)) == expected(ours, PROBLEM.item("standardize"), "o'neil").value
    given = "\n".join(cell.source for cell in PROBLEM.cells if not cell.grade_id)
    assert "from homework import reference, student" in given, "the notebook has the name"


def test_a_student_with_full_marks_gets_a_short_page() -> None:
    right = tuple(
        item.with_grading_by_hand(item.max_score, "")
        if item.manual
        else replace(item, score=item.max_score, status=Status.PASSED, message=CODE.message)
        for item in LOG.items
    )
    page = page_of(replace(LOG, items=right))
    assert "All tested items are right. Well done!" in page.text
    for words in ("Look at", "lost points", CODE.message, GRADED_BY_HAND):
        assert words not in page.text
    assert "<article" not in page.source and len(page.text) < 900


def test_the_late_penalty_is_shown() -> None:
    note = "Submitted 2 days late: 20 % of the points are deducted."
    assert note in feedback_html(LOG, PROBLEM, counts=note)
    assert "late" not in page_of().text


@pytest.mark.parametrize("status", [Status.PASSED, Status.PARTIAL, Status.FAILED, Status.MANUAL])
@pytest.mark.parametrize("words", ["Which <b>units</b>?", ""])
def test_a_comment_of_a_grader_is_shown(status: Status, words: str) -> None:
    text = page_of(item=replace(WRITTEN.with_grading_by_hand(1.0, words), status=status)).text
    assert (f"Comment from your teaching assistant: {words}" in text) is ("Comment from" in text) is bool(words)
    assert GRADED_BY_HAND not in text and NEEDS_GRADING not in text


def test_each_rubric_item_is_shown_met_or_not() -> None:
    lines = (
        RubricLine(True, 2, "the <unit>"),
        RubricLine(False, 1, "the variance"),
        RubricLine(True, -0.5, "too long"),
    )
    text = page_of(item=WRITTEN.with_grading_by_hand(1.5, written(lines, "Say why."))).text
    for shown in (
        "+2 the <unit> (met)",
        "0 of 1 the variance (not met)",
        "-0.5 too long (applies)",
        "assistant: Say why.",
    ):
        assert shown in text
    assert "[x]" not in text


COMMENT = "Comment from your teaching assistant: "


@pytest.mark.parametrize(
    ("status", "message", "manual", "shown"),
    [
        (Status.PASSED, "all is well", (None, "neat"), [COMMENT + "neat"]),
        (Status.FAILED, "swapped", (None, "the\nsign"), [COMMENT + "the sign", "swapped"]),
        (Status.FAILED, "swapped", (1.0, "half"), ["manual score", COMMENT + "half", "swapped", "points are swapped"]),
        (Status.PASSED, "all is well", None, []),
    ],
)
def test_a_comment_about_code_is_shown_beside_the_message_of_the_tests(
    status: Status, message: str, manual: tuple[float | None, str] | None, shown: list[str]
) -> None:
    score = CODE.max_score if status is Status.PASSED else 1.0
    item = replace(CODE, status=status, score=score, message=message, output=("points are swapped",))
    text = page_of(item=item.with_grading_by_hand(*manual) if manual else item).text
    assert all(words in text for words in shown)
    assert ("Comment from" in text) is bool(shown) and "all is well" not in text


def test_a_manual_score_below_full_marks_of_passed_tests_points_to_no_place_in_the_code() -> None:
    assert "Where to look" not in page_of(item=replace(CODE, message="").with_grading_by_hand(1.0, "half")).text


def test_an_untouched_notebook_and_a_missing_log_are_mentioned_first() -> None:
    items = tuple(replace(item, status=Status.MISSING, score=0.0) for item in LOG.items)
    text = page_of(replace(LOG, items=items), flags=(Flag("no_log", "staff's words"),)).text
    assert "No task is answered yet. Did you submit the right file?" in text
    assert "submission_log.json was not submitted. It costs no points here" in text
    assert "your log was written on" not in text and "staff's words" not in text
    text = page_of().text
    assert "No task is answered" not in text and "your log was written on 21 November 2026" in text


def test_control_characters_of_students_are_escaped() -> None:
    message = "raised\x00\x1b[2J \u202eevil\u2066\nline\ttwo"
    page = page_of(item=replace(CODE, status=Status.ERROR, score=0.0, message=message)).source
    assert not set(page) & set("\x00\x1b\u202e\u2066") and "\\u202eevil" in page and "line    two" in page


def test_points_for_an_earlier_answer_are_marked() -> None:
    text = page_of(item=replace(WRITTEN, score=1.0, message=STALE, stale=True)).text
    assert STALE in text and f"1 of {WRITTEN.max_score:g} points so far" in text and "Comment from" not in text


def _colours(scheme: str) -> dict[str, str]:
    """The variables of `page.css` in the light or dark scheme, or on paper."""
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
"""Text colour, ground colour."""
SHAPES_ON = [(tone, "card") for tone in TONES] + [("good", "rest")]
"""Marks that carry meaning beside their text: WCAG asks for 3 to 1."""


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_each_text_colour_has_enough_contrast(scheme: str) -> None:
    colours = _colours(scheme)
    weak = {pair: _contrast(*(colours[name] for name in pair)) for pair in TEXT_ON}
    assert not {pair: ratio for pair, ratio in weak.items() if ratio < 4.5}
    assert not [pair for pair in SHAPES_ON if _contrast(*(colours[name] for name in pair)) < 3]
    assert _contrast("#000", "#fff") == pytest.approx(21)


def test_the_feedback_page_uses_only_the_common_colours() -> None:
    own = (TEMPLATES / "feedback.css").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-f]{3,6}\b|rgba?\(", own), "colours belong in page.css, where contrast is tested"
    assert set(re.findall(r"var\(--([\w-]+)\)", own)) <= {*_colours("light"), "tone", "tone-ground"}


def test_headings_are_in_order_and_the_page_has_its_landmarks() -> None:
    page = page_of(BOTH_WRONG)
    tags = [tag for tag, _ in page.tags]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert tags.count("main") == 1 and ("html", {"lang": "en"}) in page.tags
    named = {attrs.get("id") for _, attrs in page.tags}
    labels = [attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs]
    assert labels and set(labels) <= named
    pictures = [attrs for tag, attrs in page.tags if attrs.get("role") == "img"]
    assert pictures and all(attrs.get("aria-label") for attrs in pictures)


def test_an_answer_that_was_graded_by_hand_needs_no_grading() -> None:
    read = tuple(
        replace(item, status=Status.PASSED, score=item.max_score) if item.manual else item for item in LOG.items
    )
    text = page_of(replace(LOG, items=read)).text
    assert "Graded by hand" in text and "so far" not in text and "Needs" not in text


def test_the_page_has_no_line_of_a_hidden_test_or_a_solution() -> None:
    page = page_of().source
    for source, kind in itertools.product([cell.source for cell in PROBLEM.cells], KINDS):
        for line in region(source, kind).splitlines():
            assert len(line.strip()) < 12 or line.strip() not in page


def test_the_same_log_gives_the_same_bytes() -> None:
    assert page_of().source == page_of().source


def test_the_students_numbers_stand_beside_their_expected_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    ranges = {"toy/final_loss": {"mini": (0.5, 2)}}
    monkeypatch.setattr("autograder.course.metric_ranges.declared_ranges", lambda problem: ranges)
    record: Any = {"value": 7.0, "stderr": None, "runs": 1}
    page = page_of(profile="mini", metrics={"toy/final_loss": record, "toy/<b>made_up": record})
    assert "Your numbers" in page.text and "toy/final_loss" in page.text and "(outside)" in page.text
    assert "made_up" not in page.source, "ids that the source does not declare are not shown"
    assert "not measured" in page_of(profile="mini", metrics={}).text
    assert "Your numbers" not in page_of(profile="grade").text
    assert "Your numbers" not in page_of(profile="mini", flags=(Flag("no_log", "no log"),)).text


@pytest.mark.parametrize(
    ("message", "passes"),
    [("values: wrong on other data", True), ("is the variance the biased one (divided by B)?", False)],
)
@pytest.mark.parametrize("status", [Status.PARTIAL, Status.FAILED])
def test_no_student_is_sent_to_a_visible_test_that_passes(message: str, passes: bool, status: Status) -> None:
    log = with_item(log_of("ada"), "standardize", score=0.0, status=status, message=message)
    page = feedback_html(log, toy())
    assert ("The test cell below your answer passes here" in page) is passes
    assert ("Run the test cell below your answer" in page) is not passes


def test_dropped_and_bonus_items_are_named() -> None:
    log = log_of("ada")
    how = {"Line": Counts.BONUS, "written_units": Counts.DROPPED, "figure_loss": Counts.DROPPED}
    log = replace(log, items=tuple(item.counted(how.get(item.id, Counts.NORMALLY)) for item in log.items))
    page = feedback_html(log, toy())
    assert "8 of 8 bonus points" in page and "on top of the 12 points" in page
    assert page.count("This question was dropped: it counts for no student.") == 2
    assert "need manual grading" not in page and ">20</span> of 12 points" in page
