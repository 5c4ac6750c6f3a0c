"""A thousand submissions, made from every known right and wrong solution, graded from files to gradebook.

Each student answers one item by a variant and the rest by the solution: a right one loses no points, a wrong one loses
points on its own item and on no other. Then the same class again, from the cache.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from autograder.batch.grade_folder import grade_folder, worker_pool
from autograder.cli.release import release
from autograder.core.results import Graded
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.variants import variants
from autograder.gradebook.database import opened
from autograder.gradebook.rows import class_rows, item_of
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from tests.autograder.graded_folder import csv_rows
from tests.autograder.toy import submit
from tests.conftest import ROOT


def submit_variants(problem: Problem, submitted: Path) -> dict[str, str]:
    """Submits each variant; student → the item that must lose points, or nothing."""
    stub, solution = released_notebook(problem), solution_answers(problem)
    deserved = {}
    for number, variant in enumerate([*variants(problem, "wrong"), *variants(problem, "right")]):
        student = f"{variant.kind}{number:03d}"
        notebook = fill_in(stub, solution | {variant.item: variant.source})
        submit(submitted, student, notebook, problem=problem.id)
        deserved[student] = variant.item if variant.kind == "wrong" else ""
    return deserved


def lost(graded: Graded) -> str:
    """The items of a submission that did not get all points, of those that the examiner decides."""
    return ", ".join(item.id for item in graded.log.items if not item.manual and item.score < item.max_score)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_each_score_of_a_class_is_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "course"
    shutil.copytree(ROOT / "solutions", root / "solutions")
    shutil.copy(ROOT / "course.toml", root)
    problems = [load_problem(problem_id, root) for problem_id in problem_ids(root)]
    release([problem.id for problem in problems], root=root)
    submitted = {problem.id: tmp_path / "in" / problem.id for problem in problems}
    deserved = {problem.id: submit_variants(problem, submitted[problem.id]) for problem in problems}
    count = sum(map(len, deserved.values()))
    assert count >= 1000
    out = tmp_path / "out"
    for again in (False, True):
        started = time.monotonic()
        with worker_pool([problem.id for problem in problems], count, None, "", root) as pool:
            for problem in problems:
                graded = grade_folder(problem.id, submitted[problem.id], out, pool=pool, root=root)
                assert {one.log.student: lost(one) for one in graded} == deserved[problem.id]
                with opened(root) as gradebook:
                    rows = class_rows(gradebook, problem.id)
                for one in graded:
                    points = {item_of(name): row.auto for name, row in rows[one.log.student].grades.items()}
                    assert {item.id: item.score for item in one.log.items if not item.manual} == {
                        item.id: points[item.id] for item in problem.items if item.kind == "code"
                    }
        with capsys.disabled():
            how = "from the cache" if again else "anew"
            print(f"\n{count} submissions to {len(problems)} problems, {how}: {time.monotonic() - started:.0f} s")
    assert len(csv_rows(out / "grades.csv")) == count
