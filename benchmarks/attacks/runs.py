"""What one run gave, the file that keeps all runs, and what is known about the attacks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

MAXIMUM = 20.0
AIM = {
    "16_the_server_of_answers_patched": "ours",
    "55b_sockets_written": "ours",
    "55c_session_socket_forged": "ours",
    "72_callback_globals": "ours",
    "25_gradebook_written": "ours and nbgrader",
    "37_gradebook_locked": "ours and nbgrader",
    "22_solution_read": "ours and nbgrader",
    "23_neighbour_read": "ours and nbgrader",
    "24_neighbours_rewritten": "ours and nbgrader",
    "78_shell_lines": "ours and nbgrader",
    "36_schema_version_99": "nbgrader",
    "13b_result_published_before_the_failure": "nbgrader",
    "14b_score_beyond_the_maximum_published": "nbgrader",
    "28b_pickled_results_that_run_code": "otter",
    "29b_pickle_to_the_log_server": "otter",
    "30b_doctests_that_always_pass": "otter",
}
"""Attacks on something that only these systems have, or keep where student code runs."""
NOT_APPLICABLE = {
    "56_link_to_the_solution": "the solution is not on the machine that runs student code",
    "56c_link_beside_the_notebook": "only the notebook is submitted",
}
"""Submissions that otter does not get, and why."""


@dataclass(frozen=True)
class Run:
    """One submission graded by one system."""

    system: str
    submission: str
    """Name of the attack or of the honest student."""
    deserved: float
    points: float | None
    """What the system gave; None if the submission got no result at all."""
    neighbours: Mapping[str, float | None] = field(default_factory=dict)
    """Points of honest neighbours afterwards, by name; they deserve the maximum. Empty where there are none."""
    changed: Sequence[str] = field(default_factory=list)
    """Files of the course or of the grader that were changed or made, other than the system's own results."""
    planted: Mapping[str, str] = field(default_factory=dict)
    """Files that an attack made outside of its own process -> what it wrote there."""
    processes_left: int = 0
    """Processes still alive a second and a half after the grader had ended."""
    connections: int = 0
    """How often "the network" was reached."""
    pages: Sequence[str] | None = None
    """What the student's own result page or file holds that it should not: `hidden tests`, `script`; None if the
    system made no page."""
    stopped: str = ""
    """The benchmark's limit that took effect: `time`, `memory`."""
    copied: bool = False
    """Was a file of the machine (`/etc/shadow`) copied to the results?"""
    when: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")

    @property
    def undeserved(self) -> bool:
        """Did it get more than its answers deserve?"""
        return self.points is not None and self.points > self.deserved + 1e-9

    @property
    def lost(self) -> bool:
        """Did it get less than its answers deserve?"""
        return self.deserved > 0 and (self.points is None or self.points < self.deserved - 1e-9)


Runs = dict[tuple[str, str], Run]
"""(system, submission) -> run."""


def load(path: Path) -> Runs:
    """The runs in a file; none if there is no file."""
    entries = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return {(entry["system"], entry["submission"]): Run(**entry) for entry in entries}


def save(path: Path, runs: Runs) -> None:
    """Writes all runs to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(run) for run in runs.values()], indent=1), encoding="utf-8")
