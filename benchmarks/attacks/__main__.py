"""`python -m benchmarks.attacks`: runs the attacks, then writes `docs/attacks_compared.md` from all runs so far."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.core.errors import AutograderError
from benchmarks.attacks.container import ContainerError, find_bubblewrap
from benchmarks.attacks.page import page
from benchmarks.attacks.runs import load, save
from benchmarks.attacks.stock import CACHE, NAMES, ROOT
from benchmarks.attacks.systems import ours, stock

RUNS = CACHE / "attacks.json"


def main(arguments: list[str] | None = None) -> int:
    """Runs the comparison; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=__doc__)
    parser.add_argument("--systems", nargs="+", choices=NAMES, default=list(NAMES), help="run only these")
    parser.add_argument("--only", nargs="+", default=[""], help="run only submissions whose name starts so")
    parser.add_argument("--jobs", type=int, default=2, help="containers side by side")
    parser.add_argument("--render", action="store_true", help="write the page from earlier runs, run nothing")
    parser.add_argument("--runs", type=Path, default=RUNS, help="file that keeps the runs")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "attacks_compared.md", help="where the page goes")
    options = parser.parse_args(arguments)
    runs, only = load(options.runs), tuple(options.only)
    try:
        if not options.render and options.systems != ["ours"]:
            find_bubblewrap()
        for system in [] if options.render else options.systems:
            with tempfile.TemporaryDirectory(prefix="compared-") as name:
                folder = Path(name)
                folder.chmod(0o755)
                for run in ours(folder, only) if system == "ours" else stock(system, folder, only, options.jobs):
                    print(f"{system}, {run.submission}: {run.points}", flush=True)
                    runs[system, run.submission] = run
                    save(options.runs, runs)
    except (ContainerError, AutograderError, subprocess.CalledProcessError) as error:
        print(f"{error}\n{getattr(error, 'stderr', None) or ''}", file=sys.stderr)
        return 1
    options.page.write_text(page(runs), encoding="utf-8")
    print(f"written: {options.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
