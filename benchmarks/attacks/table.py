"""The page: what each system gave for each submission, with sums on top. Made from recorded runs alone."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping

from benchmarks.attacks import ours, stock_nbgrader, stock_otter
from benchmarks.attacks.container import GIB, LIMITS, MEMORY
from benchmarks.attacks.environments import VERSIONS, torch_version
from benchmarks.attacks.records import Run
from benchmarks.attacks.submissions import AIM, READERS, about, attack_names, honest_names

Runs = Mapping[tuple[str, str], Run]
SYSTEMS = {
    ours.NAME: "ours",
    stock_nbgrader.NAME: f"nbgrader {VERSIONS['nbgrader']}",
    stock_otter.NAME: f"otter-grader {VERSIONS['otter-grader']}",
}
COMMAND = "python -m benchmarks.attacks"
ALONE = "one submission at a time"
"""Why otter has no entry where neighbours are concerned."""

_INTRODUCTION = """# Attacks compared

The hostile submissions and honest students of `tests/attacks/`, graded by our autograder, by stock nbgrader and by
stock otter-grader. Made by `{command}` on {days}, with Python {python} and torch {torch}; every entry is what a
run gave.

- **Same questions, same tests.** The toy assignment of our tests (12 and 8 points), its tests word for word, in the
  form that each system documents: nbgrader's source, release and submitted folders with a graded cell for each part
  that has points; otter's test files with hidden cases, `otter generate` and `otter run`. All three compare numbers
  with the same function (`homework.checks.close`), so that the table is about graders and not about comparisons.
- **Same submissions.** An attacker answers the first question by an attack and the second one rightly, so 8 points
  are deserved. Attacks that aim at a part which only some systems have say so; they run everywhere all the same.
- **Neighbours.** With nbgrader each attacker hands in beside two honest students, one graded the day before, one
  whose turn comes after. Ours grades everybody in one batch. `otter run` grades {alone}.
- **Contained.** The stock systems run in bubblewrap without network and rights, with {memory:g} GiB of memory in all,
  {processes} processes and files of at most {file:g} GiB: attacks on the machine stop at these limits of the
  benchmark's and are milder than they would be. Installed packages are read-only for all three. nbgrader's own limit
  of 30 s per cell is left as it is, and a batch is ended after {nbgrader:g} s; otter has no limit, and is ended after
  {otter:g} s. All other settings are the defaults of each.
