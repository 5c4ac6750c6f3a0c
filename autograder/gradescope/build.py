"""Makes the zip that an instructor uploads to Gradescope: scripts, packages, and one problem with its hidden tests.

It holds nothing of other problems, of submissions or of the gradebook. It holds the course's seed, so that a submission
gets the same score there as from `autograder grade`. The same course gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core.counts import Counts
from autograder.core.errors import AutograderError
from autograder.core.files import write_atomically, write_bytes
from autograder.core.notebook_io import notebook_text
from autograder.core.zips import zip_of
from autograder.course.config import COURSE_FILE, load_course, root_folder
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import Problem, load_problem
from autograder.course.problem_files import files_folder
from autograder.course.seed import fingerprint, grading_seed, seed_line, seeds_file
from autograder.course.variants import variants
from autograder.gradescope.requirements import CONTAINERS, Memory, measured, packages_for
from autograder.gradescope.settings import LOG_ALONE, SETTINGS_FILE, VERIFY, ListedItem, Settings
from autograder.release.fill import solved_notebook
from autograder.release.lint import lint_problem
from autograder.release.notebook import released_notebook
from autograder.sandbox.guest.confinement import PLAIN
from autograder.sandbox.host import ANY, wanted_level
from homework.hand_in.expected_ranges import entry_for

MOST_MINUTES = 40
"""Gradescope's maximum for the time limit."""
_SCRIPTS = ("setup.sh", "run_autograder")
_CHECKOUT = Path(__file__).resolve().parents[2]
_LEFT_OUT = ("__pycache__", ".egg-info", ".pyc")


@dataclass(frozen=True)
class Made:
    """A zip that was made."""

    path: Path
    bytes: int
    settings: Settings
    memory: Memory | None
    """Memory that grading needs; None for a problem that was not measured."""
    command: str
    """The command that measured it."""


def make_zip(
    problem_id: str,
    out: Path,
    *,
    minutes: float = 10.0,
    log_alone: str = VERIFY,
    leaderboard: str = "",
    lowest_first: bool = False,
    extra: Sequence[str] = (),
    root: Path | None = None,
) -> Made:
    """Makes the zip of one problem.

    Args:
        minutes: the assignment's time limit on Gradescope.
        log_alone: what to do with a log without a notebook: `verify` or `refuse`.
        leaderboard: id of a metric; empty for no leaderboard.
        lowest_first: whether lower values of the metric are better.
        extra: more packages for the image, as pip requirements.

    Raises:
        AutograderError: an unknown problem, a fault in its source, or an invalid argument.
    """
    root = root or root_folder()
    problem = load_problem(problem_id, root)
    findings = lint_problem(problem_id, root)
    if findings:
        raise AutograderError(f"no zip was made; fix this first: {findings[0]}")
    seed = grading_seed(root)
    settings = Settings(
        problem=problem.id,
        title=problem.title,
        items=tuple(
            ListedItem(one.id, str(place), one.kind, one.points, str(one.counts))
            for place, one in enumerate(problem.items, 1)
        ),
        minutes=minutes,
        log_alone=log_alone,
        leaderboard=leaderboard,
        lowest_first=lowest_first,
        isolation="" if wanted_level() == ANY else wanted_level(),
        seed=fingerprint(seed),
    )
    _check(settings, problem, seed)
    packages = packages_for(problem.id, root)
    files = {
        SETTINGS_FILE: settings.text(),
        "torch.txt": _lines(packages.torch),
        "requirements.txt": _lines((*packages.torch, *packages.others, *extra)),
        "constraints.txt": _lines(packages.pins),
        seeds_file(root).relative_to(root).as_posix(): seed_line(seed),
    }
    encoded = {name: text.encode() for name, text in files.items()}
    data = zip_of(encoded | dict(_files(problem, root)), executable=_SCRIPTS)
    write_bytes(out, data)
    command, figures = measured()
    return Made(out, len(data), settings, figures.get(problem.id), command)


