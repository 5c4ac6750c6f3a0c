"""The hostile cells against an assignment that was imported: nothing of it runs inside a student's process."""

from __future__ import annotations

import pytest

from autograder.batch.grade_folder import grade_folder
from autograder.cli.release import release
from autograder.core.notebook_io import notebook_text
from autograder.core.results import GradedLog, Outcome
from autograder.course.markers import without_markers
from autograder.course.problem import load_problem
from autograder.imports.assignment import import_assignment
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from tests.attacks.hostile_class import CELLS, SECONDS, filled_in
from tests.autograder.imports.notebooks import given, graded_by, solution, text, written_to
from tests.autograder.toy import course_copy

pytestmark = [pytest.mark.kernel, pytest.mark.long, pytest.mark.xdist_group("converted")]

GIVEN = "import torch\nfrom torch import nn\n\nEPS = 1e-5\n\ndef example_batch():\n    return torch.randn(64, 3)"
STANDARDIZE = '''def standardize(x, eps=EPS):
    """Each column with mean 0 and variance 1."""
    ### BEGIN SOLUTION
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)
    ### END SOLUTION'''
TEST = """x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
assert torch.allclose(standardize(x), torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), atol=1e-4)
### BEGIN HIDDEN TESTS
y = torch.linspace(0, 5, 28).reshape(7, 4) ** 2
z = standardize(y)
assert z.shape == y.shape
assert torch.allclose(z.mean(0), torch.zeros(4), atol=1e-4)
assert torch.allclose(standardize(y), (y - y.mean(0)) / (y.var(0, unbiased=False) + 1e-5).sqrt(), atol=1e-4)
### END HIDDEN TESTS"""
LAST = "largest = standardize(torch.linspace(0, 5, 28).reshape(7, 4) ** 2).max().item()"
TEST_LAST = (
    "assert largest == largest\n### BEGIN HIDDEN TESTS\nassert abs(largest - 1.84147) < 1e-3\n### END HIDDEN TESTS"
)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GradedLog]:
    folder = tmp_path_factory.mktemp("converted")
    root = course_copy(folder / "course")
    cells = [text("# Columns"), given(GIVEN), solution(STANDARDIZE, "a"), graded_by(TEST, "t", 4)]
    cells += [solution(LAST, "b"), graded_by(TEST_LAST, "t2", 2)]
    import_assignment(written_to(folder / "columns.ipynb", *cells), "nbgrader", to=root / "solutions")
    source = root / "solutions" / "columns.py"
    limited = source.read_text(encoding="utf-8").replace('"task": false}', f'"task": false}} seconds={SECONDS}')
    head, *rest = limited.split("# %% ")
    kept = [one if '"locked": true' in one else one.replace(f" seconds={SECONDS}", "") for one in rest]
    source.write_text("# %% ".join([head, *kept]), encoding="utf-8")
    problem = load_problem("columns", root)
    assert [(item.id, item.is_in_process) for item in problem.items] == [("standardize", False), ("largest", False)]
    release(["columns"], root)
    submitted = folder / "submitted"
    answers = {path.stem: filled_in(path, {"COURSE": str(root), "PORT": 9}) for path in CELLS}
    answers["honest"] = without_markers(STANDARDIZE)
    for student, answer in answers.items():
        notebook = fill_in(released_notebook(problem), {**solution_answers(problem), "standardize": answer})
        path = submitted / student / "columns" / "columns.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook_text(notebook), encoding="utf-8")
    graded = grade_folder("columns", submitted, folder / "out", workers=2, cache=False, root=root)
    return {one.log.student: one.log for one in graded}


def test_no_attack_earns_a_point_and_the_honest_student_has_all(logs: dict[str, GradedLog]) -> None:
    assert len(logs) == len(CELLS) + 1
    assert logs.pop("honest").score == 6
    earned = {student: log.item("standardize").score for student, log in logs.items()}
    assert {student: score for student, score in earned.items() if score} == {}
    right = {student for student, log in logs.items() if log.item("largest").score}
    assert right <= {"69b_right_at_first"}, "its first calls are right, so this value is, too"
    assert {log.outcome for log in logs.values()} == {Outcome.GRADED}
