"""Writes an inspection as one self-contained page for staff. It shows hidden tests."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.core.html import style, template, with_code
from autograder.core.text import well_formed
from autograder.inspect.view import InspectionView


def inspection_html(view: InspectionView, changes: Sequence[str] = ()) -> str:
    """The page, the same bytes for the same inspection; all texts are escaped.

    Args:
        view: the inspection.
        changes: what a corrected answer changes, as sentences; empty if none was tried.
    """
    page = template("inspect.html").render(
        view=view, changes=changes, sheet=style("page.css", "inspect.css"), with_code=with_code
    )
    return well_formed(page)
