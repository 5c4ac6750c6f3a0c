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

from autograder.cli.main import app
from autograder.cli.sample_class import Expected, MadeUpStudent, make_class, surprises
from autograder.core.errors import SetupError, SourceError
from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.course.problem import load_problem
from autograder.course.variants import misconception_text, variants
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook

COURSE = Path(__file__).parents[1] / "fixture_course"
NAMES = ["ada", "bela", "chen", "dora", "emre", "fatima", "goran", "hana"]


@pytest.fixture
def class_(tmp_path: Path) -> dict[str, MadeUpStudent]:
    """The made-up class of the toy problem, by name."""
    return {student.name: student for student in make_class(["toy"], tmp_path / "submitted", COURSE)}


def _answers(student: MadeUpStudent) -> dict[str, str]:
    notebook = nbformat.read(student.path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in cells}


def _log(student: MadeUpStudent, changed: Mapping[str, tuple[float, Status]] | None = None) -> GradedLog:
    """What grading would say if all went as it should, but for some items."""
    items = []
    for item in load_problem("toy", COURSE).items:
        expected = student.expected[item.id]
        score = {Expected.FULL: item.points, Expected.LESS: item.points / 2}.get(expected, 0.0)
        status = {Expected.FULL: Status.PASSED, Expected.WAITS: Status.MANUAL}.get(expected, Status.FAILED)
        score, status = (changed or {}).get(item.id, (score, status))
        items.append(ItemResult(item.id, score, item.points, status, "", manual=item.kind != "code"))
    return GradedLog(
        "toy", student.name, "2026-11-21T10:00:00Z", "grade", {}, {}, {}, {}, None, student.outcome, tuple(items)
    )


def test_there_is_one_student_for_each_thing_that_happens(class_: dict[str, MadeUpStudent], tmp_path: Path) -> None:
    assert list(class_) == NAMES
    for name, student in class_.items():
        assert student.path == tmp_path / "submitted" / name / "toy" / "toy.ipynb"
        assert student.path.is_file()
        assert list(student.expected) == [item.id for item in load_problem("toy", COURSE).items]
    assert len({student.story for student in class_.values()}) == len(NAMES)


def test_the_perfect_student_has_solved_everything(class_: dict[str, MadeUpStudent]) -> None:
    assert _answers(class_["ada"]) == solution_answers(load_problem("toy", COURSE))
    assert class_["ada"].expected["standardize"] is Expected.FULL
    assert class_["ada"].expected["figure_loss"] is Expected.WAITS


def test_the_untouched_notebook_is_the_release(class_: dict[str, MadeUpStudent]) -> None:
    released = released_notebook(load_problem("toy", COURSE))
    assert json.loads(class_["bela"].path.read_text()) == json.loads(json.dumps(released))
    assert class_["bela"].expected["Line"] is Expected.NONE


def test_two_students_are_wrong_in_different_known_ways(class_: dict[str, MadeUpStudent]) -> None:
    known = {variant.source for variant in variants(load_problem("toy", COURSE), "wrong")}
    wrong = []
    for name in ("chen", "dora"):
        (item,) = (item for item, expected in class_[name].expected.items() if expected is Expected.LESS)
        assert _answers(class_[name])[item] in known
        wrong.append(_answers(class_[name])[item])
    assert wrong[0] != wrong[1]


def test_one_student_ends_the_process_and_is_right_elsewhere(class_: dict[str, MadeUpStudent]) -> None:
    answers = _answers(class_["emre"])
    ast.parse(answers["Line"])
    assert "_exit(1)" in answers["Line"] and "_exit" not in answers["standardize"]
    assert (class_["emre"].expected["Line"], class_["emre"].expected["standardize"]) == (Expected.NONE, Expected.FULL)


def test_the_stripped_notebook_is_valid_and_bare(class_: dict[str, MadeUpStudent]) -> None:
    notebook = json.loads(class_["fatima"].path.read_text())
    nbformat.validate(notebook)
    assert notebook["metadata"] == {} and not any(cell["metadata"] or "id" in cell for cell in notebook["cells"])
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert set(solution_answers(load_problem("toy", COURSE)).values()) <= set(sources)


