"""All ways of grading give the same scores: library, batch (one or two workers, the cache), one file, nbgrader.

(`autograder check` grades through the batch, too, and compares the scores itself.)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.cli.release import release
from autograder.core.flags import FlagKind
from autograder.course.problem import load_problem, problem_ids
from autograder.course.variants import variants
from autograder.gradebook.database import opened
from autograder.gradebook.rows import item_of
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from tests.autograder.toy import ROOT as TOY
from tests.autograder.toy import submit
from tests.conftest import ROOT

PROBLEMS = [
    pytest.param("toy", TOY, marks=pytest.mark.kernel),
    *(pytest.param(problem, ROOT, marks=pytest.mark.slow) for problem in problem_ids(ROOT)),
]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@pytest.mark.parametrize(("problem", "original"), PROBLEMS)
def test_all_ways_give_the_same_scores(
    problem: str, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = tmp_path / "root"
    shutil.copytree(original / "solutions", course / "solutions")
    shutil.copy(original / "course.toml", course)
    monkeypatch.setenv("AUTOGRADER_ROOT", str(course))
    source = load_problem(problem, course)
    code = [item.id for item in source.items if item.kind == "code"]
    wrong = {item: next(v for v in variants(source, "wrong") if v.item == item) for item in code}
    release([problem], root=course)
    submitted = course / "course" / "submitted"
    stub, solution = released_notebook(source), solution_answers(source)
    class_ = {"perfect": fill_in(stub, solution), "untouched": stub, "unreadable": b"{"} | {
        f"wrong_{item}": fill_in(stub, solution | {item: variant.source}) for item, variant in wrong.items()
    }
    paths = {student: submit(submitted, student, data, problem=problem) for student, data in class_.items()}

    scores = {student: _scores(autograder.grade(problem, path).as_json()) for student, path in paths.items()}
    full = {item.id: item.points for item in source.items if item.kind == "code"}
    assert scores["perfect"] == full
    assert set(scores["untouched"].values()) == set(scores["unreadable"].values()) == {0.0}
    for item in code:
        lost = {name for name, score in scores[f"wrong_{item}"].items() if score < full[name]}
        assert lost == {item}, f"{wrong[item].name} loses points on its own item only"

    out = tmp_path / "out"
    where = ("--submitted", str(submitted), "--out", str(out))
    _run("autograder.cli.main", "grade", problem, *where, "--no-gradebook", "--workers", "1")
    logs = {student: json.loads((out / student / problem / "submission_log.json").read_text()) for student in class_}
    assert {student: _scores(log) for student, log in logs.items()} == scores

    again = tmp_path / "again"
    there = ("--submitted", str(submitted), "--out", str(again), "--no-gradebook", "--workers", "2")
    _run("autograder.cli.main", "grade", problem, *there, "--no-cache")
    assert _logs(again) == _logs(out), "two workers, no cache"
    _run("autograder.cli.main", "grade", problem, *there)
    assert _without_mark(_logs(again)) == _logs(out), "all results are cached"

    student = f"wrong_{code[0]}"
    printed = _run("autograder.cli.main", "grade-one", str(paths[student]), "--problem", problem, "--student", student)
    assert json.loads(printed) == logs[student]

    _run("nbgrader", "autograde", problem, cwd=course / "course")
    with opened(course) as gradebook:
        for student in class_:
            grades = gradebook.find_submission_notebook(problem, problem, student).grades
            recorded = {item_of(grade.name): grade.auto_score for grade in grades if item_of(grade.name) in code}
            assert recorded == scores[student], student


def _scores(log: dict[str, Any]) -> dict[str, float]:
    """Item id → points, of the code items."""
    return {item["id"]: item["score"] for item in log["grades"]["items"] if not item.get("manual")}


def _logs(out: Path) -> dict[str, Any]:
    """Student → log."""
    return {path.parts[-3]: json.loads(path.read_text()) for path in out.rglob("submission_log.json")}


def _without_mark(logs: dict[str, Any]) -> dict[str, Any]:
    """The logs without the flag of cached results; checks that each graded submission has it."""
    for log in logs.values():
        flags = log["grades"]["flags"]
        log["grades"]["flags"] = [flag for flag in flags if flag["kind"] != FlagKind.CACHED]
        assert (len(flags) > len(log["grades"]["flags"])) == (log["grades"]["outcome"] == "graded")
    return logs


def _run(module: str, *arguments: str, cwd: Path = ROOT) -> str:
    """Runs a command of this environment, and returns its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,  # generous: torch, nbgrader and the examiner are imported afresh on a busy machine
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
