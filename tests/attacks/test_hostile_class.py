"""A hostile class in one batch: no attack gets an undeserved point or changes a file, and honest scores are right.

Each file of `cells/` is the whole solution cell of one attacker; none of them answers the item. Attacks that need more
than a cell are in `files.py`. `docs/security.md` says which barrier stops what.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from autograder.batch.grade_folder import grade_folder
from autograder.core.errors import SetupError
from autograder.core.results import GradedLog, Outcome, Status
from autograder.course.problem import load_problem
from autograder.course.seed import grading_seed
from autograder.desk.desk import Desk
from autograder.sandbox.guest.confinement import FULL
from autograder.sandbox.host import Host
from homework.checks import fresh, inputs_from
from tests.attacks.files import ATTACKS, HONEST, Submission
from tests.attacks.hostile_class import CELLS, filled_in, fingerprints, hand_in, listener, toy_course
from tests.autograder.desk.conftest import browser
from tests.autograder.toy import ROOT, solved, text

TOY_ATTACKS = ATTACKS(load_problem("toy", ROOT))
LINE_IS_SAFE = re.compile(r"0[68]|19|2[0-9]|3[0-9]|4[0-9]|5[0-3]|6[0-9]|7[0-8]|9[2-8]|99_")
"""Attacks after which the attacker's other item, honestly answered, must still get its points."""

# one group: the class is graded once, by one of the processes that share the tests
pytestmark = [
    pytest.mark.kernel,
    pytest.mark.xdist_group("hostile"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]


OF_THE_GRADER = {"course/remembered.json", "course/remembered.lock"}
"""What grading writes into the course."""


@dataclass
class Aftermath:
    """The results of a hostile class, and what it changed."""

    logs: dict[str, GradedLog]
    root: Path
    out: Path
    changed: list[str]
    """Files of the course that were changed, and new ones."""
    connections: int
    """How often a student's code connected to the grader's machine."""


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """Grades the hostile class, once, at isolation level `full`."""
    with contextlib.closing(Host(level=FULL)) as host:
        try:
            host.start()
        except SetupError as error:
            pytest.skip(f"this tests isolation level `full`: {error}")
    root = tmp_path_factory.mktemp("hostile") / "course"
    toy_course(root)
    submitted, out = root / "course" / "submitted", root / "graded"
    with listener() as (port, accepted):
        words = {"COURSE": str(root), "SUBMITTED": str(submitted), "OUT": str(out), "PORT": port}
        for path in CELLS:
            hand_in(submitted, path.stem, Submission(text(solved(standardize=filled_in(path, words)))))
        for name, submission in {**ATTACKS(load_problem("toy", root)), **HONEST}.items():
            hand_in(submitted, name, submission)
        before = fingerprints(root, out)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUTOGRADER_ISOLATION", FULL)  # worker processes inherit it
            graded = grade_folder("toy", submitted, out, workers=2, cache=False, root=root)
        after = fingerprints(root, out)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - OF_THE_GRADER
    yield Aftermath({one.log.student: one.log for one in graded}, root, out, sorted(changed), len(accepted))


@pytest.mark.parametrize("name", [path.stem for path in CELLS])
def test_an_attack_in_a_cell_gets_no_undeserved_point(aftermath: Aftermath, name: str) -> None:
    log = aftermath.logs[name]
    item = log.item("standardize")
    assert (log.outcome, item.score) == (Outcome.GRADED, 0), item
    assert item.message and item.status is not Status.PASSED
    if LINE_IS_SAFE.match(name):
        assert log.item("Line").score == 8, log.item("Line")


@pytest.mark.parametrize("name", [*TOY_ATTACKS, *HONEST])
def test_an_attack_on_the_file_and_an_honest_student_get_the_points_that_they_deserve(
    aftermath: Aftermath, name: str
) -> None:
    log, expected = aftermath.logs[name], {**TOY_ATTACKS, **HONEST}[name]
    assert (log.auto_score, log.outcome) == (expected.score, expected.outcome), log


def test_no_attack_changed_a_file_of_the_course_or_connected_to_the_grader(aftermath: Aftermath) -> None:
    assert (aftermath.changed, aftermath.connections) == ([], 0)


def test_no_page_shows_a_hidden_input(aftermath: Aftermath) -> None:
    with inputs_from(grading_seed(aftermath.root)):
        hidden = 5 + 3 * torch.randn(7, 4, generator=fresh(11))
    numbers = [f"{value:.4f}" for value in hidden.flatten().tolist()]
    words = numbers + [number.replace(".", "_") for number in numbers] + [number.replace(".", "") for number in numbers]
    for student in aftermath.logs:
        folder = aftermath.out / student / "toy"
        for name in ("feedback.html", "submission_log.json", "toy.ipynb"):
            written = (folder / name).read_text(encoding="utf-8")
            assert not [word for word in words if word in written], (student, name)


def test_every_submission_has_its_files_and_its_row(aftermath: Aftermath) -> None:
    lines = (aftermath.out / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) - 1 == len(aftermath.logs) == len(CELLS) + len(HONEST) + len(TOY_ATTACKS)
    for student, log in aftermath.logs.items():
        folder = aftermath.out / student / "toy"
        written = json.loads((folder / "submission_log.json").read_text(encoding="utf-8"))
        assert written == log.as_json()
        assert sorted(path.name for path in folder.iterdir()) == ["feedback.html", "submission_log.json", "toy.ipynb"]
        page = (folder / "feedback.html").read_text(encoding="utf-8")
        assert "<script" not in page.lower() and "hidden_x" not in page


def test_the_desk_shows_the_answers_of_all_and_no_markup_of_theirs(aftermath: Aftermath, tmp_path: Path) -> None:
    desk = Desk(aftermath.root, aftermath.out, database=f"sqlite:///{tmp_path / 'desk.db'}", second_share=0.0)
    with browser(desk) as client:
        pages = [
            client.get(f"/toy/{place.item}/a/{ref}")
            for place, question in desk.questions.items()
            for ref in question.arranged().student
        ]
    assert len(pages) == 2 * len(aftermath.logs) and {page.status_code for page in pages} == {200}
    for page in pages:
        scripts = re.findall(r"<script[^>]*>", page.text)
        assert len(scripts) == 3 and all('src="/static/' in script for script in scripts)
        tags = " ".join(re.findall(r"<[a-z][^>]*>", page.text))
        assert not re.search(r"<(?:iframe|object|embed|svg)|\son\w+\s*=|javascript:|https?:", tags)