- **Not measured:** `otter grade`, which runs the same in a Docker container for each submission; GPUs; late hand-ins.
"""

_KEY = """Points of 20, **bold** where undeserved. *no result*: the submission has no score at all. *secret read*: the
attack answers rightly only if it has found hidden tests, the solution or a neighbour's work, and it did. *ran in the
grader*: code of the student's ran in the process that gives the points. *neighbour without result*: the batch stopped,
or the neighbour's work was destroyed. *time limit*, *memory limit*: the benchmark's own limit took effect.
"""


def page(runs: Runs) -> str:
    """The page in Markdown.

    Args:
        runs: (system, submission) -> run.
    """
    days = sorted({run.when for run in runs.values() if run.when})
    introduction = _INTRODUCTION.format(
        command=COMMAND,
        python=platform.python_version(),
        torch=torch_version(),
        days=" and ".join(dict.fromkeys((days[0], days[-1]))) if days else "no day",
        alone=ALONE,
        memory=MEMORY / GIB,
        processes=LIMITS["RLIMIT_NPROC"],
        file=LIMITS["RLIMIT_FSIZE"] / GIB,
        nbgrader=stock_nbgrader.SECONDS,
        otter=stock_otter.SECONDS,
    )
    parts = [
        introduction,
        "## In numbers\n\n" + _table(["", *SYSTEMS.values()], _sums(runs)),
        "## Attacks\n\n" + _KEY,
        _table(["attack", *SYSTEMS.values()], [[_attack(name), *_entries(runs, name)] for name in attack_names()]),
        "## Honest students\n\nWhat they deserve, and what they got.\n",
        _table(
            ["student", "deserved", *SYSTEMS.values()],
            [[about(name), _deserved(runs, name), *_entries(runs, name)] for name in honest_names()],
        ),
    ]
    return "\n".join(parts)


def entry(run: Run | None, reason: str = "") -> str:
    """What one system gave for one submission, in a few words.

    Args:
        run: None if there is none.
        reason: why there is none.
    """
    if run is None:
        return f"not applicable: {reason}" if reason else "not run"
    if run.points is None:
        words = ["*no result*"]
    else:
        words = [f"**{run.points:g}**" if run.undeserved else f"{run.points:g}"]
    words += [what for what, holds in _FINDINGS.items() if holds(run)]
    if run.stopped in ("time", "memory"):
        words.append(f"{run.stopped} limit")
    return ", ".join(words)


def read_a_secret(run: Run) -> bool:
    """Did the attack find what it looked for?"""
    return run.submission.startswith(READERS) and run.undeserved


def ran_in_the_grader(run: Run) -> bool:
    """Did code of the student's run in the grader's own process? What it wrote names the program that it ran in."""
    return any("/bin/otter" in text or "/bin/nbgrader" in text for text in run.planted.values())


def _wrote_elsewhere(run: Run) -> bool:
    return bool(run.changed or run.planted)


_FINDINGS: dict[str, Callable[[Run], bool]] = {
    "secret read": read_a_secret,
    "ran in the grader": ran_in_the_grader,
    "neighbour without result": lambda run: run.neighbour_missing,
    "neighbour's points changed": lambda run: run.neighbours_changed,
    "files changed": _wrote_elsewhere,
    "machine's file copied": lambda run: run.copied,
    "network reached": lambda run: run.connections > 0,
    "processes left": lambda run: run.outlived,
    "script on the page": lambda run: "script" in run.pages,
}


def _sums(runs: Runs) -> list[list[str]]:
    attacks, honest = attack_names(), honest_names()

    def count(names: list[str], holds: Callable[[Run], bool]) -> list[str]:
        return [str(sum((s, n) in runs and holds(runs[s, n]) for n in names)) for s in SYSTEMS]

    def count_all(holds: Callable[[Run], bool]) -> list[str]:
        return count([*attacks, *honest], holds)

    rows = [
        ["attacks run", *count(attacks, lambda run: True)],
        ["attacks with undeserved points", *count(attacks, lambda run: run.undeserved)],
        ["… of these, full marks for everything", *count(attacks, _everything)],
        ["attacks that read a secret", *count(attacks, read_a_secret)],
        ["attacks whose code ran in the grader's own process", *count(attacks, ran_in_the_grader)],
        ["attacks that changed files of the course, or planted some", *count_all(_wrote_elsewhere)],
        ["attacks after which a neighbour had no result", *count(attacks, lambda run: run.neighbour_missing)],
        ["attacks that changed a neighbour's points", *count(attacks, lambda run: run.neighbours_changed)],
        ["attacks that reached the network", *count_all(lambda run: run.connections > 0)],
        ["attacks that left processes behind", *count(attacks, lambda run: run.outlived)],
        ["attackers who lost the points of the other question", *count(attacks, lambda run: run.lost)],
        ["… of these, without any result", *count(attacks, lambda run: run.lost and run.points is None)],
        ["students' pages that show hidden tests", *_pages(runs, "hidden tests")],
        ["students' pages with a script of the student's", *_pages(runs, "script")],
        [f"honest students who lost points, of {len(honest)}", *count(honest, lambda run: run.lost)],
    ]
    otter = 1 + list(SYSTEMS).index(stock_otter.NAME)
    for row in rows:
        if "neighbour" in row[0]:
            row[otter] = ALONE
    return rows


def _everything(run: Run) -> bool:
    return run.undeserved and run.points is not None and run.points >= run.maximum


def _pages(runs: Runs, what: str) -> list[str]:
    """How many of the students' pages that were looked into hold something."""
    cells = []
    for system in SYSTEMS:
        of_system = [run for (name, _), run in runs.items() if name == system and _page_looked_into(run)]
        cells.append(f"{sum(what in run.pages for run in of_system)} of {len(of_system)}")
    return cells


def _page_looked_into(run: Run) -> bool:
    """nbgrader's pages are made for a few submissions only, since that takes as long as grading."""
    return run.system != stock_nbgrader.NAME or run.submission.startswith(stock_nbgrader.WITH_FEEDBACK)


def _entries(runs: Runs, name: str) -> list[str]:
    reasons = {stock_otter.NAME: stock_otter.NOT_APPLICABLE.get(name, "")}
    return [entry(runs.get((system, name)), reasons.get(system, "")) for system in SYSTEMS]


def _attack(name: str) -> str:
    number, aim = name.partition("_")[0], AIM.get(name, "")
    return f"{number} {about(name)}" + (f" (aims at {' and '.join(aim.split())})" if aim else "")


def _deserved(runs: Runs, name: str) -> str:
    found = [runs[system, name].deserved for system in SYSTEMS if (system, name) in runs]
    return f"{found[0]:g}" if found else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
