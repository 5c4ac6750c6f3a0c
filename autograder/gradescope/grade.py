"""Grades one student's submission on Gradescope, in the process that `autograder.gradescope.runner` monitors.

A notebook is examined as everywhere else. A log alone is verified: an item gets its points if the log's answer on the
per-student inputs is right. No code is run then, and the result says so to the student and to staff.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.core.flags import Flag, FlagKind
from autograder.core.machine import free_memory
from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.core.text import listed
from autograder.course.cell_selection import graded_cells, may_run, uses_torch
from autograder.course.metric_ranges import declared_ranges
from autograder.course.name_analysis import imported_modules
from autograder.course.problem import Problem, load_problem
from autograder.course.seed import fingerprint, grading_seed
from autograder.course.variants import misconception_text
from autograder.gradescope.requirements import imports_of_ours
from autograder.gradescope.results_json import End, Tell
from autograder.gradescope.settings import METADATA_FILE, VERIFY, Settings
from autograder.gradescope.submission import Delivered, Users, look_through, read_users
from autograder.grading.grade import grade_submission
from autograder.grading.preflight import load, run_preflight
from autograder.sandbox.guest.confinement import PLAIN
from autograder.sandbox.host import ANY, Host
from autograder.sandbox.limits import SessionLimits
from autograder.sandbox.probes import COURSE, require_confinement
from autograder.submissions.log import read_log
from autograder.submissions.metrics import MetricVerdict, judge_metrics
from autograder.submissions.reader import read_submission
from autograder.verify.result import Verdict
from autograder.verify.verify import verify

_LIBRARIES = ("torch", "torchvision", "numpy", "transformers")
_HOST_MEMORY = 224 * 2**20
"""Memory of the process for student code before it runs any, plus a margin."""


def grade(base: Path, settings: Settings, tell: Tell) -> None:
    """Grades the submission in `<base>/submission`.

    Args:
        base: the folder that Gradescope calls `/autograder`.
        tell: called with each finding; see `autograder.gradescope.runner`.

    Raises:
        AutograderError: nothing can be graded in this container.
    """
    started = time.monotonic()
    users = read_users(base / METADATA_FILE)
    problem = load_problem(settings.problem, base / "source")
    with tempfile.TemporaryDirectory(prefix="handed-in-") as folder:
        delivered = look_through(base / "submission", problem, Path(folder))
        submitters = ", ".join(users.shown) or "an unknown user (not named by Gradescope)"
        tell({"notes": [f"Note: {note}." for note in delivered.notes], "staff": [f"Submitted by {submitters}."]})
        if delivered.notebook.exists():
            seconds = settings.seconds - (time.monotonic() - started)
            _examine(problem, delivered, Path(folder), users, settings, tell, seconds)
        elif delivered.log.exists() and settings.log_alone == VERIFY:
            _verify(problem, delivered, users, settings, tell)
        else:
            _refuse(problem, delivered, tell)
    libraries = ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES)
    seconds = time.monotonic() - started
    tell({"staff": [f"Graded in {seconds:.1f} s with {libraries}."], "end": str(End.DONE)})


def preflight_here(base: Path, settings: Settings) -> str:
    """Grades the solution in this container; returns a sentence about the result.

    Raises:
        AutograderError: it does not get full marks, or student code cannot be confined.
    """
    problem = load_problem(settings.problem, base / "source")
    with contextlib.closing(_host(problem, settings)) as host:
        load(problem, many=False)
        run_preflight(problem, host)
        return (
            f"The solution of {problem.id!r} gets full marks here; student code runs at isolation level {host.level!r}."
        )


def imported_while_grading(problem_id: str, root: Path) -> tuple[set[str], set[str]]:
    """Grades a solution and collects the top-level names of the modules that were imported.

    Returns:
        The modules that our packages or the problem import themselves, and all modules that are loaded, in this process
        and in the sandbox.
    """
    problem = load_problem(problem_id, root)
    with Host(_modules(problem), level=ANY) as host:
        load(problem, many=False)
        run_preflight(problem, host)
        with contextlib.closing(host.session()) as session:
            reply = session.run("import sys; print(*{name.partition('.')[0] for name in sys.modules})", "modules", 60)
    loaded = {name.partition(".")[0] for name in sys.modules} | set(str(reply["stdout"]).split())
    imports = imported_modules(cell.source for cell in problem.cells if may_run(cell) or cell.is_test)
    return imports_of_ours(sys.modules) | {name.partition(".")[0] for name in imports} & loaded, loaded


def _examine(
    problem: Problem,
    delivered: Delivered,
    folder: Path,
    users: Users,
    settings: Settings,
    tell: Tell,
    seconds: float,
) -> None:
    """Grades a notebook in about so many seconds."""
    submission = read_submission(delivered.notebook, below=folder)
    log, _ = read_log(submission.log, problem.id)
    named = str(log["student"]) if log else ""
    submission = replace(submission, name=f"{problem.id}.ipynb", student=named or next(iter(users.shown), None))

    def on_item(result: ItemResult) -> None:
        tell({"item": _for_student(problem, result).as_json(), "seconds": result.seconds})

    root = problem.path.parent.parent
    with contextlib.closing(_host(problem, settings)) as host:
        graded = grade_submission(
            problem.id, submission, root=root, host=host, on_item=on_item, attempts=1, seconds=seconds
        )
    found = graded.log
    if found.outcome is not Outcome.GRADED:
        tell({"notes": [found.items[0].message]})
        for result in found.items:
            on_item(result)
    flags = [*found.flags, *_other_student(named, users)]
    took = {result.id: round(result.seconds, 2) for result in found.items if not result.manual}
    misconceptions = {result.id: ", ".join(result.misconceptions) for result in found.items if result.misconceptions}
    tell(
        {
            "notes": [
                f"Note: {flag.message}"
                for flag in flags
                if flag.kind in (FlagKind.REPAIRED, FlagKind.FAILED_CELL, FlagKind.PICTURE)
            ],
            "leaderboard": _leaderboard(problem, found, settings),
            "staff": [
                *(f"{flag.kind}: {flag.message}" for flag in flags),
                *(f"known misconception: {item}/{name}" for item, name in misconceptions.items()),
                "seconds: " + ", ".join(f"{item} {taken:g}" for item, taken in took.items()),
            ],
            "extra": {
                "flags": [flag.as_json() for flag in flags],
                "isolation": host.level,
                "misconceptions": misconceptions,
                "outcome": str(found.outcome),
                "seconds": took,
                "seed": fingerprint(grading_seed(root)),
                "student": found.student,
            },
        }
    )


def _for_student(problem: Problem, result: ItemResult) -> ItemResult:
    """The item with everything that the feedback page shows: a known misconception, and how the answer differs."""
    known = [misconception_text(problem, result.id, one) for one in result.misconceptions]
    lines = [result.message, *(f"Likely mistake: {text}" for text in known if text), *result.output]
    return replace(result, message="\n".join(line for line in lines if line))


def _verify(problem: Problem, delivered: Delivered, users: Users, settings: Settings, tell: Tell) -> None:
    """Gives the points of the items whose answers in the log are right on the submitter's inputs."""
    [found] = verify([delivered.log], root=problem.path.parent.parent)
    log, _ = read_log(delivered.log.read_bytes(), problem.id)
    named = str(log.get("student", ""))
    reason = "; ".join(flag.message for flag in found.flags if flag.kind == FlagKind.LOG_UNUSABLE)
    if not reason and not users.may_be(named):
        who = " or ".join(users.shown) or "unknown"
        reason = (
            f"The log is for student {named[:80]!r}, but Gradescope knows you as {who}; a log without a notebook "
            "counts only under your own name. Submit the notebook too, or set HOMEWORK_STUDENT to your e-mail address, "
            "run the notebook again and submit the new log"
        )
    tell({"notes": [reason + "." if reason else "Verified from your log alone; no code was run."]})
    verdicts = {item.id: item for item in found.items}
    for item in problem.items:
        seen = verdicts.get(item.id)
        right = not reason and seen is not None and seen.verdict is Verdict.RIGHT
        if item.kind != "code" or reason:
            status, message = Status.MISSING, reason or "No notebook was submitted."
        elif seen is None:
            status, message = Status.MISSING, "A log cannot show whether this item is right; submit the notebook."
        else:
            status = Status.PASSED if right else Status.MISSING if seen.verdict is Verdict.MISSING else Status.FAILED
            message = f"{seen.message} (Verified from your log; no code was run.)"
        points = item.points if right else 0.0
        result = ItemResult(item.id, points, item.points, status, message, manual=item.kind != "code")
        result = result.counted(item.counts)
        tell({"item": result.as_json(), "seconds": 0.0})
    flags = [
        Flag(FlagKind.LOG_ALONE, "Scored from the log alone: no code was run, and a log can be forged."),
        *(flag for flag in found.flags if flag.kind != FlagKind.OTHER_STUDENT),  # which compares our own folder name
        *_other_student(named, users),
    ]
    tell(
        {
            "staff": [*(f"{flag.kind}: {flag.message}" for flag in flags), *found.notes],
            "extra": {"flags": [flag.as_json() for flag in flags], "student": named},
        }
    )


