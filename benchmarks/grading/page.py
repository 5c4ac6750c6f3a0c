"""The page: what grading costs with each system, and what the numbers do not say. Made from measurements alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from autograder.core.text import counted
from autograder.course.problem import Problem
from benchmarks.attacks.page import table
from benchmarks.attacks.stock import NAMES
from benchmarks.grading.parts import larger_sizes
from benchmarks.grading.phases import PHASES, PROCESS, STUDENT
from benchmarks.grading.records import Measured
from benchmarks.grading.submissions import small_class

STOCK = {system: name for system, name in NAMES.items() if system != "ours"}
NONE = "not measured"
NOISE = "lost in noise"
"""Where a difference of two measurements is zero or less."""

_PAGE = """# Grading speed

Our autograder, stock nbgrader and stock otter-grader on the same {size} submissions of `{problem}`. Written by
`python -m benchmarks.grading` on {days}. Each time is a median of {runs}, with the smallest and the largest in
brackets.

Machine: {machine}.

## What is compared, and what is not

- **Same submissions.** The solution, right alternatives and known wrong answers, filled into the whole notebook with
  its training cells, plots and the student's own cells. The student's text is the same for all three systems;
  only the test cells have the form that each system requires. Submissions contain no outputs.
- **Same tests, word for word**, visible and hidden. For the stock systems `student.` is dropped, `reference.f` is a
  function in the hidden tests, and each part with points of its own is a cell (nbgrader) or a case (otter).
- **Each system's own command.** nbgrader: one `nbgrader autograde` for the class, default settings. otter: the zip of
  `otter generate`, then `otter run` for each submission, one after the other. (Its own batch command, `otter grade`,
  needs Docker and an image made beforehand, and runs the same in a container for each submission; not measured.)
  Ours: one `autograder grade` with `--no-cache`, student code in the sandbox at level `{level}`; the other two have no
  sandbox.
- **Not the same work, on purpose.** nbgrader and otter run every cell of the notebook from top to bottom:
  training, plots, data. Ours runs the cells that graded items need and calls the student's functions. Training results
  come from the student's log, so ours does not test whether the training cells run at all. In favor of the others,
  everything runs with `HOMEWORK_PROFILE=grade`, where training is a few steps; with the training that students do,
  they would need minutes per submission. The table also shows what they would need if those cells cost nothing.
- **Ours does more elsewhere**: a fork of the student's process for each test, answers on per-student inputs, recognised
  misconceptions, a feedback page. nbgrader's feedback step is not in its time.
- All with `OMP_NUM_THREADS=1`. Processor time includes every descendant process. Memory is the highest sum of
  the proportional set sizes (PSS) of all processes, sampled four times a second: a short peak may be missed.

## In short

{short}
One more submission: the time of a class of {more} minus that of a class of {less}, per additional submission.

Before and after the {size} submissions our command takes {around} s.

## {size} submissions

{side_by_side}
nbgrader and ours record in a gradebook unless the column says otherwise; otter has none.

## Where the time of a submission goes

Seconds per submission. The stock systems: the first {traced} of the class, in a separate pass that records
when each cell runs and is not in the times above.

{phases}
Ours: the columns of `timings.csv`, means over the class with one worker, gradebook on. `seconds` is the
whole grading of a submission; the first submission includes the start.

{timings}
## The floor

The same cells and tests in one process that has all modules imported, in one thread: no sandbox, no fork,
no per-student inputs, no files.

| per submission | seconds |
| --- | --- |
| the needed cells of the student's notebook | {cells} |
| the test cells, visible and hidden, calling the student's functions | {tests} |
| both | {both} |
| ours, one more submission, 1 worker | {marginal} |
| ours as a multiple of the floor | {multiple} |

## Do the scores agree?

{agreement}
The table lists the differences. A failing visible check costs the whole item in ours. In nbgrader
it costs only its own cell, the first part, and in otter a visible case has no points. Hidden inputs
differ, too: ours are drawn from a seed of the grading run.

{differences}
## From small classes to large ones

Ours, {workers}, gradebook on: the class repeated under new names, with another comment in each
answer, and without cached results.

{sizes}
One more submission between {first:,} and {last:,}: {between} s. The coordinator grows by {grown} MiB.

## Before the first cell

The time until the cell `import torch` has run.

|  | starts | median (range), ms |
| --- | --- | --- |
| ours: a session forked from the warm host, sandbox at level `{level}` | {sessions} |
| a cold ipykernel, started through jupyter_client | {kernels} |

## The same class again, nothing changed

|  | submissions | wall time, s | per submission, s |
| --- | --- | --- | --- |
| first run | {first_run} |
| the same command again | {second_run} |

## Checking logs

