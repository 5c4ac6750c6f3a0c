"""What is no notebook is named, for staff and for the student; a notebook in another form is used."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from autograder.core.results import Outcome
from autograder.submissions import archives, student_import
from autograder.submissions.reader import FOUND_NAME, UnusableError, read_bytes
from tests.autograder.submissions.test_intake import (
    imported,
    imported_folder,
    intake_command,
    note_of,
    notebook,
    taken_file,
    write,
    zipped,
)
from tests.autograder.submissions.test_tars import tarred

WANTED = "toy.ipynb (File > Download > .ipynb)"
ENDINGS = ("txt", "html", "pdf", "py", "docx", "7z", "rar", "png", "ipynb.txt", "ipynb.json", "tar.xz")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("place", ["ada.", "ada_toy.", "ada/toy."])
def test_what_is_no_notebook_is_named(tmp_path: Path, ending: str, place: str) -> None:
    write(tmp_path / "in", {f"{place}{ending}": "no notebook", "bela.ipynb": notebook("bela's")})
    result = intake_command(tmp_path / "in", tmp_path)
    assert result.exit_code == 1
    assert f"ada: no notebook was submitted, only {place}{ending}\n" in result.stdout
    assert f"ada: ask for {WANTED}\n" in result.stdout and "1 submission to review: ada" in result.stderr


def test_the_students_result_says_what_was_found_and_shows_no_path(tmp_path: Path) -> None:
    imported_folder({"ada/my work/toy.pdf": "x", "bela/readme.md": "x"}, tmp_path)
    path = taken_file(tmp_path, "ada", "toy.ipynb")
    with pytest.raises(UnusableError) as caught:
        read_bytes(path)
    assert str(caught.value) == f"toy.ipynb is missing: only toy.pdf was submitted; submit {WANTED}."
    assert caught.value.outcome is Outcome.MISSING
    (path.parent / FOUND_NAME).rename(path.parent / "toy.docx")
    with pytest.raises(UnusableError, match="there is only toy.docx; submit toy.ipynb"):
        read_bytes(path)
    imported_folder({"ada/toy.ipynb": notebook("ada's")}, tmp_path)
    assert not (path.parent / FOUND_NAME).exists()


@pytest.mark.parametrize("name", ["toy.ipynb.txt", "toy.ipynb.json", "toy.txt", "TOY.TXT", "toy.json"])
def test_a_notebook_under_another_ending_is_used_and_asked_for(tmp_path: Path, name: str) -> None:
    readable = notebook("ada's").replace(b'"cells": []', b'"cells": [{"cell_type": "code", "source": "1"}]')
    taken = imported_folder({f"ada/{name}": readable}, tmp_path)["ada"]
    assert note_of(tmp_path, "ada") == "ada's" and taken.ask_for == WANTED
    assert taken.notes == [f"ada/{name} is a notebook under another ending; it was used anyway"]


def test_a_text_file_beside_the_notebook_does_not_count(tmp_path: Path) -> None:
    taken = imported_folder({"ada/toy.ipynb": notebook("it"), "ada/toy.ipynb.txt": notebook("not it")}, tmp_path)["ada"]
    assert note_of(tmp_path, "ada") == "it" and not taken.notes


def test_an_ending_in_upper_case_is_a_notebooks(tmp_path: Path) -> None:
    taken = imported_folder({"ada/TOY.IPYNB": notebook("ada's"), "BELA.IPYNB": notebook("bela's")}, tmp_path)
    assert sorted(taken) == ["BELA", "ada"] and not any(one.needs_review for one in taken.values())


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "TGZ"])
@pytest.mark.parametrize("top", [True, False])
def test_a_tar_archive_is_read_and_a_notebook_asked_for(tmp_path: Path, ending: str, top: bool) -> None:
    data = tarred({"mine/toy.ipynb": notebook("ada's"), "mine/submission_log.json": b"{}", "../toy.ipynb": b"x"})
    data = data if ending == "tar" else gzip.compress(data)
    name = f"ada.{ending}" if top else f"ada/toy.{ending}"
    taken = imported_folder({name: data}, tmp_path)["ada"]
    assert note_of(tmp_path, "ada") == "ada's" and taken_file(tmp_path, "ada").exists() and taken.ask_for
    assert taken.notes == [f"{name}/mine/toy.ipynb is in a tar archive; it was used anyway"]


def test_tar_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (archives, student_import):
        monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    bomb = gzip.compress(tarred({"toy.ipynb": b" " * 10_000_000}))
    deep = zipped({"a.tar": tarred({"b.zip": zipped({"toy.ipynb": notebook("deep")})})})
    taken = imported_folder({"ada.tar.gz": bomb, "bela.zip": deep, "chen.tgz": b"\x1f\x8b no"}, tmp_path)
    notes = {student: one.notes[0] for student, one in taken.items()}
    assert "MiB unpacked" in notes["ada"] and "nested too deeply" in notes["bela"] and "damaged" in notes["chen"]
    assert not any(one.notebook for one in taken.values())


def test_a_checkpoint_counts_only_if_there_is_nothing_else(tmp_path: Path) -> None:
    checkpoint = ".ipynb_checkpoints/toy-checkpoint.ipynb"
    taken = imported(
        {
            f"ada/{checkpoint}": notebook("saved before"),
            f"bela/{checkpoint}": notebook("saved before"),
            "bela/mine/toy.ipynb": notebook("saved"),
            ".ipynb_checkpoints/chen-checkpoint.ipynb": notebook("unused"),
        },
        tmp_path,
    )
    assert sorted(taken) == ["ada", "bela"] and not taken["bela"].notes
    assert [note_of(tmp_path, student) for student in ("ada", "bela")] == ["saved before", "saved"]
    assert "is a checkpoint" in taken["ada"].notes[0] and taken["ada"].needs_review


def test_files_of_platforms_are_no_students(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    own = ("index.html", "README.md", "grades.csv", "submission_metadata.yml")
    assert list(imported_folder({"ada.ipynb": notebook("ada's"), **dict.fromkeys(own, "x")}, tmp_path)) == ["ada"]
    assert all(name in caplog.text for name in own)
