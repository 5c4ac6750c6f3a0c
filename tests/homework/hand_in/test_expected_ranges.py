"""Expected ranges: a number outside gets one line that says where to look, and nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homework.hand_in.expected_ranges import entry_for, in_words, is_within, numbers_table, wrong_with
from homework.hand_in.log import SubmissionLog
from tests.homework.conftest import Printed, a_run

BANDS: Any = {
    "vae/test_nelbo": {"full": (94, 104), "mini": (92.0, 115)},
    "vae/*/forgetting": {"mini": (0, None)},
    "vae/*": {"mini": (None, 5)},
}


def table(capsys: Printed, path: Path, bands: Any, **metrics: Any) -> list[list[str]]:
    """The rows that writing a log with these metrics prints, as words."""
    log = SubmissionLog(a_run(), student="ada")
    log.bands(bands)
    for name, values in metrics.items():
        log.metric(name.replace("_of_", "/"), **values)
    log.write(path / "log.json")
    assert "band" not in str(log.as_json()), "nothing of it goes into the log"
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_writing_the_log_shows_all_numbers_beside_their_ranges(capsys: Printed, tmp_path: Path) -> None:
    bands = {**BANDS, "vae/test_kl": {"mini": (9, 20)}}
    given = {"vae_of_test_nelbo": {"values": [98.0, 99.0]}, "other_of_number": {"value": 1e9}}
    title, heads, *rows = table(capsys, tmp_path, bands, **given)
    assert title == "Your numbers, profile mini:".split() and heads == ["measured", "expected"]
    assert "vae/test_nelbo 98.5 ± 0.5 (2 runs) 92 to 115".split() in rows
    assert "other/number 1e+09".split() in rows and "vae/test_kl not measured 9 to 20".split() in rows
    assert not any("outside" in row or "points." in row for row in rows)


def test_only_a_number_outside_its_range_is_marked(capsys: Printed, tmp_path: Path) -> None:
    rows = table(capsys, tmp_path, BANDS, vae_of_test_nelbo={"values": [500.0, 600.0]}, vae_of_x={"value": 1.0})
    (marked,) = [row for row in rows if row[-1:] == ["outside"]]
    assert marked[:2] == ["vae/test_nelbo", "550"] and any("costs no points" in " ".join(row) for row in rows)
    rows = table(capsys, tmp_path, BANDS, vae_of_test_nelbo={"value": float("nan")})
    assert not any("outside" in row for row in rows), "missing is missing, not outside"
    assert "vae/test_nelbo not available 92 to 115".split() in rows


def test_a_log_without_numbers_and_ranges_shows_no_table() -> None:
    assert numbers_table({}, BANDS, "grade") == "" == numbers_table({}, {}, "mini")


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
