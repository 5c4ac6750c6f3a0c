"""The class report counts what a batch wrote, names what is missing or broken, and shows student text as text."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import SetupError
from autograder.core.flags import Flag
from autograder.core.results import GradedLog, Outcome, Status
from autograder.report import report, report_html
from autograder.report.charts import HEIGHT, WIDTH, metric_histogram, points_histogram, stacked
from autograder.report.gallery import TALLEST, WIDEST, galleries, spread, thumbnail
from autograder.report.item_stats import summarise
from autograder.report.load import read_runs
from tests.autograder.graded_folder import log_of, png, with_item, write_class, write_student, write_tables
from tests.autograder.html_page import HtmlPage
from tests.autograder.submissions.test_pictures import as_text, chunk, gradient, packed, png_of
from tests.autograder.toy import ROOT, toy

EVIL = '<img src=x onerror="alert(1)">'
TURNED = "\u202egnp.exe"


CLASS = ("ada", "bela", "chen", "dora")


def page_of(out: Path, root: Path = ROOT) -> HtmlPage:
    """The report about a folder."""
    return HtmlPage(report_html(out, root=root))


def text_of(out: Path, logs: Sequence[GradedLog]) -> str:
    """The text of the report about a class with these logs."""
    return page_of(write_class(out, logs)).text


def log_path(out: Path, student: str) -> Path:
    """The place of a student's log."""
    return out / student / "toy" / "submission_log.json"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the fixture course that a test may change."""
    return Path(shutil.copytree(ROOT, tmp_path / "course", ignore=shutil.ignore_patterns("course")))


def part(text: str, begin: str, end: str) -> str:
    """The text from one heading to the next."""
    return text[text.index(begin) : text.index(end, text.index(begin))]


def test_points_outcomes_and_misconceptions_are_counted(tmp_path: Path) -> None:
    logs = [log_of(name) for name in CLASS]
    for number, message in ((1, "x"), (2, "y")):
        wrong = {"score": 0.0, "status": Status.FAILED, "misconception": "variance_not_deviation", "message": message}
        logs[number] = with_item(logs[number], "standardize", **wrong)
    logs[3] = with_item(logs[3], "Line", score=4.0, status=Status.PARTIAL, message="slope\ngot 1 expected 2")
    text = text_of(tmp_path, [*logs, replace(log_of("emre"), outcome=Outcome.UNREADABLE)])
    assert "4 of 5 graded" in text and "1 unreadable" in text
    assert "12 of 20 (median)" in text  # of 20, 8, 8 and 16
    assert "Mean 13. 1 (25 %) have all points, 0 none." in text
    assert "4 need manual grading: " in text
    item = part(text, "standardize 50 % full marks", "Line")
    assert "2 full marks 2 no points" in item and "Mean 6 of 12 points." in item
    assert "2 you divided by the variance" in item and "variance_not_deviation bela, chen" in item
    line = part(text, "Line 75 % full marks", "figure_loss")
    assert "1 some points" in line and "1 slope dora" in line and "expected 2" not in line


def test_manual_points_are_shown_once_a_submission_is_graded_by_hand(tmp_path: Path) -> None:
    logs = [log_of("ada"), log_of("bela")]
    for item in ("figure_loss", "written_units"):
        logs[1] = with_item(logs[1], item, score=2.0, status=Status.PASSED)
    write_student(tmp_path, logs[0])
    assert "Points from manual grading" not in page_of(tmp_path).text
    write_student(tmp_path, logs[1])
    text = page_of(tmp_path).text
    assert "Points from manual grading 4 of 5 (median)" in text and "All points 24 of 25" in text
    assert "1 needs manual grading: figure_loss" in text


def test_missing_answers_do_not_count_as_graded_by_hand(tmp_path: Path) -> None:
    log = log_of("ada")
    for item in log.items:
        log = with_item(log, item.id, score=0.0, status=Status.MISSING)
    text = text_of(tmp_path, [log])
    assert "Points from manual grading" not in text and "no code was written" in text


def test_grader_errors_are_at_the_top(tmp_path: Path) -> None:
    logs = [log_of("ada"), replace(log_of("bela"), outcome=Outcome.GRADER_ERROR)]
    page = page_of(write_class(tmp_path, logs))
    assert page.text.index("The autograder failed on some submissions") < page.text.index("Results of the class")
    assert "toy: bela" in page.text and "grader error: grade it again" in page.text
    assert ("section", {"class": "card notice bad", "aria-labelledby": "grader-errors"}) in page.tags


def test_submissions_to_review_are_ordered_by_urgency(tmp_path: Path) -> None:
    logs = [log_of(name) for name in CLASS]
    logs[0] = replace(logs[0], outcome=Outcome.MISSING)
    logs[1] = with_item(logs[1], "Line", score=0.0, status=Status.TIMEOUT)
    logs[2] = replace(logs[2], flags=(Flag("log_tampered", "The submitted log contained grades; they were ignored."),))
    text = part(text_of(tmp_path, logs), "3 submissions of 4", "Item by item")
    order = ["chen the log contained grades", "bela Line took too long", "ada no notebook"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "dora" not in text


def test_flags_are_counted_by_kind_and_routine_ones_come_last(tmp_path: Path) -> None:
    logs = [log_of(name) for name in ("ada", "bela")]
    logs[0] = replace(logs[0], flags=(*logs[0].flags, Flag("repaired", "Line: found by its name.")))
    text = part(text_of(tmp_path, logs), "Notes from grading", "How long it took")
    assert "1 the notebook was repaired repaired Line: found by its name. ada" in text
    assert "2 isolation level of student code isolation" in text
    assert text.index("repaired") < text.index("isolation")


def test_the_slowest_submissions_are_named_with_their_longest_phase(tmp_path: Path) -> None:
    logs = [log_of(f"s{number:02}") for number in range(1, 21)]
    text = part(text_of(tmp_path, logs), "How long it took", "Made by")
    assert "10.5 s (median)" in text and "3.5 minutes in total" in text  # 1 + 2 + ... + 20 s
    assert "The slowest 10" in text and "s20 20 tests 15.0 s" in text and "s10" not in text


def test_metrics_are_shown_by_profile_with_expected_ranges_and_those_outside(tmp_path: Path, course: Path) -> None:
    source = course / "solutions" / "toy.py"
    table = 'log.bands({"toy/final_loss": {"mini": (0.1, 0.3), "full": (0.0, 0.1)}})\n'
    source.write_text(source.read_text().replace('log.metric("toy/final_loss"', table + 'log.metric("toy/final_loss"'))
    values = {"ada": 0.2, "bela": 0.25, "chen": 0.9, "dora": 0.05}
    logs = [log_of(name, metrics={"toy/final_loss": {"value": value}}) for name, value in values.items()]
    logs[3] = replace(logs[3], profile="full")
    logs += [
        log_of("emre", metrics={"toy/final_loss": {"value": None}}),
        log_of("fatima", metrics={"toy/my_own": {"value": 1e308}}),
        log_of("goran", profile="grade"),
    ]
    out = write_class(tmp_path / "out", logs)
    text = part(page_of(out, course).text, "Measured numbers From", "Similar work")
    full, mini = part(text, "Profile full", "Profile mini"), text[text.index("Profile mini") :]
    assert "1 log" in full and "0.05 median of 1; expected range 0 to 0.1" in full and "to review" not in full
    assert "0.25 median of 3; expected range 0.1 to 0.3" in mini
    assert "2 to review chen: 0.9; emre: missing" in mini
    assert "Not in 1 of 5 logs." in mini and "my_own" not in mini and "1 further metric not shown" in mini
    assert "1 graded submission without measured numbers" in text


def test_pictures_are_thumbnails_with_alternative_texts(tmp_path: Path) -> None:
    write_student(tmp_path, log_of("ada"), pictures=[png((1200, 300)), png((900, 600), "red")])
    write_student(tmp_path, log_of("bela"), pictures=[base64.b64encode(b"\x89PNG\r\n\x1a\n<svg>").decode()])
    write_student(tmp_path, log_of("chen"))
    page = page_of(tmp_path)
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert image["alt"] == "ada: picture of figure_loss (needs manual grading)"
    head, data = str(image["src"]).split(",")
    assert head == "data:image/webp;base64"
    small = Image.open(io.BytesIO(base64.b64decode(data)))
    assert small.width <= WIDEST and small.height <= TALLEST and abs(small.width / small.height - 1.5) < 0.02
    red, green, _ = small.convert("RGB").getpixel((20, 20))  # type: ignore[misc]
    assert red > 200 and green < 60  # the last one that the cell drew
    assert "Cannot be shown (not a valid picture, or too large): bela." in page.text


def _black(width: int, height: int, rows: int) -> str:
    """A black PNG of that size with the data of so many rows."""
    return as_text(png_of(width, height, rows=bytes(rows * (width + 1))))


def _with_a_chunk(kind: bytes, content: bytes) -> str:
    """A valid picture with one more chunk before its end."""
    valid = base64.b64decode(png())
    return as_text(valid[:-12] + chunk(kind, content) + valid[-12:])


INVALID = {
    "large": _black(5000, 5000, 5000),
    "huge": _black(60_000, 60_000, 9),
    "empty": _black(0, 9, 9),
    "cut off": png()[:80],
    "gif": as_text(packed(gradient(), "GIF")),
    "webp": as_text(packed(gradient(), "WEBP")),
    "invalid profile": _with_a_chunk(b"iCCP", b"abc\0"),
    "no base64": "%%%",
    "nothing": "",
    "no ascii": "é" * 9,
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_picture_is_not_shown(name: str) -> None:
    assert thumbnail(_black(500, 500, 500), "ada", "") is not None
    assert thumbnail(INVALID[name], "ada", "") is None


def test_pictures_over_the_size_limit_are_sampled_from_the_whole_class(tmp_path: Path) -> None:
    names = [f"s{number:02}" for number in range(32)]
    for name in names:
        write_student(tmp_path, log_of(name), pictures=[png()])
    (run,), _ = read_runs(tmp_path, ROOT)
    one = thumbnail(png(), "", "")
    assert one is not None
    room = 8 * (len(one.data) + 400)
    for size, shown in ((room, names[::4]), (2**20, names)):
        (gallery,) = galleries(tmp_path, toy(), run.entries, {"figure_loss": names}, size)
        assert [picture.student for picture in gallery.pictures] == shown
        assert gallery.left_out == len(names) - len(shown)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 64, 100])
def test_spreading_keeps_each_student(count: int) -> None:
    names = [str(number) for number in range(count)]
    assert sorted(spread(names), key=int) == names


def test_student_text_is_shown_as_text(tmp_path: Path) -> None:
    log = with_item(log_of(EVIL), "Line", score=0.0, status=Status.ERROR, message=f"{EVIL}{TURNED}")
    metrics: dict[str, dict[str, Any]] = {f"toy/{EVIL}": {"value": 1.0}, "toy/x": {"value": 1, "runs": 1}}
    log = replace(log, flags=(Flag(EVIL, EVIL),), metrics=metrics)
    code = f"def standardize(x, eps=EPS):\n    '''{EVIL}'''\n" + "\n".join(
        f"    y{n} = torch.roll(x, {n}) * x.std() - torch.fft.fft(x, n={n})  # {EVIL}" for n in range(20)
    )
    answers = {"standardize": f"{code}\n    # {TURNED}", "written_units": EVIL * 3}
    for each in (log, replace(log, student=TURNED)):
        write_student(tmp_path, each, answers, pictures=[png()])
    page = page_of(tmp_path)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base", "link"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert "Side by side: standardize" in page.text and EVIL in page.text
    assert "\u202e" not in page.text and "\\u202e" in page.text


def test_the_page_loads_nothing_and_allows_only_its_own_style(tmp_path: Path) -> None:
    write_student(tmp_path, log_of("a b#?/../x".replace("/", "%")), pictures=[png()])
    text = report_html(tmp_path, root=ROOT)
    page = HtmlPage(text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (policy,) = [str(a["content"]) for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and "script" not in policy and "unsafe" not in policy
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert "url(" not in style and "@import" not in style
    for tag, attributes in page.tags:
        assert not str(attributes.get("src", "data:")).partition("data:")[0], tag
        assert str(attributes.get("href", "#")).startswith(("#", "./")), tag
    assert "./a%20b%23%3F%25..%25x/toy/feedback.html" in {attributes.get("href") for _, attributes in page.tags}


def test_headings_are_nested_and_tables_and_pictures_are_labelled(tmp_path: Path) -> None:
    logs = [log_of(name, metrics={"toy/final_loss": {"value": 0.2}}) for name in CLASS]
    for log in logs:
        write_student(tmp_path, log, pictures=[png()])
    write_tables(tmp_path, logs)
    page = page_of(tmp_path)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table") > 0
    for element, label in (("th", "scope"), ("img", "alt"), ("svg", "aria-label")):
        assert all(attributes.get(label) for tag, attributes in page.tags if tag == element)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {str(a["aria-labelledby"]) for _, a in page.tags if "aria-labelledby" in a}
    wanted |= {str(a["href"])[1:] for _, a in page.tags if str(a.get("href", "")).startswith("#")}
    assert wanted <= set(ids)


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    write_class(tmp_path, [log_of(name, metrics={"toy/final_loss": {"value": 0.2}}) for name in CLASS])
    path = report(tmp_path, root=ROOT)
    first, when = path.read_bytes(), path.stat().st_mtime_ns
    assert path == tmp_path / "report.html" and report(tmp_path, root=ROOT) == path
    assert path.read_bytes() == first and path.stat().st_mtime_ns == when
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


def test_several_problems_share_one_page(tmp_path: Path, course: Path) -> None:
    for folder in ("solutions", "solutions/variants"):
        for path in (course / folder).glob("toy*"):
            other = path.with_name(path.name.replace("toy", "other"))
            shutil.copytree(path, other) if path.is_dir() else shutil.copy(path, other)
    logs = [log_of("ada"), log_of("bela"), replace(log_of("ada"), problem="other")]
    page = page_of(write_class(tmp_path / "out", logs), course)
    assert "2 problems, 2 students" in page.text
    assert "other 1 1 20 of 20 100 % 1 0 toy 2 2 20 of 20 100 % 2 0" in page.text
    assert {"#other", "#toy"} <= {attributes.get("href") for tag, attributes in page.tags if tag == "a"}


def test_missing_and_broken_files_are_named_and_the_others_are_reported(tmp_path: Path) -> None:
    names = ["ada", "broken", "deep", "ghost", "huge", "linked", "other", "strange", "unread", "wrong"]
    out = tmp_path / "out"
    for name in {*names, "stale"} - {"ghost"}:
        write_student(out, log_of(name))
    write_tables(out, [log_of(name) for name in (*names, "../../etc")])
    log_path(out, "broken").write_text('{"schema_version": 1')
    log_path(out, "deep").write_text("[" * 100_000)
    log_path(out, "huge").write_bytes(b" " * (9 * 2**20))
    log_path(out, "linked").rename(tmp_path / "secret.json")
    log_path(out, "linked").symlink_to(tmp_path / "secret.json")
    for name, key, value in (("other", "problem", "tot"), ("wrong", "student", "ada")):
        log_path(out, name).write_text(json.dumps(json.loads(log_path(out, name).read_text()) | {key: value}))
    record = json.loads(log_path(out, "strange").read_text())
    record["grades"]["items"][0]["message"] = {"a": 1}
    log_path(out, "strange").write_text(json.dumps(record))
    (out / "unread" / "toy" / "toy.ipynb").write_text("[]")
    (out / "way").symlink_to(out / "ada")
    text = html.unescape(page_of(out).text)
    for said in (
        "Links are not followed: way.",
        "1 left out: they have a folder, but no line in grades.csv",
        "submissions): stale.",
        "2 in grades.csv have no folder here: ../../etc, ghost.",
        "3 left out, the log is damaged or has no grades: broken, deep, strange.",
        "1 left out, the log is too large to be from `autograder grade`: huge.",
        "1 left out, the log is missing or not a regular file: linked.",
        "1 left out, the log is for another problem, 'tot': other.",
        "The log names another student than its folder: wrong.",
        "1 executed notebooks cannot be read; their code and pictures are left out: unread.",
        "3 of 3 graded",
    ):
        assert said in text


def test_tables_may_be_missing_or_broken(tmp_path: Path) -> None:
    write_student(tmp_path, log_of("ada"))
    text = page_of(tmp_path).text
    assert "grades.csv is missing." in text and "1 of 1 graded" in text and "How long it took" not in text
    (tmp_path / "grades.csv").write_bytes(b"student,problem,score,max_score,status\nada,toy,3,25,graded\n\xff\x00\n")
    (tmp_path / "timings.csv").write_text("student,problem,seconds\nada,toy,nan\nada\nbela,toy,inf,4\n")
    text = page_of(tmp_path).text
    assert "timings.csv has damaged lines." in text and "grades.csv" in text and "1 of 1 graded" in text
    (tmp_path / "grades.csv").write_text("student,problem,score,max_score,status\nada,toy,3,25,graded\nada,art,3,4,x\n")
    text = page_of(tmp_path).text
    assert "grades.csv and the log have different scores; the log's are shown: ada." in text
    assert "lines for problems that are not in this course: art." in text


def test_logs_of_another_version_of_the_problem_are_named_and_their_known_items_counted(tmp_path: Path) -> None:
    log = log_of("ada")
    write_student(tmp_path, replace(log, items=(replace(log.items[0], id="renamed"), log.items[1])), pictures=[png()])
    write_student(tmp_path, log_of("bela"), pictures=[png()])
    page = page_of(tmp_path)
    assert "other items; grade again: ada." in page.text
    assert "1 full marks Mean 12 of 12" in page.text and "2 full marks Mean 8 of 8" in page.text
    assert "ada: picture of figure_loss" in [attributes.get("alt") for tag, attributes in page.tags if tag == "img"]


def test_the_report_says_that_a_batch_is_not_finished(tmp_path: Path) -> None:
    write_student(tmp_path, log_of("ada"))
    write_tables(tmp_path, [])
    (tmp_path / ".grading-toy.jsonl").write_text("{}\n")
    text = page_of(tmp_path).text
    assert "Grading was interrupted or is still running" in text and "1 of 1 graded" in text


def test_a_folder_without_results_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no graded submission"):
        report(tmp_path, root=ROOT)
    with pytest.raises(SetupError, match="is not a folder"):
        report(tmp_path / "nowhere", root=ROOT)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_page_and_prints_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    write_class(tmp_path / "out", [log_of("ada")])
    done = CliRunner().invoke(app, ["report", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path / "out" / "report.html")
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")
    (tmp_path / "empty").mkdir()
    assert CliRunner().invoke(app, ["report", "--out", str(tmp_path / "empty")]).exit_code == 2


@pytest.mark.parametrize(
    ("values", "band"),
    [
        ([1.0], None),
        ([0.0, 0.0], (0.0, None)),
        ([1e308, -1e308, 3.0], (2, 4)),
        ([1.79e308], None),
        ([-1.79e308] * 3, None),
        ([5.0] * 50 + [1e9], (4, 6)),
        ([1e-320, 2e-320], (None, 1e-319)),
        (list(range(100)), (None, None)),
    ],
)
def test_each_number_is_in_a_column_whatever_its_size(
    values: list[float], band: tuple[float | None, float | None] | None
) -> None:
    chart = metric_histogram(values, band)
    assert sum(int(bar.label.rsplit(": ", 1)[1]) for bar in chart.bars) == len(values)
    for bar in chart.bars:
        assert 0 <= bar.x and bar.x + bar.width <= WIDTH and 0 <= bar.y and bar.y + bar.height <= HEIGHT + 0.01
    assert chart.middle is not None and 0 <= chart.middle <= WIDTH
    if chart.band:
        assert 0 <= chart.band[0] and chart.band[1] > 0 and sum(chart.band) <= WIDTH


def test_outliers_do_not_hide_the_expected_range() -> None:
    for values, band, above, below, bars in (
        ([4.2, 4.8, 5.0, 5.5, 5.9] * 10 + [1e9, -1e9], (4, 6), 1, 1, 5),
        ([1e6] * 20 + [1.5], (1, 2), 20, 0, 1),
    ):
        chart = metric_histogram(values, band)
        assert (chart.above, chart.below) == (above, below) and len(chart.bars) >= bars
        assert chart.band is not None and chart.band[1] > WIDTH / 5


def test_each_number_of_points_has_a_column_or_its_label_says_which_share_one() -> None:
    chart = points_histogram([0, 3, 3, 7.4, 10], 10)
    assert [bar.label for bar in chart.bars] == ["0 points: 1", "3 points: 2", "7 points: 1", "10 points: 1"]
    assert chart.highest == 2 and max(chart.bars, key=lambda bar: bar.height).label == "3 points: 2"
    assert (chart.ticks[0].text, chart.ticks[-1].text) == ("0", "10")
    assert len(points_histogram([400, 999], 1000).bars) == 2
    shared = points_histogram([1, 3, 5, 37], 37)
    labels = ["0 to below 2 points: 1", "2 to below 4 points: 1", "4 to below 6 points: 1", "36 to 37 points: 1"]
    assert [bar.label for bar in shared.bars] == labels and shared.ticks[-1].text == "37"


def test_parts_of_a_bar_fill_it() -> None:
    bars = stacked([("right", 3, "good"), ("none", 0, "bad"), ("late", 1, "slow")])
    assert [(bar.x, bar.width, bar.tone) for bar in bars] == [(0, 75, "good"), (75, 25, "slow")]
    assert stacked([("right", 0, "good")]) == ()


def test_each_item_has_the_median_of_its_times(tmp_path: Path) -> None:
    write_class(tmp_path, [log_of(student) for student in CLASS[:3]])
    (run,), _ = read_runs(tmp_path, ROOT)
    seconds = {item.id: item.seconds for item in summarise(run.problem, run.entries).items}
    assert seconds == {"standardize": None, "Line": 1.0, "figure_loss": None, "written_units": None}
    assert "Median time 1 s." in page_of(tmp_path).text


@pytest.mark.parametrize("points", ["NaN", "Infinity", "1" + "0" * 400])
def test_a_log_with_points_that_are_not_finite_is_named(tmp_path: Path, points: str) -> None:
    write_class(tmp_path, [log_of("ada"), log_of("bela")])
    record = json.loads(log_path(tmp_path, "ada").read_text())
    record["grades"]["items"][0]["score"] = 987654321
    log_path(tmp_path, "ada").write_text(json.dumps(record).replace("987654321", points))
    assert "1 left out, the log is damaged or has no grades: ada" in page_of(tmp_path).text


def test_a_folder_whose_name_is_not_text_is_named_and_left_out(tmp_path: Path) -> None:
    write_class(tmp_path, [log_of("ada"), log_of("bela")])
    (tmp_path / "bela").rename(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff"))
    text = HtmlPage(report(tmp_path, root=ROOT).read_text(encoding="utf-8")).text
    assert "1 left out, because their names are not valid text" in text
    assert "1 in grades.csv have no folder here" in text
