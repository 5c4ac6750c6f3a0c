"""The page: what grading costs with each system, and what the numbers do not say. Made from measurements alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from autograder.course.problem import Problem
from benchmarks.attacks.environments import VERSIONS
from benchmarks.grading.hand_ins import larger_sizes, small_class
from benchmarks.grading.introduction import introduction
from benchmarks.grading.phases import PHASES, PROCESS, STUDENT
from benchmarks.grading.records import Measured, middle, pick
from benchmarks.grading.tables import NONE, count, number, seconds, share, spread, table, times

NAMES = {"nbgrader": f"nbgrader {VERSIONS['nbgrader']}", "otter": f"otter-grader {VERSIONS['otter-grader']}"}


def page(found: Sequence[Measured], problem: Problem, size: int) -> str:
    """The page in Markdown.

    Args:
        found: all measurements.
        problem: what was graded.
        size: submissions in the class.
    """
    parts = [
        introduction(found, problem, size),
        "## In short\n\n" + _short(found, size),
        f"## {size} submissions\n\n" + _side_by_side(found, size),
        "## Where the time of a submission goes\n\n" + _where(found, size),
        "## The floor\n\n" + _floor(found, size),
        "## Do the scores agree?\n\n" + _scores(found, size, problem),
        "## From small classes to large ones\n\n" + _sizes(found),
        "## Before the first cell\n\n" + _starts(found),
        "## Once more, with nothing changed\n\n" + _regraded(found),
        "## Checking logs\n\n" + _verified(found),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


# --- numbers from measurements ----------------------------------------------------------------------------------------


def marginal(
    found: Sequence[Measured], size: int, *, gradebook: bool = True, field_name: str = "seconds"
) -> float | None:
    """What one more submission costs ours with one worker: the largest class less the second, shared by the difference.

    Args:
        found: all measurements.
        size: submissions in the class.
        gradebook: with recording in the gradebook?
        field_name: `seconds` of wall time, or `cpu`.
    """
    runs = pick(found, "class", workers=1, gradebook=gradebook)
    sizes = larger_sizes(size)
    less, more = (middle((one for one in runs if one.submissions == n), field_name) for n in sizes)
    return None if less is None or more is None else (more - less) / (sizes[1] - sizes[0])


def floor_each(found: Sequence[Measured], size: int) -> float | None:
    """Seconds per submission of the students' graded calls alone."""
    return middle(pick(found, "floor", submissions=size), "each")


def _class(
    found: Sequence[Measured], system: str, size: int, workers: int = 1, gradebook: bool = True
) -> list[Measured]:
    gradebook = gradebook and system != "otter"
    return pick(found, "class", system, submissions=size, workers=workers, gradebook=gradebook)


def _phases(found: Sequence[Measured], system: str) -> dict[str, float]:
    traced = pick(found, "phases", system)
    return traced[-1].phases if traced else {}


# --- sections ---------------------------------------------------------------------------------------------------------


def _short(found: Sequence[Measured], size: int) -> str:
    more, least = marginal(found, size), floor_each(found, size)
    cold = middle(_class(found, "ours", size))
    alone, below = marginal(found, size, gradebook=False), pick(found, "floor", submissions=size)
    numbers: list[tuple[str, float | None, float | None]] = [
        ("ours, one more submission, 1 worker", more, marginal(found, size, field_name="cpu")),
        ("the same without gradebook", alone, marginal(found, size, gradebook=False, field_name="cpu")),
        ("the floor: the student's graded calls alone", least, share(middle(below, "cpu"), size)),
    ]
    for system, name in NAMES.items():
        runs, phases = _class(found, system, size), _phases(found, system)
        each, cpu = middle(runs, "each"), share(middle(runs, "cpu"), size)
        numbers.append((name, each, cpu))
        if each is not None and phases:
            without = each * (1 - phases[STUDENT] / sum(phases.values()))
            numbers.append((f"{name}, if the notebook's other cells cost nothing", without, None))
    rows = [
        [label, seconds(wall), times(wall, more), times(wall, least), "" if cpu is None else seconds(cpu)]
        for label, wall, cpu in numbers
    ]
    text = table(["per submission", "seconds", "times ours", "times the floor", "processor seconds"], rows)
    less, more_of_them = larger_sizes(size)
    text += f"\nOne more submission: a class of {more_of_them} less a class of {less}, shared by the difference.\n"
    if cold is not None and more is not None:
        text += f"\nBefore and after the {size} submissions our command takes {seconds(cold - size * more)} s.\n"
    return text


