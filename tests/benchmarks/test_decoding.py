"""The benchmark of the ways to decode, in its smallest size."""

from __future__ import annotations

import pytest

from benchmarks import decoding


@pytest.mark.kernel
def test_the_cache_is_faster_and_the_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--batch", "8", "--document", "12", "--lengths", "8", "96", "--repeats", "2"]
    assert decoding.main(arguments) == 0
    said = capsys.readouterr().out
    rows = [line.replace(",", "").split() for line in said.splitlines() if line.strip()[:2] in ("8 ", "96")]
    assert [row[0] for row in rows] == ["8", "96"]
    assert all(float(number) > 0 for row in rows for number in row)
    own_ratio, t5_ratio = float(rows[1][-2]), float(rows[1][-1])
    assert own_ratio > 1.5
    assert t5_ratio > 1.2
