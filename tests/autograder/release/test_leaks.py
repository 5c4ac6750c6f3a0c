"""Secret lines are found in released files; lines that students see anyway, and idioms, are no leaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem, problem_ids
from autograder.release.leaks import leaks, released_texts, secret_lines
from autograder.release.notebook import released_notebook
from tests.autograder.toy import toy

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
    idioms = "optimizer.zero_grad()\nfor _ in range(3):\nexcept Exception:\n"
    text = f"x = 1\nimport torch\nreturn y\n{idioms}y = student.standardize(example_batch())\n"
    assert leaks(TOY, {"homework/x.py": text}) == []


def test_the_files_of_students_have_no_leaks(root: Path) -> None:
    texts = released_texts(root)
    assert any(name.startswith("homework/") for name in texts)
    found = [str(leak) for name in problem_ids(root) for leak in leaks(load_problem(name, root), texts)]
    assert found == []
