"""Tests inside the student's process: what they can see, what they show, and that student code can forge them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.flags import FlagKind
from autograder.core.results import GradedLog, Status
from autograder.course.problem import load_problem
from autograder.grading.grade import grade_submission
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import Submission
from tests.autograder.toy import course_copy, submit, text

pytestmark = pytest.mark.kernel

CELLS = {
    "count": ("total = 3\nnames = ['a', 'b']", "assert total == 3\n{}\nassert names == ['a', 'b'], names"),
    "greet": (
        'def greet(name):\n    """Greets."""\n    ### BEGIN SOLUTION\n    print("Hello", name)\n    ### END SOLUTION',
        "import io\nfrom contextlib import redirect_stdout\nout = io.StringIO()\nwith redirect_stdout(out):\n"
        "    greet('Ada')\nassert out.getvalue() == 'Hello Ada\\n'\n{}\n"
        "out = io.StringIO()\nwith redirect_stdout(out):\n    greet('Grace')\n"
        "assert 'Grace' in out.getvalue(), 'a secret'",
    ),
    "parts": (
        "x = 1\ny = 2",
        'with part("x", 1):\n    assert x == 1\nwith part("y", 3):\n    z = y\n    assert z == 2, f"y is {z}"\n{}\n'
        'with part("both", 4):\n    assert (x, y) == (1, 2)',
    ),
}


def source() -> str:
    """A problem whose tests all run inside the student's process, and are hidden from the marked line on."""
    header = '# %% nbgrader={{"grade": {}, "grade_id": "{}", "locked": {}, {}"schema_version": 3, "solution": {}, '
    header += '"task": false}}'
    lines = [
        "# %% [markdown]",
        "# # Inside",
        "",
        "# %%",
        "from contextlib import contextmanager",
        "",
        "@contextmanager",
    ]
    lines += ["def part(name, weight=1.0):", "    yield", ""]
    for name, (solution, test) in CELLS.items():
        answer = solution if "BEGIN" in solution else f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
        lines += [header.format("false", name, "false", "", "true"), answer, ""]
        lines += [header.format("true", f"test_{name}", "true", '"points": 8, ', "false") + ' tags=["in_process"]']
        visible, hidden = test.split("{}\n")
        lines += [f"{visible}### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS", ""]
    return "\n".join(lines)


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = course_copy(tmp_path / "course")
    (root / "solutions" / "inside.py").write_text(source(), encoding="utf-8")
    toml = root / "course.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('["toy"', '["toy", "inside"'), encoding="utf-8")
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    return root


def notebook(root: Path, **answers: str) -> bytes:
    problem = load_problem("inside", root)
    return text(fill_in(released_notebook(problem), {**solution_answers(problem), **answers}))


def graded(root: Path, **answers: str) -> GradedLog:
    return grade_submission("inside", Submission("ada", notebook=notebook(root, **answers)), root=root).log


def test_the_solution_gets_all_points_and_the_log_says_that_they_can_be_forged(inside: Path) -> None:
    log = graded(inside)
    assert [item.score for item in log.items] == [8, 8, 8]
    [said] = [flag.message for flag in log.flags if flag.kind == FlagKind.IN_PROCESS]
    assert said == (
        "count, greet, parts: tested inside the student's process, where the student's code can forge the result."
    )


@pytest.mark.parametrize(
    ("item", "answer", "status", "score", "said"),
    [
        (
            "count",
            "total = 4\nnames = ['a', 'b']",
            Status.FAILED,
            0,
            "A check failed in line 1 of the test: `assert total",
        ),
        ("count", "total = 3\nnames = ['a']", Status.FAILED, 0, "A hidden check of `count` failed"),
        ("count", "total = 3", Status.FAILED, 0, "A hidden check of `count` failed"),
        ("count", "names = ['a', 'b']", Status.FAILED, 0, "(NameError) in line 1 of the test: `assert total"),
        ("count", "1 / 0\ntotal = 3", Status.FAILED, 0, "A hidden check of `count` failed"),
        (
            "greet",
            "def greet(name):\n    print('Hi')",
            Status.FAILED,
            0,
            "in line 6 of the test: `assert out.getvalue()",
        ),
        ("greet", "def greet(name):\n    print('Hello Ada')", Status.FAILED, 0, "A hidden check of `greet` failed."),
        (
            "greet",
            "def greet(name):\n    raise ValueError(name)",
            Status.ERROR,
            0,
            "Your code raised ValueError in `greet`",
        ),
        (
            "greet",
            "def greet(name):\n    1 / (name == 'Ada')\n    print('Hello', name)",
            Status.FAILED,
            0,
            "A hidden check of `greet` failed.",
        ),
        ("greet", "def greet(name):\n    import os\n    os._exit(0)", Status.CRASHED, 0, "ended while it was tested"),
        ("parts", "x = 1\ny = 3", Status.PARTIAL, 1, "y: A check failed in line 5 of the test: `assert z == 2"),
        ("parts", "x = 0\ny = 2", Status.PARTIAL, 3, "both: A hidden check of `parts` failed."),
    ],
)
def test_a_wrong_answer_is_told_what_it_may_know(
    inside: Path, item: str, answer: str, status: Status, score: float, said: str
) -> None:
    log = graded(inside, **{item: answer})
    result = log.item(item)
    assert (result.status, result.score) == (status, score) and said in result.message
    assert "Grace" not in result.message and "secret" not in result.message
    assert all(one.score == 8 for one in log.items if one.id != item)


