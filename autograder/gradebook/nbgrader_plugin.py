"""Our steps in plain nbgrader: named stubs at release; the examiner, explicit scores and the late policy at grading.

`course/nbgrader_config.py` configures them, so that `nbgrader autograde PROBLEM` and the form grader's button give the
scores of `autograder grade`. nbgrader runs two stages per submission and reads the submitted file itself before the
first. `SubmissionExporter` prevents that, so that a file which is not a notebook affects only its own student.
Assignments that are no problems of ours keep nbgrader's steps (`own_steps`).
"""

from __future__ import annotations

import logging
import sys
import warnings
from datetime import UTC, datetime
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin, LateSubmissionPlugin
from nbgrader.preprocessors import ClearMarkScheme, ClearSolutions, GetGrades, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool, Unicode
from traitlets.config import Config
from traitlets.utils.importstring import import_item

import autograder
from autograder.core.errors import CourseError, ReleaseError
from autograder.core.results import GradedLog, Outcome
from autograder.course.config import Course, course_folder, load_course, root_folder
from autograder.course.problem import load_problem
from autograder.gradebook.database import (
    apply_log_worth,
    create_gradebook,
    gradebook_path,
    opened,
    record_lateness,
    show_verdicts,
)
from autograder.gradebook.deductions import write_deduction, write_deductions
from autograder.gradebook.own_steps import OwnSteps, is_ours
from autograder.gradebook.rows import write_scores
from autograder.gradebook.tested import note_tests
from autograder.gradebook.worth import apply_worth, note_worth, note_worth_of_old, worth_in_source
from autograder.release.notebook import released_notebook, stub
from autograder.submissions.timestamps import submission_time_or_warning

_RELEASE_STEPS = (
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    f"{__name__}.NamedStubs",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    f"{__name__}.MarkFigures",
    "nbgrader.preprocessors.ClearHiddenTests",
    f"{__name__}.ClearRubrics",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
)
"""nbgrader's own release step, with stubs that name their item and figures that count as graded by hand.

nbgrader's test templates (AUTOTEST) are not used.
"""
_SANITIZE_STEPS = ("nbgrader.preprocessors.CheckCellMetadata",)
_GRADING_STEPS = (
    f"{__name__}.Examine",
    f"{__name__}.SaveResults",
    "nbgrader.preprocessors.CheckCellMetadata",
)
"""The examiner's explicit results instead of what cells print."""


def config_text(course: Course) -> str:
    """The text of `course/nbgrader_config.py`, which is the same on every machine."""
    return f'''"""nbgrader's configuration for this course; written by `autograder release`; do not edit it."""

import os
from pathlib import Path

c = get_config()  # noqa: F821

here = Path(__file__).resolve().parent
os.environ.setdefault("AUTOGRADER_ROOT", str(here.parent))

from autograder.gradebook.nbgrader_plugin import form_grader_templates, read_submission_times_with_care
from autograder.gradebook.own_steps import copy_no_other_files_of_ours

read_submission_times_with_care()
copy_no_other_files_of_ours()

c.CourseDirectory.course_id = {course.id!r}
c.CourseDirectory.root = str(here)

# Our problems are released and graded by our steps; any other assignment by nbgrader's.
c.GenerateAssignment.exporter_class = "{__name__}.ReleaseExporter"
c.Autograde.exporter_class = "{__name__}.SubmissionExporter"

# Curve and late policy count in nbgrader's exports and feedback pages, with the manual scores that there are by then.
c.ExportApp.plugin_class = "{__name__}.CurrentCsv"
c.GenerateFeedback.preprocessors = ["{__name__}.CurrentGrades", "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor"]

# Only the form grader shows rubrics beside the answers.
c.HTMLExporter.preprocessors = ["autograder.gradebook.rubrics.ShowRubrics"]

# Its pages load MathJax from this server and show the titles of the items; nbgrader's feedback pages stay as they are.
c.HTMLExporter.extra_template_basedirs = form_grader_templates()
c.HTMLExporter.extra_template_paths = form_grader_templates()[1:]  # where our template finds the one that it extends
'''