def _side_by_side(found: Sequence[Measured], size: int) -> str:
    cores = max((one.workers for one in pick(found, "class", submissions=size)), default=1)
    columns = {}
    for gradebook, words in ((True, ""), (False, ", no gradebook")):
        for workers in dict.fromkeys((1, cores)):
            runs = _class(found, "ours", size, workers, gradebook)
            columns[f"ours, {count(workers, 'worker')}{words}"] = runs
    columns |= {name: _class(found, system, size) for system, name in NAMES.items()}
    lines: dict[str, Callable[[Sequence[Measured]], str]] = {
        "wall time, start included, s": lambda runs: spread([one.seconds for one in runs]),
        "per submission, s": lambda runs: seconds(middle(runs, "each")),
        "submissions per minute": lambda runs: number(share(60.0, middle(runs, "each")), 1),
        "processor time, s": lambda runs: number(middle(runs, "cpu"), 1),
        "processor time per submission, s": lambda runs: seconds(share(middle(runs, "cpu"), size)),
        "peak memory of all processes, MiB": lambda runs: number(middle(runs, "memory"), 0),
        "the command's own process, MiB (resident)": lambda runs: number(middle(runs, "main_memory"), 0),
    }
    rows = [[label, *(show(runs) if runs else NONE for runs in columns.values())] for label, show in lines.items()]
    text = table(["", *columns], rows)
    text += "\nnbgrader and ours record in a gradebook where not said otherwise; otter has none.\n"
    unread = max((one.unread for one in found), default=0)
    return text + (f"The PSS of {unread} processes could not be read: resident sizes stand in.\n" if unread else "")


def _where(found: Sequence[Measured], size: int) -> str:
    systems = [_phases(found, system) for system in NAMES]
    rows = [
        [
            f"{phase} (nbgrader: shared by the batch)" if phase == PROCESS else phase,
            *(seconds(phases.get(phase)) for phases in systems),
        ]
        for phase in PHASES
    ]
    rows.append(["sum", *(seconds(sum(phases.values()) if phases else None) for phases in systems)])
    traced = max((one.submissions for one in found if one.part == "phases"), default=0)
    ours = _class(found, "ours", size)
    names = list(ours[-1].phases) if ours else []
    columns = {name: median(one.phases.get(name, 0.0) for one in ours) for name in names}
    return (
        f"Seconds per submission. The stock systems: the first {traced} of the class, in a pass of its own that notes\n"
        "when each cell runs and is not in the times above.\n\n"
        + table(["", *NAMES.values()], rows)
        + "\nOurs: the columns of `timings.csv`, means over the class with one worker, gradebook on. `seconds` is the\n"
        "whole grading of a submission; whoever comes first pays for the start.\n\n"
        + table([*columns] or ["seconds"], [[seconds(value) for value in columns.values()] or [NONE]])
    )


def _floor(found: Sequence[Measured], size: int) -> str:
    runs = pick(found, "floor", submissions=size)
    each, more = floor_each(found, size), marginal(found, size)
    parts = {name: median(one.phases[name] for one in runs) for name in ("cells", "tests")} if runs else {}
    rows = [
        ["the needed cells of the student's notebook", seconds(parts.get("cells"))],
        ["the test cells, visible and hidden, calling the student's functions", seconds(parts.get("tests"))],
        ["both", seconds(each)],
        ["ours, one more submission, 1 worker", seconds(more)],
        ["ours as a multiple of the floor", times(more, each)],
    ]
    return (
        "The same cells and tests in one process that has everything imported, in one thread: no wall, no fork, no\n"
        "personal inputs, no files.\n\n" + table(["per submission", "seconds"], rows)
    )


