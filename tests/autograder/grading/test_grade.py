"""Each submission gets a result for each item, an executed notebook without secrets, and flags from its log."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
from nbgrader.utils import determine_grade
from PIL import Image

import autograder
from autograder.core.results import Outcome, Status
from autograder.grading.grade import grade_file
from autograder.submissions.log import read_log
from homework.hand_in.log import MOST_BYTES, schema
from homework.hand_in.personal import draws_for
from homework.hand_in.source_hash import source_hash
from tests.autograder.toy import FULL, ROOT, STANDARDIZE, grade_id, graded, scores, solved, text, toy


def a_log(**changes: Any) -> dict[str, Any]:
    """A log as a student's notebook writes it."""
    log = {
        "schema_version": 1,
        "problem": "toy",
        "student": "ada",
        "created_at": "2026-01-02T03:04:05Z",
        "profile": "mini",
        "environment": {"python": "3.12.1", "torch": "2.9.0", "device": "cuda"},
        "answers": {},
        "metrics": {"toy/loss": {"value": 1.5, "stderr": None, "runs": 1}},
        "process": {"sources": "lecture", "people": "", "hours": 2},
    }
    return {**log, **changes}


def as_bytes(log: dict[str, Any]) -> bytes:
    """The log as a file."""
    return json.dumps(log).encode()


def a_log_with(value: str) -> bytes:
    """A log whose one metric has this JSON as its value."""
    return as_bytes(a_log()).replace(b"1.5", value.encode())


def kinds(flags: Any) -> list[str]:
    """The kinds of flags."""
    return [flag.kind for flag in flags]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "No submission_log.json"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (as_bytes(a_log()).replace(b"1.5", b"NaN"), "NaN is not allowed"),
        (b" " * (MOST_BYTES + 1), "bytes"),
        (as_bytes(a_log(profile="huge")), "profile"),
        (as_bytes(a_log(problem="vae")), "'vae'"),
        pytest.param(b"[" * 100_000, "levels deep", id="deep"),
        (a_log_with("1e999"), "infinite number at metrics/toy/loss/value"),
        (a_log_with("-1e999"), "infinite number"),
        (a_log_with('1.5, "evidence": [0, {"a": [1e400]}]'), "loss/evidence/1/a/0."),
        (a_log_with('1.5, "evidence": ' + "[" * 120 + "]" * 120), "more than 100 levels deep at metrics"),
        (a_log_with("9" * 5000), "not JSON"),
    ],
)
def test_a_log_that_cannot_be_used_is_flagged(data: bytes | None, said: str) -> None:
    log, flags = read_log(data, "toy")
    assert log == {} and said in flags[0].message
    assert kinds(flags) == ["no_log" if data is None else "log_unusable"]


def test_grades_that_a_student_wrote_are_dropped() -> None:
    forged = a_log(grades={"score": 25, "max_score": 25, "items": []})
    log, flags = read_log(as_bytes(forged), "toy")
    assert "grades" not in log and kinds(flags) == ["log_tampered"]


@pytest.mark.kernel
def test_the_graded_log_keeps_the_entries_of_the_students_log() -> None:
    log = graded(solved(), log=as_bytes(a_log())).log
    record = log.as_json()
    jsonschema.validate(record, schema())
    assert record["created_at"] == "2026-01-02T03:04:05Z" and record["profile"] == "mini"
    assert record["metrics"]["toy/loss"]["value"] == 1.5 and record["process"]["hours"] == 2
    assert kinds(log.flags) == ["inputs", "source", "isolation"]


@pytest.mark.kernel
def test_a_log_under_another_spelling_of_the_id_is_compared_with_the_inputs_of_that_spelling() -> None:
    answers = graded(solved(), student="ADA").log.answers
    log = graded(solved(), student="ada", log=as_bytes(a_log(student="ADA", answers=answers))).log
    assert log.student == "ada" and log.answers == answers and kinds(log.flags) == ["inputs", "source", "isolation"]


@pytest.mark.kernel
def test_disagreements_between_log_and_notebook_are_flagged() -> None:
    other = as_bytes(a_log(code={"standardize": source_hash("other")}, answers={"standardize": [[1.0]]}))
    flags = graded(solved(), log=other).log.flags
    assert kinds(flags) == ["log_disagrees", "log_disagrees", "inputs", "source", "isolation"]
    stolen = graded(solved(), log=as_bytes(a_log(student="bela"))).log.flags
    assert "'ada' submitted it" in stolen[0].message


