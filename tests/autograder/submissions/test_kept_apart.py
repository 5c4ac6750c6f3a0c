"""Whatever name a submission has, it takes nobody's place: names that may be taken for each other are kept apart."""

from __future__ import annotations

import io
import itertools
import os
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.submissions.student_import import IntakeResult
from autograder.submissions.submitters import RECORD
from tests.autograder.submissions.test_intake import (
    imported,
    imported_folder,
    note_of,
    notebook,
    taken_file,
    write,
    zipped,
)

VICTIMS = ("ada", "zo\u00eb", "j\u00f6rg m\u00fcller", "anna-lena 7")
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200f\u202e\u2060\u2066\u2800\u3164\ufe0f\ufeff\uffa0\U000e0061"
    "\x07\x7f\x85"
)
Change = Callable[[str], str]


def put(before: str = "", inside: str = "", behind: str = "") -> Change:
    """Puts characters before a name, behind its first letter and behind it."""
    return lambda name: f"{before}{name[0]}{inside}{name[1:]}{behind}"


CHANGES: dict[str, Change] = {
    **{f"blank {ord(c):x} behind": put(behind=c) for c in " \t\u00a0\u2003\u3000\u2028"},
    **{f"invisible {ord(c):x} inside": put(inside=c) for c in INVISIBLE},
    **{f"{c} behind": put(behind=c) for c in (".", "..", ". .", '"', "<>", ";")},
    **{f"{c} before": put(before=c) for c in (" ", "=", "-", "@", "+", "<")},
    "NFD": lambda name: unicodedata.normalize("NFD", name),
    "wide": lambda name: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in name),
    "upper": str.upper,
    "title": str.title,
    "one upper": lambda name: name[0].upper() + name[1:],
    "two blanks": lambda name: name.replace(" ", "  "),
}
SHAPES: dict[str, Callable[[str, bytes], tuple[str, bytes]]] = {
    "folder": lambda name, data: (f"{name}/toy.ipynb", data),
    "zip": lambda name, data: (f"{name}.zip", zipped({"toy.ipynb": data})),
    "notebook": lambda name, data: (f"{name}_toy.ipynb", data),
}
ALIKE = "names that may be taken for each other are kept apart"


def work(tmp_path: Path) -> dict[str, str]:
    """Student → the mark in the notebook, for all who have been imported."""
    students = sorted(os.listdir(tmp_path / "to"))
    return {
        student: note_of(tmp_path, student)
        for student in students
        if taken_file(tmp_path, student, "toy.ipynb").exists()
    }


def alike(one: IntakeResult) -> str:
    """The note that staff must look whose the submission is."""
    assert one.needs_review
    [note] = [note for note in one.notes if note.startswith(ALIKE)]
    return note


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("as_zip", [False, True])
def test_a_changed_name_takes_nothing_from_a_student(tmp_path: Path, change: str, as_zip: bool) -> None:
    files: dict[str, bytes | str] = {}
    pairs = [(name, CHANGES[change](name)) for name in VICTIMS if CHANGES[change](name) != name]
    for (name, other), shapes in zip(pairs, itertools.permutations(SHAPES, 2), strict=False):
        for each, shape in ((name, shapes[0]), (other, shapes[1])):
            path, data = SHAPES[shape](each, notebook(each))
            files[path] = data
    source = {name: bytes(data) for name, data in files.items() if isinstance(data, bytes)}
    taken = imported(source, tmp_path) if as_zip else imported_folder(files, tmp_path)
    found = work(tmp_path)
    assert len(taken) == len(found) == 2 * len(pairs)
    for name, other in pairs:
        assert found[name] == name
        [numbered] = [student for student, mark in found.items() if mark == other]
        assert numbered.endswith("~2")
        for student in (name, numbered):
            assert repr(name) in alike(taken[student]) and f"is {numbered}" in alike(taken[student])


@pytest.mark.parametrize("change", CHANGES)
def test_a_later_import_replaces_nobodys_work_and_the_same_import_changes_nothing(tmp_path: Path, change: str) -> None:
    first = {f"{name}/toy.ipynb": notebook(name) for name in VICTIMS}
    changed = [other for name in VICTIMS if (other := CHANGES[change](name)) != name]
    second = {f"{other}/toy.ipynb": notebook(other) for other in changed}
    imported(first, tmp_path)
    for download in (second, first, {**first, **second}, second):
        taken = imported(download, tmp_path)
        assert sorted(work(tmp_path).values()) == sorted((*VICTIMS, *changed))
        assert all(note_of(tmp_path, name) == name for name in VICTIMS)
        assert all(alike(one) for one in taken.values() if one.student not in VICTIMS)


