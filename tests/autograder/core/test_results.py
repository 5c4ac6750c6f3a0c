"""The results that everything downstream is made from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

from autograder.core.results import Flag, GradedLog, ItemResult, Outcome, Status


def _log(*items: ItemResult, **changes: object) -> GradedLog:
    fields: dict[str, object] = {
        "problem": "toy",
        "student": "ada",
        "created_at": "2026-11-21T10:00:00Z",
        "profile": "grade",
        "environment": {"python": "3.11.7", "torch": "2.13.0", "device": "cpu"},
        "answers": {"f": [1.0]},
        "metrics": {"toy/loss": {"value": 0.5, "stderr": None, "runs": 1}},
        "code": {"f": "0" * 64},
        "notebook_sha256": None,
        "outcome": Outcome.GRADED,
        "items": items,
    }
    return GradedLog(**(fields | changes))  # type: ignore[arg-type]


ITEMS = (
    ItemResult("f", 4.0, 4.0, Status.PASSED, "All checks passed."),
    ItemResult("g", 1.5, 6.0, Status.PARTIAL, "Look at the gradient.", seconds=0.12345, misconception="no_gradient"),
    ItemResult("written_why", 0.0, 3.0, Status.MANUAL, "", manual=True),
)


def test_scores_add_up_and_manual_items_count_apart() -> None:
    log = _log(*ITEMS)
    assert (log.score, log.max_score) == (5.5, 13.0)
    assert (log.auto_score, log.auto_max_score) == (5.5, 10.0)


def test_an_item_is_found_by_its_id() -> None:
    log = _log(*ITEMS)
    assert log.item("g") is ITEMS[1]
    with pytest.raises(KeyError):
        log.item("h")


def test_the_log_is_valid_against_the_schema_that_the_package_ships(root: Path) -> None:
    schema = json.loads((root / "homework" / "submission_log.schema.json").read_text(encoding="utf-8"))
    log = _log(*ITEMS, flags=(Flag("repaired", "found by name"),), process={"sources": "", "people": "", "hours": 3})
    record = json.loads(json.dumps(log.as_json(), allow_nan=False))
    jsonschema.validate(record, schema)
    assert record["grades"]["outcome"] == "graded"
    assert record["process"]["hours"] == 3


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_one_of_the_schema(root: Path, status: Status) -> None:
    schema = json.loads((root / "homework" / "submission_log.schema.json").read_text(encoding="utf-8"))
    allowed = schema["properties"]["grades"]["properties"]["items"]["items"]["properties"]["status"]["enum"]
    assert str(status) in allowed


def test_the_log_of_an_item_is_the_same_however_long_it_took() -> None:
    quick, slow = (dataclasses.replace(ITEMS[1], seconds=seconds) for seconds in (0.1, 9.0))
    assert quick.as_json() == slow.as_json()


def test_what_does_not_apply_to_an_item_is_left_out() -> None:
    first, second, third = _log(*ITEMS).as_json()["grades"]["items"]
    assert second["misconception"] == "no_gradient" and third["manual"] is True
    assert not {"misconception", "manual"} & set(first)


def test_the_log_hands_out_copies() -> None:
    log = _log(*ITEMS)
    log.as_json()["answers"]["f"] = "changed"
    assert log.answers == {"f": [1.0]}
