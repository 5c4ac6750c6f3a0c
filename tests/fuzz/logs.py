"""Hostile logs: changed copies of a valid `submission_log.json`."""

from __future__ import annotations

import functools
from random import Random
from typing import Any

from benchmarks.verify_speed import made_up_log
from tests.autograder.toy import toy
from tests.fuzz.attacker import LINE, Attacker, submitted, wrong_notebook
from tests.fuzz.trees import JSON, ODD, changed, deep, example, scratched, written

GRADES = {
    "score": 25,
    "max_score": 25,
    "items": [{"id": "standardize", "score": 12, "max_score": 12, "status": "passed"}],
}


@functools.cache
def _valid() -> dict[str, Any]:
    log: dict[str, Any] = made_up_log(toy(), "eve")
    return {**log, "metrics": {"toy/final_loss": {"value": 0.5, "stderr": None, "runs": 1}}}


def _log(draw: Random, name: str) -> tuple[str, bytes]:
    log = {**_valid(), "student": name if draw.random() < 0.8 else "honest"}
    match draw.randrange(6):
        case 0 | 1:
            times = draw.choice([1, 1, 2, 5])
            return f"tree changed {times} times", written(changed(log, draw, times))
        case 2:
            times = draw.choice([1, 2, 5])
            return f"bytes changed {times} times", scratched(written(log), draw, times)
        case 3:
            part = draw.choice(
                ["answers", "metrics", "code", "process", "environment", "created_at", "student", "profile"]
            )
            return f"{part} replaced", written({**log, part: draw.choice([draw.choice(ODD), example(JSON, draw)])})
        case 4:
            metric = {"value": draw.choice([*ODD, 1.0]), "stderr": draw.choice(ODD), "runs": draw.choice([1, *ODD])}
            entries = {
                str(draw.choice([*ODD, "toy/final_loss"])): metric for _ in range(draw.choice([1, 3, 900, 1100]))
            }
            return "metrics invented", written({**log, "metrics": entries, "grades": draw.choice([GRADES, *ODD])})
        case _:
            answer = draw.choice([deep(95), deep(40), [0.5] * 40_000, [[1e300] * 100] * 100, {"x" * 200: "y" * 10**5}])
            answers = {item: draw.choice([answer, *ODD]) for item in log["answers"]}
            return "answers invented", written({**log, "answers": answers, "created_at": draw.choice(DATES)})


DATES = [
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "2027-02-30T00:00:00Z"),
    *(
        "2027-01-01T00:00:60Z",
        "2027-01-01T24:00:00Z",
        "2027-01-01t00:00:00.123456789012345z",
        "٢٠٢٧-01-01T00:00:00Z",
        "",
    ),
]


def attacker(draw: Random, name: str) -> Attacker:
    """An attacker by the log."""
    how, log = _log(draw, name)
    return submitted(f"log, {how}", wrong_notebook(draw), log, LINE)
