"""Every rule of the linter: what it finds, at which line, and what it tells the author to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.core.errors import SourceError
from autograder.course.problem import problem_ids
from autograder.release.lint import Finding, lint_problem, lint_source

FIXTURE = Path(__file__).parents[1] / "fixture_course"
TOY = (FIXTURE / "solutions" / "toy.py").read_text(encoding="utf-8")


def lint_text(folder: Path, text: str) -> list[Finding]:
    """Lints a text as the source `toy.py`."""
    path = folder / "toy.py"
    path.write_text(text, encoding="utf-8")
    return lint_source(path)


def test_a_good_source_has_no_findings() -> None:
    assert lint_problem("toy", FIXTURE) == []


def test_every_problem_of_the_course_is_clean(root: Path) -> None:
    sources = sorted((root / "solutions").glob("*.py"))
    assert [str(finding) for source in sources for finding in lint_source(source)] == []


CASES = [
    # marker: looks like one, is none
    ("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS", "marker", "write exactly '### BEGIN HIDDEN TESTS'"),
    ("### BEGIN HIDDEN TESTS", "###BEGIN HIDDEN TESTS", "marker", "'###BEGIN HIDDEN TESTS' looks like a marker"),
    ("    ### BEGIN SOLUTION", "    ## BEGIN SOLUTION", "marker", "write exactly '### BEGIN SOLUTION'"),
    ("    ### BEGIN SOLUTION", "    ### Begin solution", "marker", "write exactly '### BEGIN SOLUTION'"),
    ("    ### END SOLUTION", "    ### END SOLUTIONS", "marker", "write exactly '### END SOLUTION'"),
    (
        "# ### BEGIN MARK SCHEME\n# - 2",
        "# ### BEGIN MARKSCHEME\n# - 2",
        "marker",
        "write exactly '### BEGIN MARK SCHEME'",
    ),
    ("### END HIDDEN TESTS", "print('END HIDDEN TESTS')", "marker", "or reword the line"),
    # unbalanced
    ("### END HIDDEN TESTS\n", "", "unbalanced", "BEGIN HIDDEN TESTS is never closed; add '### END HIDDEN TESTS'"),
    ("### BEGIN HIDDEN TESTS\n", "", "unbalanced", "END HIDDEN TESTS has no BEGIN HIDDEN TESTS in this cell"),
    ("    mu = x.mean", "    ### BEGIN SOLUTION\n    mu = x.mean", "unbalanced", "BEGIN SOLUTION inside the SOLUTION"),
    ("### END HIDDEN TESTS", "### END SOLUTION", "unbalanced", "END SOLUTION closes BEGIN HIDDEN TESTS of line"),
    # grade ids
    ('"grade_id": "standardize", ', "", "grade-id-missing", "has nbgrader metadata but no grade_id; give it one"),
    ('"grade_id": "test_Line"', '"grade_id": "test_standardize"', "grade-id-duplicate", "nbgrader keeps only one"),
    (
        '"grade_id": "Line"',
        '"grade_id": "Linear"',
        "grade-id-name",
        "the cell defines Line, but its grade_id is 'Linear'",
    ),
    ('"grade_id": "written_units"', '"grade_id": "units"', "grade-id-name", "named written_<label> or figure_<label>"),
    ('"grade_id": "test_Line"', '"grade_id": "Line_test"', "grade-id-name", "a test cell is named test_<item>"),
    (
        '"grade_id": "figure_loss"',
        '"grade_id": "figure_lo-ss"',
        "grade-id-name",
        "may only have letters, digits and '_'",
    ),
    (
        "    ### END SOLUTION\n",
        "    ### END SOLUTION\n\n\ndef also():\n    pass\n",
        "grade-id-name",
        "standardize, also",
    ),
    # solution cells
    (
        re.compile(
            r"    ### (BEGIN|END) SOLUTION\n(?=    mu|\n\n# %% nbgrader=\{\"grade\": true, \"grade_id\": \"test_st)"
        ),
        "",
        "solution-markers",
        "'standardize' has no markers, so its text would be lost in the release; wrap the answer",
    ),
    (
        "EPS = 1e-5",
        "### BEGIN SOLUTION\nEPS = 1e-5\n### END SOLUTION",
        "solution-region",
        "not a solution cell; move it",
    ),
    # points
    ('"points": 8, ', "", "points", "'test_Line' has no points; add \"points\": a positive number"),
    ('"points": 8', '"points": 0', "points", "'test_Line' has 0 points; give a positive number"),
    ('"points": 8', '"points": -1', "points", "'test_Line' has -1 points"),
    ('"points": 8', '"points": "8"', "points", "'test_Line' has '8' points"),
    (
        '"grade_id": "Line"',
        '"points": 8, "grade_id": "Line"',
        "points",
        "a cell that is not graded has points; move them to its test cell",
    ),
    # pairs
    ('"grade_id": "test_Line"', '"grade_id": "test_Lines"', "item-without-test", "add one with grade_id 'test_Line'"),
    ('"grade_id": "test_Line"', '"grade_id": "test_Lines"', "test-without-item", "'test_Lines' tests no item"),
    # bare expressions
    (
        'print("Line: all visible checks passed")\n### BEGIN HIDDEN TESTS',
        "line(x)\n### BEGIN HIDDEN TESTS",
        "bare-expression",
        "ends with a bare expression (hidden region removed): 'line(x)'",
    ),
    (
        "### END HIDDEN TESTS\n\n# %% [markdown]\n# ## 3",
        "steep.slope\n### END HIDDEN TESTS\n\n# %% [markdown]\n# ## 3",
        "bare-expression",
        "ends with a bare expression: 'steep.slope'; nbgrader would read its value as a score",
    ),
    (
        "### END HIDDEN TESTS\n\n# %% [markdown]\n# ## 2",
        "    line.zero_grad()\n### END HIDDEN TESTS\n\n# %% [markdown]\n# ## 2",
        "bare-expression",
        "'line.zero_grad()'",
    ),
    # regions in the wrong place
    ("EPS = 1e-5", "### BEGIN HIDDEN TESTS\nEPS = 1e-5\n### END HIDDEN TESTS", "hidden-region", "not a test cell"),
    (
        "EPS = 1e-5",
        "### BEGIN MARK SCHEME\n# no\n### END MARK SCHEME",
        "mark-scheme",
        "in a cell that is not graded by hand",
    ),
    # metadata
    ('"points": 8,', "'points': 8,", "metadata", "the value of 'nbgrader' is not JSON"),
    ('"points": 8,', '"point": 8,', "metadata", "nbgrader has no key 'point'; did you mean 'points'?"),
    ('"locked": true, "points": 8', '"points": 8', "metadata", "nbgrader's 'locked' is missing"),
    ('"locked": true, "points": 8', '"locked": false, "points": 8', "metadata", "a test cell must be locked"),
    ('"locked": true, "points": 8', '"locked": 1, "points": 8', "metadata", "'locked' is 1; it must be true or false"),
    ('"points": 8, "schema_version": 3', '"points": 8, "schema_version": 2', "metadata", "is 2; it must be 3"),
    ("seconds=10", "seconds=-1", "metadata", "`seconds` is -1; give a positive number"),
    ("seconds=10", "second=10", "metadata", "unknown key 'second'; did you mean 'seconds'?"),
    ('# %% tags=["train"]', '# %% tags=["train"] seconds=5', "metadata", "`seconds` is the time limit of a test cell"),
    ('# %% tags=["train"]', '# %% training tags=["train"]', "metadata", "cannot read the cell's metadata at 'training"),
    (
        '"grade_id": "written_units", "locked": false, "points": 3, "schema_version": 3, "solution": true',
        '"grade_id": "written_units", "locked": true, "points": 3, "schema_version": 3, "solution": false',
        "metadata",
        "a text cell must have grade and solution both true",
    ),
    ('"task": false} seconds', '"task": true} seconds', "metadata", "task cells are not used here"),
    # stubs
    (
        "        ### BEGIN SOLUTION\n        return torch.addcmul",
        "    ### BEGIN SOLUTION\n        return torch.addcmul",
        "stub",
        "indent BEGIN SOLUTION like the line below it",
    ),
    (
        "    return (x - mu) / torch.sqrt(spread + eps)\n    ### END SOLUTION",
        "    if eps < 0:\n    ### END SOLUTION\n        raise ValueError\n    return x",
        "stub",
        "with the solution replaced by a raise the cell is not valid Python",
    ),
    (
        "def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n",
        "### BEGIN SOLUTION\ndef standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n",
        "unbalanced",
        "BEGIN SOLUTION inside the SOLUTION region",
    ),
    (
        '    """A straight line with learnable slope and intercept, both scalars."""\n',
        "",
        "stub",
        "'Line' has no docstring",
    ),
    # names behind the wall
    ("y = student.standardize(exam", "y = standardize(exam", "unprefixed", "call it as student.standardize"),
    ("steep = student.Line", "Line = student.Line", "unprefixed", "'Line' is graded"),
    ("line = student.Line", "line = reference.Line", "reference-visible", "move it into the hidden region"),
    ("EPS = 1e-5", "EPS = reference.EPS", "reference-visible", "`reference` in a given cell"),
    ("hidden_x = 5", "student = 5", "rebound", "gives 'student' another value"),
    (
        "hidden_x = 5",
        "for torch in (5,):\n    hidden_x = torch",
        "rebound",
        "gives 'torch' another value, which cells below",
    ),
    ("hidden_x = 5", "from homework import reference\nhidden_x = 5", "rebound", "import it only in the set-up cell"),
    ('"wrong for a negative slope"', 'f"wrong for {steep}"', "hidden-message", "shows values; name the likely mistake"),
    # mark schemes
    (
        re.compile(r"# ### BEGIN MARK SCHEME\n# - 2(.*\n)*?# ### END MARK SCHEME\n"),
        "",
        "mark-scheme",
        "'written_units' has no rubric; add '### BEGIN MARK SCHEME'",
    ),
    ("# - 2 points: names", "# - 5 points: names", "mark-scheme", "'written_units' adds up to 6, but its points are 3"),
    (re.compile(r"# - \d points?: (?=.*\b(units|quotient)\b)"), "# - ", "mark-scheme", "or its points are"),
    # tags
    (' tags=["install"]', "", "tags", "no code cell has the tag 'install'; add it: # %% tags=[\"install\"]"),
    (' tags=["answers"]', "", "tags", "no code cell has the tag 'answers'"),
    (' tags=["log"]', "", "tags", "no code cell has the tag 'log'"),
    ('tags=["train"]', 'tags=["trian"]', "tags", "unknown tag 'trian'; did you mean 'train'?"),
    ('tags=["train"]', 'tags=["answers"]', "tags", "a second cell has the tag 'answers'; remove one"),
    (
        "# %% [markdown]\n# ## Ref",
        "# %%\nx = 1\n\n# %% [markdown]\n# ## Ref",
        "tags",
        "must be the last code cell; move it",
    ),
    ("-q STUDENT_PACKAGE", "-q homework", "tags", "the install cell does not name STUDENT_PACKAGE"),
    ("def personal_answers(", "def answers(", "tags", "must define personal_answers(student, draws)"),
    # text
    ("EPS = 1e-5", "EPS = = 1e-5", "syntax", "not valid Python: invalid syntax; fix it"),
    ("EPS = 1e-5", "%matplotlib inline", "syntax", "write a magic as a comment"),
    ("# Any textbook on statistics.", "Any textbook on statistics.", "percent", "does not begin with '# '; add it"),
    ("EPS = 1e-5", 'TEXT = """\n# %% no cell\n"""', "", ""),
]


