"""Describes the settings that an instructor must make on Gradescope for a zip."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.gradescope.build import Made
from autograder.gradescope.requirements import CONTAINERS


def advice(made: Made) -> Iterator[str]:
    """Yields the lines that are printed when a zip was made."""
    settings = made.settings
    yield f"{made.path}  {made.bytes / 2**20:.1f} MB; contains hidden tests and the course's seed {settings.seed}"
    yield f"  autograder points  {settings.auto_points:g}"
    if made.memory is None:
        yield "  container          not measured for this problem; start with the default and watch for 'Killed'"
    else:
        enough = "the default is enough" if made.memory.container is CONTAINERS[0] else "needs more than the default"
        yield f"  container          {made.memory.container.name}: {enough}"
        yield (
            f"                     (grading the solution took {made.memory.own} MB and {made.memory.libraries} MB of "
            f"libraries, and {made.memory.cpu:.0f} s of CPU time; measured by `{made.command}`)"
        )
    yield f"  time limit         {settings.minutes:g} minutes"
    by_people = [item for item in settings.items if item.kind != "code"]
    if by_people:
        asked = ", ".join(f"{item.id} {item.points:g}" for item in by_people)
        yield f"  manual grading     turn it on, and add these questions with their points: {asked}"
    if settings.leaderboard:
        yield f"  leaderboard        turn it on: {settings.leaderboard}"
