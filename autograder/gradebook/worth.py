"""What the items are worth in the gradebook, and with which points each submission was graded.

nbgrader adds up the maxima of the cells and the scores in them. So the cell of a dropped or a bonus item has the
maximum 0; a bonus item's score counts on top. Points that graders gave for a dropped item would count, too: they are
set aside in a table of ours in the same database, and come back when the item counts again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from autograder.core.errors import CourseError
from autograder.core.results import GradedLog, ItemResult
from autograder.core.text import listed, printable
from autograder.course.problem import Item, Problem
from autograder.gradebook.own_tables import GRADED_WITH, SET_ASIDE, execute, has, make, note, noted
from autograder.gradebook.rows import class_rows, item_of

_SAME = 1e-9
"""Two roundings of one number may differ by this many points."""


def worth_in_source(problem: Problem) -> dict[str, float]:
    """Item id → points that it adds to the maximum, by source and `course.toml`."""
    return {item.id: item.worth for item in problem.items}


def worth_in_gradebook(gradebook: Any, problem_id: str) -> dict[str, float] | None:
    """Item id → maximum in nbgrader's open `Gradebook`; None if it does not know the problem."""
    from nbgrader.api import Assignment, GradeCell, Notebook

    cells = (
        gradebook.db.query(GradeCell.name, GradeCell.max_score)
        .join(Notebook, GradeCell.notebook_id == Notebook.id)
        .join(Assignment, Notebook.assignment_id == Assignment.id)
        .filter(Assignment.name == problem_id)
    )
    return {item_of(name): float(most or 0.0) for name, most in cells} or None


def labels(items: Iterable[ItemResult | Item]) -> dict[str, str]:
    """Item id → what it is worth, in words."""
    return {item.id: item.label for item in items}


