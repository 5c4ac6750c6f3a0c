"""Where a submission's time goes: the stock systems' from a trace of their cells, ours from `timings.csv`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROCESS = "start of the command"
KERNEL = "start of the kernel"
IMPORTS = "imports"
STUDENT = "the notebook's other cells"
TESTS = "tests"
REST = "reading, converting, recording, writing"
PHASES = (PROCESS, KERNEL, IMPORTS, STUDENT, TESTS, REST)

Event = Mapping[str, Any]


def read_trace(path: Path) -> list[dict[str, Any]]:
    """The events that the tracer noted."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def phases_of(events: Sequence[Event], seconds: float, submissions: int) -> dict[str, float]:
    """Seconds per submission and phase.

    Args:
        events: of all commands together, in the order of time.
        seconds: wall time of all commands together.
        submissions: how many were graded.
    """
    found = dict.fromkeys(PHASES, 0.0)
    fresh = True  # no kernel of this command was started yet
    processes = iter([event["begun"] for event in events if event["event"] == "process"])
    for event in events:
        if event["event"] == "process":
            fresh = True
            continue
        if fresh:
            found[PROCESS] += event["begun"] - next(processes)
            fresh = False
        found[KERNEL if event["event"] == "kernel" else _of_cell(event)] += event["ended"] - event["begun"]
    each = {phase: spent / submissions for phase, spent in found.items()}
    each[REST] = seconds / submissions - sum(each.values())
    return each


def _of_cell(event: Event) -> str:
    """To which phase a cell belongs; otter puts cells of its own before the notebook's, and one after them."""
    source = event["source"]
    if event["grade_id"].startswith("test_") or (event["last"] and "from otter.execute import" in source):
        return TESTS
    imports = any(line.startswith(("import torch", "import otter", "from otter")) for line in source.splitlines())
    return IMPORTS if imports else STUDENT


def columns_of(rows: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """The mean of each column of numbers in `timings.csv`, in the order of the columns."""
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in ("student", "problem"):
                try:
                    found.setdefault(name, []).append(float(value))
                except ValueError:
                    continue
    return {name: sum(values) / len(values) for name, values in found.items() if values}