def advice(made: Made) -> Iterator[str]:
    """Yields what is printed about a new zip: the settings that an instructor must make on Gradescope."""
    settings = made.settings
    yield f"{made.path}  {made.bytes / 2**20:.1f} MB; contains hidden tests and the course's seed {settings.seed}"
    yield f"  autograder points  {settings.auto_points:g}"
    if made.memory is None:
        yield "  container          not measured for this problem; start with the default and watch for 'Killed'"
    else:
        enough = "the default is enough" if made.memory.container is CONTAINERS[0] else "needs more than the default"
        yield f"  container          {made.memory.container.name}: {enough}"
        yield (
            f"                     (grading the solution took {made.memory.own} MB and {made.memory.libraries} MB of "
            f"libraries, and {made.memory.cpu:.0f} s of CPU time; measured by `{made.command}`)"
        )
    yield f"  time limit         {settings.minutes:g} minutes"
    by_hand = [item for item in settings.items if item.kind != "code" and item.counts != Counts.DROPPED]
    if by_hand:
        asked = ", ".join(f"{item.id} {item.points:g}{' (extra credit)' if item.counts else ''}" for item in by_hand)
        yield f"  manual grading     turn it on, and add these questions with their points: {asked}"
    if settings.leaderboard:
        yield f"  leaderboard        turn it on: {settings.leaderboard}"


def write_submissions(problem_id: str, folder: Path, root: Path | None = None) -> tuple[Path, Path]:
    """Writes two notebooks for testing an autograder: a solved one, which no student may see, and an untouched one.

    Each is in a folder of its own, since it must keep its name. Returns their paths.
    """
    problem = load_problem(problem_id, root or root_folder())
    paths = folder / "solved" / f"{problem.id}.ipynb", folder / "untouched" / f"{problem.id}.ipynb"
    for path, notebook in zip(paths, (solved_notebook(problem), released_notebook(problem)), strict=True):
        write_atomically(path, notebook_text(notebook))
    return paths


def _check(settings: Settings, problem: Problem, seed: str) -> None:
    if seed.split() != [seed]:
        raise AutograderError(
            "the seed contains spaces, so it cannot be written into the zip; choose another with --seed, or none."
        )
    if not 1 <= settings.minutes <= MOST_MINUTES:
        raise AutograderError(f"--minutes is {settings.minutes:g}; Gradescope allows 1 to {MOST_MINUTES}.")
    if settings.log_alone not in LOG_ALONE:
        raise AutograderError(f"--log-alone is {settings.log_alone!r}; use {' or '.join(LOG_ALONE)}.")
    if settings.isolation == PLAIN:
        raise AutograderError(
            "isolation level 'plain' is not allowed on Gradescope: student code could change the results."
        )
    ranges = declared_ranges(problem)
    if settings.leaderboard and entry_for(settings.leaderboard, ranges) is None:
        known = ", ".join(sorted(ranges)) or "none"
        raise AutograderError(
            f"{problem.id} has no metric {settings.leaderboard!r} with an expected range; known: {known}."
        )


def _files(problem: Problem, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yields names and bytes of the files that are copied unchanged."""
    for name in _SCRIPTS:
        text = Path(__file__).with_name("container").joinpath(name).read_bytes()
        yield name, text.replace(b"\r\n", b"\n")
    for name, data in problem.files.items():
        yield (files_folder(problem.id, root) / name).relative_to(root).as_posix(), data
    for path in (root / COURSE_FILE, problem.path, *(variant.path for variant in variants(problem, "wrong"))):
        yield path.relative_to(root).as_posix(), path.read_bytes()
    load_course(root)  # reports errors here instead of in the container
    for name in ("pyproject.toml", "README.md", "LICENSE", "homework"):
        yield from _tree(_CHECKOUT / name, f"packages/homework/{name}")
    yield from _tree(_CHECKOUT / "autograder", "packages/autograder")


def _tree(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Yields a file, or all files below a folder except those that Python and pip create."""
    if path.is_file():
        yield name, path.read_bytes()
        return
    for below in sorted(path.iterdir()):
        if not below.name.endswith(_LEFT_OUT) and not below.name.startswith("."):
            yield from _tree(below, f"{name}/{below.name}")


def _lines(words: Sequence[str]) -> str:
    return "".join(f"{word}\n" for word in words)
