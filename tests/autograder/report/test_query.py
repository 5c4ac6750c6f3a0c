"""Questions to a class are answered from its logs, and cannot change anything."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.flags import Flag
from autograder.core.results import GradedLog, Grading, Status
from autograder.course.config import load_course
from autograder.gradebook.database import recording, submission_times
from autograder.report.query import TABLES, QueryError, query
from tests.autograder.graded_folder import log_of, with_item, write_class
from tests.conftest import ROOT

EXAMPLES = re.findall(r"(?s)```sql\n(.+?)\n```", (ROOT / "docs" / "class_report.md").read_text(encoding="utf-8"))
FAILED = "values: wrong on other data\ngot 1\ngradient: Your code raised KeyError in `standardize`, line 3 of the cell"


@pytest.fixture
def class_of_four(tmp_path: Path) -> Path:
    """Ada passes; bob fails both hidden parts; chen's cell crashed; =dana is named like a formula."""
    failed = {"score": 0.0, "status": Status.FAILED, "message": FAILED, "misconception": "std_is_variance"}
    crashed = {"score": 0.0, "status": Status.CRASHED, "message": "The Python process ended."}
    logs = [
        log_of("ada", metrics={"toy/final_loss": {"value": 0.25}, "toy/other": {"value": None}}),
        with_item(log_of("bob", flags=(Flag("repaired", "found by its name"),)), "standardize", **failed),
        with_item(log_of("chen"), "Line", **crashed),
        log_of("=dana", metrics={"toy/final_loss": {"value": 10**400}, "toy/other": {"value": 10**30}}),
    ]
    return write_class(tmp_path / "graded", logs)


def test_the_tables_hold_what_the_logs_say(class_of_four: Path, course: Path) -> None:
    def ask(sql: str) -> list[tuple[object, ...]]:
        return query(sql, class_of_four, course).rows

    assert ask("SELECT student FROM submissions ORDER BY score DESC, student LIMIT 2") == [("=dana",), ("ada",)]
    assert ask("SELECT DISTINCT needs_grading, homework IS NULL, submitted_at, days_late FROM submissions") == [
        (2, 0, None, None)
    ]
    assert ask("SELECT part, is_hidden, message FROM messages WHERE student = 'bob' AND item = 'standardize'") == [
        ("values", 1, "wrong on other data\ngot 1"),
        ("gradient", 1, "Your code raised KeyError in `standardize`, line 3 of the cell"),
    ]
    assert ask("SELECT part, is_hidden, message FROM messages WHERE student = 'chen' AND item = 'Line'") == [
        ("", 0, "The Python process ended.")
    ]
    assert ask("SELECT misconception, count(*) FROM items WHERE kind = 'code' AND score < max_score GROUP BY 1") == [
        ("", 1),
        ("std_is_variance", 1),
    ]
    assert ask("SELECT metric, value FROM metrics WHERE student = 'ada'") == [
        ("toy/final_loss", 0.25),
        ("toy/other", None),
    ]
    assert ask("SELECT value FROM metrics WHERE student = '=dana'") == [(None,), (1e30,)]
    assert ask("SELECT kind FROM flags WHERE student = 'bob'") == [("repaired",)]
    for table, columns in TABLES.items():
        assert query(f"SELECT * FROM {table}", class_of_four, course).columns == tuple(columns)


def test_late_days_come_from_the_gradebook(class_of_four: Path, course: Path) -> None:
    due = load_course(course).due("toy")
    with recording(course) as record:
        for student, hours in (("ada", -1), ("bob", 30)):
            log = GradedLog.from_json(log_of(student).as_json())
            at = (due + timedelta(hours=hours)).astimezone(UTC)
            notebook = (class_of_four / student / "toy" / "toy.ipynb").read_text(encoding="utf-8")
            record(Grading(log, notebook), at)
    asked = "SELECT student, submitted_at, days_late FROM submissions ORDER BY student"
    rows = query(asked, class_of_four, course, partial(submission_times, course)).rows
    assert [(student, late) for student, _, late in rows] == [("=dana", None), ("ada", 0), ("bob", 2), ("chen", None)]
    assert datetime.strptime(str(rows[1][1]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) == due - timedelta(hours=1)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("DELETE FROM items", "only SELECT is allowed"),
        ("ATTACH 'course/gradebook.db' AS g", "only SELECT is allowed"),
        ("PRAGMA writable_schema = 1", "only SELECT is allowed"),
        ("SELECT nope FROM items", "no such column: nope"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("what?", "syntax error"),
    ],
)
def test_a_bad_question_says_why_and_changes_nothing(sql: str, why: str, class_of_four: Path, course: Path) -> None:
    with pytest.raises(QueryError, match=why):
        query(sql, class_of_four, course)


def test_the_examples_of_the_documentation_run(class_of_four: Path, course: Path) -> None:
    assert len(EXAMPLES) == 5
    for example in EXAMPLES:
        query(example, class_of_four, course)
    asked = EXAMPLES[0].replace("vae", "toy").replace("sample_gaussian", "standardize")
    assert [row[:2] for row in query(asked, class_of_four, course).rows] == [("bob", "values"), ("bob", "gradient")]
    assert query(EXAMPLES[1], class_of_four, course).rows == [("toy", "standardize", "std_is_variance", 1)]


def test_the_command_prints_a_table_or_csv_without_formulas(
    class_of_four: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(course))
    asked = ["query", "SELECT student, score FROM submissions ORDER BY 1", "--out", str(class_of_four)]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0 and "=dana" in shown.stdout and "4 rows" in shown.stdout
    assert CliRunner().invoke(app, [*asked, "--csv", "-"]).stdout.splitlines()[:2] == ["student,score", "'=dana,20.0"]
    assert CliRunner().invoke(app, [*asked, "--csv", str(tmp_path / "x.csv")]).exit_code == 0
    assert (tmp_path / "x.csv").read_text().count("\n") == 5
    columns = CliRunner().invoke(app, ["query"])
    assert columns.exit_code == 0 and all(table in columns.stdout for table in TABLES)
