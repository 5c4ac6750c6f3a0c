"""`autograder check` finds tests that are too weak or too strict."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.cli.check import check, failures, unproven
from autograder.core.results import Step
from tests.autograder.toy import ROOT, course_copy

pytestmark = pytest.mark.kernel


@pytest.mark.long
def test_the_toy_problem_passes() -> None:
    told: list[Step] = []
    rows = check(["toy"], root=ROOT, progress=told.append)
    assert failures(rows) == []
    assert [row.variant for row in rows[:2]] == ["solution", "release"]
    assert sum(row.variant.startswith("wrong/") for row in rows) == 6
    assert sum(row.variant.startswith("right/") for row in rows) == 4
    assert told[-1] == Step(len(rows), len(rows))


@pytest.mark.long
def test_a_wrong_solution_that_passes_and_a_right_one_that_fails_are_found(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    variants = root / "solutions" / "variants" / "toy"
    wrong, right = variants / "wrong" / "Line", variants / "right" / "Line"
    swapped = (wrong / "swapped.py").read_text(encoding="utf-8")
    fine = (right / "written_out.py").read_text(encoding="utf-8")
    shutil.rmtree(variants)
    sources = {
        wrong / "harmless.py": fine.replace("# alternative:", "# misconception:"),
        right / "swapped.py": swapped.replace("# misconception:", "# alternative:"),
    }
    for path, source in sources.items():
        path.parent.mkdir(parents=True)
        path.write_text(source, encoding="utf-8")
    rows = check(["toy"], root=root)
    assert [row.variant for row in failures(rows)] == ["wrong/Line/harmless", "right/Line/swapped"]
    assert "full marks" in failures(rows)[0].got and "Line" in failures(rows)[1].got


@pytest.mark.long
def test_a_solution_without_an_answer_on_per_student_inputs_is_found(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course", {"intercept=-0.5)(d.normal(3))": "intercept=-0.5)(d.nomral(3))"})
    shutil.rmtree(root / "solutions" / "variants")
    rows = check(["toy"], root=root)
    assert [row.variant for row in failures(rows)] == ["solution"]
    assert "the sandbox returns no answer on per-student inputs for Line" in failures(rows)[0].got


def test_a_problem_without_variants_is_not_proven(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    assert unproven(["toy"], root) == []
    folder = root / "solutions" / "variants" / "toy"
    shutil.rmtree(folder / "wrong" / "Line")
    shutil.rmtree(folder / "right" / "standardize")
    where = "write some in solutions/variants/toy; see CONTRIBUTING"
    assert unproven(["toy"], root) == [
        "toy standardize: it is not proven that its test accepts other answers, since it has no right variants; "
        + where,
        "toy Line: it is not proven that its test rejects anything wrong, since it has no wrong variants; " + where,
    ]
    shutil.rmtree(folder)
    assert unproven(["toy"], root) == [
        f"toy: nothing is proven about its tests, since it has no wrong and no right variants; {where}"
    ]
