"""`intake` finds each submitted notebook, follows no link, unpacks no bomb and trusts no name."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from autograder.cli.main import app
from autograder.core.errors import SetupError
from autograder.submissions import archives, student_import
from autograder.submissions.intake import import_class
from autograder.submissions.reader import FOUND_NAME, UnusableError, read_cells
from autograder.submissions.student_ids import student_id
from autograder.submissions.student_import import IntakeResult
from tests.autograder.toy import ROOT, toy


def notebook(note: str, problem: str = "toy") -> bytes:
    """A file that says which problem it is."""
    return json.dumps(
        {"cells": [], "nbformat": 4, "metadata": {"homework": {"problem": problem}, "note": note}}
    ).encode()


def zipped(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A zip in memory; later entries are newer."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for year, (name, content) in enumerate(files.items(), start=2000):
            archive.writestr(zipfile.ZipInfo(name, (min(year, 2100), 1, 1, 0, 0, 0)), content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return data.getvalue()


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Writes files below a folder and returns it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def imported(source: Path | dict[str, bytes], tmp_path: Path, **options: Any) -> dict[str, IntakeResult]:
    """The result of the import by student; files are imported as a zip of the class."""
    if isinstance(source, dict):
        source = write(tmp_path, {"class.zip": zipped(source)}) / "class.zip"
    return {one.student: one for one in import_class(source, toy(), tmp_path / "to", **options)}


def imported_folder(files: Mapping[str, bytes | str], tmp_path: Path) -> dict[str, IntakeResult]:
    """The result of the import of a folder with these files, by student."""
    return imported(write(tmp_path / "in", files), tmp_path)


def taken_file(tmp_path: Path, student: str, name: str = "submission_log.json") -> Path:
    """The place of a file, the log if no other is named, in the folder of an imported student."""
    return tmp_path / "to" / student / "toy" / name


def note_of(tmp_path: Path, student: str) -> str:
    """The mark in the notebook that was imported."""
    return str(json.loads(taken_file(tmp_path, student, "toy.ipynb").read_bytes())["metadata"]["note"])


def intake_command(source: Path, tmp_path: Path, *more: str) -> Result:
    """The result of the command."""
    arguments = ["intake", str(source), "--problem", "toy", "--to", str(tmp_path / "to"), *more]
    return CliRunner().invoke(app, arguments, env={"AUTOGRADER_ROOT": str(ROOT)})


def test_intake_takes_folders_zips_and_single_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files: dict[str, bytes | str] = {
        "ada/mine/toy.ipynb": notebook("ada's"),
        "ada/mine/submission_log.json": "{}",
        "ada/submission_log.json": "another folder's",
        "Béla B.zip": zipped({"toy.ipynb": notebook("bela's")}),
        "chen_toy.ipynb": notebook("chen's"),
        "toy-dora.ipynb": notebook("dora's"),
        ".DS_Store": "x",
        "README.txt": "no student",
    }
    taken = imported_folder(files, tmp_path)
    assert "ignored, because they are not a student's submission: README.txt" in caplog.text
    assert sorted(taken) == ["Béla B", "ada", "chen", "dora"]
    assert [note_of(tmp_path, student) for student in sorted(taken)] == ["bela's", "ada's", "chen's", "dora's"]
    assert taken_file(tmp_path, "ada").read_text() == "{}"
    assert not taken["ada"].notes and "is not named toy.ipynb" in taken["chen"].notes[0]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_hidden_entries_that_may_be_a_students_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    files: dict[str, Any] = {
        "Kim Lee_11_assignsubmission_file/toy.ipynb": notebook("kim's"),
        ".Max Muster_12_assignsubmission_file/toy.ipynb": notebook("max's"),
        ".lee.ipynb": notebook("lee's"),
        ".DS_Store": "x",
        ".git/config": "x",
        "__MACOSX/._toy.ipynb": "x",
    }
    taken = (imported_folder if kind == "folder" else imported)(files, tmp_path)
    assert sorted(taken) == ["Kim Lee"]
    said = caplog.text.partition("hidden or links; rename those of students: ")[2].strip()
    assert said == ".Max Muster_12_assignsubmission_file, .lee.ipynb"


def test_intake_takes_the_archive_of_a_course_platform(tmp_path: Path) -> None:
    inner = zipped({"toy.ipynb": notebook("in a zip")})
    files = {
        "Ada Lovelace_17/toy.ipynb": notebook("ada's"),
        "__MACOSX/Ada Lovelace_17/._toy.ipynb": b"junk",
        "Ada Lovelace_17/.ipynb_checkpoints/toy-checkpoint.ipynb": notebook("an old one"),
        "bela/my work.zip": inner,
        "chen_toy.ipynb": notebook("chen's"),
        "dora.zip": inner,
        "emre/damaged.zip": b"PK\3\4 no zip",
        "fay/readme.txt": b"nothing",
    }
    taken = imported(files, tmp_path)
    assert sorted(taken) == ["Ada Lovelace_17", "bela", "chen", "dora", "emre", "fay"]
    assert [note_of(tmp_path, s) for s in ("Ada Lovelace_17", "bela", "dora")] == ["ada's", "in a zip", "in a zip"]
    assert "damaged" in taken["emre"].notes[0]
    assert taken["emre"].notes[-1] == "no notebook was submitted, only emre/damaged.zip"
    assert not taken["fay"].notebook and taken["fay"].notes == ["no notebook was submitted, only fay/readme.txt"]
    assert taken_file(tmp_path, "fay", FOUND_NAME).read_text() == "readme.txt"


def test_intake_prefers_the_notebook_of_the_problem_then_the_right_name_then_the_highest_number(tmp_path: Path) -> None:
    files = {
        "ada/toy (1).ipynb": notebook("old"),
        "ada/toy (2).ipynb": notebook("new"),
        "ada/other.ipynb": notebook("of another problem", "vae"),
        "bela/toy.ipynb": notebook("named"),
        "bela/toy (1).ipynb": notebook("newer, but under another name"),
        "chen/toy.ipynb": notebook("wrong", "vae"),
        "chen/my work.ipynb": notebook("right"),
    }
    taken = imported(files, tmp_path)
    assert [note_of(tmp_path, student) for student in ("ada", "bela", "chen")] == ["new", "named", "right"]
    assert any("several notebooks" in note and "toy (1)" in note for note in taken["ada"].notes)
    assert any("another problem (vae)" in note for note in taken["chen"].notes)


def test_intake_follows_no_link_and_writes_only_into_the_students_folder(tmp_path: Path) -> None:
    secret = write(tmp_path, {"secret.ipynb": notebook("secret")}) / "secret.ipynb"
    slip = {"../../toy.ipynb": notebook("slipped"), "/etc/toy.ipynb": notebook("slipped")}
    source = write(tmp_path / "in", {"dora.zip": zipped(slip, links={"toy.ipynb": str(secret)})})
    for student in ("ada", "chen"):
        (source / student).mkdir()
    (source / "ada" / "toy.ipynb").symlink_to(secret)
    (source / "bela").symlink_to(tmp_path)
    (source / "chen" / "sub").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(source / "chen" / "toy.ipynb")
    taken = imported(source, tmp_path)
    assert sorted(taken) == ["ada", "chen", "dora"]
    assert not any(one.notebook for one in taken.values())
    written = [path for path in (tmp_path / "to").rglob("*") if not path.is_dir()]
    assert {(path.parent.name, path.name) for path in written} == {("toy", ".uploaded_as.json")}


def test_intake_stops_to_read_a_zip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (student_import, archives):
        monkeypatch.setattr(module, "MAX_FILES", 50)
        monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    deep = zipped({"toy.ipynb": notebook("deep")})
    for _ in range(4):
        deep = zipped({"next.zip": deep})
    bombs = {
        "ada.zip": zipped({"toy.ipynb": b" " * 10_000_000}),
        "bela.zip": deep,
        "chen.zip": zipped({f"{n}.json": b"" for n in range(500)}),
        "dora.zip": zipped({"toy.ipynb": notebook("dora's")}),
    }
    taken = imported_folder(bombs, tmp_path)
    assert "more than" in taken["ada"].notes[0] and "zip in zip in zip" in taken["bela"].notes[0]
    assert "more than 50 files" in taken["chen"].notes[0]
    assert taken["dora"].notebook and not any(taken[name].notebook for name in ("ada", "bela", "chen"))


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../ada", "ada"),
        ("a/b\0c\n", "abc"),
        (" ada ", "ada"),
        ("é", "é"),
        ('<img src=x onerror="x">', "img src=x onerror=x"),
        ("Ada O'Brien", "Ada O'Brien"),
    ],
)
def test_student_names_become_folder_names(name: str, cleaned: str) -> None:
    assert student_id(name) == cleaned


@pytest.mark.parametrize("name", ["", "..", "/", "\n"])
def test_names_without_a_letter_are_refused(name: str) -> None:
    with pytest.raises(SetupError, match="is not a valid student name"):
        student_id(name)


def test_sources_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="contains no submissions"):
        imported(tmp_path, tmp_path)
    with pytest.raises(SetupError, match="is not a folder or a zip"):
        imported(write(tmp_path, {"x.txt": "no zip"}) / "x.txt", tmp_path)


def test_the_command_prints_the_notes(tmp_path: Path) -> None:
    (tmp_path / "in" / "ada").mkdir(parents=True)
    result = intake_command(write(tmp_path / "in", {"bela.ipynb": notebook("bela's")}), tmp_path)
    assert result.exit_code == 1
    assert "ada: no notebook was submitted" in result.stdout and "1 notebook in" in result.stderr


def test_a_folder_around_the_whole_class_is_not_one_student(tmp_path: Path) -> None:
    files = {f"export_77/submission_{number}/toy.ipynb": notebook(f"{number}") for number in (1, 2)}
    write(tmp_path / "class", files)
    for source, fix in ((files, "unpack it"), (tmp_path / "class", f"use {tmp_path / 'class' / 'export_77'}")):
        with pytest.raises(SetupError, match="If it is the whole class") as caught:
            imported(source, tmp_path)
        assert fix in str(caught.value) and not (tmp_path / "to").exists()
    assert set(imported(tmp_path / "class" / "export_77", tmp_path)) == {"submission_1", "submission_2"}


CANVAS = {
    "lovelaceada_111_9001_toy.ipynb": notebook("ada's"),
    "lovelaceada_111_9002_submission_log.json": b'{"of": "ada"}',
    "bela_b_LATE_112_9003_toy-1.ipynb": notebook("bela's"),
    "bela_b_LATE_112_9004_submission_log-1.json": b'{"of": "bela"}',
    "chen_113_9005_work.zip": zipped({"toy.ipynb": notebook("chen's"), "submission_log.json": b'{"of": "chen"}'}),
    "dora_114_9006_report.pdf": b"%PDF",
    "anon_x7Yz2_9007_toy.ipynb": notebook("whose"),
}


@pytest.mark.parametrize("as_zip", [True, False])
def test_intake_takes_the_downloads_of_canvas(tmp_path: Path, as_zip: bool) -> None:
    taken = imported(CANVAS, tmp_path) if as_zip else imported_folder(CANVAS, tmp_path)
    names = ["anon_x7Yz2", "bela_b_112", "chen_113", "dora_114", "lovelaceada_111"]
    assert sorted(taken) == names
    assert [note_of(tmp_path, name) for name in names if name != "dora_114"] == ["whose", "bela's", "chen's", "ada's"]
    logs = {name: taken_file(tmp_path, name) for name in names}
    assert {name for name in names if logs[name].exists()} == {"bela_b_112", "chen_113", "lovelaceada_111"}
    assert json.loads(logs["bela_b_112"].read_text())["of"] == "bela"
    assert not taken["lovelaceada_111"].notes and not taken["anon_x7Yz2"].notes


def test_a_roster_gives_canvas_submissions_their_student_ids(tmp_path: Path) -> None:
    rows = '"Lovelace, Ada",111,007,ada,S,', '"B, Béla",112,008,bela,S,', "Chen,113,009,chen,S,"
    header = "Student,ID,SIS User ID,SIS Login ID,Section,Homework 11 (70)"
    roster = "\n".join((header, "    Points Possible,,,,,10", *rows)) + "\n"
    write(tmp_path, {"submissions.zip": zipped(CANVAS), "canvas.csv": roster})
    options = ("--roster", str(tmp_path / "canvas.csv"))
    result = intake_command(tmp_path / "submissions.zip", tmp_path, *options, "--by", "SIS Login ID")
    assert result.exit_code == 1 and "number 114 is not on the roster" in result.stdout
    assert set(os.listdir(tmp_path / "to")) == {"ada", "anon_x7Yz2", "bela", "chen", "dora_114"}
    intake_command(tmp_path / "submissions.zip", tmp_path, *options)
    assert {"007", "008", "009"} <= set(os.listdir(tmp_path / "to"))
    other = intake_command(tmp_path / "submissions.zip", tmp_path, *options, "--by", "Shoe size")
    assert "no column" in other.stderr
    flat = write(tmp_path / "flat", {"ada_toy.ipynb": notebook("ada's")})
    assert "is not a Canvas *Download Submissions* archive" in intake_command(flat, tmp_path, *options).stderr


def test_a_log_among_others_is_matched_with_its_notebook(tmp_path: Path) -> None:
    logs = ("ada_submission_log.json", "bela-submission_log (1).json", "chen submission_log.json")
    notebooks = {name: notebook(name) for name in ("ada_toy.ipynb", "bela.ipynb", "toy-chen.ipynb")}
    taken = imported_folder(notebooks | {name: name.encode() for name in logs}, tmp_path)
    assert sorted(taken) == ["ada", "bela", "chen"]
    for student in taken:
        assert student in note_of(tmp_path, student) and student in taken_file(tmp_path, student).read_text()


def test_the_log_of_an_earlier_submission_is_removed(tmp_path: Path) -> None:
    imported_folder({"ada/toy.ipynb": notebook("first"), "ada/submission_log.json": "{}"}, tmp_path)
    assert taken_file(tmp_path, "ada").exists()
    (tmp_path / "in" / "ada" / "submission_log.json").unlink()
    imported_folder({"ada/toy.ipynb": notebook("second")}, tmp_path)
    assert note_of(tmp_path, "ada") == "second" and not taken_file(tmp_path, "ada").exists()


def test_two_submissions_cannot_claim_the_same_student(tmp_path: Path) -> None:
    files = {f"{name}/toy.ipynb": notebook(name) for name in ("ada", "<ada>", "=ada", "@", "-")}
    taken = imported_folder({**files, "ada.zip": zipped({"toy (1).ipynb": notebook("hers, too")})}, tmp_path)
    assert sorted(taken) == ["ada", "ada~2", "ada~3", "unnamed", "unnamed~2"]
    assert note_of(tmp_path, "ada") == "ada" and "several notebooks" in taken["ada"].notes[0]
    assert {note_of(tmp_path, name) for name in ("ada~2", "ada~3")} == {"<ada>", "=ada"}
    assert "submitted under the name '=ada'" in taken["ada~3"].notes[0]


def test_a_chain_of_thousands_of_folders_does_not_hide_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = write(tmp_path / "in" / "ada", {"toy.ipynb": notebook("ada's")})
    with monkeypatch.context() as inside:
        inside.chdir(deep)
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
    try:
        assert imported(tmp_path / "in", tmp_path)["ada"].notebook
    finally:
        subprocess.run(["rm", "-rf", str(deep)], check=True)


def _broken(kind: int, where: slice, name: str = "toy.ipynb") -> bytes:
    """A zip whose one file is damaged at some bytes behind its first name."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", kind) as archive:
        archive.writestr(zipfile.ZipInfo(name), notebook("x") * 50, kind)
    found = bytearray(data.getvalue())
    start = found.find(name.encode()) + len(name.encode())
    found[start + where.start : start + where.stop] = b"\xff" * (where.stop - where.start)
    return bytes(found)


