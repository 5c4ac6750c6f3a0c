"""How long, and with how much output, a submission may keep the examiner busy."""

from __future__ import annotations

from autograder.course.problem import Problem

CELL_SECONDS = 30.0
"""Wall-clock limit of one of the student's cells; cells that train are not run."""
ALL_CELLS_SECONDS = 180.0
"""Wall-clock limit of all of a student's cells together, those that are run again after a death included."""
UNSURE_CELLS_SECONDS = 60.0
"""Wall-clock limit, all together, of cells that run only because nobody can tell which cells are needed."""
ALL_CELLS_OUTPUT = 400_000
"""Characters of what they print that are kept, all together."""
ANSWER_SECONDS = 10.0
"""Wall-clock limit of one answer on personal inputs."""

LIVES = 2
"""How often the process must die under the same cell until that is believed to be the cause."""
_ITEM_EXTRA = 60.0
"""What forking, ending and recognising may take for each item on a busy machine."""


def seconds_at_most(problem: Problem) -> float:
    """After this time the grading of a submission hangs, whatever the student's code does."""
    items = [item for item in problem.items if item.kind == "code"]
    return (
        ALL_CELLS_SECONDS
        + UNSURE_CELLS_SECONDS
        + sum(item.seconds + ANSWER_SECONDS + _ITEM_EXTRA for item in items)
        + _ITEM_EXTRA
    )
