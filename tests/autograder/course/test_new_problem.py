"""`autograder new` writes all of a problem or nothing."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import AutograderError, CourseError, SetupError, SourceError
from autograder.course.config import load_course
from autograder.course.new_problem import TEMPLATE, new_problem
from autograder.course.problem import load_problem
from tests.autograder.toy import course_copy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return course_copy(tmp_path / "course")


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_writes_source_variants_and_entry(root: Path) -> None:
    written = new_problem("batch_norm", root=root)
    assert written[0] == root / "solutions" / "batch_norm.py" and written[-1] == root / "course.toml"
    problem = load_problem("batch_norm", root)
    assert problem.title == "Batch norm"
    assert [item.kind for item in problem.items] == ["code", "code", "figure", "written"]
    assert all(b"PROBLEM" not in path.read_bytes() and b"TITLE" not in path.read_bytes() for path in written)
    assert len(written) == len(list(TEMPLATE.rglob("*.*"))) + 1
    assert load_course(root).homework_of("batch_norm").id == "1"


def test_the_title_and_the_homework_may_be_given(root: Path) -> None:
    course = root / "course.toml"
    second = '\n[[homework]]\nid = "2"\ntitle = "More"\ndue = 2027-02-17T23:59:00+01:00\nproblems = ["later"]\n'
    course.write_text(course.read_text(encoding="utf-8") + second, encoding="utf-8")
    new_problem("one", title="  Layers of size one ", homework="1", root=root)
    new_problem("two", root=root)
    assert load_problem("one", root).title == "Layers of size one"
    assert [homework.problems[-1] for homework in load_course(root).homeworks] == ["one", "two"]


def test_a_problem_that_is_planned_in_the_course_file_gets_its_source(root: Path) -> None:
    before = (root / "course.toml").read_bytes()
    new_problem("not_written_yet", root=root)
    assert (root / "course.toml").read_bytes() == before
    assert load_problem("not_written_yet", root).items


@pytest.mark.parametrize(
    "problems",
    [
        '["toy"]',
        "['toy', ]",
        '[\n    "toy",  # the first ]\n    "other",\n]',
        '[\n    "toy",\n    "other"\n]',
        '["toy" ]',
    ],
)
def test_the_course_file_keeps_everything_else(root: Path, problems: str) -> None:
    course = root / "course.toml"
    text = course.read_text(encoding="utf-8").replace('["toy", "not_written_yet"]', problems)
    course.write_text(text, encoding="utf-8")
    wanted: Any = tomllib.loads(text)
    wanted["homework"][0]["problems"].append("one")
    new_problem("one", root=root)
    after = course.read_text(encoding="utf-8")
    assert tomllib.loads(after) == wanted
    assert [line for line in text.splitlines() if "#" in line] == [line for line in after.splitlines() if "#" in line]


@pytest.mark.parametrize(
    ("problem", "options", "kind", "message"),
    [
        ("Batch-Norm", {}, SourceError, "'Batch-Norm' cannot be the id of a problem; use a lower-case letter"),
        ("../vae", {}, SourceError, "cannot be the id"),
        ("x" * 51, {}, SourceError, "at most 50"),
        ("one", {"title": "a\nb"}, SourceError, "give one line of text"),
        ("toy", {}, SourceError, r"the problem 'toy' exists: .*solutions/toy\.py; choose another id"),
        ("one", {"homework": "7"}, CourseError, "has no homework '7'; name one of 1"),
    ],
)
def test_what_cannot_be_used_is_refused(
    root: Path, problem: str, options: dict[str, str], kind: type[AutograderError], message: str
) -> None:
    before = files(root)
    with pytest.raises(kind, match=message):
        new_problem(problem, root=root, **options)
    assert files(root) == before


@pytest.mark.parametrize("path", ["solutions/ONE.py", "solutions/variants/one/wrong/f/a.py", "notebooks/one.ipynb"])
def test_nothing_is_written_where_something_is_in_the_way(root: Path, path: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("mine", encoding="utf-8")
    before = files(root)
    with pytest.raises(SourceError, match=r"one.*; choose another id, or move"):
        new_problem("one", root=root)
    assert files(root) == before


def test_a_list_of_problems_that_is_not_found_is_left_to_the_author(root: Path) -> None:
    course = root / "course.toml"
    course.write_text(course.read_text(encoding="utf-8").replace("problems =", '"problems" ='), encoding="utf-8")
    before = files(root)
    with pytest.raises(CourseError, match="cannot be changed safely; add 'one' to them, then run the command again"):
        new_problem("one", root=root)
    assert files(root) == before


def test_a_disk_that_becomes_full_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, replace, count = sorted(root.rglob("*")), os.replace, 0

    def full_after_five(*paths: Any) -> None:
        nonlocal count
        count += 1
        if count > 5:
            raise OSError(28, "No space left on device")
        replace(*paths)

    monkeypatch.setattr(os, "replace", full_after_five)
    with pytest.raises(SetupError, match="No space left"):
        new_problem("one", root=root)
    assert count == 6 and sorted(root.rglob("*")) == before


def test_the_command_says_what_comes_next(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    done = CliRunner().invoke(app, ["new", "one", "--title", "Size one"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "solutions/one.py",
        "13 wrong and right variants in solutions/variants/one",
        "course.toml: one added",
        "autograder lint one",
        "autograder check one",
        "autograder release one",
    ]
    again = CliRunner().invoke(app, ["new", "one"])
    assert again.exit_code == 2 and "the problem 'one' exists" in again.output
