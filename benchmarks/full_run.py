"""`python -m benchmarks.full_run PROBLEM`: the solution's notebook from top to bottom, at full size.

Prints what the cells print, then the metrics that the submission log holds, the seconds and the device. Trainings save
checkpoints in the folder of the run: the same command goes on where it was stopped. With `HOMEWORK_DATA` set, no
network is needed.
"""

from __future__ import annotations

import argparse
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from autograder.core.errors import AutograderError
from autograder.course.problem import load_problem
from homework.profiles import PROFILES
from tests.problems.run_source import ROOT, run_source

RUNS = ROOT / "benchmarks" / ".cache" / "full"
HOURS = 12


def main(arguments: list[str] | None = None) -> int:
    """Runs one problem; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_run", description=__doc__)
    parser.add_argument("problem", help="problem id")
    parser.add_argument("--profile", default="full", choices=PROFILES, help="which sizes")
    parser.add_argument("--seed", type=int, default=0, help="what homework.start is told")
    parser.add_argument("--folder", type=Path, default=RUNS, help="where checkpoints, log and figures go")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve() / f"seed-{options.seed}"
    try:
        load_problem(options.problem)
        found = run_source(
            options.problem,
            options.profile,
            folder,
            ["str(run.device)"],
            figures=folder / f"{options.problem}-{options.profile}" / "figures",
            seed=options.seed,
            timeout=HOURS * 3600,
            show=True,
            deprecated=True,
        )
    except (AssertionError, AutograderError) as error:
        print(error, file=sys.stderr)
        return 1
    device = found["str(run.device)"]
    print(f"\n{options.problem}, profile {options.profile}, seed {options.seed}, {datetime.now(UTC):%Y-%m-%d}")
    print(f"{found['seconds']:.0f} s for all cells on {device}, Python {platform.python_version()}")
    for name, metric in found["log"]["metrics"].items():
        print(f"{name}: {metric['value']}")
    for line in found["deprecated"]:
        print(f"deprecated: {line}")
    print(f"figures, log and checkpoints: {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
