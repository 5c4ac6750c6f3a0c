"""Writes explicit results into nbgrader's gradebook and reads manual scores and comments back.

Automatic scores come only from the results. Manual scores and comments are kept when a submission is graded again;
nbgrader gives them precedence over automatic scores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import nbformat
from nbformat import NotebookNode

from autograder.core.errors import CourseError
from autograder.core.fast_imports import without_server
from autograder.core.files import write_atomically
from autograder.core.notebook_io import graded_text, verdict_outputs
from autograder.core.results import NEEDS_GRADING, STALE, GradedLog, ItemResult, Status
from autograder.core.student_key import spellings, student_key
from autograder.course.config import Course, course_folder, load_course
from autograder.course.digests_of_tests import digests
from autograder.gradebook.deductions import write_deduction
from autograder.gradebook.rows import Rows, class_rows, item_of, rows_of, write_scores
from autograder.gradebook.tested import note_tests, tested_with
from autograder.gradebook.worth import apply_worth, graded_with, labels, note_worth, set_aside

WAIT_SECONDS = 20.0
"""Seconds to wait for another program that is writing to the gradebook."""


class Recordable(Protocol):
    """The data of one submission that is recorded."""

    @property
    def log(self) -> GradedLog:
        """The explicit results."""

    @property
    def notebook(self) -> NotebookNode | None:
        """The executed notebook; None if there was nothing to execute."""

    @property
    def is_known(self) -> bool:
        """Whether all of it was probably recorded before."""


def gradebook_path(root: Path) -> Path:
    """The path of the gradebook."""
    return course_folder(root) / "gradebook.db"


class Record(Protocol):
    """Records one submission."""

    def __call__(self, grading: Recordable, submitted_at: datetime | None = None) -> GradedLog:
        """Returns the log with manual scores; `submitted_at` is the submission time on the course platform."""


@contextmanager
def recording(root: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[Record]:
    """Opens the gradebook for a batch; yields a function that records one submission.

    Scores go into `course/gradebook.db`. The executed notebook goes below `course/autograded/`, where the form grader
    shows it for manual grading. The function returns the log with the manual scores and comments given before.
    Recording a submission again does no harm. A student whom the gradebook knows under another spelling of the id keeps
    that spelling there.

    Raises:
        CourseError: on opening or recording: the gradebook is missing, locked or damaged, or does not know a problem.
        SetupError: on recording: a notebook cannot be written.
    """
    course = load_course(root)
    known: dict[str, Mapping[str, Rows]] = {}
    worth: dict[str, dict[str, dict[str, str]]] = {}
    """Problem → student → what the items were worth when the recorded submissions were graded."""
    tested: dict[str, dict[str, dict[str, str]]] = {}
    """Problem → student → the tests with which the recorded submissions were graded."""
    students: dict[str, list[str]] = {}
    """The gradebook's students, as in `_students`."""

    def record(grading: Recordable, submitted_at: datetime | None = None) -> GradedLog:
        with _explaining(gradebook_path(root)):
            own = grading.log.student
            students.update(students or _students(gradebook))
            log = replace(grading.log, student=_known_as(own, students))
            return replace(recorded(grading, log, submitted_at), student=own)

    def recorded(grading: Recordable, log: GradedLog, submitted_at: datetime | None) -> GradedLog:
        if log.problem not in worth:
            apply_log_worth(gradebook, log)
            worth[log.problem] = graded_with(gradebook, log.problem)
            tested[log.problem] = tested_with(gradebook, log.problem)
        if grading.is_known and log.problem not in known:
            known[log.problem] = class_rows(gradebook, log.problem)
        rows = known[log.problem].get(log.student) if grading.is_known else None
        as_before = worth[log.problem].get(log.student) == labels(log.items)
        as_before = as_before and tested[log.problem].get(log.student) == digests(log.items)
        if rows and as_before and rows.equal(log, course, submitted_at) and _recorded_notebook(root, log).is_file():
            return with_manual_points(log, rows.given)
        try:
            log = _record(gradebook, root, log, grading.notebook)
            record_lateness(gradebook, course, log, submitted_at)
        except Exception:
            gradebook.db.rollback()  # otherwise nothing more could be recorded
            raise
        return log

    with opened(root, wait_seconds) as gradebook:
        yield record