@pytest.mark.parametrize(
    "answer",
    [
        "def greet(name):\n    import sys\n    print('Hello', name) if name == 'Ada' else 1 / 0",
        "def greet(name):\n    print('Hello', name)\n    if name != 'Ada':\n        raise ValueError(name, dir())",
        "def greet(name):\n    with open('seen', 'a') as file:\n        file.write(name)\n    print('Hello')",
        "def greet(name):\n    global total\n    total = name\n    print('Hello')",
    ],
)
def test_a_hidden_check_cannot_be_read_on_any_page(inside: Path, answer: str) -> None:
    submission = Submission("ada", notebook=notebook(inside, greet=answer))
    grading = grade_submission("inside", submission, root=inside)
    assert "Grace" not in grading.log.as_text() + grading.text and "a secret" not in grading.log.as_text()
    assert json.loads(grading.text)["cells"]


def test_what_a_test_changes_does_not_reach_other_items(inside: Path) -> None:
    path = inside / "solutions" / "inside.py"
    changed = path.read_text(encoding="utf-8").replace(
        "assert total == 3\n", "assert total == 3\nx = 100\nnames.sort()\n"
    )
    path.write_text(changed, encoding="utf-8")
    assert [item.score for item in graded(inside).items] == [8, 8, 8]


FORGED = """
import sys
for module in list(sys.modules.values()):
    if hasattr(module, "RequestServer"):
        module.RequestServer._OPERATIONS["run"] = lambda *_: ({"value": None}, b"")
total = 0
"""


def test_code_that_knows_the_process_can_forge_a_pass_which_is_why_every_log_says_so(inside: Path) -> None:
    """What the log, the documentation and the doctor warn of. If this fails, they claim too little."""
    log = graded(inside, count=FORGED)
    assert log.item("count").score == 8
    assert any(flag.kind == FlagKind.IN_PROCESS and "count" in flag.message for flag in log.flags)


def test_lint_and_doctor_name_the_items(inside: Path) -> None:
    said = "inside.py: `count`, `greet`, `parts`: tested inside the student's process"
    linted = CliRunner().invoke(app, ["lint", "inside"])
    assert f"note: {said}" in linted.output
    assert f"not covered: {said}" in CliRunner().invoke(app, ["doctor"]).output


def test_staff_see_each_failing_check_and_can_try_another_answer(inside: Path, tmp_path: Path) -> None:
    submitted, out = tmp_path / "in", tmp_path / "out"
    submit(submitted, "ada", notebook(inside, parts="x = 0\ny = 0"), problem="inside")
    grade = ["grade", "inside", "--submitted", str(submitted), "--out", str(out), "--no-gradebook"]
    assert CliRunner().invoke(app, grade).exit_code == 0
    (tmp_path / "better.py").write_text("x = 1\ny = 0", encoding="utf-8")
    inspect = ["inspect", "ada", "inside", "parts", "--out", str(out), "--submitted", str(submitted)]
    seen = CliRunner().invoke(app, [*inspect, "--try", str(tmp_path / "better.py")])
    assert seen.exit_code == 0, seen.output
    for check in ("assert x == 1", "assert z == 2", "assert (x, y) == (1, 2)"):
        assert check in seen.output
    refused = CliRunner().invoke(app, [*inspect, "--debug"])
    assert refused.exit_code != 0 and "--run-student-code-unconfined" in refused.output
