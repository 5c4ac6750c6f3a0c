"""The submission is found, and what changed since its grading is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from autograder.core.errors import SetupError, SourceError
from autograder.course.seed import SEED_VARIABLE, fingerprint, new_seed
from autograder.inspect.subject import Subject, find_subject
from tests.autograder.inspect.conftest import grade_class
from tests.autograder.toy import edit_source, solved, text


def test_nothing_has_changed_after_a_grading(ada: Subject, course: Path) -> None:
    assert ada.notes == () and ada.before is None
    assert ada.submitted == course / "submissions" and ada.recorded is not None


@pytest.mark.parametrize(
    ("student", "problem", "said"),
    [
        ("adda", "toy", "unknown student 'adda'.*Did you mean ada"),
        ("x", "toy", "Students there: ada, bob, cat"),
        ("cat", "toy", "no submission to toy that can be graded.*say: unreadable"),
        ("ada", "tooy", "unknown problem"),
    ],
)
def test_bad_names_are_refused(course: Path, out: Path, student: str, problem: str, said: str) -> None:
    with pytest.raises((SetupError, SourceError), match=said):
        find_subject(problem, student, out, course / "submissions", course)


def test_another_spelling_of_the_student_is_found_and_an_unknown_item_is_refused(course: Path, out: Path) -> None:
    subject = find_subject("toy", "ADA", out, None, course)
    assert subject.student == "ada"
    with pytest.raises(SetupError, match=r"no item 'line'\. Did you mean Line\?"):
        subject.item("line")


def test_a_student_who_submitted_but_was_not_graded_is_inspected(course: Path, out: Path) -> None:
    shutil.rmtree(out / "ada")
    subject = find_subject("toy", "ada", out, None, course)
    assert subject.recorded is None and "Not graded yet" in subject.notes[0]


def test_a_student_without_a_submission_is_refused(course: Path, out: Path) -> None:
    shutil.rmtree(course / "submissions" / "ada")
    with pytest.raises(SetupError, match="nothing was submitted.*say: graded, 0 of 25"):
        find_subject("toy", "ada", out, None, course)


def test_a_changed_source_or_submission_is_told(course: Path, out: Path) -> None:
    edit_source(course, {"wrong on other data": "wrong on more data"})
    (note,) = find_subject("toy", "ada", out, None, course).notes
    assert note.startswith("toy.py changed since this was graded")
    edit_source(course, {'"points": 8': '"points": 9'})
    assert "Items or their points changed since: Line." in find_subject("toy", "ada", out, None, course).notes
    (course / "submissions" / "ada" / "toy" / "toy.ipynb").write_bytes(text(solved()))
    assert "not the one that was graded" in find_subject("toy", "ada", out, None, course).notes[0]


def test_an_earlier_seed_of_the_course_is_used_again(course: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SEED_VARIABLE)
    first = new_seed(course)
    grade_class(course, out)
    second = new_seed(course)
    subject = find_subject("toy", "ada", out, None, course)
    assert subject.seed == first != second and "an earlier seed" in subject.notes[0]
    monkeypatch.setenv(SEED_VARIABLE, "given once")
    grade_class(course, out)
    monkeypatch.delenv(SEED_VARIABLE)
    subject = find_subject("toy", "ada", out, None, course)
    assert subject.seed == second and fingerprint("given once") in subject.notes[0]


def test_a_log_of_an_older_version_is_used_and_said_to_be_old(course: Path, out: Path) -> None:
    path = out / "ada" / "toy" / "submission_log.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["grades"]["flags"] = []
    path.write_text(json.dumps(record), encoding="utf-8")
    notes = " ".join(find_subject("toy", "ada", out, None, course).notes)
    assert "do not name their seed" in notes and "An older version wrote the results" in notes
    path.write_text("{", encoding="utf-8")
    subject = find_subject("toy", "ada", out, None, course)
    assert subject.recorded is None and "cannot be used" in subject.notes[0]


def test_results_that_do_not_name_their_submissions_ask_for_the_folder(course: Path, out: Path) -> None:
    (out / ".submitted-toy.json").unlink()
    with pytest.raises(SetupError, match="give --submitted"):
        find_subject("toy", "ada", out, None, course)
    shutil.copytree(course / "submissions", course / "course" / "submitted")
    assert find_subject("toy", "ada", out, None, course).submitted == course / "course" / "submitted"


def test_the_grading_in_the_cache_is_told_if_it_is_another_one(course: Path, out: Path) -> None:
    submitted = course / "submissions" / "ada" / "toy" / "toy.ipynb"
    submitted.write_bytes(text(solved()))
    grade_class(course, course / "elsewhere")
    subject = find_subject("toy", "ada", out, None, course)
    assert subject.before is not None and subject.before.score == 20