def _record(gradebook: Any, root: Path, log: GradedLog, executed: NotebookNode | None) -> GradedLog:
    if log.student in ("", ".", "..") or Path(log.student).name != log.student:
        raise CourseError(f"{log.student!r} is not a valid name of a student folder; rename the submission's folder.")
    path = _recorded_notebook(root, log)
    settled = _same_answers(path, executed)
    write_scores(gradebook, log, settled)
    note_worth(gradebook, log)
    note_tests(gradebook, log)
    gradebook.db.commit()
    if executed is not None:
        write_atomically(path, graded_text(show_verdicts(executed, log)))
    rows = rows_of(gradebook.find_submission_notebook(log.problem, log.problem, log.student))
    log = with_manual_points(log, rows.given)
    changed = {item_of(name) for name, one in rows.grades.items() if one.needs_grading and one.manual is not None}
    items = (
        replace(item, status=Status.MANUAL, message=STALE, stale=True) if item.id in changed and item.manual else item
        for item in log.items
    )
    return replace(log, items=tuple(items))


def apply_log_worth(gradebook: Any, log: GradedLog) -> None:
    """Gives the gradebook's cells the points that the items of a log are worth; see `autograder.gradebook.worth`."""
    worth = {item.id: item.worth for item in log.items}
    apply_worth(gradebook, log.problem, worth, [item.id for item in log.items if item.is_dropped])


def _students(gradebook: Any) -> dict[str, list[str]]:
    """Key of a student → the ids in the gradebook."""
    from nbgrader.api import Student

    return spellings(student for (student,) in gradebook.db.query(Student.id))


def _known_as(student: str, students: Mapping[str, list[str]]) -> str:
    """The student's id in the gradebook, which may be spelled otherwise; unchanged if the student is new."""
    known = students.get(student_key(student), [student])
    return student if student in known else known[0]


def _recorded_notebook(root: Path, log: GradedLog) -> Path:
    return course_folder(root) / "autograded" / log.student / log.problem / f"{log.problem}.ipynb"


def record_lateness(gradebook: Any, course: Course, log: GradedLog, submitted_at: datetime | None = None) -> None:
    """Records a student's extension and the submission time, and what curve and late policy make of the points.

    Args:
        submitted_at: None: the time in the gradebook stays.
    """
    if log.problem in course.problems:  # a problem outside all homework has no due date
        gradebook.grant_extension(log.problem, log.student, days=course.extension_days(log.problem, log.student))
        if submitted_at is not None:
            moment = submitted_at.astimezone(UTC).replace(tzinfo=None)
            gradebook.update_or_create_submission(log.problem, log.student, timestamp=moment)
    write_deduction(gradebook, course, log.problem, log.student)


def _same_answers(path: Path, notebook: NotebookNode | None) -> frozenset[str]:
    """Grade ids of the manual answers that are the same as in the notebook recorded before."""
    if notebook is None or not path.is_file():
        return frozenset()
    try:
        before = _answers(nbformat.read(path, as_version=4))
    except Exception:  # any fault of the old file, which is replaced next
        return frozenset()
    return frozenset(name for name, source in _answers(notebook).items() if before.get(name) == source)


def _answers(notebook: NotebookNode) -> dict[str, str]:
    cells = [(cell.metadata.get("nbgrader", {}), cell) for cell in notebook.cells]
    return {
        str(data["grade_id"]): str(cell.source) for data, cell in cells if data.get("grade") and data.get("solution")
    }


def manual_points(root: Path, problem: str) -> Callable[[str], Mapping[str, tuple[float | None, str]]]:
    """Returns a function: student → item id → manual points and comment, as recording will apply them.

    The points are None where there is only a comment; extra credit counts as points. They include scores that are set
    aside while an item is dropped. Without a gradebook there are none.

    Raises:
        CourseError: the gradebook is locked or damaged.
    """
    if not gradebook_path(root).is_file():
        return lambda student: {}
    with opened(root) as gradebook:
        given = {student: rows.given for student, rows in class_rows(gradebook, problem).items()}
        for (student, cell), (manual, extra, _) in set_aside(gradebook, problem).items():
            rows = given.setdefault(student, {})
            comment = rows.get(item_of(cell), (None, ""))[1]
            if manual is not None:
                rows[item_of(cell)] = (manual + (extra or 0.0), comment)
        students = _students(gradebook)
    return lambda student: given.get(_known_as(student, students), {})


