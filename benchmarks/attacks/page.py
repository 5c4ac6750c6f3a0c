"""The page: what each system gave for each submission, with sums on top. Made from runs alone."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence

from benchmarks.attacks.container import GIB, LIMITS, MEMORY
from benchmarks.attacks.runs import AIM, MAXIMUM, NOT_APPLICABLE, Run, Runs
from benchmarks.attacks.stock import NAMES, PACKAGES, public_version
from benchmarks.attacks.systems import NBGRADER_SECONDS, OTTER_SECONDS
from tests.attacks.files import EDITED, HONEST, no_notebooks
from tests.attacks.hostile_class import CELLS

ALONE = "one submission at a time"
"""Why otter has no entry where neighbours are concerned."""
READERS = ("19_", "20_", "21_", "22_", "23_", "78_")
"""Attacks that answer rightly if, and only if, they found something secret: more points are proof of a leak."""
FINDINGS: dict[str, Callable[[Run], object]] = {
    "secret read": lambda run: run.submission.startswith(READERS) and run.undeserved,
    # what the attack wrote names the program that it ran in
    "ran in the grader": lambda run: any(f"/bin/{name}" in "".join(run.planted.values()) for name in PACKAGES),
    "neighbour without result": lambda run: None in run.neighbours.values(),
    "neighbour's points changed": lambda run: {*run.neighbours.values()} - {None, MAXIMUM},
    "files changed": lambda run: run.changed or run.planted,
    "machine's file copied": lambda run: run.copied,
    "network reached": lambda run: run.connections,
    # a grader that the benchmark stopped leaves its own processes
    "processes left": lambda run: run.processes_left and run.stopped != "time",
    "script on the page": lambda run: "script" in (run.pages or ()),
    "time limit": lambda run: run.stopped == "time",
    "memory limit": lambda run: run.stopped == "memory",
}
"""What an entry says beside the points, and when."""
_PAGE = """# Attacks compared

The hostile submissions and honest students of `tests/attacks/`, graded by our autograder, by stock nbgrader and by
stock otter-grader. Written by `python -m benchmarks.attacks` on {days}, with Python {python} and torch {torch}; every
entry is the result of a run.

- **Same questions, same tests.** The toy assignment of our tests (12 and 8 points), its tests word for word, in the
  form that each system documents: nbgrader's source, release and submitted folders with a graded cell for each part
  that has points; otter's test files with hidden cases, `otter generate` and `otter run`. All three compare numbers
  with the same function (`homework.checks.close`), so that the table compares graders and not comparisons of numbers.
- **Same submissions.** An attacker answers the first question by an attack and the second one correctly, so 8 points
  are deserved. An attack on a part that only some systems have says so; it runs on all systems all the same.
- **Neighbours.** With nbgrader each attacker submits together with two honest students, one graded the day before, one
  graded afterwards. Ours grades all submissions in one batch. `otter run` grades {alone}.
- **Contained.** The stock systems run in bubblewrap without network and privileges, with {memory:g} GiB of memory in
  all, {processes} processes and files of at most {file:g} GiB. These limits of the benchmark stop attacks on the
  machine, so the attacks do less damage than they would without. Installed packages are read-only for all three.
  nbgrader keeps its own limit of 30 s per cell, and the benchmark ends a batch after {nbgrader:g} s; otter has no
  limit, and the benchmark ends it after {otter:g} s. All other settings are the defaults of each.
- **Not measured:** `otter grade`, which runs the same in a Docker container for each submission; GPUs; late
  submissions.

## In numbers

{sums}
## Attacks

Points of 20, **bold** where undeserved. *no result*: the submission has no score at all. *secret read*: the
attack answers correctly only if it has found hidden tests, the solution or a neighbour's work, and it did. *ran in the
grader*: student code ran in the process that gives the points. *neighbour without result*: the batch stopped,
or the neighbour's work was destroyed. *time limit*, *memory limit*: the benchmark's own limit took effect.

{attacks}
## Honest students

The points that they deserve, and the points that they got.

