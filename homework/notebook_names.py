"""`student` and `reference`: views of the notebook's names for test cells.

In the notebook both give access to what its cells define, so that tests run where they are written. When a submission
is graded, `student` gives access to the student's code and `reference` to the course's solution. In both cases
`student.f(x)` fails if the function changes its arguments (`homework.arguments`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from homework.arguments import is_function, watched


class NotebookNames:
    """A view of the notebook's global names: `names.f` is the current value of `f`.

    Args:
        label: name of the view in messages.
        watch: check after each call of a function of the notebook that its arguments are unchanged?
        names: the global names; those of the running notebook if not given.
    """

    def __init__(self, label: str, *, watch: bool = False, names: Mapping[str, Any] | None = None) -> None:
        self._label = label
        self._watch = watch
        self._names = names

    def __getattr__(self, name: str) -> Any:
        """The notebook's global of that name.

        Raises:
            AttributeError: no cell has defined it yet; the message says which cell to run.
        """
        names = self._globals()
        if name in names:
            value = names[name]
            return watched(value) if self._watch and is_function(value) else value
        if name.startswith("_"):  # Python and IPython look up such names on every object
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


def notebook_shell() -> Any:
    """The running notebook's shell; None in a script or a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell if shell is not None and hasattr(shell, "kernel") else None


student = NotebookNames("student", watch=True)
reference = NotebookNames("reference")