def form_grader_templates() -> list[str]:
    """The folders with the templates of the form grader's pages: ours, then nbgrader's, which ours extend."""
    from nbgrader.server_extensions.formgrader.handlers import template_path

    return [str(Path(autograder.__file__).parent / "templates" / "form_grader"), template_path]


def read_submission_times_with_care() -> None:
    """Makes nbgrader read `timestamp.txt` with `submission_time_or_warning`.

    nbgrader's own function raises on a text that is not a time, which ends the batch, and hangs on a named pipe.
    """

    def careful(self: CourseDirectory, folder: str) -> datetime | None:
        moment = submission_time_or_warning(Path(folder), self.log)
        return None if moment is None else moment.replace(tzinfo=None)

    CourseDirectory.get_existing_timestamp = careful


class NamedStubs(ClearSolutions):  # type: ignore[misc]  # nbgrader ships no types
    """nbgrader's `ClearSolutions`, with a stub that names the item."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replaces the solution regions of one cell."""
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {"python": stub(grade_id, "code")}
        self.text_stub = stub(grade_id, "markdown")
        done: tuple[NotebookNode, dict[str, Any]] = super().preprocess_cell(cell, resources, cell_index)
        return done


class ClearRubrics(ClearMarkScheme):  # type: ignore[misc]  # nbgrader ships no types
    """nbgrader's `ClearMarkScheme`, which also accepts rubrics in written answers."""

    enforce_metadata = Bool(False).tag(config=True)


