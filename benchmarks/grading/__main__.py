"""`python -m benchmarks.grading`: measures, then writes `docs/grading_speed.md` from all measurements so far.

The first call makes a virtual environment for each stock system, which takes some minutes and more than 1 GB each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from autograder.core.errors import AutograderError
from autograder.course.problem import load_problem
from benchmarks.attacks.stock import CACHE, NAMES, ROOT
from benchmarks.grading.meter import CommandFailedError
from benchmarks.grading.page import page
from benchmarks.grading.parts import PARTS, Plan
from benchmarks.grading.records import added, load, save
from benchmarks.grading.submissions import CLASS_SIZE, PROBLEM

SIZES = (10, 50, 200, 1000)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--systems", nargs="+", choices=NAMES, default=list(NAMES), help="run only these")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="run only these")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="classes from small to large, ours")
    parser.add_argument("--runs", type=int, default=3, help="runs of the class with each system, and of the floor")
    parser.add_argument("--submissions", type=int, default=CLASS_SIZE, help=f"in the class, at most {CLASS_SIZE}")
    parser.add_argument("--render", action="store_true", help="write the page from earlier measurements, run nothing")
    parser.add_argument("--records", type=Path, default=CACHE / "grading.json", help="file that keeps measurements")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "grading_speed.md", help="where the page goes")
    options = parser.parse_args(arguments)
    if not 1 <= options.submissions <= CLASS_SIZE or options.runs < 1 or min(options.sizes) < 1:
        parser.error(f"--submissions is 1 to {CLASS_SIZE}, --runs and --sizes at least 1")
    found = load(options.records)
    try:
        problem = load_problem(PROBLEM, ROOT)
        plan = Plan(problem, tuple(options.systems), options.submissions, options.runs, tuple(sorted(options.sizes)))
        for part, measure in PARTS.items():
            if options.render or part not in ("machine", *options.parts):
                continue
            if part not in ("machine", "classes", "phases") and "ours" not in plan.systems:
                continue
            for one in measure(plan):
                print(f"{one.what}, run {one.run}: {one.seconds:.1f} s, {one.each:.3f} s each", flush=True)
                found = added(found, one)
                save(options.records, found)
    except (AutograderError, CommandFailedError, subprocess.CalledProcessError) as error:
        print(f"{error}\n{getattr(error, 'stderr', None) or ''}", file=sys.stderr)
        return 1
    options.page.write_text(page(found, problem, options.submissions), encoding="utf-8")
    print(f"written: {options.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
