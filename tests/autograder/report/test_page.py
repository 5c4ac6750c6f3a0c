"""The class report: what it says, what it survives, what never gets into it."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
import re
import shutil
import struct
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import SetupError
from autograder.core.results import Flag, Outcome, Status
from autograder.report import report, report_html
from autograder.report.charts import HEIGHT, WIDTH, metric_histogram, points_histogram, stacked
from autograder.report.gallery import TALLEST, WIDEST, galleries, spread, thumbnail
from autograder.report.item_stats import summarise
from autograder.report.load import read_runs
from tests.autograder.graded_folder import log_of, png, with_item, write_class, write_student, write_tables
from tests.autograder.toy import ROOT, toy

EVIL = '<img src=x onerror="alert(1)">'
TURNED = "\u202egnp.exe"


class Page(HTMLParser):
    """Tags with attributes, and the visible text with single spaces."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self._hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "title")
        if tag in ("td", "th", "tr", "li", "p", "summary", "figcaption"):
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._text.append(data)

    @property
    def text(self) -> str:
        """What a reader sees."""
        return " ".join("".join(self._text).split())


def page_of(out: Path) -> Page:
    """The report about a folder."""
    return Page(report_html(out, root=ROOT))


def part(text: str, begin: str, end: str) -> str:
    """The text from one heading to the next."""
    return text[text.index(begin) : text.index(end, text.index(begin))]


def test_points_outcomes_and_misconceptions_are_counted(tmp_path: Path) -> None:
    logs = [log_of(name) for name in ("ada", "bela", "chen", "dora")]
    logs[1] = with_item(
        logs[1], "standardize", score=0.0, status=Status.FAILED, misconception="variance_not_deviation", message="x"
    )
    logs[2] = with_item(
        logs[2], "standardize", score=0.0, status=Status.FAILED, misconception="variance_not_deviation", message="y"
    )
    logs[3] = with_item(logs[3], "Line", score=4.0, status=Status.PARTIAL, message="slope\ngot 1 expected 2")
    logs.append(replace(log_of("emre"), outcome=Outcome.UNREADABLE))
    text = page_of(write_class(tmp_path, logs)).text
    assert "4 of 5 graded" in text and "1 unreadable" in text
    assert "12 of 20 (median)" in text  # of 20, 8, 8 and 16
    assert "Mean 13. 1 (25 %) have all points, 0 none." in text
    assert "4 need manual grading: " in text
    item = part(text, "standardize 50 % full marks", "Line")
    assert "2 full marks 2 no points" in item and "Mean 6 of 12 points." in item
    assert "2 you divided by the variance" in item and "variance_not_deviation bela, chen" in item
    line = part(text, "Line 75 % full marks", "figure_loss")
    assert "1 some points" in line and "1 slope dora" in line and "expected 2" not in line


def test_points_of_people_stand_beside_those_of_tests_once_somebody_has_read(tmp_path: Path) -> None:
    logs = [log_of("ada"), log_of("bela")]
    for item in ("figure_loss", "written_units"):
        logs[1] = with_item(logs[1], item, score=2.0, status=Status.PASSED)
    write_student(tmp_path, logs[0])
    assert "Points from manual grading" not in page_of(tmp_path).text
    write_student(tmp_path, logs[1])
    text = page_of(tmp_path).text
    assert "Points from manual grading 4 of 5 (median)" in text and "All points 24 of 25" in text
    assert "1 needs manual grading: figure_loss" in text


def test_an_answer_that_is_missing_was_read_by_nobody(tmp_path: Path) -> None:
    log = log_of("ada")
    for item in log.items:
        log = with_item(log, item.id, score=0.0, status=Status.MISSING)
    text = page_of(write_class(tmp_path, [log])).text
    assert "Points from manual grading" not in text and "no code was written" in text


def test_faults_of_the_grader_stand_on_top(tmp_path: Path) -> None:
    logs = [log_of("ada"), replace(log_of("bela"), outcome=Outcome.GRADER_ERROR)]
    page = page_of(write_class(tmp_path, logs))
    assert page.text.index("The autograder failed on some submissions") < page.text.index("Results of the class")
    assert "toy: bela" in page.text and "grader error: grade it again" in page.text
    assert ("section", {"class": "card notice bad", "aria-labelledby": "grader-errors"}) in page.tags


