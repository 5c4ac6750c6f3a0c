"""Expected ranges: a number outside gets one line that says where to look, and nothing else happens."""

from __future__ import annotations

from typing import Any

import pytest

from homework.hand_in.expected_ranges import entry_for, in_words, is_within, remark, wrong_with
from homework.hand_in.log import SubmissionLog
from tests.homework.conftest import Printed, a_run

BANDS: Any = {
    "vae/test_nelbo": {"full": (94, 104), "mini": (92.0, 115)},
    "vae/*/forgetting": {"mini": (0, None)},
    "vae/*": {"mini": (None, 5)},
}


def test_only_a_number_outside_its_range_gets_a_line(capsys: Printed) -> None:
    log = SubmissionLog(a_run(), student="ada")
    log.bands(BANDS)
    log.metric("vae/test_nelbo", value=100.0)
    log.metric("other/number", value=1e9)
    assert capsys.readouterr().out == ""
    log.metric("vae/test_nelbo", values=[500.0, 600.0])
    (line,) = capsys.readouterr().out.splitlines()
    assert "'vae/test_nelbo' is 550; runs of this size gave 92 to 115" in line and "costs no points" in line
    log.metric("vae/test_nelbo", value=float("nan"))
    assert len(capsys.readouterr().out.splitlines()) == 1, "missing is missing, not outside"
    assert "band" not in str(log.as_json()), "nothing of it goes into the log"


def test_a_profile_without_a_range_gets_no_line() -> None:
    assert remark("vae/test_nelbo", 1e9, BANDS, "grade") == "" != remark("vae/test_nelbo", 105, BANDS, "full")


def test_the_first_entry_that_fits_counts() -> None:
    asked = ("vae/test_nelbo", "vae/a/forgetting", "vae/b", "gan/b")
    assert [entry_for(name, BANDS) for name in asked] == ["vae/test_nelbo", "vae/*/forgetting", "vae/*", None]


def test_the_ends_belong_to_a_range_and_nan_does_not() -> None:
    assert is_within(0, (0, 1)) and is_within(1, (0, 1)) and not is_within(1.01, (0, 1))
    assert is_within(-9, (None, 1)) and is_within(9, (0, None)) and not is_within(float("nan"), (None, None))
    words = [in_words(band) for band in ((0, 1), (None, 1), (0, None), (None, None))]
    assert words == ["0 to 1", "at most 1", "at least 0", "any number"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], "must be a dict"),
        ({"vae/x": (0, 1)}, "must be a metric id with a dict"),
        ({1: {}}, "must be a metric id with a dict"),
        ({"vae/x": {"big": (0, 1)}}, "'big' is not a profile; the profiles are full, mini, grade"),
        ({"vae/x": {"mini": (1, 1)}}, "1 is not below 1"),
        ({"vae/x": {"mini": [0, 1]}}, "must be (lowest, highest)"),
        ({"vae/x": {"mini": (0, 1, 2)}}, "must be (lowest, highest)"),
        ({"vae/x": {"mini": (True, 2)}}, "must be (lowest, highest)"),
        ({"vae/x": {"mini": (0, float("inf"))}}, "must be (lowest, highest)"),
    ],
)
def test_an_invalid_table_is_refused(table: Any, said: str) -> None:
    assert said in wrong_with(table)
    assert wrong_with(BANDS) == "" == wrong_with({})
    with pytest.raises(ValueError, match="profile"):
        SubmissionLog(a_run(), student="ada").bands({"vae/x": {"big": (0, 1)}})
