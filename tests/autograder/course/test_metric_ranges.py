"""Expected ranges are read from the source without running it; the linter finds tables that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.core.errors import SourceError
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import load_problem
from autograder.release.lint import lint_source
from tests.autograder.toy import course_copy, toy


def course(folder: Path, line: str) -> Path:
    """The fixture course with one more line in the toy problem's log cell."""
    start = "log = SubmissionLog(run)\n"
    return course_copy(folder / "course", {start: f"{start}{line}\n"})


GOOD = 'log.bands({"toy/loss": {"full": (-0.5, 1), "mini": (None, 2.5)}, "toy/*": {}})'


def test_a_literal_table_is_read(tmp_path: Path) -> None:
    root = course(tmp_path, GOOD)
    table = {"toy/loss": {"full": (-0.5, 1), "mini": (None, 2.5)}, "toy/*": {}}
    assert declared_ranges(load_problem("toy", root)) == table
    assert lint_source(root / "solutions" / "toy.py") == []


def test_a_source_without_ranges_has_none() -> None:
    assert declared_ranges(toy()) == {}


@pytest.mark.parametrize(
    ("line", "rule", "said"),
    [
        ("log.bands(TABLE)", "bands", "must be a literal"),
        ('log.bands({"toy/x": {"mini": (0, 10 ** 2)}})', "bands", "must be a literal"),
        ('log.bands({"toy/x": {"mini": (open("x"), 1)}})', "bands", "must be a literal"),
        ('log.bands({"toy/x": {"mini": (1, 0)}})', "bands", "1 is not below 0"),
        ('log.bands({"toy/x": {"small": (0, 1)}})', "bands", "'small' is not a profile"),
        ("log.bands()", "bands", "takes one table"),
        (f"{GOOD}; {GOOD}", "bands", "a second call of bands"),
        ('log.bands({"loss": {"mini": (0, 1)}})', "metric-id", "'loss' must begin with 'toy/'"),
        ('log.metric("loss", 1.0)', "metric-id", "'loss' must begin with 'toy/'"),
        ('log.metric(f"vae/{run}", 1.0)', "metric-id", "'vae/' must begin with 'toy/'"),
    ],
)
def test_the_linter_finds_invalid_tables_and_metric_ids(line: str, rule: str, said: str, tmp_path: Path) -> None:
    root = course(tmp_path, line)
    path = root / "solutions" / "toy.py"
    (finding,) = lint_source(path)
    assert (finding.rule, said in finding.message) == (rule, True), finding
    assert path.read_text().splitlines()[finding.line - 1] == line
    if rule == "bands" and "second" not in said:
        with pytest.raises(SourceError, match="fix it in the cell tagged 'log'"):
            declared_ranges(load_problem("toy", root))


@pytest.mark.parametrize("name", ['f"{key}/loss"', "key", 'f"toy/{key}"', '"toy/loss"'])
def test_the_linter_accepts_metric_ids_that_may_be_right(name: str, tmp_path: Path) -> None:
    assert lint_source(course(tmp_path, f"log.metric({name}, 1.0)") / "solutions" / "toy.py") == []
