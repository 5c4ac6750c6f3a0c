"""Secret lines are found in released files; lines that students see anyway, and idioms, are no leaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.core.notebook_io import notebook_text
from autograder.course.new_problem import new_problem
from autograder.course.problem import load_problem, problem_ids
from autograder.release.leaks import leaks, release_leaks, released_texts, secret_lines
from autograder.release.lint import lint_problem
from autograder.release.notebook import released_notebook
from tests.autograder.toy import course_copy, edit_source, toy

TOY = toy()


def test_solutions_hidden_tests_and_mark_schemes_are_secret() -> None:
    kinds = {text: kind for text, (_, kind) in secret_lines(TOY).items()}
    assert kinds["spread = ((x - mu) ** 2).mean(dim=0, keepdim=True)"] == "SOLUTION"
    assert kinds["steep = student.Line(slope=-3.0, intercept=0.5)"] == "HIDDEN TESTS"
    assert kinds["- 1 point: the vertical axis is logarithmic and the curve falls"] == "MARK SCHEME"
    assert kinds["dividing by the variance would leave one over that unit."] == "SOLUTION"
    assert not any("all visible checks passed" in text for text in kinds)


def test_the_source_leaks_each_secret_line_and_the_release_none() -> None:
    source = TOY.path.read_text(encoding="utf-8")
    secrets = secret_lines(TOY)
    assert {leak.text for leak in leaks(TOY, {"toy.py": source})} == set(secrets)
    for text, (number, _) in secrets.items():
        assert text.split()[-1] in source.splitlines()[number - 1]
    assert leaks(TOY, {"notebooks/toy.ipynb": notebook_text(released_notebook(TOY))}) == []


@pytest.mark.parametrize(
    "released",
    [
        "        mu = x.mean(dim=0, keepdim=True)",
        "    # mu = x.mean(dim=0,   keepdim=True)",
        "see: spread = ((x - mu) ** 2).mean(dim=0, keepdim=True)  # here",
        "- 2 points: names the units, or the scale, of deviation and variance",
    ],
)
def test_disguised_lines_are_found(released: str) -> None:
    notebook = released_notebook(TOY)
    notebook.cells[-1].source += f"\n\n{released}\nthe end"
    (leak,) = leaks(TOY, {"notebooks/toy.ipynb": notebook_text(notebook)})
    assert leak.where == "notebooks/toy.ipynb"
    assert "shows a line of a" in str(leak) and "region of toy" in str(leak)
    (leak,) = leaks(TOY, {"homework/plots.py": f"x = 1\n{released}\n"})
    assert leak.line == 2


def test_leaks_in_metadata_and_outputs_are_found() -> None:
    notebook = json.loads(notebook_text(released_notebook(TOY)))
    notebook["metadata"]["note"] = "steep = student.Line(slope=-3.0, intercept=0.5)"
    notebook["cells"][1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["mu = x.mean(dim=0, keepdim=True)\n", "points"]}
    ]
    found = leaks(TOY, {"toy.ipynb": json.dumps(notebook)})
    assert {leak.kind for leak in found} == {"SOLUTION", "HIDDEN TESTS"}


def test_short_lines_and_given_lines_are_no_leaks() -> None:
    text = "x = 1\nimport torch\nreturn y\ny = student.standardize(example_batch())\n"
    assert leaks(TOY, {"homework/x.py": text}) == []


SECRET = "spread = ((x - mu) ** 2).mean(dim=0, keepdim=True)"


@pytest.mark.parametrize(
    "line", ["network.eval()", 'xlabel="step",', "plots.curves(", "optimizer.zero_grad()", "a = b"]
)
def test_a_line_that_says_little_is_not_secret(tmp_path: Path, line: str) -> None:
    root = course_copy(tmp_path / "course", {SECRET: f"{line}\n    {SECRET}"})
    assert set(secret_lines(load_problem("toy", root))) == set(secret_lines(TOY))


def test_a_line_that_another_problem_shows_is_not_secret(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    assert SECRET in secret_lines(load_problem("toy", root))
    new_problem("other", root=root)
    source = root / "solutions" / "other.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("STEPS = run", f"{SECRET}\nSTEPS = run"), encoding="utf-8")
    assert SECRET not in secret_lines(load_problem("toy", root))
    source.write_text(text.replace("mean_square = (", f"{SECRET}\n    mean_square = ("), encoding="utf-8")
    assert SECRET in secret_lines(load_problem("toy", root)), "in a solution of the other problem it is secret, too"


def test_the_author_may_say_why_a_line_is_not_secret(tmp_path: Path) -> None:
    waived = f"{SECRET}  # not secret: every book has it"
    root = course_copy(tmp_path / "course", {SECRET: waived})
    assert lint_problem("toy", root) == []
    assert leaks(load_problem("toy", root), {"homework/x.py": f"    {SECRET}\n"}) == []
    edit_source(root, {waived: f"{SECRET}  # not secret", "EPS = 1e-5": "EPS = 1e-5  # not secret: given"})
    assert [(finding.rule, finding.message) for finding in lint_problem("toy", root)] == [
        ("waiver", "this line is not in a secret region; remove `# not secret`"),
        ("waiver", "say why students may see this line: `# not secret: <reason>`"),
    ]


def test_a_release_is_compared_with_the_other_files_of_students_in_both_directions(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    new_problem("other", root=root)
    texts = {name: notebook_text(released_notebook(load_problem(name, root))) for name in ("toy", "other")}
    assert release_leaks(texts, root) == []
    (root / "notebooks").mkdir()
    (root / "notebooks" / "toy.ipynb").write_text(texts["toy"], encoding="utf-8")
    theirs = "mean_square = (x**2).mean(dim=-1, keepdim=True)"
    edit_source(root, {"EPS = 1e-5": f"EPS = 1e-5\n{theirs}"})
    shown = notebook_text(released_notebook(load_problem("toy", root)))
    source = root / "solutions" / "toy.py"
    source.write_text(TOY.text, encoding="utf-8")  # else the line is no secret
    assert [theirs in said and "of other" in said for said in release_leaks({"toy": shown}, root)] == [True]
    (root / "notebooks" / "toy.ipynb").write_text(shown, encoding="utf-8")
    assert [theirs in said for said in release_leaks({"other": texts["other"]}, root)] == [True]
    assert release_leaks({"toy": texts["toy"]}, root) == []
    (root / "homework").mkdir()
    (root / "homework" / "x.py").write_text(SECRET, encoding="utf-8")
    assert ["homework/x.py, line 1" in said for said in release_leaks({"toy": texts["toy"]}, root)] == [True]
    (root / "solutions" / "other.py").write_text("# %% nbgrader={", encoding="utf-8")
    assert len(release_leaks({"toy": texts["toy"]}, root)) == 1, "a broken source of another problem is no obstacle"


def test_the_files_of_students_have_no_leaks(root: Path) -> None:
    texts = released_texts(root)
    assert any(name.startswith("homework/") for name in texts)
    found = [str(leak) for name in problem_ids(root) for leak in leaks(load_problem(name, root), texts)]
    assert found == []
