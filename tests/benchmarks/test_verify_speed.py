"""The benchmark of `autograder verify`, in its smallest size: everybody is told apart."""

from __future__ import annotations

import re

import pytest

from benchmarks import verify_speed


def test_it_counts_logs_and_tells_everybody_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_speed.main(["--students", "20"]) == 0
    out = capsys.readouterr().out
    assert "4 copyist, copyist according to verify" in out and "mistaken, mistaken according to verify" in out
    found = re.search(r"vae: 20 logs in .*: ([\d,]+) logs per second", out)
    assert found and int(found[1].replace(",", "")) > 0
