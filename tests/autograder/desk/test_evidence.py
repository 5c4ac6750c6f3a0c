"""Beside a question stand the outputs of the student's own run that its answer may speak of."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.desk.class_answers import Picture, Section
from autograder.submissions.outputs import OF_STUDENT
from tests.autograder.desk.conftest import ANSWERS, UNITS, GradedClass, browser
from tests.autograder.graded_folder import png
from tests.autograder.toy import graded, solved


def submitted(
    training: Sequence[NotebookNode] = (), figure: Sequence[NotebookNode] = (), log: str = ""
) -> NotebookNode:
    """The solved notebook with the outputs of a student's own run."""
    notebook = solved()
    for cell in notebook.cells:
        if "training.Loop(" in cell.source:
            cell.outputs = list(training)
        elif cell.metadata.get("nbgrader", {}).get("grade_id") == "figure_loss":
            cell.outputs = list(figure)
        elif "log.write()" in cell.source:
            cell.outputs = [new_output("stream", text=log)]
    return notebook


def shown(graded_class: GradedClass, notebook: NotebookNode, item: str) -> list[str]:
    """What stands beside a question of ada's after her notebook was graded: texts, and `picture`."""
    path = graded_class.out / "ada" / "toy" / "toy.ipynb"
    path.write_text(graded(notebook).text, encoding="utf-8")
    question = next(one for place, one in graded_class.desk().questions.items() if place.item == item)
    evidence = question.answers.evidence("ada", item)
    return ["picture" if isinstance(one, Picture) else one for section in evidence for one in section.outputs]


def _evidence(graded_class: GradedClass, notebook: NotebookNode) -> list[Section]:
    shown(graded_class, notebook, "written_units")
    return graded_class.desk().questions[UNITS].answers.evidence("ada", "written_units")


PICTURE = new_output("display_data", {"image/png": png()})
LOSS = new_output("stream", text="loss 0.25\n")
DRAWN = new_output("stream", text="the figure's cell\n")


@pytest.mark.kernel
def test_outputs_stand_at_the_question_below_them(graded_class: GradedClass) -> None:
    notebook = submitted([LOSS, PICTURE], [DRAWN, PICTURE], "below the questions")
    assert shown(graded_class, notebook, "figure_loss") == ["loss 0.25", "picture", "the figure's cell"]
    assert shown(graded_class, notebook, "written_units") == ["loss 0.25", "picture", "the figure's cell"]
    only_above = submitted([LOSS])
    assert shown(graded_class, only_above, "written_units") == ["loss 0.25"], "both questions are about it"
    assert shown(graded_class, submitted(), "written_units") == []
    titles = [section.title for section in _evidence(graded_class, notebook)]
    assert titles == ["3 Training", "4 A figure"]


@pytest.mark.kernel
def test_the_page_shows_them_as_text_and_pixels(graded_class: GradedClass) -> None:
    hostile = new_output("stream", text="<script>alert(1)</script>\x1b[31m https://example.org")
    path: Path = graded_class.out / "dana" / "toy" / "toy.ipynb"
    path.write_text(graded(submitted([hostile, PICTURE])).text, encoding="utf-8")
    desk = graded_class.desk(second_share=0.0)
    assert ANSWERS["dana"]
    ref = desk.questions[UNITS].arranged().ref["dana"]
    with browser(desk) as page:
        text = page.get(f"/toy/written_units/a/{ref}").text
        [run] = re.findall(r"(?s)<div class=\"scroll run\".*?</div>", text)
        assert "&lt;script&gt;" in run and "<script" not in run and "<a " not in run and "\x1b" not in run
        [address] = re.findall(r'<img src="([^"]+)"', run)
        assert page.get(address).content == base64.b64decode(png())


def cell(cell_id: str, *outputs: str, text: str = "") -> dict[str, Any]:
    """A cell of a graded notebook: code if it has outputs."""
    shown = [{"data": {"text/plain": one}, "metadata": {OF_STUDENT: True}} for one in outputs]
    kind = "code" if outputs else "markdown"
    return {"id": cell_id, "cell_type": kind, "source": text, "outputs": shown, "metadata": {}}


@pytest.mark.parametrize(
    ("between", "expected"),
    [([], ["one"]), ([cell("two", "two")], ["two"]), ([cell("text", text="## Next")], ["one"])],
)
def test_a_question_right_below_another_one_is_about_the_same(
    graded_class: GradedClass, between: list[dict[str, Any]], expected: list[str]
) -> None:
    answers = graded_class.desk().questions[UNITS].answers
    other = replace(answers.items[UNITS.item], cell=replace(answers.items[UNITS.item].cell, id="other"))
    answers.items["written_other"] = other
    cells = [cell("one", "one"), cell("other", text="an answer"), *between, cell(answers.items[UNITS.item].cell.id)]
    (graded_class.out / "ada" / "toy" / "toy.ipynb").write_text(json.dumps({"cells": cells}))
    found = answers.evidence("ada", UNITS.item)
    assert [one for section in found for one in section.outputs] == expected


def test_a_notebook_that_cannot_be_read_has_none(graded_class: GradedClass) -> None:
    (graded_class.out / "ada" / "toy" / "toy.ipynb").write_text('{"cells": [{"id": 3}, {"outputs": 5}]}')
    assert graded_class.desk().questions[UNITS].answers.evidence("ada", UNITS.item) == []
