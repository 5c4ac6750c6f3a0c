"""The linter names each mistake of a source with its line and tells the author what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.core.errors import SourceError
from autograder.course.problem import problem_ids
from autograder.release.lint import Finding, lint_problem, lint_source
from tests.autograder.toy import ROOT

TOY = (ROOT / "solutions" / "toy.py").read_text(encoding="utf-8")


def lint_text(folder: Path, text: str) -> list[Finding]:
    """Lints a text as the source `toy.py`."""
    path = folder / "toy.py"
    path.write_text(text, encoding="utf-8")
    return lint_source(path)


def test_a_good_source_has_no_findings() -> None:
    assert lint_problem("toy", ROOT) == []


def test_the_problems_of_the_course_have_no_findings(root: Path) -> None:
    sources = sorted((root / "solutions").glob("*.py"))
    assert [str(finding) for source in sources for finding in lint_source(source)] == []


LINE = '"grade_id": "Line"'
PASSED = 'print("Line: all visible checks passed")\n'
END = "### END HIDDEN TESTS\n\n# %% [markdown]\n# ## "
REFERENCES = "# %% [markdown]\n# ## Ref"
MARKERS = re.compile(
    r'    ### (BEGIN|END) SOLUTION\n(?=    mu|\n\n# %% nbgrader=\{"grade": true, "grade_id": "test_st)'
)
MARK_SCHEME = re.compile(r"# ### BEGIN MARK SCHEME\n# - 2(.*\n)*?# ### END MARK SCHEME\n")
GRADIENT = 'with part("gradient", 4):\n    with_gradient'
CASES: dict[str, list[tuple[str | re.Pattern[str], str, str]]] = {
    "part": [
        (
            GRADIENT,
            f'with part("one", 1):\n    ones = hidden_x\n{GRADIENT} = ones\n    with_gradient',
            "needs 'ones' of another part",
        ),
        (GRADIENT, f"assert hidden_x is not None\n{GRADIENT}", "this hidden check is below the parts and in none"),
        (GRADIENT, f'with part("one", 1):\n    ones = hidden_x\nprint(ones)\n{GRADIENT}', "is needed outside it"),
    ],
    "marker": [
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS", "write exactly '### BEGIN HIDDEN TESTS'"),
        ("### BEGIN HIDDEN TESTS", "###BEGIN HIDDEN TESTS", "'###BEGIN HIDDEN TESTS' looks like a marker"),
        ("    ### BEGIN SOLUTION", "    ## BEGIN SOLUTION", "write exactly '### BEGIN SOLUTION'"),
        ("    ### BEGIN SOLUTION", "    ### Begin solution", "write exactly '### BEGIN SOLUTION'"),
        ("    ### END SOLUTION", "    ### END SOLUTIONS", "write exactly '### END SOLUTION'"),
        ("# ### BEGIN MARK SCHEME\n# - 2", "# ### BEGIN MARKSCHEME\n# - 2", "write exactly '### BEGIN MARK SCHEME'"),
        ("### END HIDDEN TESTS", "print('END HIDDEN TESTS')", "or reword the line"),
    ],
    "unbalanced": [
        ("### END HIDDEN TESTS\n", "", "BEGIN HIDDEN TESTS is never closed; add '### END HIDDEN TESTS'"),
        ("### BEGIN HIDDEN TESTS\n", "", "END HIDDEN TESTS has no BEGIN HIDDEN TESTS in this cell"),
        ("    mu = x.mean", "    ### BEGIN SOLUTION\n    mu = x.mean", "BEGIN SOLUTION inside the SOLUTION"),
        ("### END HIDDEN TESTS", "### END SOLUTION", "END SOLUTION closes BEGIN HIDDEN TESTS of line"),
        ("def standardize", "### BEGIN SOLUTION\ndef standardize", "BEGIN SOLUTION inside the SOLUTION region"),
    ],
    "grade-id-missing": [('"grade_id": "standardize", ', "", "has nbgrader metadata but no grade_id; give it one")],
    "grade-id-duplicate": [('"grade_id": "test_Line"', '"grade_id": "test_standardize"', "nbgrader keeps only one")],
    "grade-id-name": [
        ('"grade_id": "Line"', '"grade_id": "Linear"', "the cell defines Line, but its grade_id is 'Linear'"),
        ('"grade_id": "written_units"', '"grade_id": "units"', "named written_<label> or figure_<label>"),
        ('"grade_id": "test_Line"', '"grade_id": "Line_test"', "a test cell is named test_<item>"),
        ('"grade_id": "figure_loss"', '"grade_id": "figure_lo-ss"', "may only have letters, digits and '_'"),
    ],
    "solution-markers": [
        (MARKERS, "", "'standardize' has no markers, so its text would be lost in the release; wrap the answer"),
    ],
    "solution-region": [
        ("EPS = 1e-5", "### BEGIN SOLUTION\nEPS = 1e-5\n### END SOLUTION", "not a solution cell; move it")
    ],
    "points": [
        ('"points": 8, ', "", "'test_Line' has no points; add \"points\": a positive number"),
        ('"points": 8', '"points": 0', "'test_Line' has 0 points; give a positive number"),
        ('"points": 8', '"points": -1', "'test_Line' has -1 points"),
        ('"points": 8', '"points": "8"', "'test_Line' has '8' points"),
        (LINE, f'"points": 8, {LINE}', "a cell that is not graded has points; move them to its test cell"),
    ],
    "item-without-test": [('"grade_id": "test_Line"', '"grade_id": "test_Lines"', "add one with grade_id 'test_Line'")],
    "test-without-item": [('"grade_id": "test_Line"', '"grade_id": "test_Lines"', "'test_Lines' tests no item")],
    "bare-expression": [
        (PASSED, "line(x)\n", "ends with a bare expression (hidden region removed): 'line(x)'"),
        (f"{END}3", f"steep.slope\n{END}3", "bare expression: 'steep.slope'; nbgrader would read its value as a score"),
        (f"{END}2", f"    line.zero_grad()\n{END}2", "'line.zero_grad()'"),
    ],
    "hidden-region": [("EPS = 1e-5", "### BEGIN HIDDEN TESTS\nEPS = 1e-5\n### END HIDDEN TESTS", "not a test cell")],
    "mark-scheme": [
        ("EPS = 1e-5", "### BEGIN MARK SCHEME\n# no\n### END MARK SCHEME", "in a cell that is not graded by hand"),
        (MARK_SCHEME, "", "'written_units' has no rubric; add '### BEGIN MARK SCHEME'"),
        ("# - 2 points: names", "# - 5 points: names", "'written_units' adds up to 6, but its points are 3"),
        (re.compile(r"# - \d points?: (?=.*\b(units|quotient)\b)"), "# - ", "gives no points; write one bullet"),
    ],
    "metadata": [
        ('"points": 8,', "'points': 8,", "the value of 'nbgrader' is not JSON"),
        ('"points": 8,', '"point": 8,', "nbgrader has no key 'point'; did you mean 'points'?"),
        ('"locked": true, "points": 8', '"points": 8', "nbgrader's 'locked' is missing"),
        ('"locked": true, "points": 8', '"locked": false, "points": 8', "a test cell must be locked"),
        ('"locked": true, "points": 8', '"locked": 1, "points": 8', "'locked' is 1; it must be true or false"),
        ('"points": 8, "schema_version": 3', '"points": 8, "schema_version": 2', "is 2; it must be 3"),
        ("seconds=10", "seconds=-1", "`seconds` is -1; give a positive number"),
        ("seconds=10", "second=10", "unknown key 'second'; did you mean 'seconds'?"),
        ("EPS = 1e-5", 'TEXT = """\n# %% no cell\n"""', "cannot read the cell's metadata at 'no cell'"),
        ('# %% tags=["train"]', '# %% tags=["train"] seconds=5', "`seconds` is the time limit of a test cell"),
        ('# %% tags=["train"]', '# %% training tags=["train"]', "cannot read the cell's metadata at 'training"),
        (
            '"grade_id": "written_units", "locked": false, "points": 3, "schema_version": 3, "solution": true',
            '"grade_id": "written_units", "locked": true, "points": 3, "schema_version": 3, "solution": false',
            "a text cell must have grade and solution both true",
        ),
        ('"task": false} seconds', '"task": true} seconds', "task cells are not used here"),
    ],
    "stub": [
        (
            "        ### BEGIN SOLUTION\n        return torch.addcmul",
            "    ### BEGIN SOLUTION\n        return torch.addcmul",
            "indent BEGIN SOLUTION like the line below it",
        ),
        (
            "    return (x - mu) / torch.sqrt(spread + eps)\n    ### END SOLUTION",
            "    if eps < 0:\n    ### END SOLUTION\n        raise ValueError\n    return x",
            "with the solution replaced by a raise the cell is not valid Python",
        ),
        ('"""A straight line with learnable slope and intercept, both scalars."""', "", "'Line' has no docstring"),
    ],
    "unprefixed": [
        ("y = student.standardize(exam", "y = standardize(exam", "call it as student.standardize"),
        ("steep = student.Line", "Line = student.Line", "'Line' is graded"),
    ],
    "reference-visible": [
        ("line = student.Line", "line = reference.Line", "move it into the hidden region"),
        ("EPS = 1e-5", "EPS = reference.EPS", "`reference` in a given cell"),
    ],
    "rebound": [
        ("hidden_x = 5", "student = 5", "gives 'student' another value"),
        ("hidden_x = 5", "for torch in (5,):\n    hidden_x = torch", "gives 'torch' another value, which cells below"),
        ("hidden_x = 5", "from homework import reference\nhidden_x = 5", "import it only in the set-up cell"),
    ],
    "hidden-message": [
        ('"wrong for a negative slope"', 'f"wrong for {steep}"', "shows values; name the likely mistake")
    ],
    "visible-late": [
        (
            "### END HIDDEN TESTS\n\n# %% [markdown]\n# ## 2 A line",
            "### END HIDDEN TESTS\nassert y is not None\n\n# %% [markdown]\n# ## 2 A line",
            "move the hidden region to the end",
        )
    ],
    "tags": [
        (' tags=["install"]', "", "no code cell has the tag 'install'; add it: # %% tags=[\"install\"]"),
        (' tags=["answers"]', "", "no code cell has the tag 'answers'"),
        (' tags=["log"]', "", "no code cell has the tag 'log'"),
        ('tags=["train"]', 'tags=["trian"]', "unknown tag 'trian'; did you mean 'train'?"),
        ('tags=["train"]', 'tags=["answers"]', "a second cell has the tag 'answers'; remove one"),
        (REFERENCES, f"# %%\nx = 1\n\n{REFERENCES}", "must be the last code cell; move it"),
        ("-q STUDENT_PACKAGE", "-q homework", "the install cell does not name STUDENT_PACKAGE"),
        ("def personal_answers(", "def answers(", "must define personal_answers(student, draws)"),
    ],
    "syntax": [
        ("EPS = 1e-5", "EPS = = 1e-5", "not valid Python: invalid syntax; fix it"),
        ("EPS = 1e-5", "%matplotlib inline", "write a magic as a comment"),
    ],
    "percent": [("# Any textbook on statistics.", "Any textbook on statistics.", "does not begin with '# '; add it")],
}