def test_the_most_pressing_come_first(tmp_path: Path) -> None:
    logs = [log_of(name) for name in ("ada", "bela", "chen", "dora")]
    logs[0] = replace(logs[0], outcome=Outcome.MISSING)
    logs[1] = with_item(logs[1], "Line", score=0.0, status=Status.TIMEOUT)
    logs[2] = replace(logs[2], flags=(Flag("log_tampered", "The submitted log contained grades; they were ignored."),))
    text = part(page_of(write_class(tmp_path, logs)).text, "3 submissions of 4", "Item by item")
    order = ["chen the log contained grades", "bela Line took too long", "ada no notebook"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "dora" not in text


def test_flags_are_counted_by_kind_and_routine_ones_come_last(tmp_path: Path) -> None:
    logs = [log_of(name) for name in ("ada", "bela")]
    logs[0] = replace(logs[0], flags=(*logs[0].flags, Flag("repaired", "Line: found by its name.")))
    text = part(page_of(write_class(tmp_path, logs)).text, "Notes from grading", "How long it took")
    assert "1 the notebook was repaired repaired Line: found by its name. ada" in text
    assert "2 isolation level of student code isolation" in text
    assert text.index("repaired") < text.index("isolation")


def test_the_slowest_are_named_with_what_took_them_so_long(tmp_path: Path) -> None:
    logs = [log_of(f"s{number:02}") for number in range(1, 21)]
    text = part(page_of(write_class(tmp_path, logs)).text, "How long it took", "Made by")
    assert "10.5 s (median)" in text and "3.5 minutes in total" in text  # 1 + 2 + ... + 20 s
    assert "The slowest 10" in text and "s20 20 tests 15.0 s" in text and "s10" not in text


def test_numbers_are_shown_by_profile_with_their_bands_and_those_outside(tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(ROOT, course, ignore=shutil.ignore_patterns("course"))
    source = course / "solutions" / "toy.py"
    table = 'log.bands({"toy/final_loss": {"mini": (0.1, 0.3), "full": (0.0, 0.1)}})\n'
    source.write_text(source.read_text().replace('log.metric("toy/final_loss"', table + 'log.metric("toy/final_loss"'))
    values = {"ada": 0.2, "bela": 0.25, "chen": 0.9, "dora": 0.05}
    logs = [log_of(name, metrics={"toy/final_loss": {"value": value}}) for name, value in values.items()]
    logs[3] = replace(logs[3], profile="full")
    logs.append(log_of("emre", metrics={"toy/final_loss": {"value": None}}))
    logs.append(log_of("fatima", metrics={"toy/my_own": {"value": 1e308}}))
    logs.append(log_of("goran", profile="grade"))
    write_class(tmp_path / "out", logs)
    text = part(Page(report_html(tmp_path / "out", root=course)).text, "Measured numbers From", "Similar work")
    full, mini = part(text, "Profile full", "Profile mini"), text[text.index("Profile mini") :]
    assert "1 log" in full and "0.05 median of 1; expected range 0 to 0.1" in full and "to review" not in full
    assert "0.25 median of 3; expected range 0.1 to 0.3" in mini
    assert "2 to review chen: 0.9; emre: missing" in mini
    assert "Not in 1 of 5 logs." in mini and "my_own" not in mini and "1 further metric not shown" in mini
    assert "1 graded submission without measured numbers" in text


def test_pictures_are_small_copies_with_words_beside_them(tmp_path: Path) -> None:
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
    """A grey PNG of that size with the data of so many rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = chunk(b"IDAT", zlib.compress(bytes(rows * (width + 1)))) + chunk(b"IEND", b"")
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + data).decode()


def _as(form: str) -> str:
    packed = io.BytesIO()
    Image.new("RGB", (9, 9)).save(packed, form)
    return base64.b64encode(packed.getvalue()).decode()


def _with_a_chunk(kind: bytes, content: bytes) -> str:
    """A sound picture with one more chunk before its end."""
    sound = base64.b64decode(png())
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return base64.b64encode(sound[:-12] + chunk + sound[-12:]).decode()


@pytest.mark.parametrize(
    "data",
    [
        _black(5000, 5000, 5000),
        _black(60_000, 60_000, 9),
        _black(0, 9, 9),
        png()[:80],
        _as("GIF"),
        _as("WEBP"),
        _with_a_chunk(b"iCCP", b"abc\0"),
        "%%%",
        "",
        "é" * 9,
    ],
    ids=["large", "huge", "empty", "cut off", "gif", "webp", "odd chunk", "no base64", "nothing", "no ascii"],
)
def test_what_is_no_sound_picture_is_not_shown(data: str) -> None:
    assert thumbnail(_black(500, 500, 500), "ada", "") is not None
    assert thumbnail(data, "ada", "") is None


def test_where_room_is_short_pictures_are_spread_over_the_class(tmp_path: Path) -> None:
    names = [f"s{number:02}" for number in range(32)]
    for name in names:
        write_student(tmp_path, log_of(name), pictures=[png()])
    (run,), _ = read_runs(tmp_path, ROOT)
    one = thumbnail(png(), "", "")
    assert one is not None
    room = 8 * (len(one.data) + 400)
    (gallery,) = galleries(tmp_path, toy(), run.entries, {"figure_loss": names}, room)
    assert [picture.student for picture in gallery.pictures] == names[::4] and gallery.left_out == 24
    (every,) = galleries(tmp_path, toy(), run.entries, {"figure_loss": names}, 2**20)
    assert [picture.student for picture in every.pictures] == names and every.left_out == 0


@pytest.mark.parametrize("count", [0, 1, 2, 7, 64, 100])
def test_spreading_loses_nobody(count: int) -> None:
    names = [str(number) for number in range(count)]
    assert sorted(spread(names), key=int) == names


def test_what_students_wrote_stays_text(tmp_path: Path) -> None:
    log = with_item(log_of(EVIL), "Line", score=0.0, status=Status.ERROR, message=f"{EVIL}{TURNED}")
    log = replace(
        log, flags=(Flag(EVIL, EVIL),), metrics={f"toy/{EVIL}": {"value": 1.0}, "toy/x": {"value": 1, "runs": 1}}
    )
    copier = replace(log, student=TURNED, metrics=log.metrics)
    code = f"def standardize(x, eps=EPS):\n    '''{EVIL}'''\n" + "\n".join(
        f"    y{n} = torch.roll(x, {n}) * x.std() - torch.fft.fft(x, n={n})  # {EVIL}" for n in range(20)
    )
    code += f"\n    # {TURNED}"
    for each in (log, copier):
        write_student(tmp_path, each, {"standardize": code, "written_units": EVIL * 3}, pictures=[png()])
    page = page_of(tmp_path)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base", "link"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert "Side by side: standardize" in page.text and EVIL in page.text
    assert "\u202e" not in page.text and "\\u202e" in page.text


def test_the_page_loads_nothing_and_allows_only_its_own_style(tmp_path: Path) -> None:
    write_student(tmp_path, log_of("a b#?/../x".replace("/", "%")), pictures=[png()])
    text = report_html(tmp_path, root=ROOT)
    page = Page(text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (policy,) = [str(a["content"]) for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and "script" not in policy and "unsafe" not in policy
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert "url(" not in style and "@import" not in style
    for tag, attributes in page.tags:
        assert not str(attributes.get("src", "data:")).partition("data:")[0], tag
        assert str(attributes.get("href", "#")).startswith(("#", "./")), tag
    assert "./a%20b%23%3F%25..%25x/toy/feedback.html" in {attributes.get("href") for _, attributes in page.tags}


def test_headings_go_down_step_by_step_and_tables_and_pictures_have_words(tmp_path: Path) -> None:
    logs = [log_of(name, metrics={"toy/final_loss": {"value": 0.2}}) for name in ("ada", "bela", "chen")]
    for log in logs:
        write_student(tmp_path, log, pictures=[png()])
    write_tables(tmp_path, logs)
    page = page_of(tmp_path)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table") > 0
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
    assert all(attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {str(a[name]) for _, a in page.tags for name in ("aria-labelledby",) if name in a}
    wanted |= {str(a["href"])[1:] for _, a in page.tags if str(a.get("href", "")).startswith("#")}
    assert wanted <= set(ids)


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    logs = [log_of(name, metrics={"toy/final_loss": {"value": 0.2}}) for name in ("ada", "bela", "chen")]
    write_class(tmp_path, logs)
    path = report(tmp_path, root=ROOT)
    first, when = path.read_bytes(), path.stat().st_mtime_ns
    assert path == tmp_path / "report.html" and report(tmp_path, root=ROOT) == path
    assert path.read_bytes() == first and path.stat().st_mtime_ns == when
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


def test_several_problems_stand_on_one_page(tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(ROOT, course, ignore=shutil.ignore_patterns("course"))
    for folder in ("solutions", "solutions/variants"):
        for path in (course / folder).glob("toy*"):
            other = path.with_name(path.name.replace("toy", "other"))
            shutil.copytree(path, other) if path.is_dir() else shutil.copy(path, other)
    out = tmp_path / "out"
    logs = [log_of("ada"), log_of("bela"), replace(log_of("ada"), problem="other")]
    write_class(out, logs)
    page = Page(report_html(out, root=course))
    assert "2 problems, 2 students" in page.text
    assert "other 1 1 20 of 20 100 % 1 0 toy 2 2 20 of 20 100 % 2 0" in page.text
    assert {"#other", "#toy"} <= {attributes.get("href") for tag, attributes in page.tags if tag == "a"}


def test_what_is_missing_or_broken_is_named_and_nothing_stops(tmp_path: Path) -> None:
    names = ["ada", "broken", "deep", "ghost", "huge", "linked", "other", "strange", "unread", "wrong"]
    logs = {name: log_of(name) for name in names}
    out = tmp_path / "out"
    for name in names:
        if name != "ghost":
            write_student(out, logs[name])
    write_tables(out, [*logs.values(), log_of("../../etc")])
    write_student(out, log_of("stale"))

    def log(name: str) -> Path:
        return out / name / "toy" / "submission_log.json"

    log("broken").write_text('{"schema_version": 1')
    log("deep").write_text("[" * 100_000)
    log("huge").write_bytes(b" " * (9 * 2**20))
    (tmp_path / "secret.json").write_text(log("linked").read_text())
    log("linked").unlink()
    log("linked").symlink_to(tmp_path / "secret.json")
    log("other").write_text(log("other").read_text().replace('"problem": "toy"', '"problem": "tot"'))
    record = json.loads(log("strange").read_text())
    record["grades"]["items"][0]["message"] = {"a": 1}
    log("strange").write_text(json.dumps(record))
    (out / "unread" / "toy" / "toy.ipynb").write_text("[]")
    log("wrong").write_text(log("wrong").read_text().replace('"student": "wrong"', '"student": "ada"'))
    (out / "way").symlink_to(out / "ada")
    (out / ".grading-toy.jsonl").unlink(missing_ok=True)
    text = html.unescape(page_of(out).text)
    assert "Links are not followed: way." in text
    assert "1 left out: they have a folder, but no line in grades.csv" in text and "submissions: stale." in text
    assert "2 in grades.csv have no folder here: ../../etc, ghost." in text
    assert "3 left out, the log is damaged or has no grades: broken, deep, strange." in text
    assert "1 left out, the log is too large to be from `autograder grade`: huge." in text
    assert "1 left out, the log is missing or not a regular file: linked." in text
    assert "1 left out, the log is for another problem, 'tot': other." in text
    assert "The log names another student than its folder: wrong." in text
    assert "1 executed notebooks cannot be read; their code and pictures are left out: unread." in text
    assert "3 of 3 graded" in text


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


def test_logs_of_another_version_of_the_problem_are_told_and_counted_as_far_as_they_go(tmp_path: Path) -> None:
    log = log_of("ada")
    write_student(tmp_path, replace(log, items=(replace(log.items[0], id="renamed"), log.items[1])), pictures=[png()])
    write_student(tmp_path, log_of("bela"), pictures=[png()])
    page = page_of(tmp_path)
    assert "other items; grade again: ada." in page.text
    assert "1 full marks Mean 12 of 12" in page.text and "2 full marks Mean 8 of 8" in page.text
    assert "ada: picture of figure_loss" in [attributes.get("alt") for tag, attributes in page.tags if tag == "img"]


def test_a_batch_that_goes_on_is_said_to(tmp_path: Path) -> None:
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


def test_the_command_writes_the_page_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_every_number_is_in_a_column_whatever_its_size(
    values: list[float], band: tuple[float | None, float | None] | None
) -> None:
    chart = metric_histogram(values, band)
    assert sum(int(bar.label.rsplit(": ", 1)[1]) for bar in chart.bars) == len(values)
    for bar in chart.bars:
        assert 0 <= bar.x and bar.x + bar.width <= WIDTH and 0 <= bar.y and bar.y + bar.height <= HEIGHT + 0.01
    assert chart.middle is not None and 0 <= chart.middle <= WIDTH
    if chart.band:
        assert 0 <= chart.band[0] and chart.band[1] > 0 and sum(chart.band) <= WIDTH


def test_numbers_far_away_do_not_press_the_others_together() -> None:
    chart = metric_histogram([4.2, 4.8, 5.0, 5.5, 5.9] * 10 + [1e9, -1e9], (4, 6))
    assert chart.above == 1 and chart.below == 1 and len(chart.bars) >= 5
    assert chart.band is not None and chart.band[1] > WIDTH / 5


def test_the_band_stays_in_sight_where_most_numbers_are_far_away() -> None:
    chart = metric_histogram([1e6] * 20 + [1.5], (1, 2))
    assert chart.above == 20 and chart.band is not None and chart.band[1] > WIDTH / 5


def test_points_have_a_column_each() -> None:
    chart = points_histogram([0, 3, 3, 7.4, 10], 10)
    assert [bar.label for bar in chart.bars] == ["0 points: 1", "3 points: 2", "7 points: 1", "10 points: 1"]
    assert chart.highest == 2 and max(chart.bars, key=lambda bar: bar.height).label == "3 points: 2"
    assert [tick.text for tick in chart.ticks][0] == "0" and [tick.text for tick in chart.ticks][-1] == "10"
    assert len(points_histogram([400, 999], 1000).bars) == 2


def test_where_points_share_a_column_it_says_which() -> None:
    chart = points_histogram([1, 3, 5, 37], 37)
    assert [bar.label for bar in chart.bars] == [
        "0 to below 2 points: 1",
        "2 to below 4 points: 1",
        "4 to below 6 points: 1",
        "36 to 37 points: 1",
    ]
    assert chart.ticks[-1].text == "37"


def test_parts_of_a_bar_fill_it() -> None:
    bars = stacked([("right", 3, "good"), ("none", 0, "bad"), ("late", 1, "slow")])
    assert [(bar.x, bar.width, bar.tone) for bar in bars] == [(0, 75, "good"), (75, 25, "slow")]
    assert stacked([("right", 0, "good")]) == ()


def test_each_item_has_the_median_of_its_times(tmp_path: Path) -> None:
    logs = [log_of(student) for student in ("ada", "bela", "chen")]
    write_class(tmp_path, logs)
    (run,), _ = read_runs(tmp_path, ROOT)
    seconds = {item.id: item.seconds for item in summarise(run.problem, run.entries).items}
    assert seconds == {"standardize": None, "Line": 1.0, "figure_loss": None, "written_units": None}
    assert "Median time 1 s." in report(tmp_path, root=ROOT).read_text(encoding="utf-8")


@pytest.mark.parametrize("points", ["NaN", "Infinity", "1" + "0" * 400])
def test_a_log_with_points_that_are_no_numbers_is_named(tmp_path: Path, points: str) -> None:
    write_class(tmp_path, [log_of("ada"), log_of("bela")])
    path = tmp_path / "ada" / "toy" / "submission_log.json"
    record = json.loads(path.read_text())
    record["grades"]["items"][0]["score"] = 987654321
    path.write_text(json.dumps(record).replace("987654321", points))
    text = Page(report(tmp_path, root=ROOT).read_text(encoding="utf-8")).text
    assert "1 left out, the log is damaged or has no grades: ada" in text


def test_a_folder_whose_name_is_no_text_is_named_and_left_out(tmp_path: Path) -> None:
    write_class(tmp_path, [log_of("ada"), log_of("bela")])
    (tmp_path / "bela").rename(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff"))
    text = Page(report(tmp_path, root=ROOT).read_text(encoding="utf-8")).text
    assert (
        "1 left out, because their names are not valid text" in text and "1 in grades.csv have no folder here" in text
    )
