"""Where a submission's time goes with the stock systems, from what `tracer/` recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PROCESS = "start of the command"
KERNEL = "start of the kernel"
IMPORTS = "imports"
STUDENT = "the notebook's other cells"
TESTS = "tests"
REST = "reading, converting, recording, writing"
PHASES = (PROCESS, KERNEL, IMPORTS, STUDENT, TESTS, REST)


def phases_of(events: Sequence[Mapping[str, Any]], seconds: float, submissions: int) -> dict[str, float]:
    """Seconds per submission and phase.

    Args:
        events: of all commands together, in the order of time; each command ends with its `process` event.
        seconds: wall time of all commands together.
        submissions: how many were graded.
    """
    found = dict.fromkeys(PHASES, 0.0)
    first = 0.0  # when the command's first kernel was started
    for event in events:
        if event["event"] == "process":
            found[PROCESS] += first - event["begun"] if first else 0.0  # a process without a kernel does not count
            first = 0.0
        else:
            first = first or event["begun"]
            found[KERNEL if event["event"] == "kernel" else _of_cell(event)] += event["ended"] - event["begun"]
    each = {phase: spent / submissions for phase, spent in found.items()}
    each[REST] = seconds / submissions - sum(each.values())
    return each


def _of_cell(event: Mapping[str, Any]) -> str:
    """The phase that a cell belongs to; otter puts cells of its own before the notebook's, and one after them."""
    source = event["source"]
    if event["grade_id"].startswith("test_") or (event["last"] and "from otter.execute import" in source):
        return TESTS
    imports = any(line.startswith(("import torch", "import otter", "from otter")) for line in source.splitlines())
    return IMPORTS if imports else STUDENT
