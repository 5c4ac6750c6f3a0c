"""Takes decisions from the desk's database into nbgrader's gradebook and the files that `autograder grade` wrote.

A thread does it shortly after each decision. While the gradebook is locked or missing, decisions stay in the desk's
database and are tried again. A score that a grader typed into the form grader meanwhile is not overwritten: it is a
conflict, which a grader settles at the desk.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.batch.tables import write_grades
from autograder.core.errors import AutograderError
from autograder.core.files import write_atomically
from autograder.core.results import GradedLog
from autograder.core.rubric_lines import RubricLine, read, written
from autograder.course.config import load_course
from autograder.course.regrades import regrades_or_warning
from autograder.desk.class_answers import ClassAnswers
from autograder.desk.decisions import Decisions, Kind, Marks, Saved
from autograder.desk.place import Place
from autograder.desk.rubric import Rubric
from autograder.feedback.student_page import student_page
from autograder.gradebook.database import opened, with_points
from autograder.gradebook.manual import ManualScore, manual_scores, write_manual
from autograder.gradebook.rows import Rows, class_rows
from autograder.submissions.reader import LOG_NAME

_log = logging.getLogger("autograder")
_RETRY_SECONDS = 3.0


@dataclass(frozen=True)
class Recorded:
    """How far the gradebook is."""

    waiting: int = 0
    """Decisions that are not in the gradebook yet."""
    fault: str = ""
    """Why, in a sentence; empty if nothing is wrong."""


class Recorder:
    """Records decisions in the background.

    Args:
        root: the course's root folder.
        out: the folder that `autograder grade` wrote.
        decisions: the desk's decisions.
        classes: problem → the class's answers.
    """

    def __init__(self, root: Path, out: Path, decisions: Decisions, classes: Mapping[str, ClassAnswers]) -> None:
        self._root, self._out, self._decisions, self._classes = root, out, decisions, classes
        self.state = Recorded()
        self.conflicts: dict[tuple[Place, str], ManualScore] = {}
        """(question, student) → what the form grader's user gave in place of what the desk last recorded."""
        self._replaced: dict[tuple[Place, str], ManualScore] = {}
        """(question, student) → a score of the form grader's that a grader saw and chose to replace."""
        self._wake = threading.Event()
        self._ends = False
        self._one = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Tells that there are new decisions."""
        self._wake.set()

    def replace_form_grader(self, place: Place, student: str) -> None:
        """Lets the next decision replace the form grader's score, of which a grader was told."""
        if given := self.conflicts.pop((place, student), None):
            self._replaced[place, student] = given

    def stop(self) -> None:
        """Records what is left, and ends the thread."""
        self._ends = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def record(self) -> None:
        """Records all decisions that are not recorded yet."""
        with self._one:
            waiting, faults = 0, []
            for problem in self._classes:
                try:
                    self._record(problem)
                except AutograderError as error:
                    faults.append(str(error))
                waiting += len(self._decisions.unrecorded(problem))
            self.state = Recorded(waiting, faults[0] if faults else "")

    def _run(self) -> None:
        while True:
            self._wake.wait(_RETRY_SECONDS if self.state.waiting else None)
            self._wake.clear()
            try:
                self.record()
            except Exception:  # the thread must go on; the next attempt may succeed
                _log.exception("the desk could not record scores; it tries again")
                self.state = replace(self.state, fault="an unexpected error; the terminal shows it")
            if self._ends:
                return

    def _record(self, problem: str) -> None:
        pending = self._decisions.unrecorded(problem)
        if not pending:
            return
        written: list[tuple[Place, Saved]] = []
        without_row = 0
        with opened(self._root, _RETRY_SECONDS) as gradebook:
            there = manual_scores(gradebook, problem)
            for place, saved in pending:
                given = self._given(place, saved.marks)
                now = there.get((saved.student, place.item))
                if now is None:
                    without_row += 1
                elif self._is_conflict(place, saved, now, given):
                    self.conflicts[place, saved.student] = now
                else:
                    self.conflicts.pop((place, saved.student), None)
                    write_manual(gradebook, problem, saved.student, place.item, given)
                    written.append((place, saved))
            gradebook.db.commit()
            rows = class_rows(gradebook, problem)
        self._publish(self._classes[problem], {saved.student for _, saved in written}, rows)
        for place, saved in written:  # last: what a crash leaves out is done again at the next start
            self._decisions.has_recorded(place, saved.student, saved.id)
        if without_row:
            raise AutograderError(
                f"the gradebook has no rows for {without_row} of them; run `autograder grade {problem}` again, which "
                "writes them."
            )

    def _is_conflict(self, place: Place, saved: Saved, now: ManualScore, given: ManualScore) -> bool:
        """Whether the gradebook has points that neither the desk wrote nor this decision takes over."""
        if now in (given, ManualScore(None)) or saved.kind is Kind.FORM_GRADER:
            return False
        if self._replaced.get((place, saved.student)) == now:
            return False
        before = self._decisions.recorded(place, saved.student)
        if before is None:
            return True
        ours = self._given(place, before.marks)  # with today's rubric, which may be another than the recorded one
        return now.points != ours.points or read(now.comment)[1] != read(ours.comment)[1]

    def _given(self, place: Place, marks: Marks) -> ManualScore:
        if marks.score is None:
            return ManualScore(None)
        rubric = self._rubric(place)
        lines = [RubricLine(item.key in marks.ticks, item.points, item.text) for item in rubric.items]
        said = [marks.comment]
        if marks.adjustment:
            said.append(f"Adjusted by {marks.adjustment:+g}: {marks.reason}")
        shows = lines if marks.ticks or not marks.adjustment else []
        return ManualScore(marks.score, written(shows, "\n".join(filter(None, said))))

    def _rubric(self, place: Place) -> Rubric:
        from autograder.desk.rubric import rubric_of

        return self._decisions.rubric(place, rubric_of(self._classes[place.problem].items[place.item]))

    def _publish(self, answers: ClassAnswers, students: Iterable[str], rows: Mapping[str, Rows]) -> None:
        """Writes the students' logs and feedback pages, and `grades.csv`."""
        course, regrades, problem = load_course(self._root), regrades_or_warning(self._root), answers.problem
        changed = False
        for student in students:
            folder = self._out / student / problem.id
            whole = GradedLog.from_json(json.loads((folder / LOG_NAME).read_text(encoding="utf-8")))
            log = answers.logs[student] = with_points(whole, rows[student].given)
            page = student_page(log, problem, course, rows[student].submitted_at, regrades)
            write_atomically(folder / LOG_NAME, log.as_text())
            write_atomically(folder / "feedback.html", page)
            changed = True
        if changed:
            write_grades(self._out, list(answers.logs.values()))


def from_form_grader(now: ManualScore, rubric: Rubric) -> Marks:
    """What a grader gave in the form grader, as marks of the desk: an adjustment, since no item was ticked."""
    points: Any = now.points
    start = rubric.score(())
    return Marks(points, (), points - start, "from the form grader", now.comment, rubric.version)
