"""The course: its homeworks, due dates and late policy, read from `course.toml`, and where its root folder is.

Staff write dates and addresses in `course.toml` only. It is checked strictly: an unknown or misspelt key is an error,
because otherwise only students would notice that a late policy is ignored.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path

from autograder.core.counts import Counts
from autograder.core.errors import CourseError
from autograder.core.results import clamped
from autograder.core.student_key import same_student
from autograder.course.curve import Curve
from autograder.course.late_policy import LatePolicy
from autograder.course.toml_table import TomlTable, did_you_mean

ROOT_VARIABLE = "AUTOGRADER_ROOT"
COURSE_FILE = "course.toml"


def root_folder() -> Path:
    """The course's root folder, which contains `course.toml`, `solutions/` and `notebooks/`.

    `$AUTOGRADER_ROOT` if set, else the nearest folder with a `course.toml` from the working directory upwards, else
    the checkout that contains this package.

    Raises:
        CourseError: none of these has a `course.toml`.
    """
    if named := os.environ.get(ROOT_VARIABLE):
        root = Path(named).expanduser().resolve()
        if not (root / COURSE_FILE).is_file():
            raise CourseError(
                f"${ROOT_VARIABLE} is {root}, but this folder has no {COURSE_FILE}; correct or unset the variable."
            )
        return root
    here = Path.cwd()
    checkout = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, checkout):
        if (folder / COURSE_FILE).is_file():
            return folder.resolve()
    raise CourseError(
        f"no {COURSE_FILE} in {here}, in a folder above it, or in {checkout}; "
        f"change to the course's folder or set ${ROOT_VARIABLE} to it."
    )


def course_folder(root: Path) -> Path:
    """nbgrader's course directory; contains run-time state, ignored by git."""
    return root / "course"


@dataclass(frozen=True)
class Extension:
    """A later deadline for one student in one homework."""

    student: str
    homework: str
    days: float


@dataclass(frozen=True)
class Homework:
    """One homework: problems with the same deadline."""

    id: str
    title: str
    due: datetime
    """With time zone."""
    problems: tuple[str, ...]
    drop: tuple[str, ...] = ()
    """`problem/item` of each item that counts for no student."""
    bonus: tuple[str, ...] = ()
    """`problem/item` of each item whose points count, but not its maximum."""


@dataclass(frozen=True)
class Course:
    """The course as `course.toml` describes it."""

    root: Path
    id: str
    title: str
    student_package: str
    """The requirement that a notebook's first cell passes to `pip install`."""
    published: str
    """Address of the student release."""
    homeworks: tuple[Homework, ...]
    late_policy: LatePolicy
    extensions: tuple[Extension, ...]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """Problem → how its scores are raised."""
    preload: tuple[str, ...] = ()
    """Modules that only students' code imports: hosts import them once, not each submission anew."""

    @property
    def problems(self) -> tuple[str, ...]:
        """All problem ids, in the order of the homeworks."""
        return tuple(problem for homework in self.homeworks for problem in homework.problems)

    def modules_to_preload(self) -> tuple[str, ...]:
        """`preload`.

        Raises:
            CourseError: one of them is not installed.
        """
        for name in self.preload:
            if not _is_installed(name):
                installed = {*packages_distributions(), *sys.stdlib_module_names}
                raise CourseError(
                    f"{self.root / COURSE_FILE}: `preload` of [course] names {name!r}, which is not installed here"
                    f"{did_you_mean(name, installed)}; install it or remove it from the list."
                )
        return self.preload

    def homework_of(self, problem: str) -> Homework:
        """The homework that a problem belongs to.

        Raises:
            CourseError: no homework lists the problem.
        """
        for homework in self.homeworks:
            if problem in homework.problems:
                return homework
        raise CourseError(
            f"{self.root / COURSE_FILE}: no [[homework]] lists the problem {problem!r}"
            f"{did_you_mean(problem, self.problems)}; add it to the `problems` of a homework."
        )

    def curve_and_penalty(
        self, problem: str, score: float, max_score: float, seconds_late: float
    ) -> tuple[float, float]:
        """What is added to a score and what is deducted: points of the curve, points of the late policy.

        The penalty is a share of the raised score; no score falls below 0.

        Args:
            score: the points of all items.
            max_score: the problem's maximum.
            seconds_late: seconds after the due date with the student's extension; not above 0 if in time.
        """
        score = max(0.0, score)
        curve = self.curves[problem].gain(score, max_score) if problem in self.curves else 0.0
        late = max(0.0, seconds_late) if problem in self.problems else 0.0
        return curve, clamped(self.late_policy.penalty(score + curve, late), score + curve)

    def extension_days(self, problem: str, student: str) -> float:
        """Number of extension days of this student for this problem's homework."""
        homework = self.homework_of(problem).id
        return sum(e.days for e in self.extensions if e.homework == homework and same_student(e.student, student))

    def counts(self, problem: str) -> dict[str, Counts]:
        """Item id → how it counts, for the dropped and the bonus items of a problem."""
        found: dict[str, Counts] = {}
        for homework in self.homeworks:
            for kind, places in ((Counts.DROPPED, homework.drop), (Counts.BONUS, homework.bonus)):
                found |= {item: kind for one, _, item in (place.partition("/") for place in places) if one == problem}
        return found

    def due(self, problem: str, student: str | None = None) -> datetime:
        """The deadline of a problem, with this student's extensions if a student is given."""
        due = self.homework_of(problem).due
        return due + timedelta(days=self.extension_days(problem, student)) if student else due


def _is_installed(module: str) -> bool:
    name, *parts = module.split(".")
    spec = importlib.util.find_spec(name)
    for part in parts:  # without importing the package
        name += f".{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations) if spec is not None else None
    return spec is not None


