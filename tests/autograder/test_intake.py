"""What students hand in is sorted out: every notebook found, nothing followed, unpacked or believed blindly."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import intake
from autograder.cli import app
from autograder.errors import SetupError
from autograder.intake import Taken, student_id, take_in
from tests.autograder.toy import ROOT


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


def take(source: Path, tmp_path: Path) -> dict[str, Taken]:
    """What was taken in, by student."""
    return {one.student: one for one in take_in(source, "toy", tmp_path / "to")}


def note_of(tmp_path: Path, student: str) -> str:
    """The mark in the notebook that was taken."""
    path = tmp_path / "to" / student / "toy" / "toy.ipynb"
    return str(json.loads(path.read_text(encoding="utf-8"))["metadata"]["note"])


def test_folders_zips_and_single_files(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "ada" / "work").mkdir(parents=True)
    (source / "ada" / "work" / "toy.ipynb").write_bytes(notebook("ada's"))
    (source / "ada" / "work" / "submission_log.json").write_text("{}")
    (source / "ada" / "submission_log.json").write_text("another folder's")
    (source / "Béla B.zip").write_bytes(zipped({"toy.ipynb": notebook("bela's")}))
    (source / "chen_toy.ipynb").write_bytes(notebook("chen's"))
    (source / "toy-dora.ipynb").write_bytes(notebook("dora's"))
    (source / ".DS_Store").write_text("x")
    (source / "README.txt").write_text("no student")
    taken = take(source, tmp_path)
    assert sorted(taken) == ["Béla B", "ada", "chen", "dora"]
    assert [note_of(tmp_path, student) for student in sorted(taken)] == ["bela's", "ada's", "chen's", "dora's"]
    assert (tmp_path / "to" / "ada" / "toy" / "submission_log.json").read_text() == "{}"
    assert not taken["ada"].notes and "under another name" in taken["chen"].notes[0]


def test_the_archive_of_a_course_platform(tmp_path: Path) -> None:
    inner = zipped({"toy.ipynb": notebook("in a zip")})
    files = {
        "Ada Lovelace_17/toy.ipynb": notebook("ada's"),
        "__MACOSX/Ada Lovelace_17/._toy.ipynb": b"junk",
        "Ada Lovelace_17/.ipynb_checkpoints/toy-checkpoint.ipynb": notebook("an old one"),
        "bela/hand in.zip": inner,
        "chen_toy.ipynb": notebook("chen's"),
        "dora.zip": inner,
        "emre/damaged.zip": b"PK\3\4 no zip",
        "fay/readme.txt": b"nothing",
    }
    source = tmp_path / "all.zip"
    source.write_bytes(zipped(files))
    taken = take(source, tmp_path)
    assert sorted(taken) == ["Ada Lovelace_17", "bela", "chen", "dora", "emre", "fay"]
    assert [note_of(tmp_path, s) for s in ("Ada Lovelace_17", "bela", "dora")] == ["ada's", "in a zip", "in a zip"]
    assert "damaged" in taken["emre"].notes[0] and taken["emre"].notes[-1] == "no notebook was handed in"
    assert not taken["fay"].notebook and not (tmp_path / "to" / "fay").exists()


def test_of_several_notebooks_the_right_problems_then_the_right_name_then_the_newest(tmp_path: Path) -> None:
    files = {
        "ada/toy (1).ipynb": notebook("old"),
        "ada/toy (2).ipynb": notebook("new"),
        "ada/other.ipynb": notebook("of another problem", "vae"),
        "bela/toy.ipynb": notebook("named"),
        "bela/toy (1).ipynb": notebook("newer, but under another name"),
        "chen/toy.ipynb": notebook("wrong", "vae"),
        "chen/my work.ipynb": notebook("right"),
    }
    (tmp_path / "all.zip").write_bytes(zipped(files))
    taken = take(tmp_path / "all.zip", tmp_path)
    assert [note_of(tmp_path, student) for student in ("ada", "bela", "chen")] == ["new", "named", "right"]
    assert any("several notebooks" in note and "toy (1)" in note for note in taken["ada"].notes)
    assert any("another problem (vae)" in note for note in taken["chen"].notes)


def test_nothing_leaves_its_folder_and_no_link_is_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(notebook("secret"))
    source = tmp_path / "in"
    (source / "ada").mkdir(parents=True)
    (source / "ada" / "toy.ipynb").symlink_to(secret)
    (source / "bela").symlink_to(tmp_path)
    (source / "chen").mkdir()
    (source / "chen" / "sub").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(source / "chen" / "toy.ipynb")
    slip = {"../../toy.ipynb": notebook("slipped"), "/etc/toy.ipynb": notebook("slipped")}
    (source / "dora.zip").write_bytes(zipped(slip, links={"toy.ipynb": str(secret)}))
    taken = take(source, tmp_path)
    assert sorted(taken) == ["ada", "chen", "dora"]
    assert not any(one.notebook for one in taken.values())
    assert not (tmp_path / "to").exists()


def test_bombs_are_stopped_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_BYTES", 100_000)
    monkeypatch.setattr(intake, "MAX_FILES", 50)
    source = tmp_path / "in"
    source.mkdir()
    (source / "ada.zip").write_bytes(zipped({"toy.ipynb": b" " * 10_000_000}))
    deep = zipped({"toy.ipynb": notebook("deep")})
    for _ in range(4):
        deep = zipped({"next.zip": deep})
    (source / "bela.zip").write_bytes(deep)
    (source / "chen.zip").write_bytes(zipped({f"{n}.txt": b"" for n in range(500)}))
    (source / "dora.zip").write_bytes(zipped({"toy.ipynb": notebook("dora's")}))
    taken = take(source, tmp_path)
    assert "more than" in taken["ada"].notes[0] and "zip in a zip" in taken["bela"].notes[0]
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
def test_student_names_are_folder_names(name: str, cleaned: str) -> None:
    assert student_id(name) == cleaned


@pytest.mark.parametrize("name", ["", "..", "/", "\n"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(SetupError, match="cannot be a student's name"):
        student_id(name)


def test_sources_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no hand-ins"):
        take_in(tmp_path, "toy", tmp_path / "to")
    (tmp_path / "x.txt").write_text("no zip")
    with pytest.raises(SetupError, match="neither a folder nor a zip"):
        take_in(tmp_path / "x.txt", "toy", tmp_path / "to")


def test_the_command_says_what_was_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "bela.ipynb").write_bytes(notebook("bela's"))
    arguments = ["intake", str(tmp_path / "in"), "--problem", "toy", "--to", str(tmp_path / "to")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "ada: no notebook was handed in" in result.stdout and "1 notebook in" in result.stderr


def test_a_folder_around_the_whole_class_is_not_one_student(tmp_path: Path) -> None:
    files = {f"export_77/submission_{number}/toy.ipynb": notebook(f"{number}") for number in (1, 2)}
    (tmp_path / "class.zip").write_bytes(zipped(files))
    for name, content in files.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    for source, mend in (("class.zip", "unpack it"), ("class", f"name {tmp_path / 'class' / 'export_77'}")):
        with pytest.raises(SetupError, match="is that the whole class") as caught:
            take(tmp_path / source, tmp_path)
        assert mend in str(caught.value) and not (tmp_path / "to").exists()
    assert set(take(tmp_path / "class" / "export_77", tmp_path)) == {"submission_1", "submission_2"}
