"""Files beside a notebook are taken if it shows them to students."""

from __future__ import annotations

from pathlib import Path

from autograder.imports.companions import companions
from autograder.imports.nbgrader import read_nbgrader
from tests.autograder.imports.notebooks import given, graded_by, solution, text, written_to


def test_only_files_that_students_see_named_are_taken(tmp_path: Path) -> None:
    for name in (
        "a.csv",
        "in/b.csv",
        "helpers.py",
        "fig.png",
        "secret.csv",
        "answer.csv",
        "unused.csv",
        ".env",
        "key.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    hidden = "### BEGIN HIDDEN TESTS\nassert open('secret.csv')\nimport key\n### END HIDDEN TESTS"
    path = written_to(
        tmp_path / "one.ipynb",
        text("See ![a figure](fig.png) and `./in/b.csv`.\n\nNot one.ipynb, .env, ../one or link.csv."),
        given("import helpers\nimport os.path\nt = open('a.csv')  # not 'unused.csv'"),
        text("The grades of unused.csv."),
        solution("x = open('answer.csv').read()", "x"),
        graded_by(f"assert x\n{hidden}"),
    )
    assert list(companions(path, read_nbgrader(path))) == ["a.csv", "fig.png", "helpers.py", "in/b.csv"]
