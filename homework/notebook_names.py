"""`student` and `reference`: the notebook's own names, under the two names that test cells use.

In the notebook both stand for what its cells define, so that authors and students see their tests run where they write
them. When a submission is graded, `student` reaches the student's code and `reference` the course's solution. In both
places `student.f(x)` fails where the function changes its arguments (`homework.arguments`).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from homework.arguments import watched


class NotebookNames:
    """A view of the notebook's global names: `names.f` is whatever `f` is there at that moment.

    Args:
        label: what to call the view in messages.
        watch: check after each call of a function of the notebook that its arguments are as they were?
        names: the global names to look at; those of the running notebook if not given.
    """

    def __init__(self, label: str, *, watch: bool = False, names: Mapping[str, Any] | None = None) -> None:
        self._label = label
        self._watch = watch
        self._names = names

    def __getattr__(self, name: str) -> Any:
        """The notebook's global of that name.

        Raises:
            AttributeError: no cell that ran so far defined it; the message says which cell to run.
        """
        names = self._globals()
        if name in names:
            value = names[name]
            return watched(value) if self._watch and inspect.isfunction(value) else value
        if name.startswith("_"):  # Python and IPython ask every object for such names
            raise AttributeError(name)
        raise AttributeError(
            f"{self._label}.{name}: the notebook has no {name!r} yet. Run the cell that defines {name!r} "
            "(after a restart also the cells above it), then run this cell again."
        )

    def __dir__(self) -> list[str]:
        """The notebook's public names, for completion with the tab key."""
        return [name for name in self._globals() if not name.startswith("_")]

    def _globals(self) -> Mapping[str, Any]:
        return vars(sys.modules["__main__"]) if self._names is None else self._names

    def __repr__(self) -> str:
        """A short description for the notebook."""
        return f"<{self._label}: the names that this notebook's cells define>"


student = NotebookNames("student", watch=True)
reference = NotebookNames("reference")
