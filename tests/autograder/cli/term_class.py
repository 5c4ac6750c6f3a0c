"""A made-up class of the toy problem in the middle of a term, graded through the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from autograder.cli.main import app
from autograder.core.results import Grading
from autograder.gradebook.database import opened
from autograder.grading import grade as grading
from autograder.grading.examiner import Examined
from autograder.grading.grade import grade_submission
from autograder.submissions.reader import Submission
from tests.autograder.batch.test_grade_folder import in_this_process
from tests.autograder.graded_folder import csv_rows
from tests.autograder.toy import LINE, STANDARDIZE, edit_source, released, solved, submit

ABSOLUTE = LINE + "return self.slope.abs() * x + self.intercept"
WITHOUT_EPS = STANDARDIZE + "    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-9)"
KINDS: dict[str, Any] = {
    "right": solved(),
    "absolute": solved(Line=ABSOLUTE),
    "noeps": solved(standardize=WITHOUT_EPS),
    "empty": released(),
    "broken": b"{",
}

# What may change in the middle of a term.
LESS_STRICT = {
    "steep = student.Line(slope=-3.0": "steep = student.Line(slope=3.0",
    "close(steep(points), -3.0 * points": "close(steep(points), 3.0 * points",
}
STRICTER = {
    "    assert close(student.standardize(hidden_x * 0)": "    assert close(student.standardize(hidden_x, eps=1.0), "
    'reference.standardize(hidden_x, eps=1.0), "is eps used?")\n'
    "    assert close(student.standardize(hidden_x * 0)"
}
MORE_POINTS = {'"test_Line", "locked": true, "points": 8': '"test_Line", "locked": true, "points": 10'}
ANOTHER_TITLE = {"# ## 5 A question": "# ## 5 A question about units", "names the units, or": "names the units or"}


@dataclass
class TermClass:
    """The class: a course, its submissions, and the folder of results."""

    root: Path
    submitted: Path
    out: Path
    examined: list[str] = field(default_factory=list)
    """`student item` of each item that was examined since the list was cleared."""

    def run(self, *words: str, code: int = 0, say: str | None = None) -> Result:
        """Runs a command and checks its exit status."""
        result = CliRunner().invoke(app, list(words), input=say)
        assert result.exit_code == code, (result.exit_code, result.output, result.stderr, result.exception)
        return result

    def grade(self, *options: str, code: int = 0) -> Result:
        """Grades the class."""
        self.examined.clear()
        return self.run("grade", "toy", "--submitted", str(self.submitted), "--out", str(self.out), *options, code=code)

    def change(self, edits: dict[str, str]) -> None:
        """Changes the source."""
        edit_source(self.root, edits)

    def count(self, **lists: list[str]) -> None:
        """Sets `drop` and `bonus` in `course.toml`."""
        path = self.root / "course.toml"
        lines = [one for one in path.read_text().splitlines() if not one.startswith(("drop", "bonus"))]
        place = next(number for number, line in enumerate(lines) if line.startswith("problems"))
        lines[place + 1 : place + 1] = [f"{name} = {json.dumps(items)}" for name, items in lists.items()]
        path.write_text("\n".join(lines) + "\n")

    def by_hand(self, student: str, cell: str, points: float) -> None:
        """Gives points in the form grader."""
        with opened(self.root) as gradebook:
            grade = gradebook.find_grade(cell, "toy", "toy", student)
            grade.manual_score, grade.needs_manual_grade = points, False
            gradebook.db.commit()

    def logs(self) -> dict[str, dict[str, Any]]:
        """Student → `grades` of the log."""
        paths = self.out.glob("*/toy/submission_log.json")
        return {path.parent.parent.name: json.loads(path.read_text())["grades"] for path in paths}

    def item(self, student: str, item: str) -> dict[str, Any]:
        """An item in a student's log."""
        found: dict[str, Any] = {one["id"]: one for one in self.logs()[student]["items"]}[item]
        return found

    def everywhere(self) -> dict[str, tuple[float, float]]:
        """Student → score and maximum, after checking that all places agree: files, gradebook and export."""
        logs = {student: (grades["score"], grades["max_score"]) for student, grades in self.logs().items()}
        rows = csv_rows(self.out / "grades.csv")
        assert {row["student"]: (float(row["score"]), float(row["max_score"])) for row in rows} == logs
        with opened(self.root) as gradebook:
            found = {one.student_id: (one.score, one.max_score) for one in gradebook.assignment_submissions("toy")}
        assert found == logs
        to = self.out.parent / "export.csv"
        self.run("export", "plain", "--to", str(to), "--unfinished", "include")
        exported = csv_rows(to)
        assert {row["student"]: (float(row["score"]), float(row["max_score"])) for row in exported} == logs
        return logs

    def files(self) -> dict[str, bytes]:
        """The files that students and staff see, without timings and what is hidden."""
        paths = [path for path in self.out.rglob("*") if path.is_file() and path.name != "timings.csv"]
        names = {path.relative_to(self.out): path for path in paths}
        return {
            str(name): path.read_bytes()
            for name, path in names.items()
            if not any(part.startswith(".") for part in name.parts)
        }


def term_class(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **numbers: int) -> TermClass:
    """A class with so many students of each kind, e.g. `right=2` for `right1` and `right2`; not graded yet."""
    course = TermClass(root, folder / "in", folder / "out")
    for kind, number in numbers.items():
        for place in range(1, number + 1):
            submit(course.submitted, f"{kind}{place}", KINDS[kind])
    examine = vars(grading)["examine"]

    def spy(*args: Any, **options: Any) -> Examined:
        before = set(options["cache"]._old)
        examined: Examined = examine(*args, **options)
        kept = options["cache"].kept
        for key in kept.keys() - before:
            if "fraction" in kept[key]["value"]:
                course.examined.append(options["student"])
        return examined

    def grade(problem_id: str, submission: Submission, **options: Any) -> Grading:
        return grade_submission(problem_id, submission, **{**options, "root": root})

    monkeypatch.setattr(grading, "examine", spy)
    in_this_process(monkeypatch, grade)
    return course