def test_one_file_cannot_be_read(class_: dict[str, MadeUpStudent]) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(class_["goran"].path.read_text())
    assert class_["goran"].outcome is Outcome.UNREADABLE


def test_one_student_did_the_first_half(class_: dict[str, MadeUpStudent]) -> None:
    answers = _answers(class_["hana"])
    assert "NotImplementedError" not in answers["standardize"] and "NotImplementedError" in answers["Line"]


def test_the_same_class_is_made_again(class_: dict[str, MadeUpStudent], tmp_path: Path) -> None:
    for student in make_class(["toy"], tmp_path / "again", COURSE):
        assert student.path.read_bytes() == class_[student.name].path.read_bytes()


def test_nothing_surprises_when_all_is_as_expected(class_: dict[str, MadeUpStudent]) -> None:
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
def test_a_score_that_should_not_be_is_told(
    class_: dict[str, MadeUpStudent], name: str, item: str, score: float, status: Status
) -> None:
    (told,) = surprises(class_[name], _log(class_[name], {item: (score, status)}))
    assert item in told and f"{score:g}" in told and class_[name].expected[item].value in told


def test_a_missing_item_and_another_outcome_are_told(class_: dict[str, MadeUpStudent]) -> None:
    log = _log(class_["ada"])
    told = surprises(class_["ada"], dataclasses.replace(log, items=log.items[1:], outcome=Outcome.UNREADABLE))
    assert told[0] == "outcome unreadable, expected graded" and "no result" in told[1]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SetupError, match="choose another folder with --out"):
        make_class(["toy"], tmp_path / "file", COURSE)


def test_a_problem_without_wrong_solutions_makes_no_class(tmp_path: Path) -> None:
    shutil.copytree(COURSE, tmp_path / "course")
    shutil.rmtree(tmp_path / "course" / "solutions" / "variants")
    with pytest.raises(SourceError, match="no wrong solutions"):
        make_class(["toy"], tmp_path / "submitted", tmp_path / "course")


def test_filling_in_changes_a_copy_and_knows_its_items() -> None:
    problem = load_problem("toy", COURSE)
    released = released_notebook(problem)
    before = json.dumps(released)
    assert "pass  # mine" in json.dumps(fill_in(released, {"standardize": "pass  # mine"}))
    assert json.dumps(released) == before
    with pytest.raises(KeyError, match="no_such_item"):
        fill_in(released, {"no_such_item": "pass"})


def test_model_answers_carry_no_markers_and_no_mark_scheme() -> None:
    for source in solution_answers(load_problem("toy", COURSE)).values():
        assert "###" not in source and "MARK SCHEME" not in source and "1 point" not in source


def test_variants_know_item_name_and_sentence() -> None:
    problem = load_problem("toy", COURSE)
    found = {variant.name: variant for variant in variants(problem, "wrong")}
    assert found["wrong/standardize/variance_not_deviation"].text.startswith("you divided by the variance")
    assert misconception_text(problem, "standardize", "variance_not_deviation").startswith("you divided")
    assert misconception_text(problem, "standardize", "never_heard_of") == ""


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("toy/wrong/standardise/x.py", "# misconception: a\n", "no item 'standardise'"),
        ("toy/wrong/Line/x.py", "def Line(): ...\n", "line 1 must be '# misconception:"),
        ("toy/right/Line/x.py", "# misconception: a\n", "line 1 must be '# alternative:"),
    ],
)
def test_a_variant_that_breaks_the_rules_is_told(tmp_path: Path, path: str, text: str, message: str) -> None:
    shutil.copytree(COURSE, tmp_path / "course")
    file = tmp_path / "course" / "solutions" / "variants" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    problem = load_problem("toy", tmp_path / "course")
    with pytest.raises(SourceError, match=message):
        variants(problem, "wrong" if "wrong" in path else "right")


def test_the_demonstration_never_empties_a_folder_of_others(tmp_path: Path) -> None:
    from autograder.cli.demo import demo

    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetupError, match=r"thesis\.tex"):
        demo(["toy"], tmp_path, root=COURSE)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.kernel
def test_the_demonstration_comes_out_as_expected_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(COURSE, tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_ROOT", str(tmp_path / "course"))
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
