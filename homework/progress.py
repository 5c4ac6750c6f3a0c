"""A progress bar that leaves one line: in a notebook one output, however often it moves."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from homework.notebook_names import notebook_shell

_COLUMNS = 100


def progress_bar(total: int | None, name: str, *, unit: str, **options: Any) -> Any:
    """A bar on standard output, or in a notebook as one output that is replaced when the bar moves.

    Args:
        total: the number of steps; None if it is not known.
        name: what is shown before the bar.
        unit: the name of one step.
        **options: further arguments of `tqdm`, such as `initial` and `disable`.
    """
    common = {"total": total, "desc": name, "unit": unit, "mininterval": 0.5, **options}
    return _NotebookBar(**common) if notebook_shell() is not None else tqdm(file=sys.stdout, **common)


class _NotebookBar(tqdm):  # type: ignore[type-arg,unused-ignore]
    """A bar as plain text in a display that JupyterLab, Colab and nbclient update in place.

    What `tqdm` prints itself would be another output each time that a cell prints in between.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(file=io.StringIO(), ncols=_COLUMNS, **options)

    @staticmethod
    def status_printer(_file: Any) -> Callable[[str], None]:
        """A function that shows the bar's text."""
        from IPython.display import display

        handle = display({"text/plain": ""}, raw=True, display_id=True)
        return lambda text: handle.update({"text/plain": text.strip()}, raw=True)