@pytest.mark.parametrize(
    ("rule", "old", "new", "said"), [(rule, *case) for rule, cases in CASES.items() for case in cases]
)
def test_each_rule_finds_the_mistake_and_its_line(
    tmp_path: Path, rule: str, old: str | re.Pattern[str], new: str, said: str
) -> None:
    if isinstance(old, str):
        assert old in TOY, "the fixture has changed"
        text = TOY.replace(old, new, 1)
    else:
        text = old.sub(new, TOY)
    assert text != TOY
    findings = lint_text(tmp_path, text)
    matching = [finding for finding in findings if finding.rule == rule and said in finding.message]
    assert matching, "\n".join(map(str, findings))
    assert 1 <= matching[0].line <= len(text.splitlines())
    assert str(matching[0]).startswith(f"{tmp_path / 'toy.py'}:{matching[0].line}: {rule}: ")


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    text = TOY.replace("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS", 1).replace("EPS = 1e-5", "EPS = = 1", 1)
    found = {finding.rule: text.splitlines()[finding.line - 1] for finding in lint_text(tmp_path, text)}
    assert (found["marker"], found["syntax"]) == ("### BEGIN HIDEN TESTS", "EPS = = 1")


SIGNATURE = "def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:\n"
RETURN = "    return (x - mu) / torch.sqrt(spread + eps)\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (SIGNATURE, f"### BEGIN SOLUTION\n{SIGNATURE}", "signature of 'standardize' is inside the solution region"),
        (
            f"{RETURN}    ### END SOLUTION",
            f"{RETURN}\n\n### BEGIN SOLUTION\nALIAS = standardize\n### END SOLUTION",
            "is outside the body of 'standardize'; move it inside",
        ),
    ],
)
def test_a_region_outside_the_body_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = TOY.replace("    ### BEGIN SOLUTION\n    mu", "    mu", 1)
    assert old in text
    assert any(said in finding.message for finding in lint_text(tmp_path, text.replace(old, new, 1)))


def test_a_source_in_another_encoding_is_found(tmp_path: Path) -> None:
    path = tmp_path / "toy.py"
    path.write_bytes(b"# %%\nx = 1\ny = '\xe9'\n")
    (finding,) = lint_source(path)
    assert (finding.rule, finding.line) == ("encoding", 3)
    assert "save the file as UTF-8" in finding.message


def test_an_unknown_problem_is_refused() -> None:
    with pytest.raises(SourceError, match=r"unknown problem 'toi'.*Problems here: toy"):
        lint_problem("toi", ROOT)


@pytest.mark.parametrize("problem", problem_ids())
def test_a_heading_with_other_points_is_found(tmp_path: Path, root: Path, problem: str) -> None:
    text = (root / "solutions" / f"{problem}.py").read_text(encoding="utf-8")
    changed, count = re.subn(r"^(# #+ .*)\((\d+) points\)$", r"\1(77 points)", text, count=1, flags=re.MULTILINE)
    found = [finding for finding in lint_text(tmp_path, changed) if finding.rule == "points"]
    assert count == 1 and len(found) == 1
    assert "the heading says 77 points, but" in found[0].message and found[0].message.endswith("correct one of them")
    assert changed.splitlines()[found[0].line - 1].endswith("(77 points)")