def mismatches(course: Course, sources: Collection[str]) -> list[str]:
    """Mismatches between `course.toml` and the sources, as sentences for staff; empty if there are none.

    Args:
        course: the course.
        sources: ids of the problems that have a source.
    """
    path = course.root / COURSE_FILE
    found = [
        f"{path}: homework {homework.id} names {problem!r}, which has no source{did_you_mean(problem, sources)}"
        for homework in course.homeworks
        for problem in homework.problems
        if problem not in sources
    ]
    return found + [
        f"solutions/{problem}.py is in no homework in {path}: it has no due date and is not published or exported"
        for problem in sorted(set(sources) - set(course.problems))
    ]


def load_course(root: Path | None = None) -> Course:
    """Reads and checks `course.toml`.

    Args:
        root: the course's root folder; found by `root_folder()` if not given.

    Raises:
        CourseError: the file is missing, is not TOML, or has an invalid value; the message names file, table, key and
            fix.
    """
    root = root or root_folder()
    path = root / COURSE_FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"there is no {path}; copy one from another course and edit it.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}. Fix the file; it must be TOML, saved as UTF-8.") from None
    return _course(root, TomlTable(path, "top level", data))


def _course(root: Path, top: TomlTable) -> Course:
    course = top.table("course")
    homeworks = tuple(_homework(table) for table in top.tables("homework"))
    if not homeworks:
        raise top.wrong("homework", "is missing", "add a [[homework]] table with id, title, due and problems")
    _refuse_twice(top, "id", [homework.id for homework in homeworks])
    _refuse_twice(top, "problems", [problem for homework in homeworks for problem in homework.problems])
    late = _late_policy(top.table("late_policy", optional=True))
    extensions = tuple(_extension(table, homeworks) for table in top.tables("extension"))
    curves = _curves(top.table("curve", optional=True), homeworks)
    top.finish()
    result = Course(
        root=root,
        id=course.text("id", r"[A-Za-z0-9_-]+", "letters, digits, '_' and '-'"),
        title=course.text("title"),
        student_package=course.text(
            "student_package",
            r"[A-Za-z0-9_.:/@+=~#%\[\]-]+",
            "one pip requirement without spaces or quotes, e.g. git+https://host/group/repository",
        ),
        published=course.text("published", r"https?://\S+", "a web address that begins with http:// or https://"),
        homeworks=homeworks,
        late_policy=late,
        extensions=extensions,
        curves=curves,
        preload=course.modules("preload"),
    )
    course.finish()
    return result


def _homework(table: TomlTable) -> Homework:
    homework = Homework(
        id=table.text("id", r"[A-Za-z0-9_-]+", "letters, digits, '_' and '-'"),
        title=table.text("title"),
        due=table.moment("due"),
        problems=table.names("problems"),
        drop=table.places("drop"),
        bonus=table.places("bonus"),
    )
    for key, places in {"drop": homework.drop, "bonus": homework.bonus}.items():
        for place in places:
            if place.partition("/")[0] not in homework.problems:
                known = ", ".join(homework.problems)
                hint = did_you_mean(place.partition("/")[0], homework.problems)
                fix = f"name an item of a problem of this homework{hint}: {known}"
                raise table.wrong(key, f"has {place!r}, which is in no problem of homework {homework.id}", fix)
            if places.count(place) > 1 or place in homework.drop and place in homework.bonus:
                raise table.wrong(key, f"lists {place!r} twice, or under both drop and bonus", "remove one")
    table.finish()
    return homework


def _late_policy(table: TomlTable) -> LatePolicy:
    last_day = table.number("last_day", whole=True)
    policy = LatePolicy(
        grace_minutes=table.number("grace_minutes") or 0.0,
        percent_per_day=table.number("percent_per_day", most=100) or 0.0,
        last_day=None if last_day is None else int(last_day),
    )
    table.finish()
    return policy


def _curves(table: TomlTable, homeworks: tuple[Homework, ...]) -> dict[str, Curve]:
    known = [problem for homework in homeworks for problem in homework.problems]
    curves = {}
    for problem, entry in table.entries().items():
        if problem not in known:
            is_homework = problem in [homework.id for homework in homeworks]
            what = "is a homework" if is_homework else f"is in no homework{did_you_mean(problem, known)}"
            raise table.wrong(problem, what, f"name a problem: {', '.join(known)}")
        factor, add, most = (entry.number(key) for key in ("factor", "add", "most"))
        entry.finish()
        if factor is not None and factor < 1:
            raise entry.wrong("factor", f"is {factor:g}", "it must be at least 1, because a curve lowers no score")
        if (factor or 1) == 1 and not add:
            raise entry.wrong("factor", "is missing", "give a factor above 1, points to add, or both")
        if most == 0:
            raise entry.wrong("most", "is 0", "it must be above 0: no score is raised above it")
        curves[problem] = Curve(factor or 1.0, add or 0.0, most)
    return curves


def _extension(table: TomlTable, homeworks: tuple[Homework, ...]) -> Extension:
    known = [homework.id for homework in homeworks]
    extension = Extension(table.text("student"), table.text("homework"), table.number("days") or 0.0)
    if extension.homework not in known:
        raise table.wrong("homework", f"is {extension.homework!r}", f"use one of {', '.join(known)}")
    if extension.days <= 0:
        raise table.wrong("days", "is missing or 0", "give a positive number of days")
    table.finish()
    return extension


def _refuse_twice(table: TomlTable, key: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise CourseError(f"{table.path}: [[homework]] {key}: {value!r} is listed twice; remove one.")
