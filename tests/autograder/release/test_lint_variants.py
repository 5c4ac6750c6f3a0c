"""The linter finds variants that are missing, that say nothing, or that are not the source of an item's cell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.course.problem import load_problem, problem_ids
from autograder.release.lint_variants import lint_variants
from tests.autograder.toy import course_copy, edit_source


def test_the_problems_of_the_course_have_no_findings(root: Path) -> None:
    assert [str(one) for problem in problem_ids(root) for one in lint_variants(load_problem(problem, root))] == []


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("wrong/Line/swapped.py", None, r"toy\.py:\d+: variants: 'Line' has 2 known wrong solutions; write at least 3"),
        (
            "right/Line/written_out.py",
            None,
            r"'Line' has 1 right alternatives; write at least 2 as .*right/Line/<slug>",
        ),
        (
            "wrong/Line/swapped.py",
            "# misconception: swapped\nclass Line: ...\n",
            r"py:1: .*says only 'swapped'; students",
        ),
        (
            "wrong/Line/swapped.py",
            "# misconception: you swapped two things\nclass Line:\n",
            r"swapped\.py:2: .*not valid",
        ),
        ("wrong/Line/swapped.py", "# misconception: you swapped two things\nLine = 1\n", "does not define 'Line'"),
        ("wrong/Line/swapped.py", "class Line: ...\n", "line 1 must be '# misconception: <one sentence>'"),
        ("wrong/Lime/one.py", "# misconception: you swapped two things\n", "rename the folder to one of standardize"),
    ],
)
def test_each_mistake_is_found(tmp_path: Path, path: str, text: str | None, message: str) -> None:
    file = course_copy(tmp_path / "course") / "solutions" / "variants" / "toy" / path
    if text is None:
        file.unlink()
    else:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    [finding] = lint_variants(load_problem("toy", tmp_path / "course"))
    assert re.search(message, str(finding)), finding
    line = finding.path.read_text(encoding="utf-8").splitlines()[finding.line - 1] if "Line' has" in message else ""
    assert line in ("", "class Line(nn.Module):")


def test_the_command_prints_them_beside_those_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = course_copy(tmp_path / "course", {"EPS = 1e-5": "EPS = 1e-5\nlog = reference"})
    (root / "solutions" / "variants" / "toy" / "wrong" / "Line" / "swapped.py").unlink()
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    done = CliRunner().invoke(app, ["lint", "toy"])
    assert done.exit_code == 1
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["reference-visible", "variants"]
    edit_source(root, {'"grade_id": "test_Line"': '"grade_id": "test_Lime"'})
    done = CliRunner().invoke(app, ["lint", "toy"])
    assert "item-without-test" in done.stdout, "a source that cannot be loaded is linted all the same"
