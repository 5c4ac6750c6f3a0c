"""Grading again: unchanged results come from the cache and are marked, all others are examined; scores are equal."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autograder.batch.grade_folder import grade_folder
from autograder.batch.result_cache import Cache
from autograder.core.flags import FlagKind
from autograder.core.results import Graded, Grading, Outcome, Status
from autograder.course.problem import load_problem
from autograder.grading import grade as grading
from autograder.grading import misconceptions
from autograder.grading.examiner import Examined
from autograder.grading.grade import grade_submission
from autograder.grading.item_cache import ItemCache
from autograder.submissions.reader import Submission
from tests.autograder.batch.test_grade_folder import in_this_process
from tests.autograder.graded_folder import csv_rows
from tests.autograder.toy import LINE, STANDARDIZE, course_copy, edit_source, released, solved, submit, text

WRONG = solved(standardize=STANDARDIZE + "    print('here')\n    return x")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, course: Path) -> Asked:
    """The students and items that batches examine."""
    return Asked(monkeypatch, course)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with an empty cache."""
    return course_copy(tmp_path / "course")


class Asked:
    """Grades in this process, and notes which students and how many items are examined."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.students: list[str] = []
        self.items: list[str] = []
        self.mistakes: list[str] = []
        """What was compared with known wrong solutions."""
        examine = vars(grading)["examine"]

        def spy(*args: Any, **options: Any) -> Examined:
            before = set(options["cache"]._old)
            examined: Examined = examine(*args, **options)
            fresh = {key for key in options["cache"].kept if key not in before}
            for part, keys in {"fraction": self.items, "misconceptions": self.mistakes}.items():
                keys += [key for key in fresh if part in options["cache"].kept[key]["value"]]
            return examined

        def grade(problem_id: str, submission: Submission, **options: Any) -> Grading:
            self.students.append(str(submission.student))
            return grade_submission(problem_id, submission, **{**options, "root": root})

        monkeypatch.setattr(grading, "examine", spy)
        in_this_process(monkeypatch, grade)

    def clear(self) -> None:
        """Forgets the notes."""
        self.students.clear()
        self.items.clear()
        self.mistakes.clear()


def graded(course: Path, tmp_path: Path, **options: Any) -> list[Graded]:
    """Grades the class in `tmp_path/in`."""
    return grade_folder("toy", tmp_path / "in", tmp_path / "out", gradebook=False, root=course, **options)


def results(of: list[Graded]) -> list[Any]:
    """The results without the mark of cached ones and without times: they must not depend on the cache."""
    records = []
    for one in of:
        record = one.log.as_json()
        record["grades"]["flags"] = [flag for flag in record["grades"]["flags"] if flag["kind"] != FlagKind.CACHED]
        records.append(record)
    return records


def is_marked(one: Graded) -> bool:
    """Does its log say that it comes from the cache?"""
    return any(flag.kind == FlagKind.CACHED for flag in one.log.flags)


@pytest.mark.kernel
def test_an_unchanged_class_is_not_examined_again(course: Path, tmp_path: Path, asked: Asked) -> None:
    for student, data in {"ada": solved(), "bela": released(), "chen": WRONG, "dora": b"{"}.items():
        submit(tmp_path / "in", student, data)
    first = graded(course, tmp_path)
    notebooks = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.ipynb")}
    assert asked.students == ["ada", "bela", "chen", "dora"] and not any(map(is_marked, first))
    timings = csv_rows(tmp_path / "out" / "timings.csv")
    assert [row["cached"] for row in timings] == [""] * 4
    assert [item.split("=")[0] for item in timings[0]["items"].split()] == ["standardize", "Line"]
    assert all(float(item.split("=")[1]) > 0 for item in timings[0]["items"].split())
    asked.clear()
    second = graded(course, tmp_path)
    assert asked.students == ["dora"], "a file that cannot be read needs no examination and is read again"
    assert results(second) == results(first)
    assert [is_marked(one) for one in second] == [True, True, True, False]
    again = csv_rows(tmp_path / "out" / "timings.csv")
    assert [row["cached"] for row in again] == ["yes"] * 3 + [""]
    assert [row["items"] for row in again][:3] == [row["items"] for row in timings][:3], "the measured times stay"
    assert {path: path.read_bytes() for path in notebooks} == notebooks
    log = json.loads((tmp_path / "out/ada/toy/submission_log.json").read_text())
    assert [flag["kind"] for flag in log["grades"]["flags"]].count(FlagKind.CACHED) == 1
    third = graded(course, tmp_path)
    assert results(third) == results(first) and [is_marked(one) for one in third] == [True, True, True, False]
    asked.clear()
    fresh = graded(course, tmp_path, cache=False)
    assert len(asked.students) == 4 and len(asked.items) == 3 * 2
    assert results(fresh) == results(first) and not any(map(is_marked, fresh))


@pytest.mark.kernel
def test_after_a_change_to_one_test_only_that_item_is_examined(course: Path, tmp_path: Path, asked: Asked) -> None:
    submit(tmp_path / "in", "ada", solved())
    submit(tmp_path / "in", "chen", WRONG)
    first = graded(course, tmp_path)
    assert len(asked.items) == 4
    asked.clear()
    edit_source(course, {"steep = student.Line(slope=-3.0": "steep = student.Line(slope=-4.0"})
    second = graded(course, tmp_path)
    assert asked.students == ["ada", "chen"] and len(asked.items) == 2
    assert [one.log.item("Line").status for one in second] == [Status.FAILED] * 2
    before, after = ([one.log.item("standardize").as_json() for one in them] for them in (first, second))
    assert after == before
    assert all(map(is_marked, second))
    assert "1 of 2 items" in next(flag.message for flag in second[0].log.flags if flag.kind == FlagKind.CACHED)
    assert results(second) == results(graded(course, tmp_path, cache=False)), "and the scores are those of a fresh run"


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("change", "examined"),
    [
        ("an answer", 1),
        ("a cell before the answers", 2),
        ("the seed", 2),
        ("a known wrong solution", 0),
        ("the solution", 2),
        ("the text", 0),
    ],
)
def test_a_change_that_can_change_a_score_is_examined(
    change: str, examined: int, course: Path, tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(tmp_path / "in", "ada", solved(Line=LINE + "return x") if "wrong" in change else solved())
    graded(course, tmp_path)
    asked.clear()
    notebook = tmp_path / "in" / "ada" / "toy" / "toy.ipynb"
    if change == "an answer":
        notebook.write_bytes(text(solved(Line=LINE + "return x")))
    elif change == "a cell before the answers":
        answers = solved()
        answers.cells[2].source += "\nMINE = 1"
        notebook.write_bytes(text(answers).replace(b"EPS = 1e-5", b"EPS = 1e-5 + 0"))
    elif change == "the seed":
        monkeypatch.setenv("AUTOGRADER_SEED", "another")
    elif change == "a known wrong solution":
        path = course / "solutions/variants/toy/wrong/Line/swapped.py"
        path.write_text(path.read_text() + "\n# longer\n")
        misconceptions.digest.cache_clear()  # as in a new process
    elif change == "the solution":
        edit_source(course, {"spread = (": "spread = 1 * ("})
    elif change == "the text":
        edit_source(course, {"# ## 2 A line": "# ## 2 A straight line"})
    graded(course, tmp_path)
    assert len(asked.items) == examined
    assert len(asked.mistakes) == (change in ("a known wrong solution", "an answer"))


@pytest.mark.kernel
def test_a_result_that_may_be_flaky_is_cached_after_two_examinations(
    course: Path, tmp_path: Path, asked: Asked
) -> None:
    submit(tmp_path / "in", "ada", solved(standardize=STANDARDIZE + "    import os; os._exit(1)"))
    statuses, items = [], []
    for _ in range(3):
        asked.clear()
        statuses.append(graded(course, tmp_path)[0].log.item("standardize").status)
        items.append((len(asked.students), len(asked.items)))
    assert statuses == [Status.CRASHED] * 3
    assert items == [(1, 2), (1, 0), (0, 0)]  # the second time the crash is tried again under a key that is known


@pytest.mark.parametrize("damage", ["garbage", "a row", "a folder"])
def test_a_damaged_cache_changes_no_result(damage: str, course: Path, caplog: pytest.LogCaptureFixture) -> None:
    problem = load_problem("toy", course)
    submission = Submission("ada", notebook=text(released()))
    done = grade_submission("toy", submission, root=course)
    path = course / "course" / "cache.db"
    with Cache(course, problem, "of the tests") as cache:
        cache.keep(submission, done)
        known = cache.find(submission).grading
        assert known is not None and known.log.score == 0 and known.log.outcome is Outcome.GRADED
    if damage == "garbage":
        path.write_bytes(b"garbage " * 1000)
    elif damage == "a row":
        with sqlite3.connect(path) as database:
            database.execute("UPDATE results SET found = ?", (b"x",))
        database.close()
    else:
        path.unlink()
        path.mkdir()
    with Cache(course, problem, "of the tests") as cache:
        assert cache.find(submission).grading is None
        cache.keep(submission, done)
    assert ("graded again" in caplog.text) == (damage != "a row")


def test_results_that_disagree_are_not_cached() -> None:
    first = ItemCache()
    first.keep("key", {"status": "timeout"}, "timeout")
    second = ItemCache(first.kept)
    assert second.get("key") is None and not first.is_settled
    second.keep("key", {"status": "passed"}, "passed")
    third = ItemCache(second.kept)
    assert third.get("key") == {"status": "passed"} and second.is_settled
    third.keep("key", {"status": "timeout"}, "timeout")
    assert ItemCache(third.kept).get("key") is None


def test_the_date_of_a_file_counts_only_without_a_log() -> None:
    early, late = (datetime(2027, 1, day, tzinfo=UTC) for day in (1, 2))
    with_log = [Submission("ada", notebook=b"{", log=b"{}", submitted_at=moment).digest for moment in (early, late)]
    without = [Submission("ada", notebook=b"{", submitted_at=moment).digest for moment in (early, late)]
    assert with_log[0] == with_log[1] and without[0] != without[1]
    others = [
        Submission("bela", notebook=b"{", log=b"{}"),
        Submission("ada", notebook=b"{ ", log=b"{}"),
        Submission("ada", notebook=b"{", log=b"{} "),
        Submission("ada", notebook=b"{", log=b""),
        Submission("ada", fault=(Outcome.MISSING, "gone"), log=b"{}"),
    ]
    assert len({with_log[0], *(one.digest for one in others)}) == 6
