"""Checks the metrics of a log: whether they are consistent and within their expected ranges.

The expected ranges come from the problem's source, never from the log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autograder.core.text import printable
from homework.hand_in.expected_ranges import Band, Bands, entry_for, in_words, is_within, measured


class MetricVerdict(StrEnum):
    """The result of checking a metric."""

    IN_BAND = "in band"
    NO_BAND = "no band"
    """The source has no expected range for the metric or for this profile."""
    OUTSIDE = "outside"
    MISSING = "missing"
    """Recorded as null: the run gave NaN or an infinite number."""
    ABSENT = "absent"
    """Not recorded, although the notebook measures it."""
    INCONSISTENT = "inconsistent"
    """The number does not follow from its values, or its standard error or number of runs does not."""


@dataclass(frozen=True)
class VerifiedMetric:
    """One checked metric of a log, or one that the log lacks."""

    id: str
    verdict: MetricVerdict
    message: str = ""
    """Text for the student; empty if there is nothing to report."""
    value: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the metric needs no review."""
        return self.verdict in (MetricVerdict.IN_BAND, MetricVerdict.NO_BAND)


_TO_REVIEW = (MetricVerdict.OUTSIDE, MetricVerdict.INCONSISTENT, MetricVerdict.MISSING)
_NEAR = 1e-6
"""Allowed relative difference between a number and the mean of its values; logs have full float64 precision."""


def judge_metrics(metrics: Mapping[str, Mapping[str, Any]], bands: Bands, profile: str) -> tuple[VerifiedMetric, ...]:
    """Checks each metric of a log and each metric that the log lacks; sorted by id.

    Args:
        metrics: the log's metrics, schema-valid.
        bands: the expected ranges in the source.
        profile: profile of the run; `grade` measures no metrics, so the result is empty.
    """
    if profile == "grade":
        return ()
    entries = {name: entry_for(name, bands) for name in metrics}
    judged = {
        name: _judge(name, metrics[name], None if entry is None else bands[entry].get(profile))
        for name, entry in entries.items()
    }
    for entry in bands.keys() - entries.values():
        if profile in bands[entry]:
            message = f"{entry}: not in the log; run the cell that measures it, then the cell that writes the log."
            judged[entry] = VerifiedMetric(entry, MetricVerdict.ABSENT, message)
    return tuple(judged[name] for name in sorted(judged))


@dataclass(frozen=True)
class MetricInWords:
    """One metric as graders and students see it."""

    id: str
    value: str
    expected: str
    """The expected range; empty if there is none."""
    remark: str
    """Why it needs review; empty if it does not."""


def metrics_in_words(metrics: Mapping[str, Mapping[str, Any]], bands: Bands, profile: str) -> tuple[MetricInWords, ...]:
    """The metrics of a log beside their expected ranges.

    Only metrics whose full id is in the source are shown, so that no id made up by a student is.
    """
    rows = []
    for metric in judge_metrics(metrics, bands, profile):
        if metric.id not in bands or "*" in metric.id:
            continue
        record, band = metrics.get(metric.id, {}), bands[metric.id].get(profile)
        runs = record.get("runs")
        runs = runs if isinstance(runs, int) and runs < 10**9 else None
        value = measured(metric.value, finite(record.get("stderr")), runs)
        rows.append(
            MetricInWords(
                metric.id,
                "not measured" if metric.verdict is MetricVerdict.ABSENT else value,
                "" if band is None else in_words(band),
                str(metric.verdict) if metric.verdict in _TO_REVIEW else "",
            )
        )
    return tuple(rows)


def numbers_in_words(metrics: Mapping[str, Mapping[str, Any]], bands: Bands, profile: str) -> str:
    """`metrics_in_words` as text, one line each; empty if there are none."""
    lines = []
    for row in metrics_in_words(metrics, bands, profile):
        expected = f"   expected: {row.expected}" if row.expected else ""
        lines.append(f"{row.id}  {row.value}{expected}{'   ' * bool(row.remark)}{row.remark.upper()}")
    return "\n".join([f"Numbers in the submitted log, profile {profile}:", *lines]) if lines else ""


def _judge(name: str, record: Mapping[str, Any], band: Band | None) -> VerifiedMetric:
    shown = printable(name)
    if record["value"] is None:
        message = f"{shown}: recorded as missing, because the run gave NaN or an infinite number."
        return VerifiedMetric(shown, MetricVerdict.MISSING, message)
    value = finite(record["value"])
    wrong = "the value is not a finite number" if value is None else _inconsistent(value, record)
    if wrong or value is None:
        message = f"{shown}: {wrong}; the notebook does not write such a log."
        return VerifiedMetric(shown, MetricVerdict.INCONSISTENT, message, value)
    if band is None:
        return VerifiedMetric(shown, MetricVerdict.NO_BAND, value=value)
    if not is_within(value, band):
        message = f"{shown}: {value:.4g}; the expected range for runs of this size is {in_words(band)}."
        return VerifiedMetric(shown, MetricVerdict.OUTSIDE, message, value)
    return VerifiedMetric(shown, MetricVerdict.IN_BAND, value=value)


def _inconsistent(value: float, record: Mapping[str, Any]) -> str:
    """What is inconsistent in a metric; empty if nothing."""
    runs, stderr = record.get("runs"), record.get("stderr")
    error = None if stderr is None else finite(stderr)
    if stderr is not None and (error is None or error < 0):
        return "the standard error is not a positive number"
    if "values" not in record:
        return ""
    values = record["values"]
    if not isinstance(values, list) or not values:
        return "the values are not a list of numbers"
    numbers = [number for each in values if (number := finite(each)) is not None]
    if len(numbers) < len(values):
        return "a value is missing, but there is a mean of all values"
    try:
        return _not_of(value, error, numbers, runs)
    except OverflowError:
        return "the values are too large to compute their mean"


def _not_of(value: float, error: float | None, finite: list[float], runs: int | None) -> str:
    """Which of mean, standard error and number of runs does not follow from the values; empty if all do."""
    if runs is not None and runs != len(finite):
        return f"{runs} runs, but {len(finite)} values"
    mean = math.fsum(finite) / len(finite)
    small = _NEAR * max(map(abs, finite))
    if not math.isclose(value, mean, rel_tol=_NEAR, abs_tol=small):
        return "the value is not the mean of its values"
    if len(finite) == 1:
        return "a single value has a standard error" if error is not None else ""
    spread = math.sqrt(math.fsum((number - mean) ** 2 for number in finite) / (len(finite) - 1) / len(finite))
    if error is None or not math.isclose(error, spread, rel_tol=1e-4, abs_tol=small):
        return "the standard error is not that of its values"
    return ""


def finite(number: Any) -> float | None:
    """A number of a log as a float; None if it is not a finite number."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None