@pytest.mark.parametrize(
    "hostile",
    [
        _broken(zipfile.ZIP_DEFLATED, slice(0, 20)),
        _broken(zipfile.ZIP_LZMA, slice(4, 9)),
        _broken(zipfile.ZIP_LZMA, slice(12, 40)),
        _broken(zipfile.ZIP_BZIP2, slice(0, 20)),
        _broken(zipfile.ZIP_DEFLATED, slice(-2, 0), "t\u00f6y.ipynb"),
        zipped({"\0.ipynb": notebook("x"), "n.zip": _broken(zipfile.ZIP_DEFLATED, slice(0, 20))}),
        zipped({"n.zip": zipped({"toy.ipynb": b"1"})[:-30]}),
    ],
)
def test_a_damaged_zip_is_a_note_and_the_other_submissions_are_taken(tmp_path: Path, hostile: bytes) -> None:
    ada = zipped({"toy.ipynb": notebook("ada's")})
    taken = imported({"ada.zip": ada, "eve.zip": hostile, "zoe_toy.ipynb": notebook("zoe's")}, tmp_path)
    assert taken["ada"].notebook and taken["zoe"].notebook
    assert taken["eve"].notebook or taken["eve"].notes[-1].startswith("no notebook")


def test_entries_without_a_name_and_names_with_dots_and_backslashes_are_read(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("x", "./ada/toy.ipynb", "bela\\toy.ipynb", "x" * 300 + "/toy.ipynb", "-" * 60_000 + ".ipynb"):
            archive.writestr(zipfile.ZipInfo(name), notebook(name[:10]))
    (tmp_path / "class.zip").write_bytes(data.getvalue().replace(b"\1\0x", b"\0\0x"))
    started = time.process_time()
    taken = imported(tmp_path / "class.zip", tmp_path)
    assert {"ada", "bela", "x" * 120} <= set(taken) and time.process_time() - started < 5


def test_many_small_files_beside_the_notebook_do_not_hide_it(tmp_path: Path) -> None:
    files = {f"env/{number}.py": b"" for number in range(5000)}
    assert imported_folder({"ada.zip": zipped({**files, "toy.ipynb": notebook("x")})}, tmp_path)["ada"].notebook


def test_zips_in_a_zip_are_unpacked_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 3_000_000)
    inner = {f"{n}.zip": zipped({"a.txt": b"0" * 10}) + b"0" * 1_000_000 for n in range(20)}
    notes = imported_folder({"eve.zip": zipped(inner)}, tmp_path)["eve"].notes
    assert sum("was not opened: the archives have more than" in note for note in notes) >= 15


