"""`course.toml` is read strictly, and the root folder is found from anywhere in it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.core.errors import CourseError
from autograder.course.config import Course, load_course, mismatches, root_folder
from autograder.course.late_policy import LatePolicy
from autograder.course.problem import load_problem, problem_ids
from tests.autograder.toy import course_copy

DAY = 86_400
GOOD = """
[course]
id = "dl"
title = "Deep learning"
student_package = "git+https://example.org/dl.git"
published = "https://example.org/dl"

[[homework]]
id = "11"
title = "First"
due = 2027-01-17T23:59:00+01:00
problems = ["vae", "gan"]

[[homework]]
id = "12"
title = "Second"
due = 2027-01-31T23:59:00+01:00
problems = ["rlhf"]

[late_policy]
grace_minutes = 30
percent_per_day = 10
last_day = 3

[[extension]]
student = "ada"
homework = "11"
days = 2
"""


def load(folder: Path, text: str = GOOD) -> Course:
    """The course of a `course.toml`."""
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return load_course(folder)


def test_all_settings_are_read(tmp_path: Path) -> None:
    course = load(tmp_path)
    assert (course.id, course.title) == ("dl", "Deep learning")
    assert course.problems == ("vae", "gan", "rlhf")
    assert course.homework_of("rlhf").id == "12"
    zone = timezone(timedelta(hours=1))
    assert course.due("vae") == course.due("vae", "bob") == datetime(2027, 1, 17, 23, 59, tzinfo=zone)
    assert course.due("vae", "ada") == datetime(2027, 1, 19, 23, 59, tzinfo=zone)
    assert course.due("rlhf", "ada") == datetime(2027, 1, 31, 23, 59, tzinfo=zone)
    assert course.late_policy == LatePolicy(30.0, 10.0, 3)


def test_late_policy_and_extensions_may_be_left_out(tmp_path: Path) -> None:
    course = load(tmp_path, GOOD[: GOOD.index("[late_policy]")])
    assert course.extensions == ()
    assert course.late_policy.penalty(20.0, 10 * 86_400) == 0.0


def test_modules_to_preload_must_be_installed(tmp_path: Path) -> None:
    assert load(tmp_path).modules_to_preload() == ()
    good = GOOD.replace("[[homework]]", 'preload = ["numpy", "xml.dom", "numpy.linalg"]\n[[homework]]', 1)
    assert load(tmp_path, good).modules_to_preload() == ("numpy", "xml.dom", "numpy.linalg")
    for name, hint in (("numppy", "(did you mean 'numpy'?)"), ("numpy.nowhere", ""), ("json.nowhere.x", "")):
        course = load(tmp_path, good.replace("xml.dom", name))
        with pytest.raises(CourseError, match=f"names '{name}', which is not installed here.*{re.escape(hint)}"):
            course.modules_to_preload()


def test_the_course_of_this_repository_lists_all_problems(root: Path) -> None:
    assert mismatches(load_course(root), problem_ids(root)) == []


@pytest.mark.parametrize(
    ("policy", "score", "seconds", "points"),
    [
        *[(LatePolicy(30, 10, 3), 20.0, seconds, 0) for seconds in (0, 1800)],
        *[(LatePolicy(30, 10, 3), 20.0, seconds, 2) for seconds in (1801, DAY)],
        (LatePolicy(30, 10, 3), 20.0, DAY + 1, 4),
        (LatePolicy(30, 10, 3), 20.0, 3 * DAY, 6),
        (LatePolicy(30, 10, 3), 20.0, 3 * DAY + 1, 20),
        (LatePolicy(0, 60, None), 20.0, 5 * DAY, 20.0),
        (LatePolicy(0, 60, None), 0.0, DAY, 0.0),
    ],
)
def test_the_penalty_counts_started_days_and_is_at_most_the_score(
    policy: LatePolicy, score: float, seconds: float, points: float
) -> None:
    assert policy.penalty(score, seconds) == pytest.approx(points)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "dl"', 'id = "d l"', "table [course], key 'id' is 'd l'; it must be letters, digits"),
        ('title = "Deep learning"', "title = 3", "table [course], key 'title' is 3; it must be non-empty text"),
        ('title = "Deep learning"', "", "table [course], key 'title' is missing"),
        (
            "git+https://example.org/dl.git",
            "homework; rm x",
            "'student_package' is 'homework; rm x'; it must be one",
        ),
        ("[[homework]]", 'preload = "pandas"\n[[homework]]', "key 'preload' is 'pandas'; it must be a list of Python"),
        ("[[homework]]", 'preload = ["a b"]\n[[homework]]', "key 'preload' has 'a b'; it must be a list of Python"),
        ("[[homework]]", 'preload = ["re", "re"]\n[[homework]]', "key 'preload' lists 're' twice; remove one"),
        ("[[homework]]", 'prelaod = ["re"]\n[[homework]]', "'prelaod' is unknown (did you mean 'preload'?)"),
        ('published = "https:', 'published = "ftp:', "key 'published' is 'ftp://example.org/dl'; it must be a web"),
        ("[late_policy]", "[late_polcy]", "top level, key 'late_polcy' is unknown (did you mean 'late_policy'?)"),
        ("percent_per_day", "percent_per_dya", "'percent_per_dya' is unknown (did you mean 'percent_per_day'?)"),
        ("percent_per_day = 10", "percent_per_day = 110", "is 110; it must be a number from 0 to 100"),
        ("last_day = 3", "last_day = 2.5", "key 'last_day' is 2.5; it must be a whole number of at least 0"),
        ("last_day = 3", "last_day = true", "key 'last_day' is True; it must be a whole number"),
        ("-31T23:59:00+01:00", "-31T23:59:00", "number 2, key 'due' is 2027-01-31T23:59:00, which has no"),
        ("2027-01-31T23:59:00+01:00", '"2027-01-31"', "key 'due' is '2027-01-31'; it must be a date and time"),
        ('["rlhf"]', "[]", "table [[homework]] number 2, key 'problems' is []; it must be a list"),
        ('problems = ["rlhf"]', 'problems = ["R L"]', "key 'problems' has 'R L'; it must be a list of problem ids"),
        ('problems = ["rlhf"]', 'problems = ["vae"]', "[[homework]] problems: 'vae' is listed twice; remove one"),
        ('id = "12"', 'id = "11"', "[[homework]] id: '11' is listed twice"),
        ('homework = "11"', 'homework = "13"', "[[extension]] number 1, key 'homework' is '13'; use one of 11, 12"),
        ("days = 2", "days = 0", "number 1, key 'days' is missing or 0; give a positive number"),
        ("[late_policy]", "[[late_policy]]", "key 'late_policy' is not a table; write it as [late_policy]"),
        ('title = "First"', 'title = "First', "cannot be read"),
        ("days =", "dayz =", "has an unknown key 'dayz'; did you mean 'days'?"),
        (GOOD[GOOD.index("[[homework]]") :], "", "key 'homework' is missing; add a [[homework]] table"),
    ],
)
def test_an_invalid_setting_is_an_error_that_says_what_to_do(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(CourseError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(caught.value) and str(tmp_path / "course.toml") in str(caught.value)


def test_a_missing_or_undecodable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no .*course.toml"):
        load_course(tmp_path)
    (tmp_path / "course.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(CourseError, match="cannot be read.*saved as UTF-8"):
        load_course(tmp_path)


def test_problems_without_a_source_and_sources_without_a_homework_are_reported(root: Path) -> None:
    course = load_course(root)
    assert mismatches(course, course.problems) == []
    [missing, stray] = mismatches(course, [problem for problem in course.problems if problem != "gan"] + ["gam"])
    assert "homework 11 names 'gan', which has no source (did you mean 'gam'?)" in missing
    assert "solutions/gam.py is in no homework" in stray


def test_an_unlisted_problem_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no \[\[homework\]\] lists the problem 'vea' \(did you mean 'vae'\?\)"):
        load(tmp_path).due("vea")


def test_the_root_is_given_or_found_in_a_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    load(tmp_path)
    deep = tmp_path / "course" / "submitted"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert root_folder() == tmp_path.resolve()
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    assert root_folder() == root
    monkeypatch.setenv("AUTOGRADER_ROOT", str(deep))
    with pytest.raises(CourseError, match="AUTOGRADER_ROOT is .*submitted.*correct or unset the variable"):
        root_folder()


def test_outside_a_course_the_checkout_is_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.chdir(tmp_path)
    if any((folder / "course.toml").exists() for folder in tmp_path.parents):
        pytest.skip("the temporary folder lies within a course")
    assert root_folder() == root


COUNTS = 'problems = ["toy", "not_written_yet"]\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('drop = ["toy/nothing"]', "which is not in"),
        ('drop = ["toy/written_unit"]', "did you mean 'written_units'"),
        ('bonus = ["tyo/Line"]', "did you mean 'toy'"),
        ('bonus = ["vae/Line"]', "in no problem of homework 1"),
        ('drop = ["Line"]', "each as problem/item"),
        ('drop = "toy/Line"', "each as problem/item"),
        ('drop = ["toy/Line", "toy/Line"]', "twice"),
        ('drop = ["toy/Line"]\nbonus = ["toy/Line"]', "under both"),
        ('dorp = ["toy/Line"]', "did you mean 'drop'"),
    ],
)
def test_a_drop_or_bonus_that_fits_no_item_is_an_error(lines: str, said: str, tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    path = root / "course.toml"
    path.write_text(path.read_text().replace(COUNTS, f"{COUNTS}{lines}\n"))
    with pytest.raises(CourseError, match=re.escape(said)) as raised:
        load_problem("toy", root)
    assert str(path) in str(raised.value)


def test_dropped_and_bonus_items_add_nothing_to_the_maximum(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    assert load_problem("toy", root).max_score == 25
    path = root / "course.toml"
    path.write_text(path.read_text().replace(COUNTS, f'{COUNTS}drop = ["toy/written_units"]\nbonus = ["toy/Line"]\n'))
    problem = load_problem("toy", root)
    assert [str(item.counts) for item in problem.items] == ["", "bonus", "", "dropped"]
    assert problem.max_score == 14 and problem.item("Line").points == 8
