"""`python -m benchmarks.grading`: measures what has not been measured yet, then writes `docs/grading_speed.md`.

The first call makes a virtual environment for each peer, which takes some minutes and more than 1 GB each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from autograder.core.errors import AutograderError
from autograder.course.problem import load_problem
from benchmarks.attacks.environments import CACHE
from benchmarks.grading.hand_ins import CLASS_SIZE, PROBLEM
from benchmarks.grading.meter import CommandFailedError
from benchmarks.grading.page import page
from benchmarks.grading.parts import Bench, Plan
from benchmarks.grading.records import Records

ROOT = Path(__file__).resolve().parents[2]
RECORDS = CACHE / "grading.jsonl"
PAGE = ROOT / "docs" / "grading_speed.md"
SYSTEMS = ("ours", "nbgrader", "otter")
PARTS = ("starts", "floor", "classes", "phases", "sizes", "regrade", "verify")
SIZES = (10, 50, 200, 1000)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="run only these")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="run only these")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="classes from small to large, ours")
    parser.add_argument("--runs", type=int, default=3, help="runs of the class with each system, and of the floor")
    parser.add_argument("--submissions", type=int, default=CLASS_SIZE, help=f"in the class, at most {CLASS_SIZE}")
    parser.add_argument("--again", action="store_true", help="measure also what has been measured before")
    parser.add_argument("--render", action="store_true", help="write the page from earlier measurements, run nothing")
    parser.add_argument("--records", type=Path, default=RECORDS, help="where measurements are kept")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page goes")
    options = parser.parse_args(arguments)
    if not 1 <= options.submissions <= CLASS_SIZE or options.runs < 1 or min(options.sizes) < 1:
        parser.error(f"--submissions is 1 to {CLASS_SIZE}, --runs and --sizes at least 1")
    records = Records(options.records)
    try:
        problem = load_problem(PROBLEM, ROOT)
        if not options.render:
            plan = Plan(
                repository=ROOT,
                problem=problem,
                systems=tuple(options.systems),
                size=options.submissions,
                runs=options.runs,
                sizes=tuple(sorted(options.sizes)),
                again=options.again,
            )
            _run(Bench(plan, records, lambda text: print(text, flush=True)), options.parts, options.systems)
    except (AutograderError, CommandFailedError, subprocess.CalledProcessError) as error:
        said = f"\n{error.stderr}" if isinstance(error, subprocess.CalledProcessError) and error.stderr else ""
        print(f"{error}{said}", file=sys.stderr)
        return 1
    options.page.write_text(page(records.all(), problem, options.submissions), encoding="utf-8")
    print(f"written: {options.page}")
    return 0


def _run(bench: Bench, parts: list[str], systems: list[str]) -> None:
    bench.machine()
    for part in PARTS:
        if part in parts and (part in ("classes", "phases") or "ours" in systems):
            getattr(bench, part)()


if __name__ == "__main__":
    sys.exit(main())