def test_a_notebook_with_millions_of_values_is_not_parsed(tmp_path: Path) -> None:
    source = write(tmp_path / "in", {"eve.ipynb": b"[" + b"[]," * 5_000_000 + b"[]]"})
    started = time.process_time()
    assert imported(source, tmp_path)["eve"].notebook and time.process_time() - started < 2
    with pytest.raises(UnusableError, match="contains more than 4,000,000 values"):
        read_cells(taken_file(tmp_path, "eve", "toy.ipynb").read_bytes(), "toy.ipynb")


@pytest.mark.parametrize("numbers", [None, {"111": "ada", "222": "mallory"}])
def test_a_canvas_name_that_contains_another_students_number_takes_nothing(
    tmp_path: Path, numbers: dict[str, str] | None
) -> None:
    files = {
        "lovelaceada_111_9001_toy-1.ipynb": notebook("ada's"),
        "lovelaceada_111_222_9005_toy.ipynb": notebook("mallory's"),
        "mallory_222_9006_111_9_toy.ipynb": notebook("mallory's"),
        "_333_9007_toy.ipynb": notebook("without a name"),
        "eve_444_text.html": b"<p>see above</p>",
        "grades.csv": b"",
    }
    taken = imported(files, tmp_path, numbers=numbers)
    ada = "ada" if numbers else "lovelaceada_111"
    assert note_of(tmp_path, ada) == "ada's" and {"_333", "eve_444"} <= set(taken)
    assert len(taken) == 5 and sum(bool(one.notebook) for one in taken.values()) == 4


