"""`python -m benchmarks.attacks`: runs what has not run yet, then writes `docs/attacks_compared.md`."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from autograder.core.errors import AutograderError
from benchmarks.attacks import ours
from benchmarks.attacks.container import ROOT, ContainerError, find_bubblewrap
from benchmarks.attacks.environments import CACHE, VERSIONS
from benchmarks.attacks.records import Records, Run
from benchmarks.attacks.stock_nbgrader import Nbgrader
from benchmarks.attacks.stock_otter import NOT_APPLICABLE, Otter
from benchmarks.attacks.table import page
from tests.attacks.files import Submission

RECORDS = CACHE / "runs.jsonl"
PAGE = ROOT / "docs" / "attacks_compared.md"
SYSTEMS = ("ours", "nbgrader", "otter")


def main(arguments: list[str] | None = None) -> int:
    """Runs the comparison; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=__doc__)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="run only these")
    parser.add_argument("--only", default="", help="run only submissions whose name starts with this")
    parser.add_argument("--again", action="store_true", help="run also what has run before")
    parser.add_argument("--jobs", type=int, default=2, help="containers side by side")
    parser.add_argument("--render", action="store_true", help="write the page from earlier runs, run nothing")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page goes")
    options = parser.parse_args(arguments)
    records = Records(RECORDS)
    if not options.render:
        try:
            find_bubblewrap()
            for system in options.systems:
                _run_system(system, records, options)
        except (ContainerError, AutograderError, subprocess.CalledProcessError) as error:
            print(f"{error}", file=sys.stderr)
            return 1
    options.page.write_text(page(records.of(SYSTEMS)), encoding="utf-8")
    print(f"written: {options.page}")
    return 0


def _run_system(system: str, records: Records, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="compared-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if system == "ours":
            digest = _digest_of_ours()
            if options.again or not records.done(system, "honest_right", digest):
                for run in ours.grade(folder, digest):
                    records.add(_dated(run))
            return
        stock: Nbgrader | Otter = Nbgrader(folder) if system == "nbgrader" else Otter(folder)
        skipped = NOT_APPLICABLE if system == "otter" else {}
        version = VERSIONS["nbgrader" if system == "nbgrader" else "otter-grader"]
        wanted = {
            name: (one, _digest(version, one)) for name, one in stock.submissions().items() if name not in skipped
        }
        right = stock.grade("honest_right", *wanted["honest_right"])
        if right.points != right.maximum:
            raise ContainerError(
                f"{system} does not give a right answer full marks, so something is not set up: {right}"
            )
        records.add(_dated(right))
        left = {
            name: (submission, digest)
            for name, (submission, digest) in wanted.items()
            if name.startswith(options.only) and (options.again or not records.done(system, name, digest))
        }
        _run_all(system, stock.grade, left, records, options.jobs)


def _run_all(
    system: str,
    grade: Callable[[str, Submission, str], Run],
    submissions: dict[str, tuple[Submission, str]],
    records: Records,
    jobs: int,
) -> None:
    """Grades submissions, some side by side, and keeps each run as soon as it is over."""
    started = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        futures = {
            pool.submit(grade, name, submission, digest): name for name, (submission, digest) in submissions.items()
        }
        for number, future in enumerate(as_completed(futures), start=1):
            minutes = (time.monotonic() - started) / 60
            told = f"{system} {number}/{len(futures)} {minutes:.1f} min  {futures[future]}"
            try:
                run = _dated(future.result())
            except ContainerError as error:
                print(f"{told}: no run, {error}", flush=True)
                continue
            records.add(run)
            points = "no result" if run.points is None else f"{run.points:g}"
            print(f"{told}: {points}, {run.seconds} s", flush=True)


def _dated(run: Run) -> Run:
    return dataclasses.replace(run, when=f"{datetime.now(UTC):%Y-%m-%d}")


def _digest(version: str, submission: Submission) -> str:
    parts = [version.encode(), submission.data, submission.link.encode(), repr(dict(submission.beside)).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _digest_of_ours() -> str:
    """Of everything that our grader and the attacks consist of."""
    digest = hashlib.sha256()
    for folder in ("autograder", "homework", "tests/attacks", "tests/autograder/fixture_course"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