class MarkFigures(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Makes the form grader count figures as written answers: their cells are code, but people grade them.

    `SaveCells` has just recorded the cells. nbgrader's pages add up the points of code cells as *Code Score*, and take
    a code cell without full automatic points for a failed test.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Changes the type in the gradebook; the notebook stays as it is."""
        from nbgrader.api import Gradebook

        names = resources["nbgrader"]
        by_hand = [cell.metadata.nbgrader.grade_id for cell in nb.cells if is_grade(cell) and is_solution(cell)]
        with Gradebook(names["db_url"]) as gradebook:
            for grade_id in by_hand:
                gradebook.update_or_create_grade_cell(
                    grade_id, names["notebook"], names["assignment"], cell_type="markdown"
                )
        return nb, resources


def generate_assignment(course: Course, problem_id: str) -> Path:
    """Runs nbgrader's release step for one problem in this process; returns the path of the notebook.

    Raises:
        ReleaseError: nbgrader refused; the message quotes nbgrader.
    """
    folder = course_folder(course.root)
    errors = BufferingHandler(sys.maxsize)
    log = logging.Logger("autograder.nbgrader", logging.ERROR)
    log.addHandler(errors)
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.course_id = course.id
    config.CourseDirectory.assignment_id = problem_id
    config.GenerateAssignment.preprocessors = list(_RELEASE_STEPS)
    config.GenerateAssignment.force = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations in nbgrader and its libraries
            create_gradebook(course.root)
            with opened(course.root) as gradebook:
                note_worth_of_old(gradebook, problem_id)
            coursedir = CourseDirectory(config=config, log=log)
            GenerateAssignment(coursedir=coursedir, config=config, log=log).start()
            problem = load_problem(problem_id, course.root)
            with opened(course.root) as gradebook:
                dropped = [item.id for item in problem.items if item.is_dropped]
                apply_worth(gradebook, problem_id, worth_in_source(problem), dropped)
                if problem_id in course.problems:
                    due = course.due(problem_id).astimezone(UTC).replace(tzinfo=None)  # for nbgrader's lateness
                    gradebook.update_or_create_assignment(problem_id, duedate=due)
    except (NbGraderException, CourseError) as error:
        text = "\n".join(record.getMessage() for record in errors.buffer)
        if "Cannot add or remove cells" in text or "submissions associated" in text:
            raise ReleaseError(
                f"{problem_id}: items were added, removed or renamed, but the gradebook has submissions for the old "
                f"ones. Keep the grade ids, or move {gradebook_path(course.root)} away, release, and grade all "
                "submissions again."
            ) from error
        raise ReleaseError(f"{problem_id}: nbgrader refused the release: {error}\n{text}".rstrip()) from error
    return folder / "release" / problem_id / f"{problem_id}.ipynb"


class ReleaseExporter(OwnSteps):
    """Releases problems of ours with our steps."""

    steps = _RELEASE_STEPS


class SubmissionExporter(OwnSteps):
    """Grades problems of ours with our steps.

    It gives nbgrader the clean release in place of the submitted file, which `Examine` reads. So nothing of the
    student's reaches nbgrader's first stage: broken JSON or metadata cannot stop the batch.
    """

    submitted = Unicode("", help="the submitted file")

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of nbgrader's stage."""
        return _SANITIZE_STEPS if self._is_first_stage else _GRADING_STEPS

    @property
    def _is_first_stage(self) -> bool:
        return bool(getattr(self.parent, "_sanitizing", False))

    def convert_ours(self, filename: str, resources: dict[str, Any], **kw: Any) -> tuple[NotebookNode, dict[str, Any]]:
        """Exports a notebook file; in the first stage exports the release instead."""
        if not self._is_first_stage:
            return super().convert_ours(filename, resources, **kw)
        self.submitted = filename
        release = released_notebook(load_problem(resources["nbgrader"]["assignment"], root_folder()))
        resources.setdefault("metadata", {}).update(name=Path(filename).stem, path=str(Path(filename).parent))
        exported: tuple[NotebookNode, dict[str, Any]] = NotebookExporter.from_notebook_node(
            self, release, resources=resources, **kw
        )
        return exported


class Examine(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Grades the submitted file with the examiner and replaces it by the executed notebook."""

    grader = Unicode(
        "autograder.grading.grade.grade_file",
        help="import path of the function that grades: (problem, path, *, student, submitted) -> log and notebook",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Replaces the notebook by the executed one; `resources["homework_log"]` has the explicit results."""
        problem_id, student = resources["nbgrader"]["assignment"], resources["nbgrader"]["student"]
        path = Path(self.parent.submitted)
        grading = import_item(self.grader)(problem_id, path, student=student, submitted=path.parents[2])
        log: GradedLog = grading.log
        if log.outcome is not Outcome.GRADED:
            self.log.warning("%s: %s", student, "; ".join(dict.fromkeys(item.message for item in log.items)))
        if grading.traceback:
            self.log.error("%s: the autograder failed:\n%s", student, grading.traceback)
        resources["homework_log"] = log
        return show_verdicts(grading.notebook, log), resources


class SaveResults(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Writes the explicit results into the gradebook, in place of nbgrader's `SaveAutoGrades`, which reads outputs."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Saves the scores of one submission."""
        from nbgrader.api import Gradebook

        log: GradedLog = resources["homework_log"]
        course = load_course(root_folder())
        with Gradebook(resources["nbgrader"]["db_url"], course.id) as gradebook:
            apply_log_worth(gradebook, log)
            write_scores(gradebook, log)
            note_worth(gradebook, log)
            note_tests(gradebook, log)
            record_lateness(gradebook, course, log)
        return nb, resources


class CourseLatePolicy(LateSubmissionPlugin):  # type: ignore[misc]  # nbgrader ships no types
    """The late policy of `course.toml`, by the name that `nbgrader_config.py` of older releases has."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        """Points deducted for a late submission; the seconds late already include extensions."""
        return load_course(root_folder()).late_policy.penalty(score, total_seconds_late)


class CurrentGrades(GetGrades):  # type: ignore[misc]  # nbgrader ships no types
    """nbgrader's step that reads the scores for a feedback page: after curve and late policy, as the points are now."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Reads the scores of one submission."""
        from nbgrader.api import Gradebook

        names = resources["nbgrader"]
        if is_ours(names["assignment"]):
            with Gradebook(names["db_url"]) as gradebook:
                write_deduction(gradebook, load_course(root_folder()), names["assignment"], names["student"])
        done: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
        return done


class CurrentCsv(CsvExportPlugin):  # type: ignore[misc]  # nbgrader ships no types
    """nbgrader's CSV export: after curve and late policy, as the points are now."""

    def export(self, gradebook: Any) -> None:
        """Writes the file."""
        course = load_course(root_folder())
        for assignment in gradebook.assignments:
            if is_ours(assignment.name):
                write_deductions(gradebook, course, assignment.name)
        super().export(gradebook)