`autograder verify` on {logs:,} logs: {logs_rate} logs per second, {log_ms} ms each.
"""


def number(value: float | None, digits: int = 0) -> str:
    """A number with so many digits after the point."""
    return NONE if value is None else f"{value:,.{digits}f}"


def seconds(value: float | None) -> str:
    """Seconds with about three figures."""
    return number(value, 4 if abs(value or 0) < 0.01 else 3 if abs(value or 0) < 1 else 2)


def spread(values: Sequence[float]) -> str:
    """The median, and in brackets the smallest and the largest."""
    if not values:
        return NONE
    return f"{median(values):,.1f}" + (f" ({min(values):,.1f} to {max(values):,.1f})" if len(values) > 1 else "")


def times(value: float | None, base: float | None) -> str:
    """How many times the base a value is."""
    if value is None or base is None:
        return NONE
    if value <= 0 or base <= 0:
        return NOISE
    return f"{value / base:.2g}" if value / base < 10 else f"{value / base:,.0f}"


class Found:
    """What was measured, as the page asks for it.

    Args:
        measured: all measurements.
        size: submissions in the class.
    """

    def __init__(self, measured: Sequence[Measured], size: int) -> None:
        self.measured = measured
        self.size = size

    def pick(self, part: str, system: str = "ours", **fields: Any) -> list[Measured]:
        """The measurements of a part and a system in which these fields have these values."""
        chosen = [one for one in self.measured if one.part == part and one.system == system]
        return [one for one in chosen if all(getattr(one, name) == value for name, value in fields.items())]

    def last(self, part: str, system: str = "ours") -> Measured:
        """The last measurement of a part; an empty one if there is none."""
        return [Measured(part), *self.pick(part, system)][-1]

    def of_class(self, system: str, workers: int = 1, gradebook: bool = True) -> list[Measured]:
        """The runs of the class."""
        gradebook = gradebook and system != "otter"
        return self.pick("class", system, submissions=self.size, workers=workers, gradebook=gradebook)

    def marginal(self, field: str = "seconds", gradebook: bool = True) -> float | None:
        """The seconds of one more submission with ours and one worker, or its `cpu`."""
        runs, (small, large) = self.pick("class", workers=1, gradebook=gradebook), larger_sizes(self.size)
        less, more = (middle((one for one in runs if one.submissions == size), field) for size in (small, large))
        return None if less is None or more is None else (more - less) / (large - small)


def middle(runs: Iterable[Measured], field: str = "each") -> float | None:
    """The median of a field over runs; None if it was not measured."""
    values = [getattr(one, field) for one in runs]
    return median(values) if values and None not in values else None


def page(measured: Sequence[Measured], problem: Problem, size: int) -> str:
    """The page in Markdown.

    Args:
        measured: all measurements.
        problem: what was graded.
        size: submissions in the class.
    """
    found = Found(measured, size)
    days = sorted({one.when for one in measured})
    facts: dict[str, Any] = found.last("machine").details
    machine = "{cores} cores ({processor}), {memory} GiB of memory, {system}, Python {python}, torch {torch}; "
    machine += "load before the last run: {load}"
    of_class, traced, verified = found.pick("class"), found.pick("phases", "nbgrader"), found.last("verify")
    floors, ours = found.pick("floor", submissions=size), found.of_class("ours")
    timings = {name: median(one.phases[name] for one in ours) for name in (ours[-1].phases if ours else ())}
    cold, more = middle(ours, "seconds"), found.marginal()
    differences, agreement = _scores(found, problem)
    less_size, more_size = larger_sizes(size)
    return _PAGE.format(
        size=size,
        problem=problem.id,
        days=" and ".join(dict.fromkeys((days[0], days[-1]))) if days else "no day",
        runs=counted(max((one.run for one in of_class), default=0), "run"),
        machine=machine.format(**facts) if facts else "unknown",
        level=facts.get("level", "unknown"),
        short=_short(found),
        less=less_size,
        more=more_size,
        around=seconds(None if cold is None or more is None else cold - size * more),
        side_by_side=_side_by_side(found),
        traced=max((one.submissions for one in traced), default=0),
        phases=_phases(found),
        timings=table([*timings] or ["seconds"], [[seconds(value) for value in timings.values()] or [NONE]]),
        cells=seconds(median(one.phases["cells"] for one in floors) if floors else None),
        tests=seconds(median(one.phases["tests"] for one in floors) if floors else None),
        both=seconds(middle(floors)),
        marginal=seconds(more),
        multiple=times(more, middle(floors)),
        agreement=agreement,
        differences=differences,
        sessions=_starts(found, "sessions"),
        kernels=_starts(found, "kernels"),
        first_run=_regraded(found, 1),
        second_run=_regraded(found, 2),
        logs=verified.submissions,
        logs_rate=number(1 / verified.each if verified.seconds else None),
        log_ms=f"{1000 * verified.each:.2g}" if verified.seconds else NONE,
        **_sizes(found),
    )


def _short(found: Found) -> str:
    floors = found.pick("floor", submissions=found.size)
    more, least = found.marginal(), middle(floors)
    alone = found.marginal(gradebook=False)
    numbers: list[tuple[str, float | None, str]] = [
        ("ours, one more submission, 1 worker", more, seconds(found.marginal("cpu"))),
        ("the same without gradebook", alone, seconds(found.marginal("cpu", gradebook=False))),
        ("the floor: the student's graded calls alone", least, seconds(middle(floors, "cpu_each"))),
    ]
    for system, name in STOCK.items():
        runs, phases = found.of_class(system), found.last("phases", system).phases
        each = middle(runs)
        numbers.append((name, each, seconds(middle(runs, "cpu_each"))))
        without = each * (1 - phases[STUDENT] / sum(phases.values())) if each is not None and phases else None
        numbers.append((f"{name}, if the notebook's other cells cost nothing", without, ""))
    rows = [[label, seconds(wall), times(wall, more), times(wall, least), cpu] for label, wall, cpu in numbers]
    return table(["per submission", "seconds", "times ours", "times the floor", "processor seconds"], rows)


def _side_by_side(found: Found) -> str:
    cores = max((one.workers for one in found.pick("class", submissions=found.size)), default=1)
    columns = {
        f"ours, {counted(workers, 'worker')}{words}": found.of_class("ours", workers, gradebook)
        for gradebook, words in ((True, ""), (False, ", no gradebook"))
        for workers in dict.fromkeys((1, cores))
    } | {name: found.of_class(system) for system, name in STOCK.items()}
    lines: dict[str, Callable[[list[Measured]], str]] = {
        "wall time, start included, s": lambda runs: spread([one.seconds for one in runs]),
        "per submission, s": lambda runs: seconds(middle(runs)),
        "submissions per minute": lambda runs: number(60 / (middle(runs) or 1), 1),
        "processor time, s": lambda runs: number(middle(runs, "cpu"), 1),
        "processor time per submission, s": lambda runs: seconds(middle(runs, "cpu_each")),
        "peak memory of all processes, MiB": lambda runs: number(middle(runs, "memory")),
        "the command's own process, MiB (resident)": lambda runs: number(middle(runs, "main_memory")),
    }
    rows = [[label, *(show(runs) if runs else NONE for runs in columns.values())] for label, show in lines.items()]
    return table(["", *columns], rows)


def _phases(found: Found) -> str:
    columns = [found.last("phases", system).phases for system in STOCK]
    rows = []
    for phase in PHASES:
        label = f"{phase} (nbgrader: shared by the batch)" if phase == PROCESS else phase
        rows.append([label, *(seconds(phases.get(phase)) for phases in columns)])
    rows.append(["sum", *(seconds(sum(phases.values()) if phases else None) for phases in columns)])
    return table(["", *STOCK.values()], rows)


def _scores(found: Found, problem: Problem) -> tuple[str, str]:
    """The table of items on which not all systems agree, and how many items each decides as ours does."""
    runs = {name: found.of_class(system) for system, name in STOCK.items()}
    runs["floor"] = found.pick("floor", submissions=found.size)
    others = {name: of_name[-1].scores for name, of_name in runs.items() if of_name}
    ours = next((one.scores for one in reversed(found.of_class("ours"))), {})
    stories = {one.student: one.story for one in small_class(problem)}
    rows, agreeing, items = [], dict.fromkeys(others, 0), 0
    for student, scores in ours.items():
        for item, points in scores.items():
            got = {name: of_name.get(student, {}).get(item) for name, of_name in others.items()}
            same = {name for name, value in got.items() if value is not None and abs(value - points) < 1e-6}
            items += 1
            for name in same:
                agreeing[name] += 1
            if len(same) < len(got):
                told = ["no result" if value is None else f"{value:g}" for value in got.values()]
                rows.append([f"{student}: {stories.get(student, '')}", item, f"{points:g}", *told])
    text = "".join(f"- {name}: {number} of {items} items as ours.\n" for name, number in agreeing.items())
    return table(["student", "item", "ours", *others], rows), text or NONE


def _sizes(found: Found) -> dict[str, Any]:
    runs = sorted(found.pick("sizes"), key=lambda one: one.submissions)
    rows = []
    for one in runs:
        walls = [number(one.seconds, 1), seconds(one.each), seconds(one.cpu_each)]
        rows.append([f"{one.submissions:,}", *walls, number(one.memory), number(one.main_memory)])
    head = ["submissions", "wall time, s", "per submission, s", "processor time each, s", "all processes, MiB (PSS)"]
    # the smallest class tells little: its time is that of the start
    small, large = (runs[min(1, len(runs) - 1)], runs[-1]) if runs else (Measured("sizes"), Measured("sizes"))
    more = large.submissions - small.submissions
    return {
        "sizes": table([*head, "coordinator, MiB (resident)"], rows),
        "workers": counted(max((one.workers for one in runs), default=1), "worker"),
        "first": small.submissions,
        "last": large.submissions,
        "between": seconds((large.seconds - small.seconds) / more if more else None),
        "grown": number(large.main_memory - small.main_memory if more else None),
    }


def _starts(found: Found, name: str) -> str:
    values = [1000 * value for value in found.last("starts").details.get(name, [])]
    return f"{len(values)} | {spread(values)}"


def _regraded(found: Found, run: int) -> str:
    every = found.pick("regrade", run=run)
    one = max(every, key=lambda one: one.submissions, default=None)
    return f"{one.submissions:,} | {one.seconds:,.1f} | {seconds(one.each)}" if one else " | ".join([NONE] * 3)
