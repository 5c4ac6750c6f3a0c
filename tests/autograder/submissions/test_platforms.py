"""Downloads of course platforms are sorted by student and attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.submissions.platforms import owners, platform_of, typed_text
from tests.autograder.submissions.test_intake import imported, imported_folder, note_of, notebook, taken_file, write

BLACKBOARD = {
    "Homework_11_ada_l_attempt_2027-01-17-10-12-05_toy.ipynb": notebook("early"),
    "Homework_11_ada_l_attempt_2027-01-17-10-12-05.txt": b"Name: Ada (ada_l)",
    "Homework_11_ada_l_attempt_2027-01-17-23-12-05_toy.ipynb": notebook("late"),
    "Homework_11_ada_l_attempt_2027-01-17-23-12-05.txt": b"Name: Ada (ada_l)\n\nSubmission Field:\nSee my page 3.\n\n"
    b"Comments:\nThere are no student comments for this assignment.\n\nFiles:\n\tOriginal filename: toy.ipynb\n",
    "Homework_11_bob_attempt_2027-01-16-10-12-05_x_ada_l_attempt_2030-01-01-00-00-00_toy.ipynb": notebook("bob's"),
}


def test_a_download_of_blackboard_is_sorted_by_user_name(tmp_path: Path) -> None:
    taken = imported_folder(BLACKBOARD, tmp_path)
    assert sorted(taken) == ["ada_l", "bob"]
    assert [note_of(tmp_path, student) for student in ("ada_l", "bob")] == ["late", "bob's"]
    last, typed = taken["ada_l"].notes
    assert "the last attempt counts" in last and "2027-01-17-10-12-05_toy.ipynb" in last and "23-12" not in last
    assert "'See my page 3.'" in typed and "no student comments" not in typed


@pytest.mark.parametrize("flat", [False, True])
def test_a_download_of_brightspace_is_sorted_by_full_name(tmp_path: Path, flat: bool) -> None:
    between = " - " if flat else "/"
    files: dict[str, bytes | str] = {
        f"1001-6203 - Ada Lovelace - Jan 17, 2027 1012 AM{between}toy.ipynb": notebook("early"),
        f"1001-6203 - Ada Lovelace - Jan 17, 2027 112 PM{between}toy.ipynb": notebook("late"),
        f"1002-6203 - Alan Turing - Jan 16, 2027 1159 PM{between}toy.ipynb": notebook("alan's"),
        f"1003-6203 - alan turing - Jan 16, 2027 1159 PM{between}toy.ipynb": notebook("another alan's"),
        "index.html": "<html>",
    }
    taken = imported_folder(files, tmp_path)
    assert sorted(taken) == ["Ada Lovelace", "Alan Turing_1002", "alan turing_1003"]
    assert note_of(tmp_path, "Ada Lovelace") == "late" and "1012 AM" in taken["Ada Lovelace"].notes[0]
    assert not taken["Alan Turing_1002"].notes


@pytest.mark.parametrize("between", ["", "/", "_/"])
def test_a_download_of_moodle_is_sorted_by_full_name(tmp_path: Path, between: str) -> None:
    inside = between or "_"
    files: dict[str, bytes | str] = {
        f"Ada Lovelace_1001_assignsubmission_file{inside}toy.ipynb": notebook("ada's"),
        f"Ada Lovelace_1001_assignsubmission_file{inside}submission_log.json": "{}",
        f"Ada Lovelace_1001_assignsubmission_onlinetext{inside}onlinetext.html": "<p>see <b>file</b></p>",
        f"Alan Turing_1002_assignsubmission_file{inside}my solution.ipynb": notebook("alan's"),
        f"Eve_1003_assignsubmission_file{inside}Ada Lovelace_1001_assignsubmission_file_toy.ipynb": notebook("eve's"),
    }
    taken = imported_folder(files, tmp_path)
    assert sorted(taken) == ["Ada Lovelace", "Alan Turing", "Eve"]
    assert note_of(tmp_path, "Ada Lovelace") == "ada's" and taken_file(tmp_path, "Ada Lovelace").exists()
    [typed] = taken["Ada Lovelace"].notes
    assert "onlinetext.html" in typed and "'see file'" in typed


LATE = {
    "bela_b_LATE_112_9003_toy.ipynb": notebook("bela's"),
    "bela_b_LATE_112_9004_222_333_log.ipynb": b"{}",  # the name of a file may have numbers
    "chen_late_113_9005_toy.ipynb": notebook("of an older Canvas"),
    "LATE_anon_x7Yz2_9007_toy.ipynb": notebook("whose"),
    "eve_LATE_444_text.html": b"<p>see above</p>",
    "mallory_666_9008_LATE_111_9_toy.ipynb": notebook("mallory's"),  # the mark is in the student's name for the file
    "ada_111_9001_toy.ipynb": notebook("ada's"),
}


def test_the_late_mark_of_canvas_is_no_part_of_a_name_and_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = imported_folder(LATE, tmp_path)
    late = {"bela_b_112", "chen_113", "anon_x7Yz2", "eve_444"}
    mallory = "mallory_666_9008_111"
    assert set(taken) == {*late, "ada_111", mallory}
    said = "Canvas says late, but not when; on time for the late policy, unless --times says when"
    assert {student for student, one in taken.items() if said in one.notes} == late
    assert "without a submission time: anon_x7Yz2, bela_b_112, chen_113, eve_444; on time" in caplog.text
    assert note_of(tmp_path, "ada_111") == "ada's" and note_of(tmp_path, mallory) == "mallory's"


def test_a_listed_time_answers_the_late_mark_of_canvas(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moment = datetime(2027, 1, 19, tzinfo=UTC)
    source = write(tmp_path / "in", {name: LATE[name] for name in list(LATE)[:3]})
    taken = imported(source, tmp_path, times={"bela_b_112": moment})
    assert not any("but not when" in note for note in taken["bela_b_112"].notes)
    assert "Canvas says late, but not when" in taken["chen_113"].notes[-1]
    assert "without a submission time: chen_113; on time" in caplog.text
    assert taken_file(tmp_path, "bela_b_112", "timestamp.txt").exists()


def test_text_in_place_of_a_file_is_named_and_the_notebook_is_missing(tmp_path: Path) -> None:
    taken = imported({"eve_444_text.html": b"<p>see above</p>", "ada_111_9001_toy.ipynb": notebook("ada's")}, tmp_path)
    assert "'see above'" in taken["eve_444"].notes[0] and taken["eve_444"].ask_for


def test_a_folder_of_one_student_of_a_platform_is_not_a_folder_around_the_class(tmp_path: Path) -> None:
    top = "Ada Lovelace_1001_assignsubmission_file_"
    taken = imported({f"{top}/a/toy.ipynb": notebook("1"), f"{top}/b/toy.ipynb": notebook("2")}, tmp_path)
    assert list(taken) == ["Ada Lovelace"]


def test_other_and_mixed_names_are_no_platforms() -> None:
    moodle = "Ada_1001_assignsubmission_file_toy.ipynb"
    assert platform_of({moodle}, folders=False) is not None
    for names in ({moodle, "bob.ipynb"}, {"ada_toy.ipynb"}, set(), {f"{'x' * 600}_1_assignsubmission_file_toy.ipynb"}):
        assert platform_of(names, folders=False) is None
    assert platform_of({"ada_111_9001_toy.ipynb"}, folders=True) is None, "Canvas has no folders"


@pytest.mark.parametrize("own", ["x" * 300 + ".ipynb", "a\nb.ipynb", "y" * 3000 + ".ipynb"])
def test_no_name_that_a_student_chose_hides_the_platform_from_the_class(own: str) -> None:
    """A name in a zip may be longer than one on a disk, and have a line break."""
    downloads = {
        "Canvas": ["lovelaceada_12_501_toy.ipynb", f"babbagecharles_13_502_{own}"],
        "Moodle": ["Ada Lovelace_12_assignsubmission_file_toy.ipynb", f"Bo B_13_assignsubmission_file_{own}"],
        "Brightspace": [
            "101-7 - Ada Lovelace - Jan 17, 2027 1112 PM - toy.ipynb",
            f"102-7 - Bo B - Jan 17, 2027 1112 PM - {own}",
        ],
        "Blackboard": [
            "HW_ada_attempt_2027-01-17-23-12-05_toy.ipynb",
            f"HW_bo_attempt_2027-01-17-23-12-05_{own}",
        ],
    }
    for name, names in downloads.items():
        platform = platform_of(names, folders=False)
        assert platform is not None and platform.name == name
        found = owners(platform, names, {"12", "13"})
        assert [found[one].file for one in names] == ["toy.ipynb", own] and len(
            {one.name for one in found.values()}
        ) == 2


def test_attempts_whose_time_cannot_be_read_all_count(tmp_path: Path) -> None:
    names = [f"1001-6203 - Ada - {day} janv., 2027 1012/toy.ipynb" for day in (1, 2)]
    taken = imported({name: notebook("x") for name in names}, tmp_path)
    assert "several notebooks" in taken["Ada"].notes[0]


def test_user_names_follow_the_assignments_name() -> None:
    names = ["hw_1_ada_attempt_2027-01-17-10-12-05_a.ipynb", "vae_bob_attempt_2027-01-17-10-12-05_a.ipynb"]
    platform = platform_of(names, folders=False)
    assert platform is not None
    assert [owner.name for owner in owners(platform, names).values()] == ["ada", "bob"]
    assert [owner.name for owner in owners(platform, names[1:]).values()] == ["bob"]


def test_a_page_without_text_has_no_typed_text() -> None:
    assert typed_text(b"<html><p> </p></html>") == "" and typed_text(b"Name: A (ada1)") == ""