@pytest.mark.kernel
def test_answers_are_those_of_the_submitted_code_on_per_student_inputs() -> None:
    log = graded(solved(), student="grace").log
    assert log.answers != graded(solved(), student="alan").log.answers
    assert draws_for("grace", "toy")("Line") is not None
    again = graded(solved(), student="grace", log=as_bytes(a_log(student="grace", answers=log.answers, code=log.code)))
    assert kinds(again.log.flags) == ["inputs", "source", "isolation"]


@pytest.mark.parametrize(
    ("data", "outcome"), [(b"", Outcome.UNREADABLE), (b'{"nbformat": 4, "cells": []}', Outcome.WRONG_NOTEBOOK)]
)
def test_a_submission_that_cannot_be_graded_gets_a_result_per_item(data: bytes, outcome: Outcome) -> None:
    grading = graded(data, name="toy.ipynb")
    assert grading.log.outcome is outcome and (grading.log.score, grading.log.max_score) == (0, 25)
    assert {item.status for item in grading.log.items} == {Status.MISSING}
    assert all("toy.ipynb" in item.message for item in grading.log.items)
    jsonschema.validate(grading.log.as_json(), schema())
    nbformat.validate(grading.notebook)
    assert "could not be graded" in grading.notebook.cells[0].source


def test_a_missing_file_gets_a_result_too(tmp_path: Path) -> None:
    log = autograder.grade("toy", tmp_path / "toy.ipynb", student="ada", root=ROOT)
    assert log.outcome is Outcome.MISSING and log.score == 0
    assert "nothing was submitted" in log.items[0].message
    (tmp_path / "toy (1).ipynb").write_text("{}")
    log = autograder.grade("toy", tmp_path / "toy.ipynb", student="ada", root=ROOT)
    assert "there is only toy (1).ipynb; `autograder intake` handles" in log.items[0].message


def test_names_of_files_are_no_markup_in_the_executed_notebook(tmp_path: Path) -> None:
    (tmp_path / "<img src=x onerror=alert(1)>[a](javascript:b).ipynb").write_text("{}")
    grading = grade_file("toy", tmp_path / "toy.ipynb", root=ROOT)
    said = grading.notebook.cells[0].source
    assert "there is only" in said and "<img" not in said and "](" not in said


@pytest.mark.kernel
def test_the_library_call_needs_no_database_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "toy.ipynb"
    path.write_bytes(text(solved()))
    os.utime(path, (0, 86400))
    log = autograder.grade("toy", path, root=ROOT)
    assert (log.student, log.auto_score, log.created_at) == ("anonymous", 20, "1970-01-02T00:00:00Z")
    assert [entry.name for entry in tmp_path.iterdir()] == ["toy.ipynb"]
    assert not (ROOT / "course").exists()


@pytest.mark.kernel
def test_the_executed_notebook_scores_the_same_under_nbgraders_own_rule() -> None:
    half = STANDARDIZE + "    mu = x.mean(0).detach()\n    return (x - mu) / torch.sqrt(((x - mu)**2).mean(0) + eps)"
    for notebook in (solved(), solved(standardize=half), solved(standardize=STANDARDIZE + "    return x")):
        grading = graded(notebook)
        nbformat.validate(grading.notebook)
        theirs = {
            cell.metadata.nbgrader.grade_id.removeprefix("test_"): determine_grade(cell)[0]
            for cell in grading.notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade") and not cell.metadata.nbgrader.solution
        }
        assert theirs == scores(grading)


@pytest.mark.kernel
def test_the_executed_notebook_shows_no_hidden_test_no_solution_and_no_script() -> None:
    notebook = solved(standardize=STANDARDIZE + "    return x")
    evil = nbformat.v4.new_output("display_data", {"text/html": "<script>alert(1)</script>", "image/png": _png()})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [evil]
    executed = graded(notebook).notebook
    shown = text(executed).decode()
    assert "hidden_x" not in shown and "BEGIN HIDDEN" not in shown and "spread" not in shown
    assert "<script>" not in shown
    pictures = {grade_id(cell): str(cell.get("outputs")).count(_png()) for cell in executed.cells}
    assert {pictures["test_standardize"], pictures["test_Line"]} == {0} and pictures["figure_loss"] == 1


def _png() -> str:
    """A picture as Pillow writes it, so that drawing it anew gives the same bytes."""
    packed = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


@pytest.mark.kernel
def test_the_student_id_of_the_log_is_used_if_no_other_is_given() -> None:
    assert graded(solved(), student=None, log=as_bytes(a_log(student="grace"))).log.student == "grace"
    assert scores(graded(solved(), student=None)) == FULL
    assert toy().max_score == 25