{honest}"""


def attack_names() -> list[str]:
    """All attacks, in the order of their numbers."""
    return sorted([*(path.stem for path in CELLS), *EDITED, *no_notebooks("")])


def about(name: str) -> str:
    """What an attack does: the first line of its cell, else its name."""
    for path in CELLS:
        if path.stem == name:
            return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# attack: ")
    return (name.partition("_")[2] if name[0].isdigit() else name).replace("_", " ")


def page(runs: Runs) -> str:
    """The page in Markdown."""
    days = sorted({run.when for run in runs.values()})
    attacks = []
    for name in attack_names():
        aim = f" (aims at {AIM[name]})" if name in AIM else ""
        attacks.append([f"{name.partition('_')[0]} {about(name)}{aim}", *_entries(runs, name)])
    honest = []
    for name, submission in HONEST.items():
        honest.append([about(name), f"{submission.score:g}", *_entries(runs, name)])
    return _PAGE.format(
        days=" and ".join(dict.fromkeys((days[0], days[-1]))) if days else "no day",
        python=platform.python_version(),
        torch=public_version("torch"),
        alone=ALONE,
        memory=MEMORY / GIB,
        processes=LIMITS["RLIMIT_NPROC"],
        file=LIMITS["RLIMIT_FSIZE"] / GIB,
        nbgrader=NBGRADER_SECONDS,
        otter=OTTER_SECONDS,
        sums=table(["", *NAMES.values()], _sums(runs)),
        attacks=table(["attack", *NAMES.values()], attacks),
        honest=table(["student", "deserved", *NAMES.values()], honest),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def entry(run: Run) -> str:
    """What one system gave for one submission, in a few words."""
    points = "*no result*" if run.points is None else f"**{run.points:g}**" if run.undeserved else f"{run.points:g}"
    return ", ".join([points, *(words for words, holds in FINDINGS.items() if holds(run))])


def _entries(runs: Runs, name: str) -> list[str]:
    told = []
    for system in NAMES:
        if (system, name) in runs:
            told.append(entry(runs[system, name]))
        else:
            skipped = system == "otter" and name in NOT_APPLICABLE
            told.append(f"not applicable: {NOT_APPLICABLE[name]}" if skipped else "not run")
    return told


def _sums(runs: Runs) -> list[list[str]]:
    attacks, everybody = set(attack_names()), {*attack_names(), *HONEST}
    rules: dict[str, tuple[set[str], Callable[[Run], object]]] = {
        "attacks run": (attacks, lambda run: True),
        "attacks with undeserved points": (attacks, lambda run: run.undeserved),
        "… of these, full marks for everything": (attacks, lambda run: run.undeserved and (run.points or 0) >= MAXIMUM),
        "attacks that read a secret": (attacks, FINDINGS["secret read"]),
        "attacks whose code ran in the grader's own process": (attacks, FINDINGS["ran in the grader"]),
        "attacks that changed files of the course, or planted some": (everybody, FINDINGS["files changed"]),
        "attacks after which a neighbour had no result": (attacks, FINDINGS["neighbour without result"]),
        "attacks that changed a neighbour's points": (attacks, FINDINGS["neighbour's points changed"]),
        "attacks that reached the network": (everybody, FINDINGS["network reached"]),
        "attacks that left processes behind": (attacks, FINDINGS["processes left"]),
        "attackers who lost the points of the other question": (attacks, lambda run: run.lost),
        "… of these, without any result": (attacks, lambda run: run.lost and run.points is None),
        "students' pages that show hidden tests": (everybody, lambda run: "hidden tests" in (run.pages or ())),
        "students' pages with a script of the student": (everybody, FINDINGS["script on the page"]),
        f"honest students who lost points, of {len(HONEST)}": (set(HONEST), lambda run: run.lost),
    }
    rows = []
    for label, (names, holds) in rules.items():
        row = [label]
        for system in NAMES:
            found = [run for (of, name), run in runs.items() if of == system and name in names]
            count = str(sum(bool(holds(run)) for run in found))
            if "pages" in label:
                count += f" of {sum(run.pages is not None for run in found)}"
            row.append(ALONE if system == "otter" and "neighbour" in label else count)
        rows.append(row)
    return rows
