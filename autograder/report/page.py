"""Writes the class report: one self-contained page per results' folder, without scripts or external resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from autograder.core.errors import AutograderError, CourseError
from autograder.core.files import write_atomically
from autograder.core.html import style, template, with_code
from autograder.core.offenders import without_offenders
from autograder.core.results import Outcome
from autograder.core.text import listed, printable, well_formed
from autograder.course.config import load_course, root_folder
from autograder.course.problem import Problem
from autograder.course.regrades import read_regrades
from autograder.report.charts import HEIGHT, WIDTH
from autograder.report.duplicates import Copies, find_copies, work_of
from autograder.report.gallery import AT_ONCE, Gallery, galleries
from autograder.report.item_stats import Scores, summarise
from autograder.report.load import MOST_NAMED, Run, read_runs
from autograder.report.metrics import Measured, measured
from autograder.report.notebooks import read_answers
from autograder.report.review_list import FlagGroup, ReviewEntry, Times, flag_groups, review_list, times
from autograder.report.similarity import Group, threshold

NAME = "report.html"
ROOM = 6 * 2**20
"""Maximum bytes of pictures on the page."""
MOST_GROUPS = 30
"""Maximum number of groups of similar work shown with their code."""
_MOST_LINES = 60
_MOST_CHARACTERS = 4_000


@dataclass(frozen=True)
class Excerpt:
    """Two answers to one item, side by side."""

    item: str
    left: str
    right: str


@dataclass(frozen=True)
class GroupView:
    """A group with similar work, and excerpts of it."""

    group: Group
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Section:
    """The report's section on one problem."""

    problem: Problem
    notes: tuple[str, ...]
    scores: Scores
    to_review: tuple[ReviewEntry, ...]
    grader_errors: tuple[str, ...]
    """Students for whom the grader itself failed."""
    measured: Measured
    galleries: tuple[Gallery, ...]
    copies: Copies
    threshold: float
    groups: tuple[GroupView, ...]
    flags: tuple[FlagGroup, ...]
    times: Times | None


def report(out: Path, *, root: Path | None = None) -> Path:
    """Writes `out/report.html` about all results of `autograder grade` in `out`.

    Args:
        out: the folder given to `grade` as `--out`; it may hold several problems.
        root: the course's root folder; found if not given.

    Returns:
        The path of the page.

    Raises:
        SetupError: there is no graded submission in the folder, or it cannot be written.
        SourceError: a problem's source cannot be used.
    """
    path = out / NAME
    write_atomically(path, well_formed(report_html(out, root=root)))
    return path


def report_html(out: Path, *, root: Path | None = None) -> str:
    """The class report as HTML, the same bytes for the same folder. See `report`."""
    root = root or root_folder()
    runs, notes = read_runs(out, root)
    runs = [replace(run, notes=(*run.notes, *_curve(root, run.problem.id))) for run in runs]
    try:
        regrades = read_regrades(root)
    except CourseError as error:
        regrades, notes = [], [*notes, f"Regrade requests are not shown: {error}"]
    sections = [_sound_section(out, run, ROOM // len(runs)) for run in runs]
    return template("report.html").render(
        sections=sections,
        notes=notes,
        regrades={run.problem.id: [one for one in regrades if one.problem == run.problem.id] for run in runs},
        students=len({entry.student for run in runs for entry in run.entries}),
        at_once=AT_ONCE,
        chart=(WIDTH, HEIGHT),
        most_groups=MOST_GROUPS,
        sheet=style("page.css", "report.css"),
        with_code=with_code,
        shown=_shown,
        feedback_of=_feedback_of,
        number=_number,
        percent=_percent,
    )


def _curve(root: Path, problem_id: str) -> Iterator[str]:
    """A note on the problem's curve, if there is one."""
    with suppress(CourseError):  # of which `autograder grade` warns
        if curve := load_course(root).curves.get(problem_id):
            yield f"A curve raises the scores in exports ({curve}); points on this page do not include it."


def _sound_section(out: Path, run: Run, room: int) -> Section:
    """The section of a run; submissions that make it fail are left out and named."""
    try:
        return _section(out, run, room)
    except AutograderError:
        raise
    except Exception:
        entries, offenders = without_offenders(
            run.entries, lambda entries: _section(out, replace(run, entries=tuple(entries)), room)
        )
        if not offenders:
            raise
        reasons = ", ".join(sorted({type(error).__name__ for _, error in offenders}))
        named = listed([_shown(entry.student) for entry, _ in offenders], MOST_NAMED)
        note = f"{len(offenders)} left out, because this report fails on them ({reasons}; please report it): {named}."
        return _section(out, replace(run, entries=tuple(entries), notes=(*run.notes, note)), room)


def _section(out: Path, run: Run, room: int) -> Section:
    problem = run.problem
    works, drawn, unread = {}, defaultdict(list), []
    for entry in run.entries:
        if entry.log.outcome is not Outcome.GRADED:
            continue
        answers = read_answers(out, entry.student, problem)
        if answers is None:
            unread.append(entry.student)
            continue
        works[entry.student] = work_of(problem, entry.student, answers)
        for item in answers.pictures:
            drawn[item].append(entry.student)
    notes = list(run.notes)
    if unread:
        named = listed([_shown(student) for student in unread], MOST_NAMED)
        notes.append(f"{len(unread)} executed notebooks cannot be read; their code and pictures are left out: {named}.")
    copies = find_copies(problem, run.entries, works)
    measures = measured(problem, run.entries)
    return Section(
        problem=problem,
        notes=tuple(notes),
        scores=summarise(problem, run.entries),
        to_review=review_list(run.entries, measures, copies),
        grader_errors=tuple(e.student for e in run.entries if e.log.outcome is Outcome.GRADER_ERROR),
        measured=measures,
        galleries=galleries(out, problem, run.entries, drawn, room),
        copies=copies,
        threshold=threshold(copies.compared),
        groups=tuple(_view(out, problem, group) for group in copies.groups[:MOST_GROUPS]),
        flags=flag_groups(run.entries),
        times=times(run.entries),
    )


def _view(out: Path, problem: Problem, group: Group) -> GroupView:
    """A group for the template, with its pair's answers to the two items that show most that they are similar."""
    left, right = (answers.sources if (answers := read_answers(out, one, problem)) else {} for one in group.pair)
    strongest = [item.item for item in sorted(group.items, key=lambda item: -item.digits)[:2]]
    excerpts = [Excerpt(id_, _cut(left[id_]), _cut(right[id_])) for id_ in strongest if id_ in left and id_ in right]
    return GroupView(group, tuple(excerpts))


def _cut(source: str) -> str:
    """The first lines of a cell, made printable line by line."""
    lines = source.strip("\n")[:_MOST_CHARACTERS].split("\n")
    shown = [printable(line.expandtabs(4), 1_000) for line in lines[:_MOST_LINES]]
    return "\n".join([*shown, "…"] if len(lines) > _MOST_LINES or len(source) > _MOST_CHARACTERS else shown)


def _shown(student: str) -> str:
    return printable(student, 60)


def _feedback_of(student: str, problem: Problem) -> str:
    """The path of the feedback page, relative to the report."""
    return f"./{quote(student, safe='')}/{quote(problem.id, safe='')}/feedback.html"


def _number(value: float, digits: int = 1) -> str:
    """Formats a number with at most this many decimals, without trailing zeros."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"