def _refuse(problem: Problem, delivered: Delivered, tell: Tell) -> None:
    """Reports that nothing can be graded: what was found and what to submit."""
    if delivered.log.exists():
        reason = "You submitted only the log; this course grades the notebook. Submit both."
    else:
        files = listed(delivered.names, 8) or "nothing"
        reason = f"No notebook was found; submit {problem.id}.ipynb (you submitted {files})."
    tell({"notes": [reason]})
    for item in problem.items:
        result = ItemResult(item.id, 0.0, item.points, Status.MISSING, reason, manual=item.kind != "code")
        result = result.counted(item.counts)
        tell({"item": result.as_json(), "seconds": 0.0})


def _other_student(named: str, users: Users) -> list[Flag]:
    """A flag if the log names another student than Gradescope."""
    if not named or not users.known or users.may_be(named):
        return []
    submitters = ", ".join(users.shown)
    message = f"The log is for student {named[:80]!r}, but was submitted by {submitters} on Gradescope."
    return [Flag(FlagKind.OTHER_STUDENT, message)]


def _leaderboard(problem: Problem, log: GradedLog, settings: Settings) -> list[dict[str, object]]:
    """The metric for the leaderboard, if the student's log has it and it is in the expected range."""
    metrics = {name: record for name, record in log.metrics.items() if name == settings.leaderboard}
    order = "asc" if settings.lowest_first else "desc"
    return [
        {"name": f"{metric.id} ({log.profile})", "value": metric.value, "order": order}
        for metric in judge_metrics(metrics, declared_ranges(problem), log.profile)
        if metric.verdict is MetricVerdict.IN_BAND
    ]


