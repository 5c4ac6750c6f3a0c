"""What must hold after every round, whatever the attackers submitted."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder.batch.fault_files import FOLDER, fault_file
from autograder.batch.tables import GRADES
from tests.attacks.hostile_class import fingerprints
from tests.fuzz.grading import Ended, Graded
from tests.fuzz.hostile_round import Round

CPU_SECONDS = 60, 30
"""CPU time that a round may take: for the round, and for each attacker."""
EXPECTED = re.compile(r"course.toml gives 'ada' an extension|^The autograder failed on |^\s*$|^grading toy: \d+ of ")
"""Lines on standard error that say nothing about the autograder's health; a grader_error is a finding of its own."""
_FRAME = re.compile(r'File "[^"]*/(autograder/[^"]*)", line (\d+)')
_UNLIKE = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


@dataclass(frozen=True)
class Finding:
    """An invariant that a round broke."""

    kind: str
    """What is wrong, the same for the same fault in another round."""
    detail: str
    student: str = ""
    """The attacker behind it, empty if that is unknown."""


def findings(made: Round, graded: Graded, course: Path) -> list[Finding]:
    """The invariants that a round broke.

    Args:
        made: the round.
        graded: what the commands made of it.
        course: the course as it was before.
    """
    return [*_commands(made, graded), *_students(made, graded), *_course(course, graded.submitted.parent / "course")]


def _commands(made: Round, graded: Graded) -> Iterator[Finding]:
    for name, ended in (("intake", graded.intake), ("grade", graded.grade)):
        if ended is None:
            continue
        may_be_1 = name == "intake" or any((graded.out / FOLDER).glob("*"))  # a grader_error is found where it is
        if ended.hung:
            yield Finding(f"{name} hangs", f"stopped after {ended.cpu:.0f} s of CPU time\n{ended.stderr[-2000:]}")
        elif ended.status not in ((0, 1) if may_be_1 else (0,)):
            yield Finding(f"{name} ends with status {ended.status}{_where(ended.stderr)}", ended.stderr[-5000:])
        elif name == "grade" and (odd := _odd_lines(ended)):
            yield Finding(f"grade warns{_where(ended.stderr) or _gist(odd[0])}", ended.stderr[-5000:])
        if ended.cpu > CPU_SECONDS[0] + CPU_SECONDS[1] * len(made.attackers):
            yield Finding(f"{name} takes too long", f"{ended.cpu:.0f} s of CPU time")


def _odd_lines(ended: Ended) -> list[str]:
    return [line for line in ended.stderr.splitlines() if not EXPECTED.search(line)]


def _gist(line: str) -> str:
    """What a line says, without what differs from submission to submission."""
    warning = re.search(r"\w+Warning", line)
    return f": {warning[0] if warning else _UNLIKE.sub('', line)[:80]}"


def _where(traceback: str) -> str:
    """Where in `autograder/` an error was raised, and its type; empty if there is no traceback.

    Of an error from the sandbox's modules, which many places raise, the place is the line that called them.
    """
    frames = _FRAME.findall(traceback)
    if not frames:
        return ""
    outside = [frame for frame in frames if not frame[0].startswith("autograder/sandbox/")]
    last = traceback.rstrip().splitlines()[-1].partition(":")[0]
    return f" at {':'.join((outside or frames)[-1])} ({last.rpartition('.')[2][:60]})"


def _students(made: Round, graded: Graded) -> Iterator[Finding]:
    rows = _rows(graded.out / GRADES)
    folders = {path.name for path in graded.submitted.iterdir() if path.is_dir() and not path.name.startswith(".")}
    expected = folders | set(made.honest) | {name for name, one in made.attackers.items() if one.row}
    for student in sorted(expected):
        attacker = student if student in made.attackers else ""
        row = rows.get(student)
        if row is None:
            yield Finding("a student has no row", student, attacker)
            continue
        if row["status"] == "grader_error":
            path = fault_file(graded.out, student, "toy")
            traceback = path.read_text(encoding="utf-8") if path.is_file() else "no traceback was kept"
            yield Finding(f"grader_error{_where(traceback)}", traceback[-5000:], attacker)
        if student in made.honest and float(row["score"]) != made.honest[student]:
            yield Finding("an honest student has another score", f"{student}: {row}")
        yield from (
            Finding(kind, f"{student}: {detail}", attacker)
            for kind, detail in _files(graded, student, made.honest.get(student), _most_line(made, student), row)
        )


def _most_line(made: Round, student: str) -> float:
    """The most points of `Line` that an attacker may have."""
    return made.attackers[student].line if student in made.attackers else 8.0


def _files(
    graded: Graded, student: str, score: float | None, most_line: float, row: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the result files of one student: kind and detail."""
    folder = graded.out / student / "toy"
    try:
        log = json.loads((folder / "submission_log.json").read_text(encoding="utf-8"), parse_constant=_no_constant)
        nbformat.validate(json.loads((folder / "toy.ipynb").read_text(encoding="utf-8"), parse_constant=_no_constant))
        page = (folder / "feedback.html").read_text(encoding="utf-8")
        points = {item["id"]: item["score"] for item in log["grades"]["items"]}
    except (OSError, ValueError, KeyError, TypeError, nbformat.ValidationError) as error:
        yield "a result file is missing or invalid", f"{type(error).__name__}: {error}"[:1000]
        return
    if not page.lstrip().lower().startswith("<!doctype html") or "</html>" not in page.lower():
        yield "a feedback page is not HTML", page[:200]
    if "<script" in page.lower():
        yield "a feedback page has a script", page[max(0, page.lower().index("<script") - 200) :][:500]
    if "hidden_x" in page and b"hidden_x" not in _own(graded.submitted / student / "toy" / "toy.ipynb"):
        yield "a feedback page shows a hidden test", page[max(0, page.index("hidden_x") - 200) :][:500]
    if f"{sum(points.values()):.6g}" != row["score"]:
        yield "log and table have different scores", f"{points}, {row}"
    if score is None and (points["standardize"] or points["Line"] > most_line or points["written_units"]):
        yield "an attacker has points", f"{points}"


def _own(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _rows(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def _course(before: Path, after: Path) -> Iterator[Finding]:
    """What was changed of the sources and the released notebooks."""
    for name in ("solutions", "notebooks", "course.toml"):
        was, now = (
            fingerprints(root / name, root / "out") if (root / name).is_dir() else (root / name).read_bytes()
            for root in (before, after)
        )
        if was != now:
            yield Finding("the course was changed", name)