def test_names_of_which_none_is_more_exact_are_kept_apart(tmp_path: Path) -> None:
    names = ("stra\u00dfe", "STRASSE", "strasse", "Ada L", "ADA L", "AdA L", "o\ufb03ce", "office")
    imported({f"{name}/toy.ipynb": notebook(name) for name in names}, tmp_path)
    assert sorted(work(tmp_path).values()) == sorted(names)


def test_many_changes_of_one_name_are_numbered_in_the_same_way_each_time(tmp_path: Path) -> None:
    names = list(dict.fromkeys(change("ada") for change in CHANGES.values()))
    files = {f"{name}/toy.ipynb": notebook(name) for name in (*names, "ada~2", "ada~5")}
    imported(files, tmp_path)
    found = work(tmp_path)
    assert len(set(found.values())) == len(found) == len(files)
    assert [found[name] for name in ("ada", "ada~2", "ada~5")] == ["ada", "ada~2", "ada~5"]
    imported(dict(reversed(files.items())), tmp_path)
    assert work(tmp_path) == found


def test_the_name_on_the_platforms_list_is_the_exact_one(tmp_path: Path) -> None:
    files = {f"{name}/toy.ipynb": notebook(name) for name in ("ADA", "ada", "Ada ")}
    taken = imported(files, tmp_path, times={"ADA": datetime(2027, 1, 1, tzinfo=UTC)})
    assert note_of(tmp_path, "ADA") == "ADA" and taken_file(tmp_path, "ADA", "timestamp.txt").exists()
    assert sorted(taken) == ["ADA", "Ada~3", "ada~2"]
    assert "has no submission time in the list" in "".join(taken["ada~2"].notes)