def _host(problem: Problem, settings: Settings) -> Host:
    """Starts the process for student code and tests its sandbox; it can never read the course's files."""
    if settings.isolation == PLAIN:
        raise ValueError("a zip for Gradescope must not ask for isolation level 'plain'")
    host = Host(_modules(problem), limits_within(free_memory()), level=settings.isolation, thrifty=True)
    with _killed_first():
        host.start()
    require_confinement(host, problem.path.parent.parent, {COURSE})
    return host


def _modules(problem: Problem) -> tuple[str, ...]:
    """Modules to import before student code: only those of the graded cells, since memory is short."""
    imported = imported_modules(cell.source for cell in graded_cells(problem))
    return (*imported, "torch") if uses_torch(problem) else tuple(imported)


def limits_within(free: int) -> SessionLimits:
    """The limits of a submission in a container with this many bytes free, so that it cannot crash the container.

    The submission's files also use memory. With plenty of memory these are the usual limits.
    """
    usual = SessionLimits()
    disk = min(usual.disk, free // 8)
    return replace(
        usual,
        memory=max(usual.memory // 12, min(usual.memory, free - disk)),
        total=max(usual.total // 24, min(usual.total, free - disk - _HOST_MEMORY)),
        disk=disk,
        file=min(usual.file, disk),
    )


@contextlib.contextmanager
def _killed_first() -> Iterator[None]:
    """Processes started in the block are the first that the kernel kills when memory runs out."""
    path = Path("/proc/self/oom_score_adj")
    before = path.read_text() if path.exists() else ""
    with contextlib.suppress(OSError):
        path.write_text("1000")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.write_text(before)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
