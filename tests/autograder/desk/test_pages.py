"""The desk over HTTP: who gets in, what the pages show, what a hostile answer cannot do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from autograder.desk.desk import Desk
from autograder.desk.graders import SECOND_OPINION
from autograder.desk.pages import app
from autograder.desk.shown_text import shown_markdown
from autograder.gradebook.manual import ManualScore
from tests.autograder.desk.conftest import ANSWERS, HOST, UNITS, GradedClass, browser, points, save_as

AT = "/toy/written_units"


@pytest.fixture
def page(desk: Desk) -> Iterator[TestClient]:
    """A browser of the grader kim."""
    with browser(desk) as client:
        yield client


def at(desk: Desk, student: str) -> str:
    """The address of a student's answer."""
    return f"{AT}/a/{desk.questions[UNITS].arranged().ref[student]}"


def fields(html: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def test_nothing_is_shown_without_a_token(desk: Desk) -> None:
    with TestClient(app(desk, {HOST}), base_url=f"http://{HOST}") as client:
        for path in ("/", AT, at(desk, "ada"), "/static/desk.js", "/nowhere", f"{AT}/rubric.yaml"):
            found = client.get(path)
            assert found.status_code == 401 and "token" in found.text and "deviation" not in found.text
        assert client.get("/enter?token=wrong").status_code == 401
        assert client.post("/undo").status_code in (401, 411)


def test_two_desks_on_one_machine_have_cookies_of_their_own(desk: Desk) -> None:
    with TestClient(app(desk, {"127.0.0.1"}), base_url="http://127.0.0.1:8765") as client:
        token = desk.graders.admit("kim")
        names = {}
        for host in ("127.0.0.1:8765", "127.0.0.1:8766", "127.0.0.1"):
            found = client.get(f"/enter?token={token}", headers={"host": host})
            names[host] = found.headers["set-cookie"].partition("=")[0]
        assert list(names.values()) == ["autograder-desk-8765", "autograder-desk-8766", "autograder-desk"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.test"}, 421),
        ({"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_can_save_anything(desk: Desk, page: TestClient, headers: dict[str, str], status: int) -> None:
    address = at(desk, "dana")
    sent = {**fields(page.get(address).text), "tick": "r1"}
    assert page.post(address, data=sent, headers=headers, follow_redirects=False).status_code == status
    assert points(desk.decisions) == ({"dana": 2.0} if status == 303 else {})


def test_a_request_of_another_kind_or_size_does_nothing(desk: Desk, page: TestClient) -> None:
    address = at(desk, "dana")
    assert page.put(address).status_code == 405
    assert page.post(address, data={"comment": "x" * (1 << 20)}).status_code == 413
    assert page.post(address, content=iter([b"comment=x"])).status_code == 411
    assert page.post(address, data={f"f{number}": "x" for number in range(300)}).status_code == 400
    assert points(desk.decisions) == {}


def test_pages_forbid_what_they_do_not_need(page: TestClient) -> None:
    headers = page.get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe-eval" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"


def test_an_answer_is_graded_and_the_next_one_follows(desk: Desk, page: TestClient) -> None:
    first = page.get(AT)
    assert first.status_code == 200 and "names the units" in first.text
    after = page.post(str(first.url), data={**fields(first.text), "tick": ["r1", "r2"], "comment": "good"})
    assert after.status_code == 200 and "Saved." in after.text and after.url.path != first.url.path
    assert set(points(desk.decisions).values()) == {3.0}
    undone = page.post("/undo")
    ref = first.url.path.rsplit("/")[-1]
    assert undone.url.path == first.url.path
    assert f"Taken back: answer {ref} had 3 points from you; now it is not graded" in undone.text
    assert set(points(desk.decisions).values()) == {None}
    nothing = page.post("/undo")
    assert nothing.url.path == "/" and "no grading that can be taken back" in nothing.text


def test_undo_says_first_what_it_takes_back_after_something_else(desk: Desk, page: TestClient) -> None:
    address = at(desk, "dana")
    page.post(address, data={**fields(page.get(address).text), "tick": "r1"})
    page.post(f"{at(desk, 'chen')}/opinion", data={"tick": "r1"})
    asked = page.post("/undo")
    assert asked.url.path == address and "Your last grading was this answer" in asked.text
    assert "with 2 points" in asked.text and points(desk.decisions) == {"dana": 2.0}
    told = fields(asked.text)["told"]
    assert "now it is not graded" in page.post("/undo", data={"told": told}).text
    assert points(desk.decisions) == {"dana": None}
    assert page.post("/undo", data={"told": "²"}).status_code == 200


def test_backspace_goes_back_through_ones_own_gradings(desk: Desk, page: TestClient) -> None:
    for student in ("chen", "dana"):
        page.post(at(desk, student), data={**fields(page.get(at(desk, student)).text), "tick": "r1"})
    back = re.compile(r'href="([^"]+)" data-key="Backspace"')
    seen = [at(desk, "emil")]
    while found := back.search(page.get(seen[-1]).text):
        seen.append(found[1])
    assert seen == [at(desk, student) for student in ("emil", "dana", "chen")]


def test_other_scores_in_the_form_grader_are_told_on_every_page(desk: Desk, page: TestClient) -> None:
    assert "in the form grader" not in page.get("/").text
    address = at(desk, "dana")
    page.post(address, data={**fields(page.get(address).text), "tick": "r1"})
    desk.recorder.record()
    desk.recorder.conflicts[UNITS, "dana"] = ManualScore(1.5, "typed there")
    for path in ("/", "/help", at(desk, "chen"), f"{AT}/rubric", f"{AT}/gone"):
        assert (
            f'<a class="bad" href="{AT}/list?kind=conflicts">1 other score in the form grader</a>'
            in page.get(path).text
        )
    assert "1.5 points in the form grader" in page.get(f"{AT}/list?kind=conflicts").text
    assert "Here it has 2 points" in page.get(address).text
    taken = page.post(f"{address}/take-over")
    assert "Nothing was overwritten" not in taken.text and "in the form grader</a>" not in taken.text
    assert points(desk.decisions) == {"dana": 1.5}


def test_open_second_opinions_are_told_to_graders_who_can_give_them(desk: Desk, page: TestClient) -> None:
    for student in ("ada", "chen", "dana", "emil"):
        save_as(desk, desk.questions[UNITS], student, ["r1"], "lee", comment="first")
    page.post(f"{at(desk, 'emil')}/opinion")
    assert "asked of you" not in page.get("/").text + page.get(AT).text, "own requests are for others"
    desk.note(desk.questions[UNITS], at(desk, "dana").rsplit("/")[-1], "lee", SECOND_OPINION)
    for path in ("/", AT):
        assert f'href="{AT}/list?kind=opinions"' in page.get(path).text
        assert "1 second opinion is asked of you" in page.get(path).text
    before = page.get(at(desk, "dana"))
    assert "becomes the score and replaces the first" in before.text
    page.post(at(desk, "dana"), data={**fields(before.text), "tick": "r2"})
    assert "asked of you" not in page.get(AT).text
    history = re.search(r"History \(2\)</summary>(.*?)</details>", page.get(at(desk, "dana")).text, re.DOTALL)
    assert history is not None and "lee, grade: 2 points, ticked: “names the units" in history[1]
    assert "comment: “first”" in history[1] and "kim, grade: 1 point, ticked: “says that the quotient" in history[1]


def test_going_on_from_the_only_answer_left_says_so(desk: Desk, page: TestClient) -> None:
    first = page.get(AT)
    second = page.get(f"{AT}?after={first.url.path.rsplit('/')[-1]}")
    assert second.url.path != first.url.path and "only answer" not in second.text
    for student in ("ada", "chen", "emil"):
        page.post(at(desk, student), data={**fields(page.get(at(desk, student)).text), "tick": "r1"})
    only = page.get(f"{AT}?after={at(desk, 'dana').rsplit('/')[-1]}")
    assert only.url.path == at(desk, "dana") and "only answer that is left for you" in only.text


def test_no_name_is_shown_until_a_grader_asks_and_that_is_noted(desk: Desk, page: TestClient) -> None:
    address = at(desk, "chen")
    assert "chen" not in page.get(address).text and "chen" not in page.get(f"{address}?name=1").text
    shown = page.post(f"{address}/name", data={"tick": "r1", "comment": "so far"})
    assert "<strong>chen</strong>" in shown.text and "so far" in shown.text, "what was entered stays"
    assert [(event.student, event.kind, event.by) for event in desk.graders.events(UNITS)] == [
        ("chen", "name shown", "kim")
    ]


def test_what_was_entered_is_still_there_after_a_conflict(desk: Desk, page: TestClient) -> None:
    address = at(desk, "dana")
    sent = fields(page.get(address).text)
    page.post(address, data={**sent, "tick": "r1"})
    again = page.post(address, data={**sent, "tick": "r2", "comment": "mine <b>"})
    assert again.status_code == 409 and "you, in another tab, saved" in again.text
    assert "mine &lt;b&gt;" in again.text and re.search(r'value="r2"[^>]* checked', again.text)
    assert "2 points, ticked: “names the units" in again.text, "the other grading is shown"
    save_as(desk, desk.questions[UNITS], "chen", ["r1"], "lee", comment="why?")
    theirs = page.post(at(desk, "chen"), data={**fields(page.get(at(desk, "chen")).text), "seen": "", "tick": "r2"})
    assert theirs.status_code == 409 and "Not saved: lee saved another grading" in theirs.text
    assert "comment: “why?”" in theirs.text
    assert points(desk.decisions) == {"dana": 2.0, "chen": 2.0}


@pytest.mark.parametrize("entered", [{"adjustment": "much"}, {"adjustment": "1"}, {"adjustment": "inf", "reason": "x"}])
def test_what_cannot_be_saved_is_said_on_the_page(desk: Desk, page: TestClient, entered: dict[str, str]) -> None:
    address = at(desk, "dana")
    found = page.post(address, data={**fields(page.get(address).text), **entered})
    assert found.status_code == 422 and re.search(r'role="alert">[A-Z&]', found.text), "a sentence"
    assert points(desk.decisions) == {}


def test_the_rubric_changes_after_a_preview(desk: Desk, page: TestClient) -> None:
    address = at(desk, "dana")
    page.post(address, data={**fields(page.get(address).text), "tick": "r1"})
    changed = {"version": "1", "key": ["r1", "r2", ""], "points": ["1", "2", ""], "text": ["unit", "variance", ""]}
    preview = page.post(f"{AT}/rubric", data=changed)
    assert "1 score would change" in preview.text and desk.rubric(desk.questions[UNITS]).version == 1
    edited = {**fields(preview.text), **changed, "points": ["0.5", "2.5", ""], "apply": "1"}
    again = page.post(f"{AT}/rubric", data=edited)
    assert "You changed it after the preview" in again.text and points(desk.decisions) == {"dana": 2.0}
    done = page.post(f"{AT}/rubric", data={**changed, "apply": "1", "previewed": fields(preview.text)["previewed"]})
    assert "Changed. All answers have their new scores" in done.text and points(desk.decisions) == {"dana": 1.0}
    assert "by another grader or in another tab" in page.post(f"{AT}/rubric", data=changed).text
    text = page.get(f"{AT}/rubric.yaml").text
    assert "text: variance" in text
    pasted = page.post(f"{AT}/rubric", data={"version": "2", "yaml": text})
    assert "0 scores would change" in pasted.text and 'value="r2"' in pasted.text, "the rows are those of the file"
    merged = {
        "version": "2",
        "key": ["r1", "r2"],
        "points": ["1", "2"],
        "text": ["unit", "variance"],
        "merge": ["r1", "r2"],
    }
    preview = page.post(f"{AT}/rubric", data=merged)
    assert "1 score would change" in preview.text and preview.text.count("checked") == 2
    previewed = fields(preview.text)["previewed"]
    page.post(f"{AT}/rubric", data={**merged, "apply": "1", "previewed": previewed})
    assert points(desk.decisions) == {"dana": 3.0} and len(desk.rubric(desk.questions[UNITS]).items) == 1
    assert page.post(f"{AT}/rubric", data={"version": "3", "yaml": "items: 3"}).status_code == 422


def test_a_group_of_nearly_equal_answers_is_graded_as_far_as_it_is_ticked(graded_class: GradedClass) -> None:
    near = "The deviation has the same unit as the data, and so the quotient is a pure number without any unit"
    graded_class.write({**ANSWERS, "bob": near + ".", "chen": near + " at all."})
    desk = graded_class.desk()
    with browser(desk) as page:
        address = at(desk, "bob")
        assert "1 nearly equal" in page.get(address).text
        group = page.get(f"{address}/group")
        assert "<mark>" in group.text
        members = re.findall(r'name="member" value="([\w:]+)"', group.text)
        stale = {**fields(group.text), "member": [members[0], members[1][:-1]], "tick": "r1", "comment": "mine"}
        again = page.post(f"{address}/group", data=stale)
        assert again.status_code == 422 and "changed since" in again.text and "mine" in again.text
        page.post(f"{address}/group", data={**fields(group.text), "member": members, "tick": "r1"})
        assert points(desk.decisions) == {"bob": 2.0, "chen": 2.0}
        assert page.post(f"{address}/group", data={**fields(group.text), "tick": "r1"}).status_code == 422


def test_a_part_of_a_graded_answer_does_not_get_its_grading_beforehand(graded_class: GradedClass) -> None:
    part = "The deviation has the same unit as the data, and so the quotient is a pure number without any unit."
    graded_class.write({**ANSWERS, "bob": f"{part} Its spread is one.", "chen": part, "emil": f"And {part}"})
    desk = graded_class.desk()
    with browser(desk) as page:
        save_as(desk, desk.questions[UNITS], "bob", ["r1", "r2"], "kim")
        group = page.get(f"{at(desk, 'bob')}/group").text
        assert group.count('name="member"') == 2 and "[…]" in group
        assert "checked" not in group, "neither a member that lacks a sentence nor a rubric item"
        assert group.count("checked") < page.get(f"{at(desk, 'chen')}/group").text.count("checked")


HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>",
    "links": "[a](javascript:alert(1)) <http://evil.test> http://evil.test ![b](http://evil.test/x.png)",
    "attachment": '![a](attachment:x"onerror="alert(1)) ![b](attachment:../../picture)',
    "formula": "$\\href{javascript:alert(1)}{x}$ $</span><script>alert(1)</script>$ $$\\def\\a{\\a\\a}\\a$$",
    "direction": "\u202e\u2066gnihton\u2069 \ufeff\u200b",
    "surrogate-like": "\ufffd\ud7ff",
    "template": "{{ 7 * 7 }} {% raw %}",
    "table": "|a|b|\n|-|-|\n|<script>|x|",
    "code": "```<script>\nalert(1)</script>\n```",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_in_an_answer_becomes_markup(kind: str) -> None:
    html = str(shown_markdown(HOSTILE[kind], {}))
    tags = set(re.findall(r"<([a-z]\w*)", html))
    assert tags <= {"p", "span", "div", "em", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"}
    assert not re.search(r"<[^>]*\s(on\w+|href|style)=", html) and "<script" not in html


def test_a_megabyte_is_shown_in_part_and_as_text(graded_class: GradedClass) -> None:
    long = "<b>" + "word " * 200_000
    graded_class.write({**ANSWERS, "dana": long})
    desk = graded_class.desk()
    with browser(desk) as page:
        found = page.get(at(desk, "dana"))
        assert found.status_code == 200 and len(found.text) < 200_000 and "longer than this page shows" in found.text
        whole = page.get(f"{at(desk, 'dana')}/text")
        assert whole.headers["content-type"].startswith("text/plain") and len(whole.text) > 500_000


def test_pictures_are_served_as_pictures_only(desk: Desk, page: TestClient) -> None:
    question = next(one for place, one in desk.questions.items() if place.item == "figure_loss")
    ref = question.arranged().ref["ada"]
    shown = page.get(f"/toy/figure_loss/a/{ref}").text
    (address,) = re.findall(r'<img src="(/toy/figure_loss[^"]+)"', shown)
    picture = page.get(address)
    assert picture.headers["content-type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    assert page.get(address[:-3] + "000").status_code == 404


@pytest.mark.parametrize(
    "formula", [r"\sqrt{" * 150 + "x" + "}" * 150, r"\frac{1}{" * 150 + "x" + "}" * 150, "a" * 5000]
)
def test_a_formula_that_browsers_do_not_survive_is_shown_as_text(formula: str) -> None:
    html = str(shown_markdown(f"${formula}$ and $x^{{2}}$", {}))
    assert html.count('class="tex"') == 1 and "<code>" in html


def test_a_megabyte_of_letters_is_compared_quickly(graded_class: GradedClass) -> None:
    graded_class.write({**ANSWERS, "dana": "A" * 1_000_000, "chen": "B1" * 400_000})
    began = time.process_time()
    arranged = graded_class.desk().questions[UNITS].arranged()
    assert len(arranged.blocks) == 4 and arranged.near == {}
    assert time.process_time() - began < 10


@pytest.mark.parametrize("sent", [{"seen": "²"}, {"seen": "9" * 30}, {"version": "9" * 400}])
def test_a_form_with_nonsense_is_answered(desk: Desk, page: TestClient, sent: dict[str, str]) -> None:
    address = at(desk, "dana")
    found = page.post(address, data={**fields(page.get(address).text), "tick": "r1", **sent}, follow_redirects=False)
    assert found.status_code in (303, 409, 422)


@pytest.mark.parametrize("path", ["/toy/gone", "/gone/written_units", f"{AT}/a/123", "/x", f"{AT}/list?kind=%00&q=%F0"])
def test_an_address_that_does_not_exist_says_so(page: TestClient, path: str) -> None:
    found = page.get(path)
    assert found.status_code == (200 if "list" in path else 404) and "<h1" in found.text


def test_a_fault_of_the_desk_shows_no_details(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret path")

    with browser(desk, raise_server_exceptions=False) as page:
        monkeypatch.setattr(desk, "progress", broken)
        found = page.get("/")
    assert found.status_code == 500 and "nothing was saved" in found.text and "secret" not in found.text