def _scores(found: Sequence[Measured], size: int, problem: Problem) -> str:
    ours = next((one.scores for one in reversed(_class(found, "ours", size)) if one.scores), {})
    others = {name: _class(found, system, size) for system, name in NAMES.items()}
    others["floor"] = pick(found, "floor", submissions=size)
    scores = {name: runs[-1].scores for name, runs in others.items() if runs}
    stories = {one.student: one.story for one in small_class(problem)}
    rows, differing = [], dict.fromkeys(scores, 0)
    for student, items in ours.items():
        for item, points in items.items():
            got = {name: each.get(student, {}).get(item) for name, each in scores.items()}
            other = {name for name, found_ in got.items() if found_ is None or abs(found_ - points) > 1e-6}
            for name in other:
                differing[name] += 1
            if other:
                told = ["no result" if found_ is None else f"{found_:g}" for found_ in got.values()]
                rows.append([f"{student}: {stories.get(student, '')}", item, f"{points:g}", *told])
    in_all = sum(map(len, ours.values()))
    text = "".join(f"- {name}: {in_all - differing[name]} of {in_all} items as ours.\n" for name in scores) or NONE
    if not rows:
        return text
    return (
        f"{text}\nWhere they do not agree. A failing visible check costs the whole item with us; with nbgrader it\n"
        "costs the cell it stands in, the first part, and in otter a visible case has no points. Hidden inputs\n"
        "differ, too: ours are drawn from a seed of the grading run.\n\n"
        + table(["student", "item", "ours", *scores], rows)
    )


def _sizes(found: Sequence[Measured]) -> str:
    runs = sorted(pick(found, "sizes"), key=lambda one: one.submissions)
    rows = [
        [
            f"{one.submissions:,}",
            number(one.seconds, 1),
            seconds(one.each),
            seconds(share(one.cpu, one.submissions)),
            number(one.memory, 0),
            number(one.main_memory, 0),
        ]
        for one in runs
    ]
    head = ["submissions", "wall time, s", "per submission, s", "processor time each, s", "all processes, MiB (PSS)"]
    workers = count(max((one.workers for one in runs), default=1), "worker")
    text = (
        f"Ours, {workers}, gradebook on: the class again and again under new names, with another comment in each\n"
        "answer, and no result of an earlier run used.\n\n"
    ) + table([*head, "coordinator, MiB (resident)"], rows)
    small, large = (next((one for one in runs if one.submissions == size), None) for size in (50, 1000))
    if small and large:
        more = (large.seconds - small.seconds) / (large.submissions - small.submissions)
        grown = large.main_memory - small.main_memory
        text += f"\nOne more submission between 50 and 1,000: {seconds(more)} s. "
        text += f"The coordinator grows by {grown:.0f} MiB.\n"
    return text


def _starts(found: Sequence[Measured]) -> str:
    starts = pick(found, "starts")
    details: dict[str, Any] = starts[-1].details if starts else {"sessions": [], "kernels": [], "level": "unknown"}
    what: dict[str, list[float]] = {
        f"ours: a session forked from the warm host, walls at level `{details['level']}`": details["sessions"],
        "a cold ipykernel, started through jupyter_client": details["kernels"],
    }
    rows = [[label, str(len(values)), spread([1000 * value for value in values])] for label, values in what.items()]
    return "Until the cell `import torch` has been answered.\n\n" + table(["", "starts", "median (range), ms"], rows)


def _regraded(found: Sequence[Measured]) -> str:
    every = pick(found, "regrade")
    largest = max((one.submissions for one in every), default=0)
    runs = sorted((one for one in every if one.submissions == largest), key=lambda one: one.run)
    labels = ("first run", "the same command again")
    rows = [
        [label, f"{one.submissions:,}", number(one.seconds, 1), seconds(one.each)]
        for label, one in zip(labels, runs, strict=False)
    ]
    text = table(["", "submissions", "wall time, s", "per submission, s"], rows or [[NONE] * 4])
    if runs and not runs[-1].details.get("cache"):
        text += "\n`autograder grade` had no cache of results when this was measured: the second run grades anew.\n"
    return text


def _verified(found: Sequence[Measured]) -> str:
    runs = pick(found, "verify")
    if not runs or not runs[-1].seconds:
        return f"`autograder verify` on logs that students wrote: {NONE}.\n"
    one = runs[-1]
    each = 1000 * one.each
    return f"`autograder verify` on {one.submissions:,} logs: {1000 / each:,.0f} logs per second, {each:.2g} ms each.\n"
