"""Notes when a notebook's kernel starts and when its cells run: in the grader's process only, for one untimed pass.

Python imports this module by itself where its folder is on `PYTHONPATH`. One JSON line per event goes to the file that
`GRADING_TRACE` names: what happened, which cell, the wall-clock seconds at its begin and its end.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

_FILE = os.environ.get("GRADING_TRACE", "")
_BEGUN = time.time()


def _note(event: str, begun: float, **more: Any) -> None:
    with open(_FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, "begun": begun, "ended": time.time(), **more}) + "\n")


def _noting(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of nbclient that starts a kernel or waits for it."""

    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        begun = time.time()
        result = method(self, *args, **kwargs)
        _note("kernel", begun)
        return result

    return noting


def _install() -> None:
    from nbconvert.preprocessors import ExecutePreprocessor

    executor: Any = ExecutePreprocessor
    run_cell = executor.preprocess_cell

    def preprocess_cell(self: Any, cell: Any, resources: Any, index: int) -> Any:
        begun, source = time.time(), cell.source
        try:
            return run_cell(self, cell, resources, index)
        finally:
            if cell.cell_type == "code":
                grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
                last = index == len(self.nb.cells) - 1
                _note("cell", begun, grade_id=grade_id, source=source[:400], last=last)

    executor.preprocess_cell = preprocess_cell
    executor.start_new_kernel = _noting(executor.start_new_kernel)
    executor.start_new_kernel_client = _noting(executor.start_new_kernel_client)
    atexit.register(lambda: _note("process", _BEGUN))


if _FILE and any(os.path.basename(word) in ("nbgrader", "otter") for word in sys.orig_argv[1:2]):
    _install()
