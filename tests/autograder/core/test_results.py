"""The results, from which tables, pages and the gradebook are made."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from autograder.core.flags import Flag
from autograder.core.results import ItemResult, Status
from tests.autograder.graded_folder import log_of
from tests.conftest import ROOT

ITEMS = (
    ItemResult("f", 4.0, 4.0, Status.PASSED, "All checks passed."),
    ItemResult("g", 1.5, 6.0, Status.PARTIAL, "Look at the gradient.", seconds=0.12345, misconception="no_gradient"),
    ItemResult("written_why", 0.0, 3.0, Status.MANUAL, "", manual=True),
)
METRICS = {"toy/loss": {"value": 0.5, "stderr": None, "runs": 1}}
LOG = log_of("ada", answers={"f": [1.0]}, metrics=METRICS, code={"f": "0" * 64}, items=ITEMS, flags=())
SCHEMA = json.loads((ROOT / "homework" / "submission_log.schema.json").read_text(encoding="utf-8"))


def test_the_scores_of_tests_and_of_all_items_are_separate() -> None:
    assert (LOG.score, LOG.max_score) == (5.5, 13.0)
    assert (LOG.auto_score, LOG.auto_max_score) == (5.5, 10.0)


def test_an_item_is_found_by_its_id() -> None:
    assert LOG.item("g") is ITEMS[1]
    with pytest.raises(KeyError):
        LOG.item("h")


def test_the_log_is_valid_against_the_schema_of_the_student_package() -> None:
    log = replace(LOG, flags=(Flag("repaired", "found by name"),), process={"sources": "", "people": "", "hours": 3})
    record = json.loads(json.dumps(log.as_json(), allow_nan=False))
    jsonschema.validate(record, SCHEMA)
    assert record["grades"]["outcome"] == "graded"
    assert record["process"]["hours"] == 3


@pytest.mark.parametrize("status", list(Status))
def test_each_status_is_in_the_schema(status: Status) -> None:
    assert status in SCHEMA["properties"]["grades"]["properties"]["items"]["items"]["properties"]["status"]["enum"]


def test_the_log_of_an_item_has_no_time() -> None:
    quick, slow = (replace(ITEMS[1], seconds=seconds) for seconds in (0.1, 9.0))
    assert quick.as_json() == slow.as_json()


def test_fields_that_do_not_apply_to_an_item_are_left_out() -> None:
    first, second, third = LOG.as_json()["grades"]["items"]
    assert second["misconception"] == "no_gradient" and third["manual"] is True
    assert not {"misconception", "manual"} & set(first)


def test_changes_of_the_record_do_not_change_the_log() -> None:
    LOG.as_json()["answers"]["f"] = "changed"
    assert LOG.answers == {"f": [1.0]}
