"""Limits on time, output and memory of one submission; waiting for a processor does not count as time."""

from __future__ import annotations

from autograder.course.problem import Problem

CELL_SECONDS = 30.0
"""Limit of one of the student's cells; cells that train are not run."""
ALL_CELLS_SECONDS = 180.0
"""Limit of all of a student's cells together, including those that run again after a death."""
UNSURE_CELLS_SECONDS = 60.0
"""Limit, in total, of cells that run only because it is unknown which cells are needed."""
ALL_CELLS_OUTPUT = 400_000
"""Characters of the cells' output that are kept, in total."""
ANSWER_SECONDS = 10.0
"""Limit of one answer on per-student inputs."""
TEST_MEMORY = 2 * 2**30
"""Bytes that all tests of a submission may allocate on the trusted side, where they work on the student's values."""
FURTHER_INPUTS = 2
"""How many further inputs a known wrong solution must agree on before it is named."""

ATTEMPTS = 2
"""How many times the process must die in a cell before the cell is blamed."""
_ITEM_EXTRA = 60.0
"""Seconds per item that forking, ending and recognising may take on a busy machine."""


def seconds_at_most(problem: Problem) -> float:
    """The longest time that grading a submission can take; after it the grading hangs."""
    items = [item for item in problem.items if item.kind == "code"]
    test = ALL_CELLS_SECONDS + sum(item.seconds + _ITEM_EXTRA for item in items) + _ITEM_EXTRA
    answers = len(items) * (1 + FURTHER_INPUTS) * ANSWER_SECONDS
    # needed cells, then all cells, each again for items whose forks were lost; then with stand-ins for wrong functions
    return 2 * (2 * test + answers) + test + UNSURE_CELLS_SECONDS
