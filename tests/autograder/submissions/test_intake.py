"""What students hand in is sorted out: every notebook found, nothing followed, unpacked or believed blindly."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import SetupError
from autograder.submissions import archives, intake
from autograder.submissions.intake import IntakeResult, import_class
from autograder.submissions.reader import UnusableError, read_cells
from autograder.submissions.student_ids import student_id, student_ids
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


def imported(source: Path, tmp_path: Path) -> dict[str, IntakeResult]:
    """The result of the import, by student."""
    return {one.student: one for one in import_class(source, "toy", tmp_path / "to")}


def note_of(tmp_path: Path, student: str) -> str:
    """The mark in the notebook that was taken."""
    path = tmp_path / "to" / student / "toy" / "toy.ipynb"
    return str(json.loads(path.read_text(encoding="utf-8"))["metadata"]["note"])


def test_folders_zips_and_single_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
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
    taken = imported(source, tmp_path)
    assert "ignored, because not a folder, zip, notebook or log: README.txt" in caplog.text
    assert sorted(taken) == ["Béla B", "ada", "chen", "dora"]
    assert [note_of(tmp_path, student) for student in sorted(taken)] == ["bela's", "ada's", "chen's", "dora's"]
    assert (tmp_path / "to" / "ada" / "toy" / "submission_log.json").read_text() == "{}"
    assert not taken["ada"].notes and "is not named toy.ipynb" in taken["chen"].notes[0]


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
    taken = imported(source, tmp_path)
    assert sorted(taken) == ["Ada Lovelace_17", "bela", "chen", "dora", "emre", "fay"]
    assert [note_of(tmp_path, s) for s in ("Ada Lovelace_17", "bela", "dora")] == ["ada's", "in a zip", "in a zip"]
    assert "damaged" in taken["emre"].notes[0] and taken["emre"].notes[-1] == "no notebook was submitted"
    assert not taken["fay"].notebook and list((tmp_path / "to" / "fay" / "toy").iterdir()) == [], "graded as missing"


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
    taken = imported(tmp_path / "all.zip", tmp_path)
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
    taken = imported(source, tmp_path)
    assert sorted(taken) == ["ada", "chen", "dora"]
    assert not any(one.notebook for one in taken.values())
    assert [path for path in (tmp_path / "to").rglob("*") if not path.is_dir()] == []


def test_bombs_are_stopped_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (intake, archives):
        monkeypatch.setattr(module, "MAX_FILES", 50)
        monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    source = tmp_path / "in"
    source.mkdir()
    (source / "ada.zip").write_bytes(zipped({"toy.ipynb": b" " * 10_000_000}))
    deep = zipped({"toy.ipynb": notebook("deep")})
    for _ in range(4):
        deep = zipped({"next.zip": deep})
    (source / "bela.zip").write_bytes(deep)
    (source / "chen.zip").write_bytes(zipped({f"{n}.json": b"" for n in range(500)}))
    (source / "dora.zip").write_bytes(zipped({"toy.ipynb": notebook("dora's")}))
    taken = imported(source, tmp_path)
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
def test_student_names_are_folder_names(name: str, cleaned: str) -> None:
    assert student_id(name) == cleaned


@pytest.mark.parametrize("name", ["", "..", "/", "\n"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(SetupError, match="is not a valid student name"):
        student_id(name)


def test_sources_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="contains no submissions"):
        import_class(tmp_path, "toy", tmp_path / "to")
    (tmp_path / "x.txt").write_text("no zip")
    with pytest.raises(SetupError, match="is not a folder or a zip"):
        import_class(tmp_path / "x.txt", "toy", tmp_path / "to")


def test_the_command_says_what_was_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "bela.ipynb").write_bytes(notebook("bela's"))
    arguments = ["intake", str(tmp_path / "in"), "--problem", "toy", "--to", str(tmp_path / "to")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "ada: no notebook was submitted" in result.stdout and "1 notebook in" in result.stderr


def test_a_folder_around_the_whole_class_is_not_one_student(tmp_path: Path) -> None:
    files = {f"export_77/submission_{number}/toy.ipynb": notebook(f"{number}") for number in (1, 2)}
    (tmp_path / "class.zip").write_bytes(zipped(files))
    for name, content in files.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    for source, mend in (("class.zip", "unpack it"), ("class", f"name {tmp_path / 'class' / 'export_77'}")):
        with pytest.raises(SetupError, match="If it is the whole class") as caught:
            imported(tmp_path / source, tmp_path)
        assert mend in str(caught.value) and not (tmp_path / "to").exists()
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
def test_what_canvas_gives(tmp_path: Path, as_zip: bool) -> None:
    source = tmp_path / ("submissions.zip" if as_zip else "submissions")
    if as_zip:
        source.write_bytes(zipped(CANVAS))
    else:
        source.mkdir()
        for name, content in CANVAS.items():
            (source / name).write_bytes(content)
    taken = imported(source, tmp_path)
    names = ["anon_x7Yz2", "bela_b_112", "chen_113", "dora_114", "lovelaceada_111"]
    assert sorted(taken) == names
    assert [note_of(tmp_path, name) for name in names if name != "dora_114"] == ["whose", "bela's", "chen's", "ada's"]
    logs = {name: tmp_path / "to" / name / "toy" / "submission_log.json" for name in names}
    assert {name for name in names if logs[name].exists()} == {"bela_b_112", "chen_113", "lovelaceada_111"}
    assert json.loads(logs["bela_b_112"].read_text())["of"] == "bela"
    assert not taken["lovelaceada_111"].notes and not taken["anon_x7Yz2"].notes


def test_canvas_with_its_roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    (tmp_path / "submissions.zip").write_bytes(zipped(CANVAS))
    rows = '"Lovelace, Ada",111,007,ada,S,', '"B, Béla",112,008,bela,S,', "Chen,113,009,chen,S,"
    header = "Student,ID,SIS User ID,SIS Login ID,Section,Homework 11 (70)"
    (tmp_path / "canvas.csv").write_text("\n".join((header, "    Points Possible,,,,,10", *rows)) + "\n")
    arguments = ["intake", str(tmp_path / "submissions.zip"), "--problem", "toy", "--to", str(tmp_path / "to")]
    arguments += ["--roster", str(tmp_path / "canvas.csv")]
    result = CliRunner().invoke(app, [*arguments, "--by", "SIS Login ID"])
    assert result.exit_code == 1 and "number 114 is not on the roster" in result.stdout
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == [
        "ada",
        "anon_x7Yz2",
        "bela",
        "chen",
        "dora_114",
    ]
    CliRunner().invoke(app, arguments)
    assert {"007", "008", "009"} <= {path.name for path in (tmp_path / "to").iterdir()}
    assert "no heading" in CliRunner().invoke(app, [*arguments, "--by", "Shoe size"]).stderr
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "ada_toy.ipynb").write_bytes(notebook("ada's"))
    arguments[1] = str(tmp_path / "flat")
    assert "is not a Canvas *Download Submissions* archive" in CliRunner().invoke(app, arguments).stderr


def test_a_log_beside_others_finds_its_notebook(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("ada_toy.ipynb", "bela.ipynb", "toy-chen.ipynb"):
        (tmp_path / "in" / name).write_bytes(notebook(name))
    for name in ("ada_submission_log.json", "bela-submission_log (1).json", "chen submission_log.json"):
        (tmp_path / "in" / name).write_text(json.dumps(name))
    assert sorted(imported(tmp_path / "in", tmp_path)) == ["ada", "bela", "chen"]
    for student in ("ada", "bela", "chen"):
        log = tmp_path / "to" / student / "toy" / "submission_log.json"
        assert student in note_of(tmp_path, student) and student in log.read_text()


def test_the_log_of_an_earlier_hand_in_goes(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "ada"
    folder.mkdir(parents=True)
    (folder / "toy.ipynb").write_bytes(notebook("first"))
    (folder / "submission_log.json").write_text("{}")
    log = tmp_path / "to" / "ada" / "toy" / "submission_log.json"
    imported(tmp_path / "in", tmp_path)
    assert log.exists()
    (folder / "submission_log.json").unlink()
    (folder / "toy.ipynb").write_bytes(notebook("second"))
    imported(tmp_path / "in", tmp_path)
    assert note_of(tmp_path, "ada") == "second" and not log.exists()


def test_nobody_takes_the_name_of_another(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for name in ("ada", "<ada>", "=ada", "@", "-"):
        (source / name).mkdir(parents=True)
        (source / name / "toy.ipynb").write_bytes(notebook(name))
    (source / "ada.zip").write_bytes(zipped({"toy (1).ipynb": notebook("hers, too")}))
    taken = imported(source, tmp_path)
    assert sorted(taken) == ["ada", "ada~2", "ada~3", "unnamed", "unnamed~2"]
    assert note_of(tmp_path, "ada") == "ada" and "several notebooks" in taken["ada"].notes[0]
    assert {note_of(tmp_path, name) for name in ("ada~2", "ada~3")} == {"<ada>", "=ada"}
    assert "submitted under the name '=ada'" in taken["ada~3"].notes[0]
    assert student_ids(["e\u0301", "é", "é "]) == {"e\u0301": "é", "é": "é", "é ": "é"}, "the same name"


def test_folders_in_folders_without_end(tmp_path: Path) -> None:
    deep = tmp_path / "in" / "ada"
    deep.mkdir(parents=True)
    (deep / "toy.ipynb").write_bytes(notebook("ada's"))
    before = os.getcwd()
    os.chdir(deep)
    try:
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)
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
def test_a_damaged_zip_is_a_note_and_nobody_elses_matter(tmp_path: Path, hostile: bytes) -> None:
    files = {
        "ada.zip": zipped({"toy.ipynb": notebook("ada's")}),
        "eve.zip": hostile,
        "zoe_toy.ipynb": notebook("zoe's"),
    }
    (tmp_path / "class.zip").write_bytes(zipped(files))
    taken = imported(tmp_path / "class.zip", tmp_path)
    assert taken["ada"].notebook and taken["zoe"].notebook
    assert taken["eve"].notebook or taken["eve"].notes[-1].startswith("no notebook")


def test_an_entry_without_a_name_and_names_with_dots_and_backslashes(tmp_path: Path) -> None:
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
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada.zip").write_bytes(zipped({**files, "toy.ipynb": notebook("ada's")}))
    assert imported(tmp_path / "in", tmp_path)["ada"].notebook


def test_zips_in_a_zip_are_not_unpacked_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 3_000_000)
    (tmp_path / "in").mkdir()
    inner = {f"{n}.zip": zipped({"a.txt": b"0" * 10}) + b"0" * 1_000_000 for n in range(20)}
    (tmp_path / "in" / "eve.zip").write_bytes(zipped(inner))
    notes = imported(tmp_path / "in", tmp_path)["eve"].notes
    assert sum("was not opened: the zips have more than" in note for note in notes) >= 15


def test_a_notebook_of_nothing_but_values_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "eve.ipynb").write_bytes(b"[" + b"[]," * 5_000_000 + b"[]]")
    started = time.process_time()
    assert imported(tmp_path / "in", tmp_path)["eve"].notebook and time.process_time() - started < 2
    data = (tmp_path / "to" / "eve" / "toy" / "toy.ipynb").read_bytes()
    with pytest.raises(UnusableError, match="contains more than 4,000,000 values"):
        read_cells(data, "toy.ipynb")


@pytest.mark.parametrize("numbers", [None, {"111": "ada", "222": "mallory"}])
def test_a_name_that_reads_like_anothers_on_canvas_takes_nothing(
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
    (tmp_path / "class.zip").write_bytes(zipped(files))
    taken = {one.student: one for one in import_class(tmp_path / "class.zip", "toy", tmp_path / "to", numbers=numbers)}
    ada = "ada" if numbers else "lovelaceada_111"
    assert note_of(tmp_path, ada) == "ada's" and {"_333", "eve_444"} <= set(taken)
    assert len(taken) == 5 and sum(bool(one.notebook) for one in taken.values()) == 4


def test_a_number_in_a_name_is_no_canvas_number(tmp_path: Path) -> None:
    (tmp_path / "class.zip").write_bytes(zipped({"smith_2024_222_9005_toy.ipynb": notebook("x")}))
    [one] = import_class(tmp_path / "class.zip", "toy", tmp_path / "to", numbers={"222": "smith"})
    assert one.student == "smith" and one.notebook


def test_one_student_under_two_spellings_is_one(tmp_path: Path) -> None:
    for name in ("jose\u0301", "jos\u00e9"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "toy.ipynb").write_bytes(notebook(name))
    (tmp_path / "in" / "bela").mkdir()
    taken = imported(tmp_path / "in", tmp_path)
    assert sorted(taken) == ["bela", "jos\u00e9"] and any("several notebooks" in n for n in taken["jos\u00e9"].notes)


def test_a_second_round_leaves_nothing_of_the_first_that_misleads(tmp_path: Path) -> None:
    folder, to = tmp_path / "in" / "ada", tmp_path / "to" / "ada" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.ipynb").write_bytes(notebook("first"))
    (folder / "submission_log.json").write_text("1")
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    import_class(tmp_path / "in", "toy", tmp_path / "to", {"ada": moment})
    assert (to / "timestamp.txt").exists()
    import_class(tmp_path / "in", "toy", tmp_path / "to", {"bob": moment})
    assert not (to / "timestamp.txt").exists()
    (folder / "toy.ipynb").write_bytes(notebook("another problem's", "vae"))
    (folder / "submission_log.json").write_text("2")
    [one] = import_class(tmp_path / "in", "toy", tmp_path / "to")
    assert "the notebook and the log of an earlier submission are kept" in one.notes
    assert note_of(tmp_path, "ada") == "first" and (to / "submission_log.json").read_text() == "1"
