"""Compares the metrics that students measured with their expected ranges, separately for each profile."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from autograder.core.results import Outcome
from autograder.core.text import printable
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import Problem
from autograder.report.charts import Histogram, metric_histogram
from autograder.report.load import Entry
from autograder.submissions.metrics import MetricVerdict, judge_metrics
from homework.hand_in.expected_ranges import Bands, entry_for, in_words
from homework.profiles import PROFILES

MOST_METRICS = 60
"""Maximum number of metrics shown for one profile."""
_FEW = 3
"""A metric without an expected range is shown if at least this many students, and one in twenty, measured it."""


@dataclass(frozen=True)
class Unexpected:
    """A student whose number is out of range, missing or inconsistent."""

    student: str
    text: str
    """The number, or what is wrong."""


@dataclass(frozen=True)
class Metric:
    """One metric in one profile."""

    id: str
    """Metric id without the problem's name."""
    band: str
    """The expected range in words; empty if there is none."""
    count: int
    absent: int
    """Logs of this profile that lack it, although they should have it."""
    median: float | None
    low: float | None
    high: float | None
    chart: Histogram | None
    """None if there are no values."""
    unexpected: tuple[Unexpected, ...]
    """Students with a value out of range, missing or inconsistent, by name."""


@dataclass(frozen=True)
class Profile:
    """All metrics of one profile."""

    name: str
    logs: int
    """Number of students whose log has this profile."""
    metrics: tuple[Metric, ...]
    left_out: int
    """Number of metrics that are not shown: rare ones that the source does not declare, or too many."""


@dataclass(frozen=True)
class Measured:
    """The metrics of a class."""

    profiles: tuple[Profile, ...]
    without: tuple[str, ...]
    """Students without metrics: no usable log, or none in it."""
    unexpected: Mapping[str, tuple[str, ...]]
    """Student → their numbers that need review, e.g. `test_nelbo 171.2`."""


def measured(problem: Problem, entries: Sequence[Entry]) -> Measured:
    """The metrics in the logs of the graded submissions, profile by profile."""
    bands = declared_ranges(problem)
    graded = [entry for entry in entries if entry.log.outcome is Outcome.GRADED]
    without = tuple(entry.student for entry in graded if not entry.log.metrics or entry.log.profile == "grade")
    logs = {name: [entry for entry in graded if entry.log.profile == name and entry.log.metrics] for name in PROFILES}
    profiles = tuple(_profile(problem, bands, name, logs[name]) for name in PROFILES if logs[name] and name != "grade")
    found: dict[str, tuple[str, ...]] = {}
    for metric in (metric for profile in profiles for metric in profile.metrics):
        for number in metric.unexpected:
            found[number.student] = (*found.get(number.student, ()), f"{metric.id} {number.text}")
    return Measured(profiles, without, found)


def _profile(problem: Problem, bands: Bands, name: str, logs: Sequence[Entry]) -> Profile:
    values, others = defaultdict(list), defaultdict(list)
    absent: Counter[str] = Counter()
    for entry in logs:
        for metric in judge_metrics(entry.log.metrics, bands, name):
            if metric.verdict is MetricVerdict.ABSENT:
                absent[metric.id] += 1
                continue
            if metric.value is not None:
                values[metric.id].append(metric.value)
            if not metric.ok:
                outside = metric.verdict is MetricVerdict.OUTSIDE
                others[metric.id].append(
                    Unexpected(entry.student, f"{metric.value:.4g}" if outside else metric.verdict.value)
                )
    seen = {id_: max(len(values[id_]), len(others[id_])) for id_ in {*values, *others}} | dict.fromkeys(
        absent, len(logs)
    )
    wanted = [id_ for id_ in sorted(seen) if entry_for(id_, bands) or seen[id_] >= max(_FEW, len(logs) / 20)]
    metrics = [
        _metric(problem, bands, name, id_, values[id_], others[id_], absent[id_]) for id_ in wanted[:MOST_METRICS]
    ]
    return Profile(name, len(logs), tuple(metrics), len(seen) - len(metrics))


def _metric(
    problem: Problem,
    bands: Bands,
    profile: str,
    id_: str,
    numbers: Sequence[float],
    others: Sequence[Unexpected],
    absent: int,
) -> Metric:
    entry = entry_for(id_, bands)
    band = None if entry is None else bands[entry].get(profile)
    return Metric(
        id=printable(id_.removeprefix(f"{problem.id}/"), 60),
        band=in_words(band) if band else "",
        count=len(numbers),
        absent=absent,
        median=median(numbers) if numbers else None,
        low=min(numbers, default=None),
        high=max(numbers, default=None),
        chart=metric_histogram(numbers, band) if numbers else None,
        unexpected=tuple(others),
    )
