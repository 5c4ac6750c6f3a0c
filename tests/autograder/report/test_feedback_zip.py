"""Feedback goes back to the course platform under the names of its download; who cannot get it is named."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autograder.cli.main import app
from autograder.core.errors import SetupError
from autograder.core.results import Status
from autograder.report.feedback_zip import write_feedback_zip
from autograder.submissions.uploads import RECORD, Upload, record_upload, recorded_upload
from tests.autograder.graded_folder import log_of, with_item, write_class
from tests.autograder.submissions.test_intake import CANVAS, imported, imported_folder, notebook, zipped
from tests.autograder.toy import ROOT

PAGE = "<!doctype html><p>Well done, {}.</p>"


def graded(tmp_path: Path, students: Sequence[str], waiting: Sequence[str] = ()) -> Path:
    """A folder of results in which these students were graded, some of them not to the end."""
    logs = []
    for student in students:
        log = log_of(student)
        for item in log.items:
            if item.manual and student not in waiting:
                log = with_item(log, item.id, status=Status.PASSED, score=item.max_score, graded_by_hand=True)
        logs.append(log)
    out = tmp_path / "graded"
    out.mkdir()
    write_class(out, logs)
    for student in students:
        (out / student / "toy" / "feedback.html").write_text(PAGE.format(student), encoding="utf-8")
    return out


def pages(path: Path) -> dict[str, str]:
    """Name in the zip → the student who is named on the page."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode().split("done, ")[1].split(".<")[0] for name in archive.namelist()}


def command(tmp_path: Path, *more: str) -> Result:
    """The result of the command."""
    folders = ["--submitted", str(tmp_path / "to"), "--out", str(tmp_path / "graded"), "--to", str(tmp_path / "f.zip")]
    return CliRunner().invoke(app, ["feedback-zip", "toy", *folders, *more], env={"AUTOGRADER_ROOT": str(ROOT)})


def test_the_names_of_canvas_come_back_with_the_numbers_of_student_and_upload(tmp_path: Path) -> None:
    taken = imported({**CANVAS, "eve_444_text.html": b"<p>see above</p>"}, tmp_path)
    graded(tmp_path, list(taken))
    said = command(tmp_path)
    assert pages(tmp_path / "f.zip") == {
        "lovelaceada_111_9001_feedback_toy.html": "lovelaceada_111",  # the notebook's upload, not the log's
        "bela_b_LATE_112_9003_feedback_toy.html": "bela_b_112",
        "chen_113_9005_feedback_toy.html": "chen_113",
        "dora_114_9006_feedback_toy.html": "dora_114",
        "anon_x7Yz2_9007_feedback_toy.html": "anon_x7Yz2",
    }
    assert "5 feedback pages in" in said.stdout and "under the names of Canvas" in said.stdout
    assert said.exit_code == 1 and "left out: eve_444: the name of the upload is not known" in said.stderr
    assert str(tmp_path / "graded" / "eve_444" / "toy" / "feedback.html") in said.stderr, "typed text is no upload"


def test_canvas_and_moodle_would_find_the_student_and_the_upload(tmp_path: Path) -> None:
    """By the rules in the source code of their imports; neither can be run here."""
    canvas = Upload("bela_b_LATE_112_9003_toy_7_8.ipynb", "toy_7_8.ipynb", True, "Canvas").path_of("feedback_toy.html")
    parts = [part for part in canvas.split("_") if part != "LATE"]
    assert [part for part in parts if part.isdecimal()][:2] == ["112", "9003"] and not parts[-1].startswith("link")
    assert "/" not in canvas, "Canvas's download has no folders"
    for folder in (MOODLE, f"{MOODLE}_"):
        moodle = Upload(folder, "", False, "Moodle").path_of("feedback_toy.html")
        first, _, file = moodle.partition("/")
        assert first.split("_", 4)[1:4] == ["1001", "assignsubmission", "file"] and not file.startswith((".", "~"))


def test_a_students_own_name_is_safe_to_unpack_on_every_system() -> None:
    for name in ("a\\b\nc:d.ipynb", "C:evil", "..\\..\\x", "nl\nx", " . ", "a|b?"):
        made = Upload(name, "", name.endswith("ipynb"), "").path_of("feedback_toy.html")
        folder, _, file = made.partition("/")
        assert file == "feedback_toy.html" and folder.strip(". ") and not set(folder) & set("\\:\n|?/")


def test_a_roster_changes_the_id_and_not_the_name_in_the_zip(tmp_path: Path) -> None:
    imported({"lovelaceada_111_9001_toy.ipynb": notebook("x")}, tmp_path, numbers={"111": "ada"})
    graded(tmp_path, ["ada"])
    assert command(tmp_path).exit_code == 0
    assert pages(tmp_path / "f.zip") == {"lovelaceada_111_9001_feedback_toy.html": "ada"}


