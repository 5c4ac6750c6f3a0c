"""`make fuzz`: grades random hostile classes until the time is over, and lists what broke.

Exit status 1 if there are findings. Each is a folder that `make fuzz REPLAY=<folder>` grades again.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.attacks.hostile_class import toy_course
from tests.conftest import ROOT
from tests.fuzz.findings import Keeper
from tests.fuzz.hostile_round import GENERATORS, new_round

COMMAND = [str(Path(sys.executable).parent / "autograder")]


def main(arguments: Sequence[str] | None = None, command: Sequence[str] = COMMAND) -> int:
    """Runs the command and returns its exit status.

    Args:
        arguments: those of the command line if None.
        command: `autograder`, or what stands in for it in tests.
    """
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fuzz-course-") as folder:
        course = Path(folder) / "course"
        toy_course(course)
        keeper = Keeper(course, command, options.to)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        try:
            _replay(keeper, options.replay) if options.replay else _fuzz(keeper, options)
        except KeyboardInterrupt:
            print("stopped")
    for kind, place in keeper.kept.items():
        print(f"found in {keeper.seen[kind]} of the rounds: {kind}\n    make fuzz REPLAY={place}")
    print(f"findings: {len(keeper.kept)}")
    return 1 if keeper.kept else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="stop after this time")
    parser.add_argument("--rounds", type=int, default=10**9, help="stop after this number of rounds")
    parser.add_argument("--attackers", type=int, default=12, help="hostile students of a round")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="seed of the first round; the next has the next"
    )
    parser.add_argument(
        "--only", nargs="*", default=[], choices=list(GENERATORS), help="what to fuzz; all if not given"
    )
    parser.add_argument("--replay", type=Path, help="grade the class of this finding again, nothing else")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "fuzz", help="folder for the findings")
    return parser


def _fuzz(keeper: Keeper, options: argparse.Namespace) -> None:
    end = time.monotonic() + 60 * options.minutes
    for number in range(options.rounds):
        left = end - time.monotonic()
        if left <= 0:
            break
        with tempfile.TemporaryDirectory(prefix="fuzz-round-", ignore_cleanup_errors=True) as folder:
            made = new_round(Path(folder), options.seed + number, options.attackers, options.only)
            start = time.monotonic()
            found, graded = keeper.findings(Path(folder))
            took = f"{time.monotonic() - start:.0f} s, {graded.grade.cpu:.0f} s of CPU time"
            said = "; ".join(dict.fromkeys(one.kind for one in found)) or "ok"
            print(
                f"seed {made.seed}: {len(made.attackers)} attackers, {took}: {said}; {left / 60:.1f} min left",
                flush=True,
            )
            keeper.keep(Path(folder), found)


def _replay(keeper: Keeper, folder: Path) -> None:
    for one in keeper.findings(folder)[0]:
        print(f"{one.kind}: {one.student}\n{one.detail}\n")
        keeper.kept[one.kind], keeper.seen[one.kind] = folder, 1


if __name__ == "__main__":
    sys.exit(main())