@pytest.mark.parametrize(("old", "new", "rule", "said"), CASES)
def test_rule(tmp_path: Path, old: str | re.Pattern[str], new: str, rule: str, said: str) -> None:
    if isinstance(old, str):
        assert old in TOY, "the fixture has changed"
        text = TOY.replace(old, new, 1)
    else:
        text = old.sub(new, TOY)
    assert text != TOY
    findings = lint_text(tmp_path, text)
    assert findings, "nothing was found"
    if not rule:
        return
    matching = [finding for finding in findings if finding.rule == rule and said in finding.message]
    if said == "or its points are":  # no bullet gives points
        matching = [finding for finding in findings if "gives no points; write one bullet" in finding.message]
    assert matching, "\n".join(map(str, findings))
    assert 1 <= matching[0].line <= len(text.splitlines())
    assert str(matching[0]).startswith(f"{tmp_path / 'toy.py'}:{matching[0].line}: {rule}: ")


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    text = TOY.replace("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS", 1).replace("EPS = 1e-5", "EPS = = 1", 1)
    lines = text.splitlines()
    for finding in lint_text(tmp_path, text):
        if finding.rule == "marker":
            assert lines[finding.line - 1] == "### BEGIN HIDEN TESTS"
        if finding.rule == "syntax":
            assert lines[finding.line - 1] == "EPS = = 1"


