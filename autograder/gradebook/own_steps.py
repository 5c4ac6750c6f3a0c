"""Our steps in nbgrader, only for the problems of this course: any other assignment in `course/` keeps nbgrader's.

nbgrader's configuration holds for all assignments. So nbgrader keeps its own steps there, and an exporter replaces them
while it works on a problem of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters.base import BaseConverter

from autograder.course.config import load_course, root_folder
from autograder.course.problem import problem_ids

_copy_other_files = BaseConverter.init_assignment


def is_ours(assignment: str) -> bool:
    """Whether an assignment is a problem of this course: it has a source, or `course.toml` names it.

    A problem whose source is missing stays ours, and is an error: nbgrader would run its submissions unconfined.
    """
    root = root_folder()
    return assignment in problem_ids(root) or assignment in load_course(root).problems


class OwnSteps(NotebookExporter):
    """Converts a notebook of a problem of ours with `steps`, any other one with the steps that nbgrader registered."""

    @property
    def steps(self) -> Sequence[str]:
        """Import paths of the preprocessors for problems of ours."""
        raise NotImplementedError

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Converts a notebook file."""
        if resources is None or not is_ours(resources["nbgrader"]["assignment"]):
            return super().from_filename(filename, resources=resources, **kw)
        theirs, self._preprocessors = self._preprocessors, []
        try:
            for step in self.steps:
                self.register_preprocessor(step)  # type: ignore[no-untyped-call]  # of nbconvert
            return self.convert_ours(filename, resources, **kw)
        finally:
            self._preprocessors = theirs

    def convert_ours(self, filename: str, resources: dict[str, Any], **kw: Any) -> tuple[NotebookNode, dict[str, Any]]:
        """Converts a notebook file of a problem of ours."""
        return super().from_filename(filename, resources=resources, **kw)


def copy_no_other_files_of_ours() -> None:
    """Makes nbgrader copy only the notebooks of our problems.

    It would also copy all other files in a student's folder, and follow links there.
    """

    def init_assignment(self: BaseConverter, assignment_id: str, student_id: str) -> None:
        if not is_ours(assignment_id):
            _copy_other_files(self, assignment_id, student_id)

    BaseConverter.init_assignment = init_assignment
