"""The numbers that students measured, across the class, beside the bands of honest runs; each profile by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.core.results import Outcome
from autograder.core.text import printable
from autograder.course.metric_ranges import declared_bands
from autograder.course.problem import Problem
from autograder.report.charts import Histogram, median, metric_histogram
from autograder.report.load import Entry
from autograder.submissions.metrics import MetricVerdict, judge_metrics
from homework.hand_in.expected_ranges import Bands, entry_for, in_words
from homework.profiles import PROFILES

MOST_METRICS = 60
"""Metrics shown of one profile."""
_FEW = 3
"""An id that the source has no band for is shown if that many students measured it, and one in twenty."""


@dataclass(frozen=True)
class Odd:
    """A student whose number is not as it should be."""

    student: str
    text: str
    """The number, or what is wrong with it."""


@dataclass(frozen=True)
class Metric:
    """One metric in one profile."""

    id: str
    """Without the problem's name in front."""
    band: str
    """In words; empty if there is none."""
    count: int
    absent: int
    """Logs of this profile that should hold it and do not."""
    median: float | None
    low: float | None
    high: float | None
    chart: Histogram | None
    """None if nobody measured a number."""
    odd: tuple[Odd, ...]
    """Outside the band, missing or inconsistent; by student."""


@dataclass(frozen=True)
class Profile:
    """All metrics of one profile."""

    name: str
    logs: int
    """Students whose log is of this profile."""
    metrics: tuple[Metric, ...]
    left_out: int
    """Metrics that only few measured and the source does not know, or that are too many to show."""


@dataclass(frozen=True)
class Measured:
    """What the class measured."""

    profiles: tuple[Profile, ...]
    without: tuple[str, ...]
    """Students who measured nothing: no usable log, or one without metrics."""
    odd: Mapping[str, tuple[str, ...]]
    """Student → their numbers that are not as they should be, e.g. `test_nelbo 171.2`."""


def measured(problem: Problem, entries: Sequence[Entry]) -> Measured:
    """The numbers in the logs of those who were graded, profile by profile."""
    bands = declared_bands(problem)
    graded = [entry for entry in entries if entry.log.outcome is Outcome.GRADED]
    without = tuple(entry.student for entry in graded if not entry.log.metrics or entry.log.profile == "grade")
    profiles = []
    for name in PROFILES:
        logs = [entry for entry in graded if entry.log.profile == name and entry.log.metrics and name != "grade"]
        if logs:
            profiles.append(_profile(problem, bands, name, logs))
    found: dict[str, tuple[str, ...]] = {}
    for metric in (metric for profile in profiles for metric in profile.metrics):
        for odd in metric.odd:
            found[odd.student] = (*found.get(odd.student, ()), f"{metric.id} {odd.text}")
    return Measured(tuple(profiles), without, found)


def _profile(problem: Problem, bands: Bands, name: str, logs: Sequence[Entry]) -> Profile:
    values, odd = defaultdict(list), defaultdict(list)
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
                odd[metric.id].append(Odd(entry.student, f"{metric.value:.4g}" if outside else metric.verdict.value))
    seen = {id_: max(len(values[id_]), len(odd[id_])) for id_ in {*values, *odd}} | dict.fromkeys(absent, len(logs))
    wanted = [id_ for id_ in sorted(seen) if entry_for(id_, bands) or seen[id_] >= max(_FEW, len(logs) / 20)]
    metrics = [_metric(problem, bands, name, id_, values[id_], odd[id_], absent[id_]) for id_ in wanted[:MOST_METRICS]]
    return Profile(name, len(logs), tuple(metrics), len(seen) - len(metrics))


def _metric(
    problem: Problem, bands: Bands, profile: str, id_: str, numbers: Sequence[float], odd: Sequence[Odd], absent: int
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
        odd=tuple(odd),
    )
