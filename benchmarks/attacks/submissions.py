"""The same submissions for every system: hostile cells, hostile files and honest students of `tests/attacks/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from benchmarks.attacks.container import PORT, WORK
from tests.attacks.files import EDITED, HONEST, HONEST_EDITED, Submission, no_notebooks
from tests.attacks.hostile_class import CELLS, filled_in

DESERVED_BESIDE = 8.0
"""Points of the item that every attacker answers rightly."""
READERS = ("19_", "20_", "21_", "22_", "23_", "78_")
"""Attacks that answer rightly if, and only if, they found something secret: more points are proof of a leak."""
AIM = {
    "16_the_server_of_answers_patched": "ours",
    "55b_sockets_written": "ours",
    "55c_session_socket_forged": "ours",
    "72_callback_globals": "ours",
    "25_gradebook_written": "ours nbgrader",
    "37_gradebook_locked": "ours nbgrader",
    "22_solution_read": "ours nbgrader",
    "23_neighbour_read": "ours nbgrader",
    "24_neighbours_rewritten": "ours nbgrader",
    "78_shell_lines": "ours nbgrader",
    "36_schema_version_99": "nbgrader",
    "13b_result_published_before_the_failure": "nbgrader",
    "14b_score_beyond_the_maximum_published": "nbgrader",
    "28b_pickled_results_that_run_code": "otter",
    "29b_pickle_to_the_log_server": "otter",
    "30b_doctests_that_always_pass": "otter",
}
"""Attacks on something that only these systems have, or keep where student code runs."""


def attack_names() -> list[str]:
    """All attacks, in the order of their numbers."""
    return sorted([*(path.stem for path in CELLS), *EDITED, *no_notebooks("")])


def honest_names() -> list[str]:
    """All honest students."""
    return list(HONEST)


def stock_submissions(
    fill: Callable[..., NotebookNode],
    untouched: NotebookNode,
    words: Mapping[str, object],
    solution: str,
) -> dict[str, Submission]:
    """All submissions for a system that runs in the container.

    Args:
        fill: gives the system's notebook with right answers, some replaced (as keyword arguments).
        untouched: the notebook as students get it.
        words: what the capital words in hostile cells stand for.
        solution: where the instructor's solution lies.
    """
    found = {}
    for path in CELLS:
        cell = filled_in(path, {**words, "PORT": PORT}).replace("/solutions/toy.py", solution.removeprefix(WORK))
        found[path.stem] = Submission(json.dumps(fill(standardize=cell)).encode(), DESERVED_BESIDE)
    found |= {name: attack.submission(fill) for name, attack in EDITED.items()}
    found |= no_notebooks(solution)
    found |= {name: student.submission(fill) for name, student in HONEST_EDITED.items()}
    found["honest_untouched"] = Submission(json.dumps(untouched).encode(), 0.0)
    return found


def about(name: str) -> str:
    """What an attack does: the first line of its cell, else its name."""
    for path in CELLS:
        if path.stem == name:
            return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# attack: ")
    return name.partition("_")[2].replace("_", " ") if name[0].isdigit() else name.replace("_", " ")


def write(submission: Submission, notebook: Path) -> None:
    """Writes a submission where a system looks for it."""
    notebook.parent.mkdir(parents=True, exist_ok=True)
    submission.write(notebook)
