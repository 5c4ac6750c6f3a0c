"""The exports as nbgrader plug-ins, for `nbgrader export --exporter=...` inside `course/`.

    nbgrader export --exporter=autograder.export.nbgrader_plugin.CanvasExporter --to grades.csv \\
        --CanvasExporter.roster=canvas.csv --assignment="['11']"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Enum, List, Unicode

from autograder.core.errors import AutograderError
from autograder.export.export import Request, columns_of, export
from autograder.export.options import Form, Per, Unfinished


class _Exporter(ExportPlugin):  # type: ignore[misc]  # nbgrader ships no types
    """Base class of the exporters; exit status 1 if students were left out, 2 if nothing was written."""

    form: ClassVar[Form]

    roster = Unicode("", help="the course platform's list of students, a CSV file").tag(config=True)
    per = Enum([str(per) for per in Per], "homework", help="whether each homework or each problem gets a column").tag(
        config=True
    )
    column = List(Unicode(), help="Canvas: id=heading of a column that has another name").tag(config=True)
    by = Unicode("", help="the only roster column to match students by").tag(config=True)
    unfinished = Enum(
        [str(kind) for kind in Unfinished],
        "leave",
        help="what to do with grades that need manual grading: leave, include or refuse",
    ).tag(config=True)
    scale = Bool(False, help="Canvas: scale grades to the points in Canvas").tag(config=True)

    def export(self, gradebook: Any) -> None:
        """Writes the file and reports the students who were left out."""
        try:
            done = export(
                Request(
                    self.form,
                    Path(self.to or "grades.csv"),
                    roster=Path(self.roster) if self.roster else None,
                    assignments=tuple(map(str, self.assignment)),
                    per=Per(self.per),
                    columns=columns_of(self.column),
                    by=self.by,
                    unfinished=Unfinished(self.unfinished),
                    scale=self.scale,
                    students=tuple(map(str, self.student)),
                ),
                gradebook=gradebook,
            )
        except AutograderError as error:
            self.log.error("%s", error)
            raise SystemExit(2) from None
        for message in done.messages():
            self.log.warning("%s", message)
        self.log.info("%d grades in %s", done.exported.written, done.path)
        if done.beside.comments:
            self.log.info("comments and rubric items: %s", done.beside.comments)
        if not done.complete:
            self.log.error("%d left out; they are listed in %s", len(done.exported.left_out), done.beside.unmatched)
            raise SystemExit(1)


class CanvasExporter(_Exporter):
    """Canvas's gradebook with our grades in it."""

    form = Form.CANVAS


class GradescopeExporter(_Exporter):
    """The format of Gradescope's own export."""

    form = Form.GRADESCOPE


class PlainExporter(_Exporter):
    """One row for each student and problem."""

    form = Form.PLAIN