def with_manual_points(log: GradedLog, given: Mapping[str, tuple[float | None, str]]) -> GradedLog:
    """The log with manual scores and comments (`manual_points`); they replace the examiner's, as in nbgrader."""
    items = (item.with_grading_by_hand(*given[item.id]) if item.id in given else item for item in log.items)
    return replace(log, items=tuple(items))


def with_points(log: GradedLog, given: Mapping[str, tuple[float | None, str]]) -> GradedLog:
    """The log with these manual scores and no others."""

    def ungraded(item: ItemResult) -> ItemResult:
        if not (item.manual and item.graded_by_hand and item.id not in given):
            return item
        return replace(
            item, score=0.0, status=Status.MANUAL, message=NEEDS_GRADING, graded_by_hand=False, comment="", stale=False
        )

    return with_manual_points(replace(log, items=tuple(map(ungraded, log.items))), given)


def create_gradebook(root: Path) -> None:
    """Creates an empty gradebook if there is none, with the tables and the version mark that nbgrader writes.

    nbgrader runs the command `alembic` to get the version. Calling alembic in this process avoids starting a second
    Python with all of nbgrader in it, and works without that command on the PATH.
    """
    path = gradebook_path(root)
    if path.exists():
        return
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine, text

    with without_server():
        from nbgrader.api import Base
        from nbgrader.dbutil import ALEMBIC_DIR

    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(".gradebook.db.new")
    fresh.unlink(missing_ok=True)
    engine = create_engine(_address(fresh))
    with engine.begin() as connection:
        Base.metadata.create_all(bind=connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        version = {"version": ScriptDirectory(ALEMBIC_DIR).get_current_head()}
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:version)"), version)
    engine.dispose()
    fresh.replace(path)


@contextmanager
def opened(root: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[Any]:
    """nbgrader's `Gradebook` of the course, open.

    Raises:
        CourseError: there is none yet, or it is locked or damaged.
    """
    path = gradebook_path(root)
    if not path.is_file():
        raise CourseError(f"there is no gradebook {path}; run `autograder release` first.")
    with without_server():
        from nbgrader.api import Gradebook

    with _explaining(path), Gradebook(_address(path, wait_seconds), load_course(root).id) as gradebook:
        gradebook.db().expire_on_commit = False  # otherwise each commit would make all cells be read again
        yield gradebook


def submission_times(root: Path, problem: str) -> dict[str, datetime]:
    """Student → time of the submission, as far as the course has a gradebook that knows it.

    Raises:
        CourseError: the gradebook is locked or damaged.
    """
    if not gradebook_path(root).is_file():
        return {}
    with opened(root) as gradebook:
        rows = class_rows(gradebook, problem)
    return {student: row.submitted_at for student, row in rows.items() if row.submitted_at is not None}


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """Turns errors of a locked or damaged gradebook into one message that says what to do."""
    from nbgrader.api import InvalidEntry
    from sqlalchemy.exc import DatabaseError

    log = logging.getLogger("tornado.application")  # nbgrader logs tracebacks of database errors here
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    except DatabaseError as error:
        raise CourseError(_explained(path, str(error.orig))) from error
    except InvalidEntry as error:  # nbgrader raises it for a database error while it adds a row
        raise CourseError(_explained(path, str(error).splitlines()[0])) from error
    finally:
        log.setLevel(before)


def _address(path: Path, wait_seconds: float = WAIT_SECONDS) -> Any:
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(path), query={"timeout": str(wait_seconds)})


def _explained(path: Path, reason: str) -> str:
    if "locked" in reason or "busy" in reason:
        advice = "another program is writing to it: close the form grader or wait for the other run, then try again."
    elif "readonly" in reason or "unable to open" in reason:
        advice = "make the file and its folder writable for your user."
    else:
        advice = "it seems damaged: move it away, restore a backup or run `autograder release`, then grade again."
    return f"the gradebook {path} cannot be used ({reason}); {advice}"


def show_verdicts(notebook: NotebookNode, log: GradedLog) -> NotebookNode:
    """A copy in which each test cell shows its verdict instead of its output.

    nbgrader's `determine_grade` would give the same score: no output for full marks, one number for a part, one error
    for none.
    """
    results = {item.id: item for item in log.items}
    shown = copy(notebook)
    shown.cells = list(map(copy, notebook.cells))
    for cell in shown.cells:
        data = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and data.get("grade") and not data.get("solution"):
            cell.outputs = verdict_outputs(results.get(item_of(str(data["grade_id"]))), float(data["points"]))
    return shown