def test_a_signature_inside_the_region(tmp_path: Path) -> None:
    text = TOY.replace("    ### BEGIN SOLUTION\n    mu", "    mu", 1).replace(
        "def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n",
        "### BEGIN SOLUTION\ndef standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n",
        1,
    )
    findings = lint_text(tmp_path, text)
    assert any("signature of 'standardize' is inside the solution region" in finding.message for finding in findings)


def test_a_region_after_the_body(tmp_path: Path) -> None:
    text = TOY.replace("    ### BEGIN SOLUTION\n    mu", "    mu", 1).replace(
        "    return (x - mu) / torch.sqrt(spread + eps)\n    ### END SOLUTION",
        "    return (x - mu) / torch.sqrt(spread + eps)\n\n\n### BEGIN SOLUTION\nALIAS = standardize\n### END SOLUTION",
        1,
    )
    findings = lint_text(tmp_path, text)
    assert any("is outside the body of 'standardize'; move it inside" in finding.message for finding in findings)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "toy.py"
    path.write_bytes(b"# %%\nx = 1\ny = '\xe9'\n")
    (finding,) = lint_source(path)
    assert (finding.rule, finding.line) == ("encoding", 3)
    assert "save the file as UTF-8" in finding.message


def test_unknown_problem() -> None:
    with pytest.raises(SourceError, match=r"unknown problem 'toi'.*Problems here: toy"):
        lint_problem("toi", FIXTURE)


@pytest.mark.parametrize("problem", problem_ids())
def test_a_heading_that_announces_other_points(tmp_path: Path, root: Path, problem: str) -> None:
    text = (root / "solutions" / f"{problem}.py").read_text(encoding="utf-8")
    changed, count = re.subn(r"^(# #+ .*)\((\d+) points\)$", r"\1(77 points)", text, count=1, flags=re.MULTILINE)
    found = [finding for finding in lint_text(tmp_path, changed) if finding.rule == "points"]
    assert count == 1 and len(found) == 1
    assert "the heading says 77 points, but" in found[0].message and found[0].message.endswith("correct one of them")
    assert changed.splitlines()[found[0].line - 1].endswith("(77 points)")
