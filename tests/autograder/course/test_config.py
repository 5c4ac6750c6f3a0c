"""`course.toml` is read strictly, and the root folder is found from anywhere in it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.core.errors import CourseError
from autograder.course.config import LatePolicy, load_course, mismatches, root_folder

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


def write(folder: Path, text: str) -> Path:
    """Writes `course.toml`."""
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder


def refusal(folder: Path, text: str) -> str:
    """The message with which a `course.toml` is refused."""
    with pytest.raises(CourseError) as caught:
        load_course(write(folder, text))
    return str(caught.value)


def test_reads_everything(tmp_path: Path) -> None:
    course = load_course(write(tmp_path, GOOD))
    assert (course.id, course.title) == ("dl", "Deep learning")
    assert course.problems == ("vae", "gan", "rlhf")
    assert course.homework_of("rlhf").id == "12"
    zone = timezone(timedelta(hours=1))
    assert course.due("vae") == course.due("vae", "bob") == datetime(2027, 1, 17, 23, 59, tzinfo=zone)
    assert course.due("vae", "ada") == datetime(2027, 1, 19, 23, 59, tzinfo=zone)
    assert course.due("rlhf", "ada") == datetime(2027, 1, 31, 23, 59, tzinfo=zone)
    assert course.late_policy == LatePolicy(30.0, 10.0, 3)


def test_late_policy_and_extensions_may_be_left_out(tmp_path: Path) -> None:
    course = load_course(write(tmp_path, GOOD[: GOOD.index("[late_policy]")]))
    assert course.extensions == ()
    assert course.late_policy.penalty(20.0, 10 * 86_400) == 0.0


def test_the_course_of_this_repository(root: Path) -> None:
    course = load_course(root)
    assert [homework.id for homework in course.homeworks] == ["11", "12"]
    assert course.homeworks[0].problems == (
        "summarization",
        "comparing_distributions",
        "continual_learning",
        "vae",
        "gan",
        "policy_gradient",
    )
    assert course.homeworks[1].problems == ("diffusion", "early_exit", "rlhf")


@pytest.mark.parametrize(
    ("seconds", "points"),
    [(0, 0), (1800, 0), (1801, 2), (86_400, 2), (86_401, 4), (3 * 86_400, 6), (3 * 86_400 + 1, 20)],
)
def test_penalty_counts_started_days(seconds: float, points: float) -> None:
    assert LatePolicy(30, 10, 3).penalty(20.0, seconds) == pytest.approx(points)


def test_penalty_never_exceeds_the_score() -> None:
    assert LatePolicy(0, 60, None).penalty(20.0, 5 * 86_400) == 20.0
    assert LatePolicy(0, 60, None).penalty(0.0, 86_400) == 0.0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "dl"', 'id = "d l"', "table [course], key 'id' is 'd l'; it must be letters, digits"),
        ('title = "Deep learning"', "title = 3", "table [course], key 'title' is 3; it must be text"),
        ('title = "Deep learning"', "", "table [course], key 'title' is missing"),
        (
            "git+https://example.org/dl.git",
            "homework; rm x",
            "key 'student_package' is 'homework; rm x'; it must be one",
        ),
        ('published = "https:', 'published = "ftp:', "key 'published' is 'ftp://example.org/dl'; it must be a web"),
        ("[late_policy]", "[late_polcy]", "top level, key 'late_polcy' is unknown (did you mean 'late_policy'?)"),
        (
            "percent_per_day = 10",
            "percent_per_dya = 10",
            "'percent_per_dya' is unknown (did you mean 'percent_per_day'?)",
        ),
        ("percent_per_day = 10", "percent_per_day = 110", "is 110; it must be a number from 0 to 100"),
        ("last_day = 3", "last_day = 2.5", "key 'last_day' is 2.5; it must be a whole number of at least 0"),
        ("last_day = 3", "last_day = true", "key 'last_day' is True; it must be a whole number"),
        (
            "2027-01-31T23:59:00+01:00",
            "2027-01-31T23:59:00",
            "number 2, key 'due' is 2027-01-31T23:59:00, which has no",
        ),
        (
            "2027-01-31T23:59:00+01:00",
            '"2027-01-31"',
            "number 2, key 'due' is '2027-01-31'; it must be a date and time",
        ),
        (
            'problems = ["rlhf"]',
            "problems = []",
            "table [[homework]] number 2, key 'problems' is []; it must be a list",
        ),
        ('problems = ["rlhf"]', 'problems = ["R L"]', "key 'problems' has 'R L'; it must be a list of problem ids"),
        ('problems = ["rlhf"]', 'problems = ["vae"]', "[[homework]] problems: 'vae' is listed twice; remove one"),
        ('id = "12"', 'id = "11"', "[[homework]] id: '11' is listed twice"),
        (
            'homework = "11"',
            'homework = "13"',
            "table [[extension]] number 1, key 'homework' is '13'; use one of 11, 12",
        ),
        ("days = 2", "days = 0", "number 1, key 'days' is missing or 0; give a positive number"),
        ("[late_policy]", "[[late_policy]]", "key 'late_policy' is not a table; write it as [late_policy]"),
        ('title = "First"', 'title = "First', "cannot be read"),
    ],
)
def test_refuses_and_says_what_to_do(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    message = refusal(tmp_path, GOOD.replace(old, new, 1))
    assert said in message
    assert str(tmp_path / "course.toml") in message


def test_refuses_a_course_without_homeworks(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD[: GOOD.index("[[homework]]")])
    assert "key 'homework' is missing; add a [[homework]] table" in message


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no .*course.toml"):
        load_course(tmp_path)
    (tmp_path / "course.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(CourseError, match="cannot be read.*saved as UTF-8"):
        load_course(tmp_path)


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text(GOOD.replace("days =", "dayz ="))
    with pytest.raises(CourseError, match=r"has an unknown key 'dayz'; did you mean 'days'\?"):
        load_course(tmp_path)


def test_homeworks_that_do_not_fit_the_sources(root: Path) -> None:
    course = load_course(root)
    assert mismatches(course, course.problems) == []
    [missing, stray] = mismatches(course, [problem for problem in course.problems if problem != "gan"] + ["gam"])
    assert "homework 11 names 'gan', which has no source (did you mean 'gam'?)" in missing
    assert "solutions/gam.py is in no homework" in stray


def test_an_unlisted_problem(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no \[\[homework\]\] lists the problem 'vea' \(did you mean 'vae'\?\)"):
        load_course(write(tmp_path, GOOD)).due("vea")


def test_the_root_is_named_or_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    write(tmp_path, GOOD)
    deep = tmp_path / "course" / "submitted"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert root_folder() == tmp_path.resolve()
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    assert root_folder() == root
    monkeypatch.setenv("AUTOGRADER_ROOT", str(deep))
    with pytest.raises(CourseError, match="AUTOGRADER_ROOT is .*submitted.*correct or unset the variable"):
        root_folder()


def test_elsewhere_the_checkout_is_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.chdir(tmp_path)
    if any((folder / "course.toml").exists() for folder in tmp_path.parents):
        pytest.skip("the temporary folder lies within a course")
    assert root_folder() == root
    assert os.path.samefile(root_folder(), root)
