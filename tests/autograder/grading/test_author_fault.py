"""An error of a test itself costs the student nothing and is named to staff; what an answer causes is the student's."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli.check import check, failures
from autograder.cli.main import app
from autograder.core.errors import SourceError
from autograder.core.flags import FlagKind
from autograder.core.results import GradedLog, Outcome, Status
from autograder.course.problem import load_problem
from autograder.grading.grade import grade_submission
from autograder.grading.preflight import run_preflight
from autograder.submissions.reader import Submission
from tests.autograder.toy import LINE, ROOT, course_copy, solved, submit, text
from tests.autograder.warm_host import warm_host

pytestmark = pytest.mark.kernel

ABSOLUTE = LINE + "return self.slope.abs() * x + self.intercept"
"""Wrong for a negative slope, which only the hidden part tries."""
CHECK = 'assert close(steep(points), -3.0 * points + 0.5, "wrong for a negative slope")'
FITS = "torch.allclose(steep(points), -3 * points + 0.5)"
VISIBLE = 'assert close(line(torch.tensor([0.0, 3.0])), [1.0, 7.0], "slope and intercept swapped?")'


def root_with(folder: Path, edits: dict[str, str]) -> Path:
    return course_copy(folder / "course", edits)


def graded(root: Path, answer: str) -> GradedLog:
    submission = Submission("ada", "toy.ipynb", text(solved(Line=answer)))
    return grade_submission("toy", submission, root=root, host=warm_host()).log


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (CHECK, f"if not {FITS}:\n    {CHECK[:-1]} + atoll)", "name `atoll`"),
        (CHECK, f"assert {FITS} or torch.alclose(steep, 1)", "`torch.alclose`"),
        (CHECK, f"assert {FITS} or reference.Lime(1)", "`reference.Lime`"),
        (CHECK, f'with part("one", 2):\n    assert {FITS} or atoll', "name `atoll`"),
        (VISIBLE, "assert student.Line(-1.0)(torch.tensor(1.0)).item() == -1 or spoled", "name `spoled`"),
    ],
)
def test_a_name_that_only_wrong_answers_reach_is_the_authors(tmp_path: Path, old: str, new: str, named: str) -> None:
    root = root_with(tmp_path, {old: new})
    log = graded(root, ABSOLUTE)
    line = log.item("Line")
    assert (line.status, line.score, log.outcome) == (Status.GRADER_ERROR, 8, Outcome.GRADED)
    assert line.message == "The test of `Line` has an error of its own. It is not your fault and costs you no points."
    [flag] = [flag.message for flag in log.flags if flag.kind == FlagKind.GRADER_ERROR]
    assert named in flag and log.test_faults == [flag]
    number = int(flag.removesuffix(".").rpartition(" ")[2])
    wrong = (root / "solutions" / "toy.py").read_text(encoding="utf-8").splitlines()[number - 1]
    assert named.strip("`").split("`")[-1].rpartition(".")[2] in wrong and "fix toy.py, line" in flag
    assert log.item("standardize").score == 12
    assert GradedLog.from_json(log.as_json()).test_faults == [flag]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (LINE + "return slpoe * x", Status.ERROR),
        (LINE + "return torch.alclose(x, x)", Status.ERROR),
        (LINE + "return (x, x)", Status.FAILED),
        (ABSOLUTE, Status.FAILED),
    ],
)
def test_errors_of_the_answer_are_the_students(answer: str, status: Status) -> None:
    log = graded(ROOT, answer)
    assert (log.item("Line").status, log.item("Line").score, log.test_faults) == (status, 0, [])


def test_a_name_that_a_test_binds_for_some_answers_is_no_fault(tmp_path: Path) -> None:
    root = root_with(tmp_path, {CHECK: f"if {FITS}:\n    fits = True\nassert fits"})
    assert graded(root, ABSOLUTE).item("Line").score == 0


EARLY = """def observed():
    def hook(*_):
        seen.append(start)
    seen = []
    steep.register_forward_hook(hook)
    steep.state_dict()
    start = 7
    steep(points)
    return seen
assert observed() == [7]"""
"""A hook that the student's object may call before `start` has its value."""


def test_a_callback_that_the_answer_calls_too_early_is_no_fault_of_the_test(tmp_path: Path) -> None:
    root = root_with(tmp_path, {CHECK: f"{EARLY}\n{CHECK}"})
    calls = "def state_dict(self, *_, **__):\n        self(torch.tensor(0.0))\n        return super().state_dict()"
    log = graded(root, f"{ABSOLUTE}\n\n    {calls}")
    assert (log.item("Line").score, log.test_faults) == (0, [])
    solution = Submission("ada", notebook=text(solved()))
    assert grade_submission("toy", solution, root=root, host=warm_host()).log.item("Line").score == 8


def test_the_preflight_names_a_fault_that_every_answer_reaches(tmp_path: Path) -> None:
    root = root_with(tmp_path, {CHECK: f"{CHECK}\nassert torch.alclose(steep.slope, steep.slope)"})
    fault = r"The test of `Line` uses `torch\.alclose`, which does not exist; fix toy\.py, line \d+\."
    with pytest.raises(SourceError, match=f"nothing was graded: {fault}"):
        run_preflight(load_problem("toy", root), warm_host())


def test_check_names_a_fault_that_a_wrong_variant_reaches(tmp_path: Path) -> None:
    root = root_with(tmp_path, {CHECK: f"assert {FITS} or atoll"})
    for path in (root / "solutions" / "variants" / "toy").rglob("*.py"):
        if path.stem != "absolute_slope":
            path.unlink()
    rows = failures(check(["toy"], root=root))
    assert [row.variant for row in rows] == ["wrong/Line/absolute_slope"]
    assert "The test of `Line` uses the name `atoll`, which is not defined; fix toy.py, line" in rows[0].got


def test_grade_names_the_fault_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = root_with(tmp_path, {CHECK: f"assert {FITS} or atoll"})
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    submit(tmp_path / "in", "ada", solved(Line=ABSOLUTE))
    arguments = ["grade", "toy", "--submitted", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--no-gradebook"])
    assert done.exit_code == 1
    assert "uses the name `atoll`, which is not defined; fix toy.py, line" in done.stderr
    page = (tmp_path / "out" / "ada" / "toy" / "feedback.html").read_text(encoding="utf-8")
    assert "Not tested" in page and "costs you no points" in page and "atoll" not in page


def test_a_check_by_pytest_that_fails_is_a_failed_check(tmp_path: Path) -> None:
    """`pytest.raises` says so with an error that is no `Exception`."""
    root = root_with(tmp_path, {CHECK: f"{CHECK}\nimport pytest\nwith pytest.raises(ValueError):\n    steep(points)"})
    log = grade_submission("toy", Submission("ada", notebook=text(solved())), root=root).log
    assert (log.item("Line").status, log.item("Line").score) == (Status.FAILED, 0)
    assert log.item("Line").message == "A check of `Line` failed." and log.item("standardize").score == 12
