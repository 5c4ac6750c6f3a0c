"""Terminal tables: complete within 120 columns, whatever their content."""

from __future__ import annotations

import io

from autograder.cli.check import CheckRow
from autograder.cli.tables import PLAIN_WIDTH, GradeLine, check_table, console, grades_table
from autograder.core.results import ItemResult, Status
from tests.autograder.graded_folder import log_of

IDS = ("sample_gaussian", "kl_standard_normal", "negative_elbo", "figure_samples", "written_terms", "written_beta")


def _line(student: str = "ada", **changes: object) -> GradeLine:
    items = tuple(
        ItemResult(name, 0.0 if index > 2 else 2.5, 10.0, Status.MANUAL if index > 2 else Status.PARTIAL, "")
        for index, name in enumerate(IDS)
    )
    return GradeLine(log_of(student, problem="vae", items=items), 1.26, **changes)  # type: ignore[arg-type]


def _text(table: object) -> str:
    file = io.StringIO()
    console(file).print(table)
    return file.getvalue()


def test_a_grades_table_shows_the_points_and_names_of_the_items() -> None:
    text = _text(grades_table("vae", [_line("ada"), _line("bela")]))
    (row,) = (line.split() for line in text.splitlines() if line.strip().startswith("ada"))
    assert row == ["ada", "7.5", "/", "60", "2.5", "2.5", "2.5", "-", "-", "-", "graded", "1.3"]
    for number, name in enumerate(IDS, 1):
        assert f"{number} {name} (10)" in text
    assert "as expected" not in text and "submission" not in text


def test_unexpected_results_have_their_own_column() -> None:
    lines = [_line("ada", surprises=(), story="solved it"), _line("bela", surprises=("no points",), story="no [idea]")]
    rows = {line.split()[0]: line for line in _text(grades_table("vae", lines)).splitlines() if line.strip()}
    assert rows["ada"].rstrip().endswith("yes") and rows["bela"].rstrip().endswith("NO")
    assert "no [idea]" in rows["bela"], "markup of students is text"


def test_tables_fit_the_plain_width_and_are_not_truncated() -> None:
    long = "wrong/negative_elbo_bound/" + "reconstruction_" * 8
    checked = [
        CheckRow("vae", long, "loses points on negative_elbo_bound only", "full marks; " + "why " * 60, False, 0.5)
    ]
    for table in (check_table(checked), grades_table("vae", [_line(story="did a lot of things " * 9, surprises=())])):
        text = _text(table)
        assert max(map(len, text.splitlines())) <= PLAIN_WIDTH
        assert "…" not in text
    assert "NO" in _text(check_table(checked))
