"""The head of the page: on what, with what and how it was measured, and what is not compared."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.course.problem import Problem
from benchmarks.grading.records import Measured
from benchmarks.grading.tables import count

COMMAND = "python -m benchmarks.grading"
_HEAD = """# Grading speed

Our autograder, stock nbgrader and stock otter-grader on the same {size} submissions of `{problem}`. Written by
`{command}` on {days}. Each time is a median of {runs}; smallest and largest stand in brackets.

{machine}

## What is compared, and what is not

- **Same submissions.** The solution, right alternatives and known wrong answers, filled into the whole notebook with
  its training cells, plots and cells of the student's own. What the student writes is the same text for all three;
  only the test cells have the form that each system wants. No outputs are handed in.
- **Same tests, word for word**, visible and hidden. For the stock systems `student.` is dropped, `reference.f` is a
  function in the hidden tests, and each part with points of its own is a cell (nbgrader) or a case (otter).
- **Each its own way.** nbgrader: one `nbgrader autograde` for the class, default settings. otter: the zip of
  `otter generate`, then `otter run` for each submission, one after the other. (Its own batch command, `otter grade`,
  needs Docker and an image made beforehand, and runs the same in a container for each submission; not measured.)
  Ours: one `autograder grade`{cache}, student code shut in at level `{level}`; neither peer shuts it in.
- **Not the same work, and that is the point.** nbgrader and otter run every cell of the notebook from top to bottom:
  training, plots, data. Ours runs the cells that graded items need and asks the student's functions; training results
  come from the student's log, and nobody sees here whether the training cells run at all. To be kind to the others,
  everything runs with `HOMEWORK_PROFILE=grade`, where training is a few steps; with the training that students do,
  they would need minutes per submission. What nbgrader would need if those cells cost nothing is shown, too.
- **Ours does more elsewhere**: a fork of the student's process for each test, answers on personal inputs, recognised
  misconceptions, a feedback page. nbgrader's feedback step is not in its time.
- All with `OMP_NUM_THREADS=1`. Processor time counts every descendant{but}. Memory is the highest sum of
  the proportional set sizes (PSS) of all processes, looked at four times a second: a short peak may be missed.
"""
_BUT = """; **not so in {parts}**,
  measured without the system's event counter, where processes that nobody waits for are missing"""


def introduction(found: Sequence[Measured], problem: Problem, size: int) -> str:
    """The head in Markdown.

    Args:
        found: all measurements.
        problem: what was graded.
        size: submissions in the class.
    """
    classes = [one for one in found if one.part == "class"]
    days = sorted({one.when for one in found if one.when})
    levels = [str(one.details["level"]) for one in found if "level" in one.details]
    cached = any(one.details.get("cache") for one in found if one.part == "regrade")
    return _HEAD.format(
        size=size,
        problem=problem.id,
        command=COMMAND,
        days=" and ".join(dict.fromkeys((days[0], days[-1]))) if days else "no day",
        runs=count(max((one.run for one in classes), default=0), "run"),
        machine=_machine(found),
        cache=" with `--no-cache`" if cached else "",
        level=levels[-1] if levels else "unknown",
        but=_BUT.format(parts=", ".join(_not_whole(found))) if _not_whole(found) else "",
    )


def _not_whole(found: Sequence[Measured]) -> list[str]:
    """Which measurements do not count the processor time of every descendant?"""
    return [
        f"`{one.part}` of {one.system} with {one.submissions:,}"
        for one in found
        if one.part in ("class", "sizes") and one.cpu and not one.details.get("whole")
    ]


def _machine(found: Sequence[Measured]) -> str:
    notes = [one.details for one in found if one.part == "machine"]
    if not notes:
        return "Machine: unknown."
    facts = notes[-1]
    return (
        f"Machine: {facts['cores']} cores ({facts['processor']}), {facts['memory']} GiB of memory, {facts['system']}, "
        f"Python {facts['python']}, torch {facts['torch']}; load before the last run: {facts['load']}."
    )
