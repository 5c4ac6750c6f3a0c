"""A small graded class of the toy problem, in files and in the gradebook, for the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from autograder.core.results import Grading, Status
from autograder.desk.decisions import Decisions
from autograder.desk.desk import Desk
from autograder.desk.form import Form
from autograder.desk.pages import app
from autograder.desk.place import Place
from autograder.desk.question import Question
from autograder.gradebook.database import recording
from tests.autograder.graded_folder import log_of, png, with_item, write_student, write_tables

HOST = "desk.test"
UNITS = Place("toy", "written_units")
ANSWERS = {
    "ada": "The deviation has the unit of the data.",
    "bob": "the **deviation** has  the unit of the data.",
    "chen": "The variance has the squared unit, so the quotient would have one over that unit.",
    "dana": "Because everybody does it.",
    "emil": "",
}
"""Student → answer; that of bob is the same as that of ada, and emil has none."""


@dataclass
class GradedClass:
    """A graded class.

    Attributes:
        root: the course's root folder.
        out: what `autograder grade` wrote.
        desks: closes the desks that were opened.
    """

    root: Path
    out: Path
    desks: ExitStack

    def write(self, answers: dict[str, str]) -> None:
        """Writes these students' answers, as `autograder grade` does."""
        logs = []
        with recording(self.root) as record:
            for student, text in answers.items():
                log = log_of(student)
                if not text:
                    log = with_item(log, UNITS.item, status=Status.MISSING, message="Not answered.")
                folder = self.out / student / "toy"
                if folder.exists():
                    for path in folder.iterdir():
                        path.unlink()
                    folder.rmdir()
                write_student(
                    self.out, log, {UNITS.item: text or "*Your answer.*"}, [png(colour=_COLOURS[len(text) % 3])]
                )
                notebook = (folder / "toy.ipynb").read_text(encoding="utf-8")
                logs.append(record(Grading(log, notebook)))
        write_tables(self.out, logs)

    def desk(self, **options: object) -> Desk:
        """A desk over the class."""
        desk = Desk(self.root, self.out, **options)  # type: ignore[arg-type]
        self.desks.callback(desk.close)
        return desk


_COLOURS = ("navy", "green", "red")


@pytest.fixture
def graded_class(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GradedClass]:
    """The class with `ANSWERS`."""
    monkeypatch.setattr("autograder.desk.question.LOOK_SECONDS", 0.0)
    out = tmp_path / "graded"
    out.mkdir()
    with ExitStack() as desks:
        found = GradedClass(course, out, desks)
        found.write(ANSWERS)
        yield found


@pytest.fixture
def desk(graded_class: GradedClass) -> Desk:
    """A desk over the class, where nothing is graded twice."""
    return graded_class.desk(second_share=0.0)


@contextmanager
def browser(desk: Desk, **options: Any) -> Iterator[TestClient]:
    """A browser of the grader kim, who has entered."""
    with TestClient(app(desk, {HOST}), base_url=f"http://{HOST}", **options) as client:
        assert client.get(f"/enter?token={desk.graders.invite('kim')}").status_code == 200
        yield client


Grade = Callable[..., list[str]]


@pytest.fixture
def grade(desk: Desk) -> Grade:
    """Grades an answer as the page does: `grade("ada", "r1", by="kim")`."""

    def save(student: str, *ticks: str, by: str = "kim", question: Place = UNITS, **entered: object) -> list[str]:
        return save_as(desk, desk.questions[question], student, ticks, by, **entered)

    return save


def save_as(
    desk: Desk, question: Question, student: str, ticks: Sequence[str], by: str, **entered: object
) -> list[str]:
    """Saves a grading of a student's answer as it is shown to a grader now."""
    ref = question.arranged().ref[student]
    view = desk.view(question, ref, by)
    fields = {"adjustment": 0.0, "reason": "", "comment": "", **entered}
    seen = view.saved.id if view.saved else None
    fields["replaces_form_grader"] = view.conflict is not None
    form = Form(tuple(ticks), seen=seen, answer=view.answer.digest, version=view.rubric.version, **fields)  # type: ignore[arg-type]
    return desk.save(question, ref, by, form)


def points(decisions: Decisions, place: Place = UNITS) -> dict[str, float | None]:
    """Student → score that counts."""
    return {student: saved.marks.score for student, saved in decisions.standing(place).items()}
