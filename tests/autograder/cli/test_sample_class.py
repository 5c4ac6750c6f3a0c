"""The made-up class, and the demonstration that grades it."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.cli.demo import demo
from autograder.cli.main import app
from autograder.cli.sample_class import Expected, MadeUpStudent, make_class, surprises
from autograder.core.errors import SetupError, SourceError
from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.course.problem import load_problem
from autograder.course.variants import misconception_text, variants
from autograder.release.fill import fill_in, solution_answers
from tests.autograder.graded_folder import log_of
from tests.autograder.toy import ROOT, course_copy, released, toy

NAMES = ["ada", "bela", "chen", "dora", "emre", "fatima", "goran", "hana"]


Class = Mapping[str, MadeUpStudent]


@pytest.fixture(scope="module")
def class_(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """The made-up class of the toy problem, by name."""
    return {student.name: student for student in make_class(["toy"], tmp_path_factory.mktemp("class"), ROOT)}


def _answers(student: MadeUpStudent) -> dict[str, str]:
    notebook = nbformat.read(student.path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in cells}


def _log(student: MadeUpStudent, changed: Mapping[str, tuple[float, Status]] | None = None) -> GradedLog:
    """The log that grading should give, with some items changed."""
    items = []
    for item in toy().items:
        expected = student.expected[item.id]
        score = {Expected.FULL: item.points, Expected.LESS: item.points / 2}.get(expected, 0.0)
        status = {Expected.FULL: Status.PASSED, Expected.WAITS: Status.MANUAL}.get(expected, Status.FAILED)
        score, status = (changed or {}).get(item.id, (score, status))
        items.append(ItemResult(item.id, score, item.points, status, "", manual=item.kind != "code"))
    return log_of(student.name, outcome=student.outcome, items=tuple(items))


def test_the_class_has_one_student_for_each_case(class_: Class) -> None:
    assert list(class_) == NAMES
    for name, student in class_.items():
        assert student.path.parts[-3:] == (name, "toy", "toy.ipynb") and student.path.is_file()
        assert list(student.expected) == [item.id for item in toy().items]
    assert len({student.story for student in class_.values()}) == len(NAMES)


def test_one_student_has_the_solution(class_: Class) -> None:
    assert _answers(class_["ada"]) == solution_answers(toy())
    assert class_["ada"].expected["standardize"] is Expected.FULL
    assert class_["ada"].expected["figure_loss"] is Expected.WAITS


def test_one_student_has_the_untouched_release(class_: Class) -> None:
    assert json.loads(class_["bela"].path.read_text()) == json.loads(json.dumps(released()))
    assert class_["bela"].expected["Line"] is Expected.NONE


def test_two_students_have_different_known_misconceptions(class_: Class) -> None:
    known = {variant.source for variant in variants(toy(), "wrong")}
    wrong = []
    for name in ("chen", "dora"):
        (item,) = (item for item, expected in class_[name].expected.items() if expected is Expected.LESS)
        assert _answers(class_[name])[item] in known
        wrong.append(_answers(class_[name])[item])
    assert wrong[0] != wrong[1]


def test_one_student_ends_the_process_in_one_answer(class_: Class) -> None:
    answers = _answers(class_["emre"])
    ast.parse(answers["Line"])
    assert "_exit(1)" in answers["Line"] and "_exit" not in answers["standardize"]
    assert (class_["emre"].expected["Line"], class_["emre"].expected["standardize"]) == (Expected.NONE, Expected.FULL)


def test_one_student_has_a_valid_notebook_without_metadata(class_: Class) -> None:
    notebook = json.loads(class_["fatima"].path.read_text())
    nbformat.validate(notebook)
    assert notebook["metadata"] == {} and not any(cell["metadata"] or "id" in cell for cell in notebook["cells"])
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert set(solution_answers(toy()).values()) <= set(sources)


def test_one_student_has_an_unreadable_file(class_: Class) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(class_["goran"].path.read_text())
    assert class_["goran"].outcome is Outcome.UNREADABLE


def test_one_student_has_only_the_first_answer(class_: Class) -> None:
    answers = _answers(class_["hana"])
    assert "NotImplementedError" not in answers["standardize"] and "NotImplementedError" in answers["Line"]


def test_the_class_is_reproducible(class_: Class, tmp_path: Path) -> None:
    for student in make_class(["toy"], tmp_path / "again", ROOT):
        assert student.path.read_bytes() == class_[student.name].path.read_bytes()


def test_expected_results_are_no_surprise(class_: Class) -> None:
    for student in class_.values():
        assert surprises(student, _log(student)) == []


@pytest.mark.parametrize(
    ("name", "item", "score", "status"),
    [
        ("ada", "standardize", 11.0, Status.PARTIAL),
        ("bela", "standardize", 1.0, Status.PARTIAL),
        ("chen", "standardize", 12.0, Status.PASSED),
        ("emre", "Line", 8.0, Status.PASSED),
        ("ada", "figure_loss", 2.0, Status.PASSED),
    ],
)
def test_an_unexpected_score_is_reported(class_: Class, name: str, item: str, score: float, status: Status) -> None:
    (surprise,) = surprises(class_[name], _log(class_[name], {item: (score, status)}))
    assert item in surprise and f"{score:g}" in surprise and class_[name].expected[item].value in surprise


def test_a_missing_item_and_an_unexpected_outcome_are_reported(class_: Class) -> None:
    log = _log(class_["ada"])
    told = surprises(class_["ada"], dataclasses.replace(log, items=log.items[1:], outcome=Outcome.UNREADABLE))
    assert told[0] == "outcome unreadable, expected graded" and "no result" in told[1]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SetupError, match="choose another folder with --out"):
        make_class(["toy"], tmp_path / "file", ROOT)


def test_a_problem_without_wrong_solutions_makes_no_class(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    shutil.rmtree(root / "solutions" / "variants")
    with pytest.raises(SourceError, match="no wrong solutions"):
        make_class(["toy"], tmp_path / "submitted", root)


def test_filling_in_changes_a_copy_and_refuses_unknown_items() -> None:
    notebook = released()
    before = json.dumps(notebook)
    assert "pass  # mine" in json.dumps(fill_in(notebook, {"standardize": "pass  # mine"}))
    assert json.dumps(notebook) == before
    with pytest.raises(KeyError, match="no_such_item"):
        fill_in(notebook, {"no_such_item": "pass"})


def test_solutions_have_no_markers_and_no_rubric() -> None:
    for source in solution_answers(toy()).values():
        assert "###" not in source and "MARK SCHEME" not in source and "1 point" not in source


def test_variants_have_item_name_and_sentence() -> None:
    problem = toy()
    found = {variant.name: variant for variant in variants(problem, "wrong")}
    assert found["wrong/standardize/variance_not_deviation"].text.startswith("you divided by the variance")
    assert misconception_text(problem, "standardize", "variance_not_deviation").startswith("you divided")
    assert misconception_text(problem, "standardize", "never_heard_of") == ""


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("toy/wrong/standardise/x.py", "# misconception: a\n", "not named after an item of toy"),
        ("toy/wrong/Line/x.py", "def Line(): ...\n", "line 1 must be '# misconception:"),
        ("toy/right/Line/x.py", "# misconception: a\n", "line 1 must be '# alternative:"),
    ],
)
def test_an_invalid_variant_is_an_error(tmp_path: Path, path: str, text: str, message: str) -> None:
    root = course_copy(tmp_path / "course")
    file = root / "solutions" / "variants" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    with pytest.raises(SourceError, match=message):
        variants(load_problem("toy", root), "wrong" if "wrong" in path else "right")


def test_the_demonstration_deletes_no_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetupError, match=r"thesis\.tex"):
        demo(["toy"], tmp_path, root=ROOT)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.long
@pytest.mark.kernel
def test_the_demonstration_gives_the_expected_results_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(course_copy(tmp_path / "course")))
    out = tmp_path / "run"
    tables = []
    for _ in range(2):
        result = CliRunner().invoke(app, ["demo", "--out", str(out)])
        assert result.exit_code == 0, result.output
        assert "8 of 8 submissions came out as expected" in result.stdout
        tables.append((out / "graded" / "grades.csv").read_text())
        assert str(out / "graded" / "report.html") in result.stdout
        assert "7 of 8 graded" in re.sub(r"<[^>]+>", "", (out / "graded" / "report.html").read_text())
    assert tables[0] == tables[1]
    assert tables[0].splitlines()[0] == "student,problem,score,max_score,status"
    for name in NAMES:
        folder = out / "graded" / name / "toy"
        assert json.loads((folder / "submission_log.json").read_text())["student"] == name
        assert (folder / "feedback.html").read_text().startswith("<!doctype html>")


def test_the_demonstration_empties_only_folders_of_a_demonstration(tmp_path: Path) -> None:
    """A teaching assistant's folder looks like it but has no mark."""
    (tmp_path / "submitted" / "ada").mkdir(parents=True)
    with pytest.raises(SetupError, match="not from a demonstration"):
        demo(["toy"], tmp_path, root=ROOT)
    assert (tmp_path / "submitted" / "ada").is_dir()
