"""The page for authors of tests is up to date, and its examples do what it says: in a notebook and in the grader."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from autograder.course.problem import load_problem
from autograder.grading.grade import grade_submission
from autograder.release.fill import fill_in, solution_answers
from autograder.release.lint import KNOWN_KEYS, KNOWN_TAGS
from autograder.release.notebook import released_notebook
from autograder.release.reference_page import PAGE, page
from autograder.submissions.reader import Submission
from homework.checks import CheckFailed
from homework.hand_in.personal import draws_for
from homework.notebook_names import NotebookNames
from tests.autograder.toy import ROOT as TOY
from tests.autograder.toy import text
from tests.conftest import ROOT

TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
NOTEBOOK, *EXAMPLES = BLOCKS
POINTS = 6
SCORE = re.compile(rf"^# (\d) of {POINTS} points$", re.MULTILINE)
HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---"""
ITEMS = {"centered": "def centered", "Line": "class Line", "THRESHOLD": "THRESHOLD ="}


def is_test(block: str) -> bool:
    """Whether a block is a test cell."""
    return "student." in block and "def " not in block or block.startswith("# in_process")


TESTS = [(n, block) for n, block in enumerate(EXAMPLES) if is_test(block)]


def solutions() -> tuple[str, dict[str, str]]:
    """The set-up cell of the page's notebook, and item → the cell of its answer."""
    starts = {item: NOTEBOOK.index(f"\n{word}") + 1 for item, word in ITEMS.items()}
    ends = [*list(starts.values())[1:], len(NOTEBOOK)]
    answers = {item: NOTEBOOK[start:end].strip() for (item, start), end in zip(starts.items(), ends, strict=True)}
    return NOTEBOOK[: starts["centered"]], answers


def item_of(test: str) -> str:
    """The item that a test asks last: the examples may use others before."""
    return max(ITEMS, key=lambda item: test.rfind(item))


def answer_for(number: int) -> str:
    """The wrong answer above an example that loses points; empty if there is none."""
    if not SCORE.search(EXAMPLES[number]):
        return ""
    return next(block for block in EXAMPLES[number::-1] if block.startswith("def centered"))


def source_with(test: str) -> str:
    """The source of a problem with the page's notebook, in which one item has this test."""
    setup, answers = solutions()
    cells = [HEADER, f"# %%\n{setup}"]
    for item, answer in answers.items():
        data = {"grade": False, "grade_id": item, "locked": False, "schema_version": 3, "solution": True, "task": False}
        cells.append(f"# %% nbgrader={json.dumps(data)}\n### BEGIN SOLUTION\n{answer}\n### END SOLUTION")
        data |= {"grade": True, "grade_id": f"test_{item}", "locked": True, "points": POINTS, "solution": False}
        own = test if item == item_of(test) else "print('not tested')"
        tags = ' tags=["in_process"]' if own.startswith("# in_process") else ""
        cells.append(f"# %% nbgrader={json.dumps(data)}{tags}\n{own}")
    return "\n\n".join(cells)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a notebook, with the file that it reads."""
    (tmp_path / "heights.csv").write_text("1.6\n1.7\n1.8\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOMEWORK_PROFILE", "mini")
    return tmp_path


@pytest.fixture
def notebook(folder: Path) -> Iterator[dict[str, Any]]:
    """The names of the page's notebook, after its cells have run."""
    names: dict[str, Any] = {}
    exec(NOTEBOOK, names)
    names["student"] = NotebookNames("student", watch=True, names=names)
    names["reference"] = NotebookNames("reference", watch=True, names=names)
    yield names
    plt.close("all")


def test_its_tables_are_up_to_date() -> None:
    assert page(ROOT) == TEXT, "run `make docs`"
    assert len(re.findall(r"^\| `\w", TEXT, re.MULTILINE)) > 30
    for word in (*(f'tags=["{tag}"]' for tag in KNOWN_TAGS), *(f"`{key}=" for key in KNOWN_KEYS if key != "tags")):
        assert word in TEXT, word


@pytest.mark.parametrize(("number", "test"), TESTS, ids=lambda value: str(value) if isinstance(value, int) else "")
def test_each_example_of_a_test_holds_in_the_notebook(number: int, test: str, notebook: dict[str, Any]) -> None:
    if test.rstrip().endswith("# only in grading"):
        return
    exec(answer_for(number), notebook)
    with pytest.raises(CheckFailed) if SCORE.search(test) else contextlib.nullcontext():
        exec(test, notebook)


@pytest.mark.kernel
@pytest.mark.parametrize(("number", "test"), TESTS, ids=lambda value: str(value) if isinstance(value, int) else "")
def test_each_example_of_a_test_gives_its_points(number: int, test: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "solutions" / "files" / "example").mkdir(parents=True)
    shutil.copy(TOY / "course.toml", root)
    (root / "solutions" / "example.py").write_text(source_with(test))
    (root / "solutions" / "files" / "example" / "heights.csv").write_text("1.6\n1.7\n1.8\n")
    problem = load_problem("example", root)
    answers = solution_answers(problem) | ({"centered": answer_for(number)} if answer_for(number) else {})
    submitted = text(fill_in(released_notebook(problem), answers))
    log = grade_submission("example", Submission("ada", notebook=submitted), root=root).log
    item = log.item(item_of(test))
    found = SCORE.search(test)
    assert item.score == (int(found[1]) if found else POINTS), item.message


def test_the_other_examples_run_as_cells_of_the_notebook(notebook: dict[str, Any], folder: Path) -> None:
    cells = [block for block in EXAMPLES if not is_test(block) and not block.startswith("def centered")]
    module = types.ModuleType("notebook")
    module.__dict__.update(notebook)
    for cell in cells:
        exec(cell, module.__dict__)
    answers = module.personal_answers(module.student, draws_for("ada", "example"))
    assert answers["centered"]().shape == (4, 2)
    log = json.loads((folder / "submission_log.json").read_text())
    assert log["metrics"]["example/final_loss"]["value"] < 0.1
    assert len(cells) + len(TESTS) + 1 == len(EXAMPLES)