MOODLE = "Zoë Ada_1001_assignsubmission_file"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"{MOODLE}/toy.ipynb", f"{MOODLE}/a.json"], f"{MOODLE}/feedback_toy.html"),
        ([f"{MOODLE}_/toy.ipynb"], f"{MOODLE}_/feedback_toy.html"),
        ([f"{MOODLE}_toy.ipynb"], f"{MOODLE}_feedback_toy.html"),
        (
            ["1001-62 - Zoë - Jan 16, 2027 1012 AM/toy.ipynb", "1001-62 - Zoë - Jan 17, 2027 1012 AM/toy.ipynb"],
            "1001-62 - Zoë - Jan 17, 2027 1012 AM/feedback_toy.html",
        ),
        (["submission_123/toy.ipynb"], "submission_123/feedback_toy.html"),
        (["zoë_toy.ipynb"], "zoë_toy/feedback_toy.html"),
        (["zoë.zip"], "zoë/feedback_toy.html"),
    ],
)
def test_the_names_of_other_downloads_come_back(tmp_path: Path, names: list[str], expected: str) -> None:
    packed = zipped({"toy.ipynb": notebook("x")})
    files: Mapping[str, bytes] = {name: packed if name.endswith(".zip") else notebook("x") for name in names}
    [student] = imported_folder(files, tmp_path)
    graded(tmp_path, [student])
    command(tmp_path)
    assert pages(tmp_path / "f.zip") == {expected: student}


def test_a_page_that_will_change_is_left_out_unless_wanted(tmp_path: Path) -> None:
    imported_folder({"ada/toy.ipynb": notebook("x"), "bob/toy.ipynb": notebook("x")}, tmp_path)
    graded(tmp_path, ["ada", "bob"], waiting=["bob"])
    said = command(tmp_path)
    assert said.exit_code == 1 and "left out: bob: needs manual grading: figure_loss, written_units" in said.stderr
    assert list(pages(tmp_path / "f.zip").values()) == ["ada"]
    assert command(tmp_path, "--unfinished").exit_code == 0
    assert list(pages(tmp_path / "f.zip").values()) == ["ada", "bob"]


def test_each_student_is_in_the_zip_or_named(tmp_path: Path) -> None:
    students = ["ada", "bob", "by_hand", "chen", "link", "new"]
    imported_folder({f"{student}/toy.ipynb": notebook(student) for student in students}, tmp_path)
    out = graded(tmp_path, ["ada", "bob", "by_hand", "chen", "link", "gone", "idle"])
    (tmp_path / "to" / "by_hand" / "toy" / RECORD).unlink()
    (out / "chen" / "toy" / "feedback.html").unlink()
    (out / "link" / "toy" / "feedback.html").unlink()
    (out / "link" / "toy" / "feedback.html").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text(PAGE.format("secret"))
    (tmp_path / "to" / "idle").mkdir()
    record_upload(tmp_path / "to" / "bob" / "toy", Upload("ada"))
    said = command(tmp_path)
    assert said.exit_code == 2 and "nothing was written" in said.stderr, "ada and bob have one name"
    record_upload(tmp_path / "to" / "bob" / "toy", Upload("bob"))
    said = command(tmp_path)
    assert list(pages(tmp_path / "f.zip").values()) == ["ada", "bob"]
    reasons = dict(
        line.removeprefix("left out: ").split(": ", 1) for line in said.stderr.splitlines() if "left" in line
    )
    assert set(reasons) == {"by_hand", "chen", "gone", "link", "new"}
    assert "has no folder of this name" in reasons["gone"] and "is missing or not a regular file" in reasons["link"]
    assert f"{RECORD} is missing" in reasons["by_hand"] and "run `autograder grade` again" in reasons["new"]
    assert "5 left out, 1 submitted nothing" in said.stdout


def test_names_of_two_platforms_are_reported(tmp_path: Path) -> None:
    imported_folder({"lovelaceada_111_9001_toy.ipynb": notebook("x"), f"{MOODLE}/toy.ipynb": notebook("x")}, tmp_path)
    out = graded(tmp_path, ["lovelaceada_111", "Zoë Ada"])
    made = write_feedback_zip("toy", tmp_path / "to", out, tmp_path / "f.zip", root=ROOT)
    assert made.platforms == ("Canvas", "Moodle") and "Canvas (1), Moodle (1)" in made.notes[-1]


def test_folders_without_results_are_errors(tmp_path: Path) -> None:
    imported_folder({"ada/toy.ipynb": notebook("x")}, tmp_path)
    out = graded(tmp_path, ["ada"])
    with pytest.raises(SetupError, match="has no results for 'vae'; run `autograder grade vae"):
        write_feedback_zip("vae", tmp_path / "to", out, tmp_path / "f.zip", root=ROOT)
    assert not (tmp_path / "f.zip").exists()


@pytest.mark.parametrize(
    "record",
    [
        '{"name": "../../etc/x"}',
        '{"name": ".."}',
        '{"name": "/x"}',
        '{"name": ""}',
        '{"name": "a\\u0000b"}',
        '{"name": "\\ud800"}',
        '{"name": 1}',
        '{"name": "a", "is_file": "no"}',
        '{"name": "a", "more": 1}',
        '["a"]',
        "{",
    ],
)
def test_a_record_that_intake_did_not_write_is_not_used(tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD).write_text(record)
    assert recorded_upload(tmp_path) is None


def test_a_record_is_read_back_and_removed(tmp_path: Path) -> None:
    upload = Upload("Zoë_1_2_a.ipynb", "a.ipynb", True, "Canvas")
    record_upload(tmp_path, upload)
    assert recorded_upload(tmp_path) == upload and json.loads((tmp_path / RECORD).read_text())["name"] == upload.name
    record_upload(tmp_path, None)
    assert os.listdir(tmp_path) == []
