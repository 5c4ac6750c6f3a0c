"""`student` and `reference`: the notebook's own names, under the two names that test cells use.

In the notebook both stand for what its cells define, so that authors and students see their tests run where they write
them. When a submission is graded, `student` reaches the student's code and `reference` the course's solution.
"""

from __future__ import annotations

import sys
from typing import Any


class NotebookNames:
    """A view of the notebook's global names: `names.f` is whatever `f` is there at that moment."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __getattr__(self, name: str) -> Any:
        """The notebook's global of that name.

        Raises:
            AttributeError: no cell that ran so far defined it; the message says which cell to run.
        """
        try:
            return vars(sys.modules["__main__"])[name]
        except KeyError:
            pass
        if name.startswith("_"):  # Python and IPython ask every object for such names
            raise AttributeError(name)
        raise AttributeError(
            f"{self._label}.{name}: the notebook has no {name!r} yet. Run the cell that defines {name!r} "
            "(after a restart also the cells above it), then run this cell again."
        )

    def __dir__(self) -> list[str]:
        """The notebook's public names, for completion with the tab key."""
        return [name for name in vars(sys.modules["__main__"]) if not name.startswith("_")]

    def __repr__(self) -> str:
        """A short description for the notebook."""
        return f"<{self._label}: the names that this notebook's cells define>"


student = NotebookNames("student")
reference = NotebookNames("reference")