def raw_zip(names: Mapping[bytes, bytes], flags: tuple[int, ...] = ()) -> bytes:
    """A zip with these names, as they are; those at the positions in `flags` are marked as UTF-8."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number, content in enumerate(names.values()):
            archive.writestr(zipfile.ZipInfo(f"{number:03}" + "n" * (len([*names][number]) - 3)), content)
    found = bytearray(data.getvalue())
    for number, name in enumerate(names):
        stand_in = f"{number:03}".encode() + b"n" * (len(name) - 3)
        for header, flag in ((30, 6), (46, 8)):
            at = found.index(stand_in, 0 if header == 30 else found.index(b"PK\1\2"))
            found[at : at + len(name)] = name
            if number in flags:
                found[at - header + flag + 1] |= 0x08
    return bytes(found)


@pytest.mark.parametrize(
    "other",
    [b"./zo\xc3\xab/toy.ipynb", b"zo\xc3\xab\\toy.ipynb", b"zo\xc3\xab/toy.ipynb", b".//zo\xc3\xab/other.ipynb"],
)
def test_two_ways_to_store_a_name_in_a_zip_are_two_submissions(tmp_path: Path, other: bytes) -> None:
    names = {b"zo\xc3\xab/toy.ipynb": notebook("hers")}
    names |= {(other if other not in names else b"zo\x89/toy.ipynb"): notebook("another's")}
    first, second = names
    for order in ((first, second), (second, first)):
        flags = () if b"\x89" in second else (order.index(first), order.index(second))
        data = raw_zip({name: names[name] for name in order}, (order.index(first), *flags))
        taken = imported(write(tmp_path, {"class.zip": data}) / "class.zip", tmp_path)
        assert work(tmp_path) == {"zo\u00eb": "hers", "zo\u00eb~2": "another's"}
        assert all(alike(one) for one in taken.values())


def test_a_file_that_a_zip_holds_twice_is_two_submissions(tmp_path: Path) -> None:
    data = raw_zip({b"ada/toy.ipynb": notebook("1"), b"adb/toy.ipynb": notebook("2")}).replace(b"adb", b"ada")
    taken = imported(write(tmp_path, {"class.zip": data}) / "class.zip", tmp_path)
    assert work(tmp_path) == {"ada": "1", "ada~2": "2"} and alike(taken["ada"])


def test_students_of_a_platform_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    name = "{}_{}_assignsubmission_file_{}toy.ipynb"
    names = ("Ada Lovelace", "Ada  Lovelace", "\uff21da Lovelace", "ADA LOVELACE.")
    files = {name.format(each, 1001 + n, "/" if n % 2 else ""): notebook(each) for n, each in enumerate(names)}
    taken = imported(files, tmp_path)
    assert len(taken) == 4 and sorted(work(tmp_path).values()) == sorted(names)


def test_a_later_student_of_the_same_name_gets_another_id(tmp_path: Path) -> None:
    def of(number: int) -> dict[str, bytes]:
        return {f"Ada Lovelace_{number}_assignsubmission_file_/toy.ipynb": notebook(f"{number}")}

    for number in (1001, 1002, 1001, 1002):
        imported(of(number), tmp_path)
    assert work(tmp_path) == {"Ada Lovelace": "1001", "Ada Lovelace~2": "1002"}
    imported({"Ada Lovelace/toy.ipynb": notebook("by hand"), "bob/toy.ipynb": notebook("bob")}, tmp_path)
    assert sorted(work(tmp_path)) == ["Ada Lovelace", "Ada Lovelace~2", "Ada Lovelace~3", "bob"], (
        "it is unclear whose it is"
    )


def test_a_name_that_ends_like_another_students_upload_to_canvas_takes_nothing(tmp_path: Path) -> None:
    files = {
        "adalovelace_111_9001_toy.ipynb": notebook("hers"),
        "a_222_9002_111_9003_toy.ipynb": notebook("of a student who is not on the roster"),
    }
    taken = imported(files, tmp_path, numbers={"111": "ada"})
    assert sorted(taken) == ["ada", "ada~2"] and note_of(tmp_path, "ada") == "hers" and alike(taken["ada"])


def test_several_uploads_of_one_student_of_a_platform_stay_together(tmp_path: Path) -> None:
    files = {
        "ada_111_9001_toy.ipynb": notebook("first"),
        "ada_LATE_111_9003_toy-1.ipynb": notebook("second"),
        "ada_111_9002_submission_log.json": b"{}",
        "bob_112_9004_toy.ipynb": notebook("bob's"),
    }
    for _ in range(2):
        taken = imported(files, tmp_path)
        assert sorted(taken) == ["ada_111", "bob_112"] and not any(one.needs_review for one in taken.values())
        assert taken_file(tmp_path, "ada_111").exists()


def test_several_files_of_exactly_one_name_are_to_be_reviewed(tmp_path: Path) -> None:
    files = {
        "ada/toy.ipynb": notebook("1"),
        "ada.zip": zipped({"toy.ipynb": notebook("2")}),
        "bob/toy.ipynb": notebook("3"),
    }
    taken = imported(files, tmp_path)
    assert taken["ada"].needs_review and "ada, ada.zip all have this student's name" in taken["ada"].notes[-1]
    assert not taken["bob"].needs_review


def test_a_damaged_record_gives_no_id_away(tmp_path: Path) -> None:
    files = {"ada /toy.ipynb": notebook("1"), "bob/toy.ipynb": notebook("2")}
    imported(files, tmp_path)
    assert not (tmp_path / "to" / "bob" / RECORD).exists()
    for damage in (b"", b"{}", b"[1]", b"[[], {}, []]", b"\xff"):
        (tmp_path / "to" / "ada" / RECORD).write_bytes(damage)
        (tmp_path / "to" / "ada" / "toy" / "toy.ipynb").write_bytes(notebook("as it was"))
        imported(files, tmp_path)
        assert note_of(tmp_path, "ada") == "as it was"


NAMES = ("toy.ipynb", "toy (1).ipynb", "toy-2.ipynb", "b/toy.ipynb", "a/toy (10).ipynb", "final.ipynb")


@pytest.mark.parametrize("some", [*itertools.combinations(NAMES, 3)])
def test_the_dates_of_a_student_choose_no_notebook(tmp_path: Path, some: tuple[str, ...]) -> None:
    used = set()
    for number, order in enumerate(itertools.permutations(some)):
        newer_last = zipped({name: notebook(name) for name in order})
        folder = tmp_path / f"{number}"
        write(folder / "in", {"ada.zip": newer_last, **{f"bob/{name}": notebook(name) for name in order}})
        for age, name in enumerate(order):
            os.utime(folder / "in" / "bob" / name, (age * 1e8, age * 1e8))
        taken = imported(folder / "in", folder)
        used |= {note_of(folder, student) for student in ("ada", "bob")}
        assert all("several notebooks" in note for note in taken["ada"].notes[-1:])
    assert len(used) == 1
