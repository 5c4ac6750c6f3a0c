"""The executed notebook shows student text as text, and measured numbers with their expected ranges."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_output

from autograder.core.notebook_io import graded_notebook, graded_text, notebook_text
from autograder.course.problem import load_problem
from autograder.gradebook.rubrics import with_rubrics
from autograder.grading.grade import grade_submission
from autograder.release.fill import solved_notebook
from autograder.submissions.metrics import numbers_in_words
from autograder.submissions.outputs import MARK, OF_STUDENT
from autograder.submissions.reader import Submission
from benchmarks.verify_speed import made_up_log
from homework.hand_in.expected_ranges import Bands
from tests.autograder.toy import RIGHT_STANDARDIZE, grade_id, graded, released, solved


def test_the_graded_text_is_a_valid_notebook_with_a_line_for_each_cell() -> None:
    notebook = released()
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [new_output("stream", text="one\ntwo\n"), new_output("error", ename="E", evalue="", traceback=["é"])]
    written = graded_text(notebook)
    assert len(written.splitlines()) == len(notebook.cells) + 3
    read = nbformat.reads(written, as_version=4)
    nbformat.validate(read)
    assert read == notebook == graded_notebook(written)


BANDS: Bands = {
    "toy/loss": {"full": (0.5, 2.0)},
    "toy/rate_*": {"full": (None, 1.0)},
    "toy/steps": {"mini": (1.0, None)},
}


RANGE = "   expected: 0.5 to 2"


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"toy/loss": {"value": 1.25}}, "toy/loss  1.25" + RANGE),
        ({"toy/loss": {"value": 1.0, "stderr": 0.125, "runs": 4}}, "toy/loss  1 ± 0.12 (4 runs)" + RANGE),
        ({"toy/loss": {"value": 7.0}}, "toy/loss  7" + RANGE + "   OUTSIDE"),
        ({"toy/loss": {"value": None}}, "toy/loss  not available" + RANGE + "   MISSING"),
        (
            {"toy/loss": {"value": 1, "runs": 2, "values": [7, 8]}},
            "toy/loss  1 (2 runs)" + RANGE + "   INCONSISTENT",
        ),
        ({}, "toy/loss  not measured" + RANGE),
        ({"toy/steps": {"value": 3}}, "toy/steps  3"),
    ],
)
def test_metrics_are_shown_with_expected_ranges_and_verdicts(record: dict[str, Any], shown: str) -> None:
    first, *lines = numbers_in_words(record, BANDS, "full").splitlines()
    assert first == "Numbers in the submitted log, profile full:" and shown in lines


def test_only_numbers_of_known_metrics_are_shown() -> None:
    strange = {f"toy/rate_{name}": {"value": 0.5} for name in ("a", "`", "<b>", "FULL_MARKS_SAYS_THE_TEST")}
    assert "rate" not in numbers_in_words({**strange, "toy/points": {"value": 20.0}}, BANDS, "full")
    assert numbers_in_words({"toy/loss": {"value": 1.0}}, BANDS, "grade") == "" == numbers_in_words({}, {}, "full")


@pytest.mark.kernel
def test_graders_see_the_students_numbers_with_the_mark_scheme() -> None:
    problem = load_problem("vae")
    log = {**made_up_log(problem, "ada"), "profile": "full", "metrics": {"vae/test_nelbo": {"value": 101.5}}}
    data = notebook_text(solved_notebook(problem)).encode()
    grading = grade_submission("vae", Submission("ada", "vae.ipynb", data, json.dumps(log).encode(), None))
    printed = [output.text for cell in grading.notebook.cells for output in cell.get("outputs", []) if "text" in output]
    assert any("vae/test_nelbo  101.5   expected:" in text for text in printed)
    shown = with_rubrics(problem, grading.notebook.cells)
    rubrics = [cell.source for cell in shown if cell.id.startswith("rubric-")]
    assert rubrics and all("vae/test_nelbo  101.5" in rubric for rubric in rubrics)


@pytest.mark.kernel
def test_what_the_students_run_printed_and_drew_stands_at_its_cell() -> None:
    """Of cells that run here, and that do not; marked; not of tests, and not twice where both printed the same."""
    notebook = solved(standardize=f"print('twice')\n{RIGHT_STANDARDIZE}")
    source = {cell.id: cell.source for cell in notebook.cells}
    printed = {"cell of the start": "toy · profile full", "training": "step 200", "figure": "drawn"}
    starts = next(key for key, text in source.items() if "homework.start(" in text)
    trains = next(key for key, text in source.items() if "training.Loop(" in text)
    figure, test = (next(c.id for c in notebook.cells if grade_id(c) == name) for name in ("figure_loss", "test_Line"))
    texts = dict(zip((starts, trains, figure), printed.values(), strict=True)) | {test: "20 of 20 points"}
    for cell in notebook.cells:
        if cell.id in texts:
            cell.outputs = [new_output("stream", text=texts[cell.id])]
        if grade_id(cell) == "standardize":
            cell.outputs = [new_output("stream", text="twice\n")]
    done = graded(notebook)
    own = {
        cell.id: [out.data["text/plain"] for out in cell.outputs if out.get("metadata", {}).get(OF_STUDENT)]
        for cell in done.notebook.cells
        if any(out.get("metadata", {}).get(OF_STUDENT) for out in cell.get("outputs", []))
    }
    assert own == {key: [MARK, text] for key, text in texts.items() if key != test}
    assert done.text.count("twice") == 2, "its source, and what it printed here"
    nbformat.validate(done.notebook)