def test_a_number_in_a_name_is_no_canvas_number(tmp_path: Path) -> None:
    taken = imported({"smith_2024_222_9005_toy.ipynb": notebook("x")}, tmp_path, numbers={"222": "smith"})
    assert list(taken) == ["smith"] and taken["smith"].notebook


def test_a_time_counts_for_every_spelling_of_the_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = {"Jose\u0301 N/toy.ipynb": notebook("his"), "ada_toy.ipynb": notebook("hers")}
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    taken = imported(files, tmp_path, times=dict.fromkeys(("JOS\u00c9  n", "ADA", "Eve"), moment))
    assert sorted(taken) == ["Jos\u00e9 N", "ada"] and not taken["Jos\u00e9 N"].notes
    assert all(taken_file(tmp_path, student, "timestamp.txt").exists() for student in taken)
    assert "without a submission: Eve" in caplog.text


def test_a_second_import_keeps_a_good_notebook_with_its_log_and_removes_an_old_time(tmp_path: Path) -> None:
    source = write(tmp_path / "in", {"ada/toy.ipynb": notebook("first"), "ada/submission_log.json": "1"})
    for student in ("ada", "bob"):
        imported(source, tmp_path, times={student: datetime(2027, 1, 1, tzinfo=UTC)})
        assert taken_file(tmp_path, "ada", "timestamp.txt").exists() == (student == "ada")
    second = {"ada/toy.ipynb": notebook("another problem's", "vae"), "ada/submission_log.json": b"2"}
    notes = imported_folder(second, tmp_path)["ada"].notes
    assert "the notebook and the log of an earlier submission are kept" in notes
    assert note_of(tmp_path, "ada") == "first" and taken_file(tmp_path, "ada").read_text() == "1"