def different_maxima(gradebook: Any, problem: Problem) -> list[str]:
    """The items that have other maxima in the gradebook than in the source; empty if it does not know the problem."""
    there = worth_in_gradebook(gradebook, problem.id)
    ours = {item: f"{worth:g}" for item, worth in worth_in_source(problem).items()}
    return [] if there is None else differences(ours, {item: f"{worth:g}" for item, worth in there.items()})


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """The items with other points, as `item: 4, in the source 6`; empty if there are none.

    Args:
        ours: item id → what it is worth by the source, in words.
        theirs: the same elsewhere.
    """
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [
        f"{name}: {theirs.get(name, 'missing')}, in the source {ours.get(name, 'missing')}"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def apply_worth(gradebook: Any, problem_id: str, worth: Mapping[str, float], dropped: Collection[str]) -> None:
    """Writes the maxima, sets points of dropped items aside, and brings back those of items that count again.

    Changes nothing where the gradebook does not know the problem or has other items; recording says so.

    Args:
        gradebook: nbgrader's open `Gradebook`.
        problem_id: the problem.
        worth: item id → points that it adds to the maximum.
        dropped: ids of the dropped items.
    """
    there = worth_in_gradebook(gradebook, problem_id)
    if there is None or there.keys() != worth.keys():
        return
    notebook = gradebook.find_notebook(problem_id, problem_id)
    for cell in notebook.grade_cells:
        item = item_of(cell.name)
        if abs((cell.max_score or 0.0) - worth[item]) > _SAME:
            cell.max_score = worth[item]
    cells = {cell.name: item_of(cell.name) in dropped for cell in notebook.grade_cells}
    _bring_back(gradebook, problem_id, [name for name, is_dropped in cells.items() if not is_dropped])
    _set_aside(gradebook, problem_id, [name for name, is_dropped in cells.items() if is_dropped])
    gradebook.db.commit()
    gradebook.db.expire_all()  # the database computes the maxima of notebooks and submissions


def set_aside(gradebook: Any, problem_id: str) -> dict[tuple[str, str], tuple[float | None, float | None, bool]]:
    """(student, cell) → what was given for a dropped item: manual score, extra credit, whether it needs grading."""
    if not has(gradebook, SET_ASIDE):
        return {}
    rows = execute(
        gradebook,
        f"SELECT student, cell, manual_score, extra_credit, needs_grading FROM {SET_ASIDE} WHERE problem = :problem",
        problem=problem_id,
    )
    return {(student, cell): (manual, extra, bool(needs)) for student, cell, manual, extra, needs in rows}


def note_worth(gradebook: Any, log: GradedLog) -> None:
    """Notes the points with which a submission was graded; the caller commits."""
    restore_graded_with(gradebook, log.problem, {log.student: labels(log.items)})


def restore_graded_with(gradebook: Any, problem_id: str, worth: Mapping[str, Mapping[str, str] | None]) -> None:
    """Notes for students what the items were worth when they were graded; forgets it for None. The caller commits."""
    note(gradebook, GRADED_WITH, problem_id, worth)


def note_worth_of_old(gradebook: Any, problem_id: str) -> None:
    """Notes the present maxima for submissions that an earlier version recorded, before a release changes them."""
    there = worth_in_gradebook(gradebook, problem_id)
    known = graded_with(gradebook, problem_id)
    old = [student for student in class_rows(gradebook, problem_id) if student not in known]
    if there is not None and old:
        worth = {item: f"{most:g}" for item, most in there.items()}
        restore_graded_with(gradebook, problem_id, dict.fromkeys(old, worth))
        gradebook.db.commit()


def graded_with(gradebook: Any, problem_id: str) -> dict[str, dict[str, str]]:
    """Student → item id → what it was worth, in words, when the submission was graded; of earlier versions, none."""
    return noted(gradebook, GRADED_WITH, problem_id)


def disagreement(gradebook: Any, problem: Problem) -> str:
    """Why source, gradebook and recorded submissions have different points, and what to do; empty if they agree."""
    ours = labels(problem.items)
    again = f"grade {problem.id} again (`autograder grade {problem.id} --submitted ... --out ...`), then repeat this"
    if found := different_maxima(gradebook, problem):
        return (
            f"the gradebook and the source of {problem.id} have different points ({'; '.join(found)}): run `autograder "
            f"release {problem.id}`, {again}."
        )
    recorded = graded_with(gradebook, problem.id)
    old = {student: found for student, worth in recorded.items() if (found := differences(ours, worth))}
    if not old:
        return ""
    names = listed([printable(student, 40) for student in sorted(old)], 5)
    submissions = "1 submission was" if len(old) == 1 else f"{len(old)} submissions were"
    return (
        f"{submissions} graded with other points than those of the source of {problem.id} "
        f"({'; '.join(old[min(old)])}): {names}. First {again}."
    )


def require_agreement(gradebook: Any, problem: Problem) -> None:
    """Checks that source, gradebook and the recorded submissions have the same points.

    Raises:
        CourseError: they have not; the message says what to do.
    """
    if said := disagreement(gradebook, problem):
        raise CourseError(said)


def _set_aside(gradebook: Any, problem_id: str, cells: Collection[str]) -> None:
    for student, grade in _grades(gradebook, problem_id, cells):
        if grade.manual_score is not None or grade.extra_credit:
            make(gradebook)
            execute(
                gradebook,
                f"INSERT OR REPLACE INTO {SET_ASIDE} VALUES (:problem, :student, :cell, :manual, :extra, :needs)",
                problem=problem_id,
                student=student,
                cell=grade.name,
                manual=grade.manual_score,
                extra=grade.extra_credit,
                needs=bool(grade.needs_manual_grade),
            )
            grade.manual_score = grade.extra_credit = None
        grade.auto_score, grade.needs_manual_grade = 0.0, False


def _bring_back(gradebook: Any, problem_id: str, cells: Collection[str]) -> None:
    kept = {key: one for key, one in set_aside(gradebook, problem_id).items() if key[1] in cells}
    if not kept:
        return
    for student, grade in _grades(gradebook, problem_id, {cell for _, cell in kept}):
        if (student, grade.name) in kept:
            manual, extra, needs = kept[student, grade.name]
            if grade.manual_score is None:
                grade.manual_score = manual
            if grade.extra_credit is None:
                grade.extra_credit = extra
            if item_of(grade.name) == grade.name:  # graded by hand only: the tests give nothing
                grade.auto_score, grade.needs_manual_grade = None, needs or manual is None
    for student, cell in kept:
        execute(
            gradebook,
            f"DELETE FROM {SET_ASIDE} WHERE problem = :problem AND student = :student AND cell = :cell",
            problem=problem_id,
            student=student,
            cell=cell,
        )


def _grades(gradebook: Any, problem_id: str, cells: Collection[str]) -> list[tuple[str, Any]]:
    """Student and nbgrader's `Grade` of every submission for these cells."""
    from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook

    if not cells:
        return []
    found = (
        gradebook.db.query(SubmittedAssignment.student_id, Grade)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .filter(Assignment.name == problem_id, BaseCell.name.in_(list(cells)))
    )
    return [(student, grade) for student, grade in found]
